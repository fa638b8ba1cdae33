"""Thousands of shared wallets on one market: calls sell, sales move the price, both protocols' funds pay the rest.

Wallets hold one coin at the lender and one perpetual, under rules by share; a part of them has looped its coin. Each
step the outside world moves prices and the last step's sales push them further (square-root law); who is called is
closed by the same reckoning as a single wallet (margin/protocols/seizure.py). Definitions: docs/protocols.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from margin.core.checks import whole_number
from margin.core.errors import InputError
from margin.core.impact import square_root_move
from margin.protocols.branching import Impact, Ladder, critical_shock, liquidation_ladder, reproduction
from margin.protocols.funds import Mutual, mutual_fund
from margin.protocols.seizure import Ledgers, Outcome
from margin.protocols.wallet import Rule, Sides, check_rule

MOST_WALLETS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Who there is; every default is an assumption of ours, to be turned on the page.

    wallets, seed  : how many; the same seed draws the same wallets
    rules          : (rule, share of wallets) pairs adding up to 1: separate, lien, unified, double
    coin_median, coin_spread     : lognormal USD of the coin put in (spread: deviation of its logarithm)
    health_median, health_spread : health = 1 + lognormal: collateral x threshold / debt at the start
    looped, depth  : share of wallets that lent the coin again `depth` times, up to 1 / (1 - LTV) of it
    notional       : the perpetual's least and most notional as a multiple of the debt; long_share: that are long
    margin, maintenance : cash behind a separate perpetual and what is kept, shares of its notional
    ltv, threshold : of the coins; weight: what the venue counts a coin at; theta: what a second lien counts
    volatilities, volumes, correlation : of two coins a day, USD traded a day; impact: factor of the square-root law
    lender_fund, venue_fund, shared_fund : USD
    """

    wallets: int = 10_000
    seed: int = 1
    rules: Mapping[str, float] | tuple[tuple[str, float], ...] = (("separate", 1.0),)
    coin_median: float = 20_000.0
    coin_spread: float = 1.3
    health_median: float = 0.5
    health_spread: float = 0.7
    looped: float = 0.2
    depth: int = 3
    notional: tuple[float, float] = (0.3, 2.0)
    long_share: float = 0.6
    margin: float = 0.15
    maintenance: float = 0.025
    ltv: float = 0.805
    threshold: float = 0.83
    weight: float = 0.805
    theta: float = 0.8
    bonus: float = 0.05
    volatilities: tuple[float, float] = (0.035, 0.045)
    volumes: tuple[float, float] = (1e10, 3e9)
    correlation: float = 0.8
    impact: float = 1.0
    lender_fund: float = 1e6
    venue_fund: float = 1e6
    shared_fund: float = 0.0

    def __post_init__(self) -> None:
        whole_number(self.wallets, "wallets", 10, MOST_WALLETS)
        for rule, share in self.shares.items():
            check_rule(rule)
            if rule in ("borrowed", "wrong-way"):
                raise InputError("rules", rule, "is not drawn here", "Use separate, lien, unified and double.")
            if not 0.0 <= share <= 1.0:
                raise InputError(f"rules.{rule}", share, "must be a share from 0 to 1")
        if abs(sum(self.shares.values()) - 1.0) > 1e-9:
            raise InputError("rules", sum(self.shares.values()), "must add up to 1")
        for name in ("looped", "long_share", "theta", "weight", "maintenance", "bonus"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(name, getattr(self, name), "must be from 0 to 1")
        if not 0.0 < self.ltv <= self.threshold < 1.0:
            raise InputError("ltv", self.ltv, "must be above 0 and at most the threshold, which is below 1")
        if not 0 <= self.depth <= 50 or not self.maintenance <= self.margin <= 1.0:
            raise InputError("depth", self.depth, "must be 0 to 50, and the margin not below the maintenance")
        positive = (*self.volatilities, *self.volumes, self.coin_median, self.health_median)
        if not all(v > 0 for v in positive) or not 0 <= self.notional[0] <= self.notional[1]:
            raise InputError("volumes", positive, "must be above 0, and the notional from least to most")

    @property
    def shares(self) -> Mapping[str, float]:
        """Share of wallets by rule."""
        return dict(self.rules)

    def with_double(self, share: float) -> "Crowd":
        """The same wallets with `share` of them counted twice and the rest separate."""
        return replace(self, rules=(("separate", 1.0 - share), ("double", share)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """n wallets. rule (n,) number in `rules`; coin, perp (n,) 0 or 1; the rest USD, notional signed."""

    rules: tuple[Rule, ...]
    rule: np.ndarray
    coin: np.ndarray
    perp: np.ndarray
    value: np.ndarray
    debt: np.ndarray
    notional: np.ndarray
    cash: np.ndarray


def draw(crowd: Crowd) -> Drawn:
    """The wallets. The same draws whatever the rules, so that rules are compared on the same people.

    Health is redrawn above 1 by its law; a loop of depth d multiplies coin and debt as lending LTV of it d times does.
    """
    rng = np.random.default_rng(crowd.seed)
    n = crowd.wallets
    put_in = crowd.coin_median * np.exp(crowd.coin_spread * rng.standard_normal(n))
    health = 1.0 + crowd.health_median * np.exp(crowd.health_spread * rng.standard_normal(n))
    debt = put_in * crowd.threshold / health
    loops = rng.random(n) < crowd.looped
    grown = (1.0 - crowd.ltv ** (crowd.depth + 1)) / (1.0 - crowd.ltv)
    value = np.where(loops, put_in * grown, put_in)
    debt = np.where(loops, put_in * (grown - 1.0), np.minimum(debt, put_in * crowd.ltv))
    coin, perp = rng.integers(2, size=n), rng.integers(2, size=n)
    size = debt * rng.uniform(*crowd.notional, n)
    notional = np.where(rng.random(n) < crowd.long_share, size, -size)
    order = rng.random(n)
    rules: tuple[Rule, ...] = tuple(check_rule(name) for name in crowd.shares)
    edges = np.cumsum(list(crowd.shares.values()))
    rule = np.minimum(np.searchsorted(edges, order, side="right"), len(rules) - 1)
    posts = np.array([name == "separate" for name in rules])[rule]
    cash = np.where(posts, crowd.margin * size, 0.0)
    return Drawn(rules=rules, rule=rule, coin=coin, perp=perp, value=value, debt=debt, notional=notional, cash=cash)


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """How one path ended. prices, outside (t + 1, 2): with and without the wallets' own sales, start 1.

    called : wallets; sold (t, 2) USD net of each coin, coins at the lender and perpetuals closed together
    lender_short, venue_short : USD that wallets did not pay; by_rule: USD short by rule; bonus: to liquidators
    lender_left, venue_left   : USD that no fund paid
    """

    prices: np.ndarray
    outside: np.ndarray
    called: int
    sold: np.ndarray
    lender_short: float
    venue_short: float
    by_rule: Mapping[str, float]
    bonus: float
    lender_left: float
    venue_left: float

    @property
    def short(self) -> float:
        """USD short at both protocols."""
        return self.lender_short + self.venue_short


def shocked(crowd: Crowd, moves: np.ndarray, drawn: Drawn | None = None) -> Spread:
    """The crowd along outside moves (t, 2), returns of each step. Raises InputError for moves below -100%."""
    moves = np.asarray(moves, dtype=float)
    if moves.ndim != 2 or moves.shape[1] != 2 or not np.isfinite(moves).all() or (moves < -1.0).any():
        raise InputError("moves", moves.shape, "must be steps x 2 returns of at least -1")
    people = drawn or draw(crowd)
    groups = [_Group(crowd, people, rule, np.flatnonzero(people.rule == i)) for i, rule in enumerate(people.rules)]
    groups = [g for g in groups if len(g.which)]
    price, outer, push = np.ones(2), np.ones(2), np.zeros(2)
    prices, outside, sold = [price], [outer], []
    for t, move in enumerate(moves):
        outer = outer * (1.0 + move)
        price = np.maximum(price * (1.0 + move) * (1.0 + push), 1e-9)
        flow = np.sum([group.step(price, t) for group in groups], axis=0)
        moved = square_root_move(flow, crowd.volumes, np.array(crowd.volatilities), crowd.impact)
        push = -np.sign(flow) * np.minimum(moved, 0.9)
        prices.append(price)
        outside.append(outer)
        sold.append(flow)
    ends = [group.end(price) for group in groups]
    lender, venue = (sum(float(getattr(end, name).sum()) for end in ends) for name in ("lender_short", "venue_short"))
    after_lender, after_venue = max(lender - crowd.lender_fund, 0.0), max(venue - crowd.venue_fund, 0.0)
    both = after_lender + after_venue
    helped = min(both, crowd.shared_fund) / both if both > 0 else 0.0
    return Spread(
        prices=np.array(prices),
        outside=np.array(outside),
        called=sum(int(end.called.sum()) for end in ends),
        sold=np.array(sold).reshape(len(moves), 2),
        lender_short=lender,
        venue_short=venue,
        by_rule={g.rule: float(end.shortfall.sum()) for g, end in zip(groups, ends, strict=True)},
        bonus=sum(float(end.bonus.sum()) for end in ends),
        lender_left=after_lender * (1.0 - helped),
        venue_left=after_venue * (1.0 - helped),
    )


class _Group:
    """The wallets of one rule while they are followed."""

    def __init__(self, crowd: Crowd, people: Drawn, rule: Rule, which: np.ndarray):
        self.crowd, self.rule, self.which = crowd, rule, which
        self.coin, self.perp, self.value = people.coin[which], people.perp[which], people.value[which]
        self.debt, self.notional, self.cash = people.debt[which], people.notional[which], people.cash[which]
        self.money = Ledgers(
            debt=self.debt, cash=self.cash, bonus=crowd.bonus, positions=self.notional != 0, rule=rule,
            theta=crowd.theta,
        )  # fmt: skip

    def sides(self, price: np.ndarray) -> Sides:
        pledged = self.value * price[self.coin]
        at = price[self.perp]
        return Sides(
            pledged=pledged,
            counted=self.crowd.threshold * pledged,
            weighted=self.crowd.weight * pledged,
            result=self.notional * (at - 1.0),
            required=self.crowd.maintenance * np.abs(self.notional) * at,
        )

    def step(self, price: np.ndarray, t: int) -> np.ndarray:
        """(2,) USD net sold of each coin: collateral sold and positions closed."""
        now = self.sides(price)
        flow = np.zeros(2)
        for _ in range(3):
            self.money.call(now, t)
            left, done = self.money.left, self.money.venue_done.copy()
            if not self.money.settle(now, t, delay=0, final=True):
                break
            sold = (left - self.money.left) * now.pledged
            fresh = self.money.venue_done & ~done
            closed = np.where(fresh, self.notional * price[self.perp], 0.0)
            flow += np.bincount(self.coin, sold, 2) + np.bincount(self.perp, closed, 2)
        return flow

    def end(self, price: np.ndarray) -> Outcome:
        return self.money.outcome(self.sides(price))


def closing_falls(crowd: Crowd, drawn: Drawn | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(falls (2n,), USD (2n,)): at which fall of both coins each wallet's lender and venue call, and what that sells.

    Closed forms of docs/protocols.md; inf where no fall does. Lender: debt and bonus; venue: the notional of longs
    (closing a short buys, which no fall of the price follows).
    """
    w = drawn or draw(crowd)
    kept = w.value * crowd.threshold
    lender = np.where(w.debt > 0, 1.0 - w.debt / kept, np.inf)
    size = np.abs(w.notional)
    venue = np.full(len(w.value), np.inf)
    for i, rule in enumerate(w.rules):
        mine = w.rule == i
        slope = w.notional - crowd.maintenance * size  # gap of cash and position at fall x: a - slope x
        base = w.cash - crowd.maintenance * size
        if rule == "unified":
            at = _root(kept - w.debt + base, kept + slope)
            lender = np.where(mine, at, lender)
            venue = np.where(mine, at, venue)
        elif rule == "double":
            credit = w.value * crowd.weight
            venue = np.where(mine, _root(base + credit, credit + slope), venue)
        elif rule == "lien":
            inside = _root(base + crowd.theta * (kept - w.debt), crowd.theta * kept + slope)
            reached = np.where(np.isfinite(lender), lender, 0.0)
            beyond = reached + _root(base - slope * reached, slope)  # no lien is left there
            venue = np.where(mine, np.where(inside <= lender, inside, beyond), venue)
        else:
            venue = np.where(mine, _root(base, slope), venue)
    venue = np.where(size > 0, venue, np.inf)
    sales = np.concatenate([w.debt * (1.0 + crowd.bonus), np.maximum(w.notional, 0.0)])
    falls = np.concatenate([lender, venue])
    return np.where(falls > 1.0, np.inf, np.maximum(falls, 0.0)), sales


def _root(start: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Fall x at which start - slope x is 0; inf where it never is, 0 where it is below already."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(slope > 0, start / slope, np.inf)
    return np.where(start <= 0, 0.0, found)


@dataclass(frozen=True, kw_only=True, eq=False)
class Tipping:
    """The crowd as a ladder. r0 (m - 1,) between its rows; critical: (shock, fall it ends at), None where none tips."""

    ladder: Ladder
    r0: np.ndarray
    critical: tuple[float, float] | None


def tipping(crowd: Crowd, impact: Impact, drawn: Drawn | None = None) -> Tipping:
    """Where a fall of both coins begins to feed on itself."""
    ladder = liquidation_ladder(*closing_falls(crowd, drawn))
    return Tipping(ladder=ladder, r0=reproduction(ladder, impact), critical=critical_shock(ladder, impact))


def by_double(
    crowd: Crowd, moves: np.ndarray, shares: np.ndarray | None = None, progress: Any = None
) -> list[tuple[float, Spread]]:
    """The same people and shock with 0 to 100% of them counted twice, the rest separate."""
    given = np.linspace(0.0, 1.0, 6) if shares is None else np.asarray(shares, dtype=float)
    found = []
    for share in given:
        found.append((float(share), shocked(crowd.with_double(float(share)), moves)))
        if progress:
            progress(len(found) / len(given))
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class FundNeed:
    """losses (s, 2) USD of lender and venue by scenario before any fund; mutual: separate against one shared fund."""

    losses: np.ndarray
    level: float
    mutual: Mutual


def fund_need(crowd: Crowd, scenarios: np.ndarray, level: float = 0.99, progress: Any = None) -> FundNeed:
    """scenarios : (s, t, 2) outside moves. The funds that keep the `level` case whole."""
    people = draw(crowd)
    losses = np.zeros((len(scenarios), 2))
    for i, moves in enumerate(scenarios):
        found = shocked(crowd, moves, people)
        losses[i] = found.lender_short, found.venue_short
        if progress:
            progress((i + 1) / len(scenarios))
    return FundNeed(losses=losses, level=level, mutual=mutual_fund(losses, level))
