"""What a move does to the book: profit and loss, equity, health, and who would be liquidated in which mode.

A shock is instant: prices move, options are revalued in full at the same time to expiry, collateral moves too. The
money is the same in both modes: the account's equity, in silos split in proportion to what each position needs alone.
Definitions: docs/stress.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from margin.core import options
from margin.core.errors import InputError
from margin.core.instruments import USD_STABLECOINS
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.ladder.compare import Comparison, compare
from margin.ladder.isolated_accounts import shares
from margin.risk.exposures import Exposure

MAINTENANCE = 0.5  # share of the requirement below which a silo or an account is liquidated


@dataclass(frozen=True, kw_only=True)
class Stressed:
    """The book after one move. USD, profit > 0.

    moves        : fraction by asset as used; missing: assets of the book whose move is not known, left unmoved
    pnl, by_position : of the positions; collateral_change: of what the collateral counts for
    equity, requirement, health : after the move, and the margin before it, which health is measured against
    silos        : (p,) equity of each position's own silo; liquidated_alone: (p,) whether it would be closed there
    cross_liquidated : whether the pool would be closed, with every position in it
    """

    name: str
    moves: Mapping[str, float]
    missing: tuple[str, ...]
    pnl: float
    by_position: tuple[float, ...]
    collateral_change: float
    equity_before: float
    equity: float
    requirement: float
    silos: tuple[float, ...]
    liquidated_alone: tuple[bool, ...]
    cross_liquidated: bool

    @property
    def health(self) -> float | None:
        return self.equity / self.requirement if self.requirement > 0 else None

    @property
    def only_alone(self) -> int:
        """Positions closed in their silo while the pool survives."""
        return 0 if self.cross_liquidated else sum(self.liquidated_alone)

    @property
    def dragged_down(self) -> int:
        """Positions that would have survived alone and are closed with the pool: contagion inside the account."""
        return len(self.silos) - sum(self.liquidated_alone) if self.cross_liquidated else 0


@dataclass(frozen=True, eq=False)
class StressBook:
    """A book ready to be moved: its comparison, the money behind it, and where liquidation starts.

    money : USD, the account's equity; without collateral the isolated margin, as if exactly that had been posted
    """

    comparison: Comparison
    money: float
    assumed_money: bool
    maintenance: float

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols in the order of the positions."""
        return tuple(e.position.symbol for e in self.comparison.book.exposures)


def stress_book(
    portfolio: Portfolio, market: Market, settings: Settings | None = None, maintenance: float = MAINTENANCE
) -> StressBook:
    """Value the book once; every move starts from here. Raises InputError as `compare` does."""
    if not 0.0 < maintenance <= 1.0:
        raise InputError("maintenance", maintenance, "must be above 0 and at most 1")
    c = compare(portfolio, market, settings=settings)
    posted = bool(c.account.collateral) and c.account.equity > 0
    return StressBook(c, c.account.equity if posted else c.isolated, not posted, maintenance)


def shock(book: StressBook, moves: Mapping[str, float], vol_change: float = 0.0, name: str = "Shock") -> Stressed:
    """The book after each asset moved by a fraction of its price, and implied volatilities by one of theirs.

    moves      : by asset, -1 or more; an asset of the book that is not named does not move, and is in `missing`
    vol_change : 0.5 raises every implied volatility by half; above -1
    """
    for asset, move in moves.items():
        if not -1.0 <= move <= 100.0:
            raise InputError(f"moves {asset}", move, "must be a fraction from -1 (worthless) to 100")
    if not -1.0 < vol_change <= 100.0:
        raise InputError("vol_change", vol_change, "must be above -1")
    c = book.comparison
    exposures = c.book.exposures
    by_position = tuple(position_pnl(e, moves.get(e.instrument.base, 0.0), vol_change, c) for e in exposures)
    change = sum(counted * moves.get(asset, 0.0) for asset, counted in counted_collateral(c).items())
    pnl = float(sum(by_position))
    after = book.money + pnl + (0.0 if book.assumed_money else change)
    alone = np.array([p.standalone for p in c.positions])
    share = shares(alone)
    started = book.money + (0.0 if book.assumed_money else change)
    silos = started * share + np.array(by_position)
    needed = [*c.book.assets, *counted_collateral(c)]
    return Stressed(
        name=name,
        moves=dict(moves),
        missing=tuple(a for a in dict.fromkeys(needed) if a not in moves and a != "USD" and a not in USD_STABLECOINS),
        pnl=pnl,
        by_position=by_position,
        collateral_change=0.0 if book.assumed_money else change,
        equity_before=book.money,
        equity=after,
        requirement=c.portfolio,
        silos=tuple(float(s) for s in silos),
        liquidated_alone=tuple(
            bool(s < book.maintenance * a - 1e-9 * c.isolated) for s, a in zip(silos, alone, strict=True)
        ),
        cross_liquidated=bool(after < book.maintenance * c.portfolio - 1e-9 * c.isolated),
    )


def counted_collateral(c: Comparison) -> dict[str, float]:
    """USD by asset that moves with the asset's price: after its haircut, or in full under the joint treatment."""
    joint = c.account.treatment == "joint"
    out: dict[str, float] = {}
    for line in c.account.collateral:
        out[line.asset] = out.get(line.asset, 0.0) + (line.market_value if joint else line.counted_value)
    return out


def position_pnl(e: Exposure, move: float, vol_change: float, c: Comparison) -> float:
    """USD of one position; options by Black-76 at the same time to expiry."""
    if e.column is None:
        return 0.0
    if not e.instrument.is_option:
        return e.delta_usd * move
    assert e.years is not None and e.implied_vol is not None
    assert e.instrument.strike is not None and e.instrument.option_type is not None
    value = options.black76(
        np.array([e.spot * (1.0 + move)]),
        e.instrument.strike,
        e.years,
        np.array([e.implied_vol * (1.0 + vol_change)]),
        e.instrument.option_type,
    )
    return float(e.position.quantity * (value[0] - e.price))


def everything(book: StressBook, move: float) -> dict[str, float]:
    """The same move for every asset of the book and its collateral but dollars and dollar stablecoins."""
    names = [*book.comparison.book.assets, *counted_collateral(book.comparison)]
    return {a: move for a in dict.fromkeys(names) if a != "USD" and a not in USD_STABLECOINS}


def depeg(book: StressBook, fall: float) -> Stressed:
    """Every dollar stablecoin the book or its collateral holds falls by a fraction; everything else stays."""
    names = {*book.comparison.book.assets, *counted_collateral(book.comparison)}
    moves = {a: -fall if a in USD_STABLECOINS else 0.0 for a in names if a != "USD"}
    return shock(book, moves, 0.0, f"Stablecoins fall by {fall:.0%}")


@dataclass(frozen=True, eq=False)
class ShockGrid:
    """pnl (n, m), health (n, m) under spot moves (n,) for every asset alike and changes of volatility (m,)."""

    spot: np.ndarray
    vol: np.ndarray
    pnl: np.ndarray
    equity: np.ndarray


def shock_grid(book: StressBook, spot: Sequence[float], vol: Sequence[float]) -> ShockGrid:
    """The book on a grid of spot moves and volatility changes; stablecoins stay."""
    cells = [[shock(book, everything(book, s), v) for v in vol] for s in spot]
    pnl = np.array([[c.pnl + c.collateral_change for c in row] for row in cells])
    return ShockGrid(np.array(spot), np.array(vol), pnl, np.array([[c.equity for c in row] for row in cells]))


@dataclass(frozen=True)
class NamedMove:
    """A recorded event: by asset, the move from the close before it to the close of its last day, and to its low."""

    name: str
    start: str
    end: str
    close_to_close: Mapping[str, float]
    worst_low: Mapping[str, float]


def replay_events(book: StressBook, events: Sequence[NamedMove], to_low: bool = False) -> list[Stressed]:
    """The book through each recorded event: close to close, or every asset at its own low at once.

    Lows hurt longs and help shorts; highs are not recorded. An asset without a recorded move stays and is `missing`;
    an event that moves nothing of the book is left out.
    """
    names = [*book.comparison.book.assets, *counted_collateral(book.comparison)]
    out = []
    for event in events:
        moves = event.worst_low if to_low else event.close_to_close
        used = {a: moves[a] for a in dict.fromkeys(names) if a in moves}
        if any(a not in USD_STABLECOINS for a in used):
            out.append(shock(book, used, 0.0, event.name))
    return out


@dataclass(frozen=True, eq=False, kw_only=True)
class StressPath:
    """Today's book along recorded prices, starting from the close before `start`. Arrays (n,), the first is the start.

    cross : equity of the pool; silos (n, p) of each position alone; closed_alone (p,), closed_cross: index of the day
    on which it would have been liquidated, None when it survives. Quantities are held to the end whatever happened.
    """

    dates: np.ndarray
    cross: np.ndarray
    silos: np.ndarray
    closed_alone: tuple[int | None, ...]
    closed_cross: int | None
    requirement: float
    alone: np.ndarray

    @property
    def health(self) -> np.ndarray | None:
        return self.cross / self.requirement if self.requirement > 0 else None


def replay_path(book: StressBook, market: Market, start: Any, days: int = 30) -> StressPath:
    """Today's book through `days` closes of a stretch of the record, as dollars from the close before `start`.

    Options keep their time to expiry and volatility. Raises InputError where the record has no such days.
    """
    c = book.comparison
    dates, closes = market.aligned(c.book.assets)
    first = int(np.searchsorted(dates, np.datetime64(str(start)[:10])))
    if not 0 < first < len(dates):
        hint = f"From {str(dates[1])[:10]} to {str(dates[-1])[:10]}."
        raise InputError("start", str(start)[:10], "has no close before it here", hint)
    stretch = slice(first - 1, min(first + days, len(dates)))
    moves = closes[stretch] / closes[first - 1] - 1.0
    exposures = c.book.exposures
    gains = np.array(
        [[position_pnl(e, 0.0 if e.column is None else row[e.column], 0.0, c) for e in exposures] for row in moves]
    )
    alone = np.array([p.standalone for p in c.positions])
    share = shares(alone)
    held = counted_collateral(c)
    inside = [(held.get(a, 0.0), i) for i, a in enumerate(c.book.assets)]
    drift = np.zeros(len(moves)) if book.assumed_money else sum(v * moves[:, i] for v, i in inside)
    cross = book.money + drift + gains.sum(axis=1)
    silos = (book.money + drift)[:, None] * share + gains
    low = silos < book.maintenance * alone - 1e-9 * c.isolated
    down = cross < book.maintenance * c.portfolio - 1e-9 * c.isolated
    return StressPath(
        dates=dates[stretch],
        cross=cross,
        silos=silos,
        closed_alone=tuple(int(col.argmax()) if col.any() else None for col in low.T),
        closed_cross=int(down.argmax()) if down.any() else None,
        requirement=c.portfolio,
        alone=alone,
    )


@dataclass(frozen=True)
class Dried:
    """The book when markets trade `factor` times less. USD; closing_cost None where no volume is known."""

    factor: float
    closing_cost: float | None
    safeguarded: float
    collateral_value: float
    health: float | None


def dried_up(portfolio: Portfolio, market: Market, settings: Settings, factors: Sequence[float]) -> list[Dried]:
    """Cost of closing, safeguarded margin and counted collateral when traded volumes are divided by each factor."""
    if market.volumes is None:
        raise InputError("volumes", "none", "no traded volume is known", "Fetch prices, or give a file with volumes.")
    closes = pd.DataFrame(market.closes, market.dates, list(market.assets))
    out = []
    for factor in factors:
        if not factor >= 1.0:
            raise InputError("factor", factor, "must be 1 or more")
        thin = Market(closes, pd.DataFrame(market.volumes / factor, market.dates, list(market.assets)))
        c = compare(portfolio, thin, settings=settings)
        cost = next(line.amount for line in c.safeguard_lines if line.key == "liquidity")
        out.append(Dried(factor, cost, c.safeguarded, c.account.collateral_value, c.account.health_safeguarded))
    return out
