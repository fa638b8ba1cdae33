"""Where a venue would liquidate: prices of one underlying alone, of all together by their betas, and of two at once.

Everything rests on one array, the gap between equity and maintenance margin at many sets of prices at once, with the
tier, scenario or haircut slice that applies at each. Scan and roots together: docs/venues.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from margin.core.account import SubAccount, posted_margin
from margin.core.errors import InputError
from margin.core.portfolio import Portfolio
from margin.models.base import MarginModel
from margin.models.marks import Marks
from margin.venues import accounts, wallets
from margin.venues.base import Mode, Rulebook

LEAST = 1e-9  # of today's price: nothing falls to 0
MOST = 1e9  # times today's price: beyond, no price is looked for
SPLITS = 64  # points within each bracket, a round
DEEPENED = 16  # low points of a book with options that are looked at once more
Gaps = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Edges:
    """Nearest liquidation on either side; None where no price above 0 liquidates.

    down, up : USD prices, or moves (fractions) where several prices move together
    """

    down: float | None
    up: float | None


@dataclass(frozen=True)
class Surface:
    """Two underlyings moving at once.

    moves : (n,) fractions, the same for both; gap : (n, n) USD left before liquidation, rows the first's moves
    edge : (m, 2) moves of (first, second) at which liquidation begins, exact in the second
    """

    first: str
    second: str
    moves: np.ndarray
    gap: np.ndarray
    edge: np.ndarray


def model(rulebook: Rulebook, mode: Mode, settings: Mapping[str, float] | None = None) -> MarginModel:
    """The rulebook in that mode as a margin model."""
    from margin.venues.margin_models import VenueModel  # it reads the registry of rulebooks

    return VenueModel(rulebook, mode, settings)


def sub_accounts(
    rulebook: Rulebook, book: Portfolio | SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float] | None
) -> list[tuple[str, SubAccount]]:
    """(name, sub-account) of what is liquidated by itself: each position with its own margin, or the pools.

    Names are those of `accounts.labels`, "" a pool.
    """
    pool = accounts.pinned(accounts.as_sub(book), marks)
    if mode != "isolated" or pool.isolated:
        return [("", part) for _, part in wallets.parts(rulebook, pool, mode)]
    held, rules = accounts.margined(pool), model(rulebook, mode, settings)
    margins = [posted_margin(p, rules, marks) for p in held]
    alone = [
        SubAccount(name=p.symbol, positions=(p,), collateral=(c,), isolated=True)
        for p, c in zip(held, margins, strict=True)
    ]
    return list(zip(accounts.labels(held), alone, strict=True))


def prices(
    rulebook: Rulebook,
    book: Portfolio | SubAccount,
    marks: Marks,
    mode: Mode,
    settings: Mapping[str, float] | None = None,
) -> dict[str, Edges]:
    """USD prices at which liquidation starts as one underlying moves and the others stay at their marks.

    Isolated: by position (`accounts.labels`), each with its own margin. Otherwise by asset, for everything that moves;
    where the venue keeps several pools, the one that is liquidated first.
    """
    rules = model(rulebook, mode, settings)
    out: dict[str, Edges] = {}
    for name, sub in sub_accounts(rulebook, book, marks, mode, settings):
        found = of_sub_account(rules, sub, marks)
        if name and found:
            out[name] = next(iter(found.values()))
            continue
        for asset, edges in found.items():
            out[asset] = _first(out[asset], edges) if asset in out else edges
    return out


def _first(one: Edges, other: Edges) -> Edges:
    """The nearer of two on either side."""
    downs = [e.down for e in (one, other) if e.down is not None]
    ups = [e.up for e in (one, other) if e.up is not None]
    return Edges(max(downs, default=None), min(ups, default=None))


def of_sub_account(rules: MarginModel, sub: SubAccount, marks: Marks) -> dict[str, Edges]:
    """By asset: USD prices at which the sub-account is liquidated as that asset moves alone, under any margin model."""
    sub = accounts.pinned(sub, marks)
    assets = moving(sub)
    columns = [sub.assets.index(asset) for asset in assets]

    def gaps(which: np.ndarray, factors: np.ndarray) -> np.ndarray:
        rows = np.ones((len(factors), len(sub.assets)))
        rows[np.arange(len(factors)), np.array(columns, dtype=int)[which]] = factors
        return rules.states(sub, marks, rows).gap

    strikes = [_strikes(sub, asset, marks) for asset in assets]
    found = _edges(gaps, [_grid(extra) for extra in strikes], [bool(extra) for extra in strikes])
    return {asset: _priced(edges, marks.price(asset)) for asset, edges in zip(assets, found, strict=True)}


def nearest_edges(
    gaps: Callable[[np.ndarray, np.ndarray], np.ndarray], extra: Sequence[Sequence[float]]
) -> list[Edges]:
    """Nearest price factors down and up at which each of several gaps falls below 0; 1 and 1 where it already is.

    gaps(which, factors) : (n,) USD left of gap number `which` (n,) at `factors` (n,); extra: factors to look at closely
    (strikes), one list per gap
    """
    return _edges(gaps, [_grid(factors) for factors in extra], [bool(factors) for factors in extra])


def strike_factors(sub: SubAccount, asset: str, marks: Marks) -> list[float]:
    """Factors of the asset's price at which its options turn: a band may lie between two of them."""
    return _strikes(sub, asset, marks)


def together(
    rulebook: Rulebook, book: Portfolio | SubAccount, marks: Marks, mode: Mode, betas: Mapping[str, float],
    settings: Mapping[str, float] | None = None,
) -> Edges:  # fmt: skip
    """Moves of the market (fractions) at which a cross account is liquidated, each asset moving beta times as far.

    Where the venue keeps several pools, the one that is liquidated first.
    """
    if mode == "isolated":
        raise InputError("mode", mode, "isolated positions are liquidated one by one, not together", "Use cross.")
    missing = [asset for asset in moving(book) if asset not in betas]
    if missing:
        raise InputError("betas", missing[0], "has no beta", "Give one per asset that moves.")
    rules = model(rulebook, mode, settings)
    found = Edges(None, None)
    for _, pool in sub_accounts(rulebook, book, marks, mode, settings):
        found = _first(found, _together(rules, pool, marks, betas))
    return found


def _together(rules: MarginModel, sub: SubAccount, marks: Marks, betas: Mapping[str, float]) -> Edges:
    """Of one pool: moves of the market at which it is liquidated."""
    slopes = np.array([0.0 if accounts.is_dollar(asset) else betas[asset] for asset in sub.assets])

    def gaps(which: np.ndarray, factors: np.ndarray) -> np.ndarray:
        return rules.states(sub, marks, np.maximum(1.0 + slopes * (factors - 1.0)[:, None], LEAST)).gap

    strikes = [f for asset in moving(sub) for f in _strikes(sub, asset, marks)]
    found = _edges(gaps, [_grid(strikes)], [bool(strikes)])[0]
    return Edges(*(None if factor is None else factor - 1.0 for factor in (found.down, found.up)))


def surface(
    rulebook: Rulebook, book: Portfolio | SubAccount, marks: Marks, mode: Mode, first: str, second: str,
    settings: Mapping[str, float] | None = None, reach: float = 0.6, steps: int = 25,
) -> Surface:  # fmt: skip
    """The gap over moves of two underlyings, and where it crosses 0 as the second moves at each move of the first.

    Where the venue keeps several pools, the smallest gap of those that the two move.
    """
    if mode == "isolated":
        raise InputError("mode", mode, "isolated positions are liquidated one by one, not together", "Use cross.")
    if first == second:
        raise InputError("second", second, "must be another asset than the first")
    rules = model(rulebook, mode, settings)
    pools = [s for _, s in sub_accounts(rulebook, book, marks, mode, settings) if {first, second} & set(s.assets)]

    def gap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        found = []
        for pool in pools:
            rows = np.ones((len(a), len(pool.assets)))
            for asset, move in ((first, a), (second, b)):
                if asset in pool.assets:
                    rows[:, pool.assets.index(asset)] = 1.0 + move
            found.append(rules.states(pool, marks, rows).gap)
        return np.min(found, axis=0)  # type: ignore[no-any-return]

    moves = np.linspace(-reach, reach, steps)
    cells = gap(np.repeat(moves, steps), np.tile(moves, steps)).reshape(steps, steps)
    i, j = np.nonzero((cells[:, :-1] < 0) != (cells[:, 1:] < 0))
    edge = np.empty((len(i), 2))
    if len(i):
        turned = np.where(cells[i, j] < 0, -1.0, 1.0)  # so that every bracket falls from safe to liquidated
        edge[:, 0] = moves[i]
        edge[:, 1] = _roots(lambda which, b: turned[which] * gap(moves[i][which], b), moves[j], moves[j + 1])
    return Surface(first, second, moves, cells, edge)


def moving(book: Portfolio | SubAccount) -> list[str]:
    """Assets of positions and balances whose price moves, dollars left out; positions first."""
    sub = accounts.as_sub(book)
    names = [*(p.underlying for p in sub.positions), *(c.asset for c in sub.collateral)]
    return [asset for asset in dict.fromkeys(names) if not accounts.is_dollar(asset)]


def nearest(edges: Mapping[str, Edges], marks: Marks) -> tuple[str, float] | None:
    """(what, move as a fraction) of the smallest move that liquidates; None where none does."""
    found = []
    for name, edge in edges.items():
        spot = marks.price(name if "/" not in name else name.split("/")[0])
        found += [(name, price / spot - 1.0) for price in (edge.down, edge.up) if price is not None]
    return min(found, key=lambda pair: abs(pair[1])) if found else None


def _strikes(sub: SubAccount, asset: str, marks: Marks) -> list[float]:
    """Factors at which options of the asset turn: a band may lie between two of them."""
    own = [p.instrument.strike for p in sub.positions if p.instrument.is_option and p.underlying == asset]
    return [strike / marks.price(asset) for strike in own if strike]


def _grid(strikes: Sequence[float]) -> np.ndarray:
    """Factors looked at: every 1% near today's price, wider apart far from it, each strike and close beside it.

    With options every 0.1%: a scenario that lands on a strike makes a band as narrow as the strikes are apart.
    """
    steps = np.concatenate([np.geomspace(LEAST, 0.01, 40)[:-1], np.geomspace(0.01, 0.2, 60)[:-1]])
    near = np.exp(np.arange(np.log(0.2), np.log(5.0), 0.01))
    far = np.concatenate([np.geomspace(5.0, 200.0, 75), np.geomspace(200.0, MOST, 75)[1:]])
    around = np.array([s * f for s in strikes for f in (0.97, 0.99, 0.999, 1.0, 1.001, 1.01, 1.03)])
    close = np.exp(np.arange(np.log(0.5), np.log(2.0), 0.001)) if strikes else near[:0]
    found = np.unique(np.concatenate([steps, near, close, far, around, [1.0]]))
    return found[found > 0]


def _deepened(grid: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Factors between the neighbours of each low point that is not yet below 0, lowest first: a band may hide there."""
    at = np.flatnonzero((values[1:-1] < values[:-2]) & (values[1:-1] <= values[2:]) & (values[1:-1] >= 0)) + 1
    at = at[np.argsort(values[at])][:DEEPENED]
    parts = [np.linspace(grid[i - 1], grid[i + 1], 2 * SPLITS // 4 + 2)[1:-1] for i in at]
    return np.concatenate(parts) if parts else grid[:0]


def _priced(edges: Edges, spot: float) -> Edges:
    down, up = (None if factor is None else spot * factor for factor in (edges.down, edges.up))
    return Edges(down, up)


def _of_grids(gaps: Callable[[np.ndarray, np.ndarray], np.ndarray], grids: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The gap at every factor of every grid, all reckoned at once."""
    which = np.repeat(np.arange(len(grids)), [len(g) for g in grids])
    return np.split(gaps(which, np.concatenate(grids)), np.cumsum([len(g) for g in grids])[:-1])


def _edges(
    gaps: Callable[[np.ndarray, np.ndarray], np.ndarray], grids: Sequence[np.ndarray], deepen: Sequence[bool]
) -> list[Edges]:
    """Nearest factors down and up at which each gap falls below 0; both 1 where it already is.

    deepen : of each grid, whether its low points are looked at once more, between the grid's factors
    """
    if not grids:
        return []
    grids, values = list(grids), _of_grids(gaps, grids)
    more = [_deepened(g, v) if deep else g[:0] for g, v, deep in zip(grids, values, deepen, strict=True)]
    for k, extra in enumerate(_of_grids(gaps, more) if any(map(len, more)) else ()):
        order = np.argsort(np.concatenate([grids[k], more[k]]), kind="stable")
        grids[k] = np.concatenate([grids[k], more[k]])[order]
        values[k] = np.concatenate([values[k], extra])[order]
    below = [v < 0 for v in values]
    places: list[tuple[int, int]] = []  # (grid, 0 down or 1 up) of each bracket
    brackets: list[tuple[float, float]] = []
    found: list[list[float | None]] = [[None, None] for _ in grids]
    for k, (grid, low) in enumerate(zip(grids, below, strict=True)):
        home = int(np.searchsorted(grid, 1.0))
        if low[home]:
            found[k] = [1.0, 1.0]
            continue
        under, over = np.flatnonzero(low[:home]), np.flatnonzero(low[home:])
        if len(under):
            places.append((k, 0))
            brackets.append((grid[under[-1] + 1], grid[under[-1]]))
        if len(over):
            places.append((k, 1))
            brackets.append((grid[home + over[0] - 1], grid[home + over[0]]))
    if brackets:
        owner = np.array([k for k, _ in places])
        safe, broken = np.array(brackets).T
        for (k, side), root in zip(places, _roots(lambda i, f: gaps(owner[i], f), safe, broken), strict=True):
            found[k][side] = float(root)
    return [Edges(*pair) for pair in found]


def _roots(gap: Callable[[np.ndarray, np.ndarray], np.ndarray], safe: np.ndarray, broken: np.ndarray) -> np.ndarray:
    """Where each gap falls below 0 between `safe` (it is not) and `broken` (it is): the crossing nearest to `safe`.

    gap(which, x) : at x of bracket `which`. All brackets are split at once; where the ends are close enough for a line
    the crossing of the line is taken, if the gap is as good as 0 there; else the splitting goes on (a tier may jump).
    """
    out, left = np.array(broken, dtype=float), np.arange(len(safe))
    a, b = np.array(safe, dtype=float), np.array(broken, dtype=float)
    shares = np.linspace(0.0, 1.0, SPLITS + 1)
    for _ in range(12):
        points = a[:, None] + (b - a)[:, None] * shares
        points[:, -1] = b
        values = gap(np.repeat(left, SPLITS + 1), points.ravel()).reshape(points.shape)
        low = values < 0
        low[:, -1] = True
        first = np.maximum(low.argmax(axis=1), 1)
        rows = np.arange(len(left))
        a, b = points[rows, first - 1], points[rows, first]
        at, beyond = values[rows, first - 1], np.minimum(values[rows, first], 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            guess = np.where(at > beyond, a + (b - a) * at / (at - beyond), b)
        near = np.abs(gap(left, guess)) <= 1e-10 * np.abs(values[:, 0] - values[:, -1]) + 1e-12
        done = near | (np.abs(b - a) <= 4e-16 * np.abs(b))
        out[left] = np.where(near, guess, b)
        left, a, b = left[~done], a[~done], b[~done]
        if not len(left):
            break
    return out
