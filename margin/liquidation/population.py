"""Thousands of accounts on one market: liquidations move the price, the price liquidates more.

Accounts hold two coins under three margin modes and meet the same shock. Each step: the outside world moves prices, the
last step's forced sales push them further, accounts below maintenance margin are closed at the new prices, what they
cannot pay falls on the insurance fund, then on winners (auto-deleveraging). Definitions: docs/liquidation.md.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from margin.core.checks import between, whole_number
from margin.core.errors import InputError
from margin.core.impact import square_root_move
from margin.ladder.isolated_accounts import split_money

Mode = Literal["isolated", "cross", "portfolio"]
MODES: tuple[Mode, ...] = ("isolated", "cross", "portfolio")
MOST_PUSH = 0.9  # forced sales of one step take at most this share of a price
TAIL = 2.3378  # expected shortfall of a standard normal at 97.5%, as in margin/risk/scenarios.py


@dataclass(frozen=True, kw_only=True)
class World:
    """The market and who trades on it; every default is an assumption of ours, to be turned on the page.

    accounts  : how many; seed: the same seed draws the same accounts and noise
    leverage_median, leverage_spread : lognormal leverage (spread is the standard deviation of its logarithm), 1 to 100
    long_share : chance that an account's first leg is long; hedged_share: chance that it holds a second, opposite leg
    equity_median, equity_spread : lognormal equity, USD
    volatilities, correlation : of the two coins, a day; volume: USD traded a day in each
    impact    : Y of Y x volatility x root(net sales of a step / daily volume), the part of it that stays
    maintenance : margin of one leg alone, share of its notional; fund: insurance fund, USD
    shock     : what the outside world does to the two prices, spread over `shock_steps` of `steps` steps
    noise     : daily volatilities of the world's moves in between are the coins' own, times this
    """

    accounts: int = 20_000
    seed: int = 1
    leverage_median: float = 6.0
    leverage_spread: float = 0.8
    long_share: float = 0.6
    hedged_share: float = 0.4
    equity_median: float = 2_000.0
    equity_spread: float = 1.5
    volatilities: tuple[float, float] = (0.03, 0.04)
    correlation: float = 0.8
    volume: float = 2e9
    impact: float = 1.0
    maintenance: float = 0.03
    fund: float = 5e6
    shock: tuple[float, float] = (-0.15, -0.2)
    shock_steps: int = 5
    steps: int = 200
    noise: float = 0.1

    def __post_init__(self) -> None:
        for name, least, most in (("accounts", 10, 1_000_000), ("steps", 2, 20_000), ("shock_steps", 1, 20_000)):
            whole_number(getattr(self, name), name, least, most)
        for name, low, high in (
            ("leverage_median", 1.0, 50.0), ("leverage_spread", 0.0, 2.0), ("long_share", 0.0, 1.0),
            ("hedged_share", 0.0, 1.0), ("equity_median", 1.0, 1e9), ("equity_spread", 0.0, 4.0),
            ("correlation", -1.0, 1.0), ("volume", 1.0, 1e15), ("impact", 0.0, 10.0), ("maintenance", 0.001, 0.5),
            ("fund", 0.0, 1e15), ("noise", 0.0, 2.0),
        ):  # fmt: skip
            between(getattr(self, name), name, low, high)
        if any(not -0.99 <= move <= 5.0 for move in self.shock):
            raise InputError("shock", self.shock, "must be two moves from -0.99 to 5")
        if any(not 0.0 < vol <= 1.0 for vol in self.volatilities):
            raise InputError("volatilities", self.volatilities, "must be two numbers above 0 and at most 1")
        if self.shock_steps > self.steps:
            raise InputError("shock_steps", self.shock_steps, f"must be at most the {self.steps} steps there are")


@dataclass(frozen=True, eq=False)
class Population:
    """The accounts at the start: quantities (n, 2) at prices 1, equity (n,) USD."""

    quantities: np.ndarray
    equity: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class Cascade:
    """One mode through the shock. prices, outside (steps + 1, 2): with and without the accounts' own forced sales.

    liquidated, volume, deficits : (steps + 1,) isolated accounts closed, USD sold by force, USD missing, at each step
    legs, liquidated_legs : how many positions there were, and were closed by force
    default_loss : USD the closed accounts could not pay; fund_used, deleveraged: who paid it; unpaid: what nobody could
    closed_accounts : accounts that lost a position by force; traders_loss: USD their owners lost with them
    overshoot    : (2,) by how much the lowest price undercuts the outside world's lowest, as a fraction of it
    branching    : share of the forced sales that other forced sales caused: 1 - (sales without impact / sales)
    money_error  : USD by which the accounts' money, the fund and the market do not add up: rounding
    """

    mode: Mode
    prices: np.ndarray
    outside: np.ndarray
    liquidated: np.ndarray
    volume: np.ndarray
    deficits: np.ndarray
    legs: int
    liquidated_legs: int
    closed_accounts: int
    default_loss: float
    fund_used: float
    deleveraged: float
    unpaid: float
    overshoot: np.ndarray
    branching: float
    margin_posted: float
    money_error: float
    winners_equity: float


def draw(world: World) -> Population:
    """The accounts: lognormal equity and leverage, a first leg in either coin, perhaps a hedge in the other."""
    rng = np.random.default_rng(world.seed)
    n = world.accounts
    equity = world.equity_median * np.exp(world.equity_spread * rng.standard_normal(n))
    leverage = np.clip(world.leverage_median * np.exp(world.leverage_spread * rng.standard_normal(n)), 1.0, 100.0)
    leverage = np.minimum(leverage, 0.8 / world.maintenance)  # nobody opens an account that is liquidated at once
    coin = rng.integers(2, size=n)
    side = np.where(rng.random(n) < world.long_share, 1.0, -1.0)
    hedged = rng.random(n) < world.hedged_share
    quantities = np.zeros((n, 2))
    first = equity * leverage * np.where(hedged, 0.5, 1.0)
    quantities[np.arange(n), coin] = side * first
    second = -side * first * rng.uniform(0.5, 1.0, n)
    quantities[np.arange(n), 1 - coin] = np.where(hedged, second, 0.0)
    return Population(quantities, equity)


def maintenance_margin(values: np.ndarray, mode: Mode, world: World) -> np.ndarray:
    """USD maintenance margin of positions worth `values` (2, n): by leg (2, n) when isolated, else by account (1, n).

    isolated, cross : the share of notional of each leg, added up in one account. portfolio: the deviation of both legs
    together with the coins' correlation, scaled so that one leg alone asks the same; at least a fifth of the cross
    figure (the offset cap of EMIR's article 27).
    """
    if mode == "isolated":
        found: np.ndarray = world.maintenance * np.abs(values)
        return found
    first, second = values
    total = np.abs(first) + np.abs(second)
    if mode == "cross":
        pooled: np.ndarray = (world.maintenance * total)[None]
        return pooled
    joint = np.sqrt(np.maximum(first * first + second * second + (2.0 * world.correlation) * first * second, 0.0))
    joined: np.ndarray = (world.maintenance * np.maximum(joint, 0.2 * total))[None]
    return joined


def outside_moves(world: World) -> np.ndarray:
    """(steps, 2) returns of the outside world: the shock spread evenly, and noise."""
    rng = np.random.default_rng(world.seed + 1)
    a, b = rng.standard_normal((2, world.steps))
    pair = np.column_stack((a, world.correlation * a + np.sqrt(1.0 - world.correlation**2) * b))
    moves = pair * np.array(world.volatilities) * world.noise / np.sqrt(world.steps)
    shock = (1.0 + np.array(world.shock)) ** (1.0 / world.shock_steps) - 1.0
    moves[: world.shock_steps] += shock
    found: np.ndarray = np.maximum(moves, -0.99)
    return found


def cascade(world: World, mode: Mode = "cross", population: Population | None = None) -> Cascade:
    """One mode through the shock, with and without price impact (the latter for `branching`).

    Time grows with accounts x steps: 100,000 x 1,000 in seconds. Raises InputError for an unknown mode.
    """
    if mode not in MODES:
        raise InputError("mode", mode, "is not a mode", f"One of {', '.join(MODES)}.")
    people = population or draw(world)
    found = _run(world, mode, people)
    if world.impact == 0.0 or found.volume.sum() <= 0:
        return found
    alone = _run(replace(world, impact=0.0), mode, people)
    return replace(found, branching=max(1.0 - float(alone.volume.sum() / found.volume.sum()), 0.0))


def _run(world: World, mode: Mode, people: Population) -> Cascade:
    q = np.ascontiguousarray(people.quantities.T)  # (2, n): each coin's figures side by side in memory
    alive = (q != 0).any(axis=0)
    isolated = mode == "isolated"
    money = people.equity[None].copy()
    if isolated:  # money follows the legs
        money = split_money(people.equity, np.abs(q), axis=0)
    entered, started = money.copy(), float(money.sum())
    books = _Books(world.fund)
    price, outer, push = np.ones(2), np.ones(2), np.zeros(2)
    prices, outside = [price], [outer]
    liquidated, volumes, deficits = [0], [0.0], [0.0]
    struck = np.zeros(q.shape[1], dtype=bool)
    for move in outside_moves(world):
        outer = outer * (1.0 + move)
        new = np.maximum(price * (1.0 + move) * (1.0 + push), 1e-6)
        change = new - price
        gain = q * change[:, None] if isolated else (change @ q)[None]
        money += gain
        books.earned += float(gain.sum())
        price = new
        values = q * price[:, None]
        need = maintenance_margin(values, mode, world)
        down = (money < need).any(axis=0) & (need.any(axis=0) if isolated else need[0] > 0)
        push, count, sold, missing = np.zeros(2), 0, np.zeros(2), 0.0
        at = np.flatnonzero(down)
        if len(at):
            held = money[:, at]
            closing = np.where(held < need[:, at], values[:, at], 0.0) if isolated else values[:, at]
            at, held, closing = (x[..., (closing != 0).any(axis=0)] for x in (at, held, closing))
            count, sold = int((closing != 0).sum()), closing.sum(axis=1)
            moved = square_root_move(sold, world.volume, np.array(world.volatilities), world.impact)
            push = -np.sign(sold) * np.minimum(moved, MOST_PUSH)
            missing = books.close(held, closing, push)
            money[:, at] = held
            q[:, at] = np.where(closing != 0, 0.0, q[:, at])
            struck[at] = True
            books.cover(missing, money, entered)
        prices.append(price)
        outside.append(outer)
        liquidated.append(count)
        volumes.append(float(np.abs(sold).sum()))
        deficits.append(missing)
    path, without = np.array(prices), np.array(outside)
    return Cascade(
        mode=mode,
        prices=path,
        outside=without,
        liquidated=np.array(liquidated),
        volume=np.array(volumes),
        deficits=np.array(deficits),
        legs=int((people.quantities != 0).sum()),
        liquidated_legs=int(np.sum(liquidated)),
        closed_accounts=int((struck & alive).sum()),
        default_loss=books.missing,
        fund_used=books.used,
        deleveraged=books.deleveraged,
        unpaid=books.unpaid,
        overshoot=1.0 - path.min(axis=0) / without.min(axis=0),
        branching=0.0,
        margin_posted=float(maintenance_margin(people.quantities.T, mode, world).sum()),
        money_error=started + books.earned - books.impact + books.missing - books.deleveraged - float(money.sum()),
        winners_equity=float(np.maximum(money - entered, 0.0).sum()),
    )


class _Books:
    """The money of a cascade besides the accounts' own, USD."""

    def __init__(self, fund: float):
        self.fund = fund
        self.earned = self.impact = self.missing = self.used = self.deleveraged = self.unpaid = 0.0

    def close(self, held: np.ndarray, closing: np.ndarray, push: np.ndarray) -> float:
        """Close at the price that forced sales leave on average, in place; returns what the accounts cannot pay.

        held (legs or 1, m) money of the accounts, closing (2, m) USD closed. Under a square-root law the average price
        of an order lies two thirds of the way to the last one; who closes against the crowd pays nothing.
        """
        cost = np.maximum(-closing * push[:, None], 0.0) * (2.0 / 3.0)
        if len(held) == 1:
            cost = cost.sum(axis=0, keepdims=True)
        held -= cost
        lost = np.maximum(-held, 0.0) * ((closing != 0) if len(held) == 2 else True)
        held += lost
        self.impact += float(cost.sum())
        self.missing += float(lost.sum())
        return float(lost.sum())

    def cover(self, missing: float, money: np.ndarray, entered: np.ndarray) -> None:
        """The fund pays first; then winners give up gains in proportion to them, in place; the rest stays unpaid."""
        paid = min(self.fund, missing)
        self.fund, self.used = self.fund - paid, self.used + paid
        rest = missing - paid
        if rest <= 0:
            return
        won = np.maximum(money - entered, 0.0)
        total = float(won.sum())
        taken = min(rest, total)
        if taken > 0:
            money -= won * (taken / total)
        self.deleveraged, self.unpaid = self.deleveraged + taken, self.unpaid + rest - taken
