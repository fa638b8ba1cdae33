"""The steps of the Learn page that use price history: one position's days, named events, a replay of the record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.core.checks import parse_date
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Portfolio, Position
from margin.core.settings import Settings
from margin.ladder.compare import Comparison, compare
from margin.risk.tail import value_at_risk

LEAST_BEFORE = 100  # returns before an event; fewer make no margin


@dataclass(frozen=True, eq=False)
class OnePosition:
    """losses : (n,) USD, one a day, loss positive. margin is their ES, var their VaR.

    tail_days : (1 - level) x n, how many of the days the margin is the mean of
    """

    losses: np.ndarray
    margin: float
    var: float
    tail_days: float
    worst: float


def one_position(
    market: Market, asset: str, usd: float, level: float = 0.975, lookback: int = 500, as_of: Any = None
) -> OnePosition:
    """A position worth `usd` (below 0: short) in one asset, on each of the last `lookback` days. Historical ES."""
    if not np.isfinite(usd) or usd == 0:
        raise InputError("usd", usd, "must be an amount other than 0")
    book = Portfolio((Position(f"{asset}/USD", usd / market.price(asset, as_of), paid=False),))
    c = compare(book, market, level=level, lookback=lookback, as_of=as_of)
    losses = c.losses[:, 0]
    var = float(value_at_risk(losses, level))
    return OnePosition(losses, c.isolated, var, (1.0 - level) * len(losses), float(losses.max()))


@dataclass(frozen=True, kw_only=True)
class EventDay:
    """One named event: margins set the day before, USD, and the loss that followed (> 0 is a loss).

    moves : each asset's return from the close before to the end of the event, as a fraction
    """

    name: str
    start: str
    end: str
    isolated: float
    pooled: float
    loss: float
    moves: tuple[tuple[str, float], ...]

    @property
    def share(self) -> float:
        """Loss / pooled margin; above 1 the pooled margin was not enough."""
        return self.loss / self.pooled


def event_days(
    legs: Mapping[str, float], market: Market, events: Sequence[tuple[str, str, str]], lookback: int = 500
) -> list[EventDay]:
    """What the margin of the day before each event would have met: a book of these dollar amounts bought at that close.

    legs   : USD per asset, below 0 short
    events : (name, first day, last day). Events without prices, or without 100 returns before them, are left out.
    Margin is historical ES over the event's length, from prices up to the day before only.
    """
    found = []
    for name, start, end in events:
        first, last = parse_date(start), parse_date(end)
        eve = first - np.timedelta64(1, "D")
        eve_day, days = str(eve.date()), int((last - eve).days)
        try:
            book = Portfolio(
                tuple(Position(f"{a}/USD", usd / market.price(a, eve_day), paid=False) for a, usd in legs.items())
            )
            before = compare(book, market, as_of=eve_day, horizon=days, lookback=lookback)
            moves = {a: market.price(a, str(last.date())) / market.price(a, eve_day) - 1.0 for a in legs}
        except InputError:
            continue
        if before.as_of != eve or before.scenarios < LEAST_BEFORE or before.portfolio <= 0:
            continue
        loss = -sum(usd * moves[a] for a, usd in legs.items())
        found.append(
            EventDay(
                name=name,
                start=start,
                end=end,
                isolated=before.isolated,
                pooled=before.portfolio,
                loss=loss,
                moves=tuple(moves.items()),
            )
        )
    return found


@dataclass(frozen=True, eq=False)
class Replay:
    """Today's book on every day of the record up to as-of.

    days : how many; beyond_portfolio, beyond_safeguarded : on how many the pool lost more than that margin
    an_isolated_account_ran_out : on how many at least one position lost more than its own isolated margin
    """

    comparison: Comparison
    days: int
    beyond_portfolio: int
    beyond_safeguarded: int
    an_isolated_account_ran_out: int


def replay(portfolio: Portfolio, market: Market, settings: Settings | None = None) -> Replay:
    """`compare`, and how often its margins would have been exceeded if this book had been held on every day.

    Not a backtest: the margin is today's, and part of the record is what it was computed from.
    """
    c = compare(portfolio, market, settings=settings)
    returns = market.returns(list(c.book.assets), c.settings.as_of, c.settings.horizon)
    each = c.book.losses(returns.values)
    pool = each.sum(axis=1)
    alone = np.array([p.standalone for p in c.positions])
    return Replay(
        c,
        len(pool),
        int((pool > c.portfolio).sum()),
        int((pool > c.safeguarded).sum()),
        int((each > alone).any(axis=1).sum()),
    )
