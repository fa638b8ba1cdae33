"""An account through a stretch of days under a margin model: equity and margins at closes and at adverse extremes.

Venue rulebooks are today's rules on yesterday's prices: the account is opened at a day's close with what the rulebook
asks, and its own `states` give every later day. The ladder's methods are re-measured on each day from the returns known
on it.
Definitions: docs/backtest.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd

from margin.backtest.days import Walk, left_out_note
from margin.core.account import Account, SubAccount
from margin.core.errors import InputError
from margin.core.instruments import USD_STABLECOINS
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.position import Collateral, Position
from margin.core.settings import Settings
from margin.core.words import by_reason
from margin.models import in_mode
from margin.models.base import MarginModel, without_refused
from margin.models.funding import Funding
from margin.models.marks import Marks
from margin.risk.estimators import walked

__all__ = ["LadderPaths", "Path", "Paths", "RulebookPaths"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Path:
    """One sub-account over m days, USD: arrays (m + 1,) at closes, the opening first; (m,) at each later day's extreme.

    started   : money it was opened with; equity_initial: what is compared with `initial`
    low, low_maintenance : equity and maintenance with every price at that day's adverse extreme, as if all came at
                once; None where the market has no highs and lows of any of its assets
    gross     : USD, for what counts as rounding
    """

    name: str
    started: float
    equity: np.ndarray
    equity_initial: np.ndarray
    initial: np.ndarray
    maintenance: np.ndarray
    low: np.ndarray | None
    low_maintenance: np.ndarray | None
    gross: float


class Paths(Protocol):
    """What the studies of a walk ask of an account under a model. dates (n,): of the closes it may be opened on."""

    @property
    def dates(self) -> np.ndarray: ...

    @property
    def first(self) -> int:
        """The first close on which it may be opened."""
        ...

    @property
    def notes(self) -> list[str]: ...

    @property
    def left_out(self) -> tuple[str, ...]: ...

    @property
    def extremes(self) -> tuple[str, ...]:
        """Assets whose highs and lows are known."""
        ...

    def paths(self, row: int, days: int) -> Iterator[Path]:
        """Every sub-account, opened at that close and held for `days` closes."""
        ...


class RulebookPaths:
    """An account under a venue's rulebook. Raises InputError for what the model does not reproduce.

    own : with the account's own collateral; else opened with exactly the initial margin
    """

    def __init__(
        self, account: Account, market: Market, model: MarginModel, settings: Settings, own: bool, funding: Funding
    ):
        self.model, self.own, self.funding = model, own, funding
        kept, self.left_out, self.notes = _walked(in_mode(account, model), model)
        self.account = replace(kept, collateral=account.held) if own else replace(kept, collateral=())
        names = {p.underlying for p in kept.positions}
        names |= {c.asset for c in self.account.collateral if c.asset not in USD_STABLECOINS}
        self.assets = tuple(sorted(names - {"USD"}))
        if not self.assets:
            raise InputError(
                "positions", "only dollars", "nothing in the portfolio moves", "Add an asset with a price."
            )
        self.dates, self.closes = market.aligned(self.assets, settings.as_of)
        self.highs, self.lows, self.extremes = _extremes(market, self.dates, self.assets)
        self.first = 0
        self.notes.append(f"{model.title}: today's rules on the prices of the past.")

    def paths(self, row: int, days: int) -> Iterator[Path]:
        """Every sub-account, opened at that close and held for `days` closes."""
        stretch = slice(row, row + days + 1)
        stables = {c.asset for c in self.account.collateral} & USD_STABLECOINS
        prices = dict(zip(self.assets, self.closes[row].tolist(), strict=True)) | dict.fromkeys(stables, 1.0)
        marks = Marks(prices, pd.Timestamp(self.dates[row]))
        for sub in self.account.sub_accounts(self.model, marks):
            if sub.positions:
                yield self._path(sub, marks, stretch)

    def _path(self, sub: SubAccount, marks: Marks, stretch: slice) -> Path:
        columns = [self.assets.index(a) if a in self.assets else -1 for a in sub.assets]
        days = stretch.stop - stretch.start - 1
        rows = np.ones((2 * days + 1, len(columns)))
        seen = False
        for i, (asset, column) in enumerate(zip(sub.assets, columns, strict=True)):
            if column < 0:
                continue
            closes = self.closes[stretch, column]
            net = sum(p.exposure(closes[0]) for p in sub.positions if p.underlying == asset)
            net += sum(c.quantity * closes[0] for c in sub.collateral if c.asset == asset)
            extreme = (self.lows if net > 0 else self.highs)[stretch, column][1:]
            seen = seen or bool((~np.isnan(extreme)).any())
            rows[: days + 1, i] = closes / closes[0]
            rows[days + 1 :, i] = np.where(np.isnan(extreme), closes[1:], extreme) / closes[0]
        asked = not self.own and not sub.isolated
        if asked:  # in the account, for some rules set money against margin in their own way
            first = self.model.states(sub, marks, rows[:1])
            lacking = float(first.initial[0] - first.equity_initial[0])
            sub = replace(sub, collateral=(Collateral("USD", lacking),)) if lacking > 0 else sub
        found = self.model.states(sub, marks, rows)
        paid = self._funding(sub, stretch)
        cash = float(found.initial[0] - found.equity_initial[0]) if asked else 0.0
        late = np.concatenate((paid, paid[1:]))
        equity, opening = found.equity + cash - late, found.equity_initial + cash - late
        at, low = slice(0, days + 1), slice(days + 1, None)
        return Path(
            name=sub.name or self.account.name or "pool",
            started=float(equity[0]),
            equity=equity[at],
            equity_initial=opening[at],
            initial=found.initial[at],
            maintenance=found.maintenance[at],
            low=equity[low] if seen else None,
            low_maintenance=found.maintenance[low] if seen else None,
            gross=sum(abs(p.exposure(marks.price(p.underlying))) for p in sub.positions),
        )

    def _funding(self, sub: SubAccount, stretch: slice) -> np.ndarray:
        """(days + 1,) USD paid since the opening."""
        paid = np.zeros(stretch.stop - stretch.start)
        for p in sub.positions:
            if p.instrument.kind == "perpetual":
                closes = self.closes[stretch, self.assets.index(p.underlying)]
                values = np.array([p.value(price) for price in closes[:-1]])
                paid[1:] += np.cumsum(values * self.funding.between(p, self.dates[stretch]))
        return paid


class LadderPaths:
    """A book under one of the ladder's methods, each day's margin from the returns known on it.

    Isolated: every position its own account. Opened with exactly what the method asks, or with the account's dollars.
    """

    def __init__(self, portfolio: Portfolio, market: Market, key: str, settings: Settings, own: bool, funding: Funding):
        self.key, self.own, self.funding = key, own, funding
        self.settings = settings.with_(horizon=1)
        self.walk = Walk(portfolio, market, self.settings, "quantities", {key})
        self.dates, self.left_out, self.notes = self.walk.close_dates, self.walk.left_out, self.walk.notes
        self.money = self._dollars(portfolio) if own else 0.0
        enough = np.flatnonzero(self.walk.known >= self.settings.lookback)
        self.first = int(enough[0]) if len(enough) else len(self.dates)
        self.highs, self.lows, self.extremes = _extremes(market, self.dates, self.walk.assets)
        self._needs: dict[int, np.ndarray] = {}

    def _dollars(self, portfolio: Portfolio) -> float:
        if self.key == "isolated":
            hint = "Choose a pooled method or a venue, or open it with what is asked."
            raise InputError("money", "own", "is one sum, and isolated accounts are many", hint)
        coins = [c.asset for c in portfolio.held if c.quantity and c.asset != "USD" and c.asset not in USD_STABLECOINS]
        if coins:
            hint = "Choose a venue's model, or open it with what is asked."
            raise InputError("money", "own", f"{', '.join(coins)} as collateral is not walked by our methods", hint)
        return sum(c.quantity for c in portfolio.held)

    @cached_property
    def _moving(self) -> list[Position]:
        return [p for p in self.walk.portfolio.positions if p.underlying != "USD"]

    def need(self, row: int) -> np.ndarray:
        """(p,) USD of isolated positions, (1,) of a pool, asked at that close."""
        if row not in self._needs:
            s, walk = self.settings, self.walk
            estimator = s.estimator if s.estimator in walked() else "historical"
            day = walk.day(walk.at(row), self.key, estimator, s.level)
            self._needs[row] = day.parts if self.key == "isolated" else np.array([day.required])
        return self._needs[row]

    def paths(self, row: int, days: int) -> Iterator[Path]:
        """Every sub-account, opened at that close and held for `days` closes."""
        walk, stretch = self.walk, slice(row, row + days + 1)
        needs = np.array([self.need(r) for r in range(row, row + days + 1)])
        closes = walk.closes[stretch]
        units = walk.values[row] / closes[0][walk.columns]  # gains are linear in the price for every instrument walked
        gains = (closes[:, walk.columns] - closes[0][walk.columns]) * units
        rates = np.array([self.funding.between(p, self.dates[stretch]) for p in self._moving]).T
        paid = np.concatenate((np.zeros((1, len(units))), np.cumsum(walk.values[stretch][:-1] * rates, axis=0)))
        groups = [[i] for i in range(len(units))] if self.key == "isolated" else [list(range(len(units)))]
        for place, members in enumerate(groups):
            need = needs[:, place]
            started = self.money if self.own else float(need[0])
            owed = paid[:, members].sum(axis=1)
            equity = started + gains[:, members].sum(axis=1) - owed
            low = self._low(stretch, members, units)
            maintenance = self.settings.maintenance * need
            yield Path(
                name=self._moving[members[0]].symbol if self.key == "isolated" else "pool",
                started=started,
                equity=equity,
                equity_initial=equity,
                initial=need,
                maintenance=maintenance,
                low=None if low is None else started + low - owed[1:],
                low_maintenance=None if low is None else maintenance[:-1],  # of the close before: known that day
                gross=float(np.abs(walk.values[row][members]).sum()),
            )

    def _low(self, stretch: slice, members: list[int], units: np.ndarray) -> np.ndarray | None:
        """(days,) USD gained since the opening with every price at its adverse extreme; None without extremes."""
        columns = self.walk.columns[members]
        net = np.bincount(columns, units[members], len(self.walk.assets))
        extreme = np.where(net > 0, self.lows[stretch][1:], self.highs[stretch][1:])
        closes = self.walk.closes[stretch]
        held = np.isin(np.arange(len(net)), columns)
        if np.isnan(extreme[:, held]).all():
            return None
        prices = np.where(np.isnan(extreme), closes[1:], extreme)
        total: np.ndarray = ((prices - closes[0]) * net).sum(axis=1)
        return total


def _extremes(
    market: Market, dates: np.ndarray, assets: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """(highs (n, k), lows (n, k) USD, NaN where unknown, assets that have both somewhere)."""
    rows, columns = np.searchsorted(market.dates, dates), market.columns(assets)
    highs, lows = market.highs[rows][:, columns], market.lows[rows][:, columns]
    known = ~np.isnan(highs).all(axis=0) & ~np.isnan(lows).all(axis=0)
    return highs, lows, tuple(dict.fromkeys(a for a, there in zip(assets, known, strict=True) if there))


def _walked(account: Account, model: MarginModel) -> tuple[Account, tuple[str, ...], list[str]]:
    """(the account without options and what the model leaves out alone, opened anew; symbols left out; notes why)."""
    held = [p for p in account.margined if not p.instrument.is_option]
    out = list(dict.fromkeys(p.symbol for p in account.margined if p.instrument.is_option))
    walked = replace(account, positions=tuple(held))
    rest, refused = without_refused(model, walked)
    if not rest.positions:
        model.check(walked)  # nothing is left: why
    reasons = {line.symbol: line.reason for line in refused}
    notes = left_out_note(tuple(out)) + [f"Left out: {said}." for said in by_reason(reasons.items())]
    out += reasons
    kept = tuple(replace(p, entry_price=None, mark_price=None) for p in rest.positions)
    if not kept:
        named = ", ".join(out) or "only owned spot"
        raise InputError("positions", named, "leaves nothing to walk through", "Add a position with a price history.")
    return replace(account, positions=kept), tuple(out), notes
