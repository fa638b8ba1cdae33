"""What the safeguards ask of a pooled book, whether it is valued today or on a day of the past; and today's."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from margin.core.market import Market
from margin.core.settings import Settings
from margin.ladder.basis import NO_BASIS, BasisCharge
from margin.risk.exposures import Book
from margin.risk.extremes import Extremes, extremes
from margin.risk.history import History
from margin.risk.models import ScenarioModel
from margin.risk.scenarios import worst_window

__all__ = ["VOLUME_DAYS", "MeasuredBook", "PooledBook", "tail", "worst_stretch"]

VOLUME_DAYS = 90


class PooledBook(Protocol):
    """A book with the margins of the methods below the safeguards, USD, and what had been seen of its assets by then.

    isolated, portfolio : USD margin of every position alone, and of all together
    losses (n,), dates (n,) : USD loss of the book under every return of the whole history, and the end of each
    assets (k), net (k,) : USD delta in each; daily_vol, recent_vol (k,) : EWMA volatility per day, and the standard
                  deviation of the last `lookback` daily returns
    correlations : seen so far, None while there are too few returns
    volumes (k,) : median USD traded per day over 90 days in each, NaN where it is not known
    basis       : what different instruments of one underlying that offset are charged (margin/ladder/basis.py)
    """

    @property
    def isolated(self) -> float:
        """USD margin with every position alone."""

    @property
    def portfolio(self) -> float:
        """USD margin of the pooled book before safeguards."""

    @property
    def settings(self) -> Settings:
        """How margin is measured."""

    @property
    def losses(self) -> np.ndarray:
        """(n,) USD losses of the book over every known return."""

    @property
    def dates(self) -> np.ndarray:
        """(n,) end dates of those returns."""

    @property
    def assets(self) -> tuple[str, ...]:
        """Assets in the order of `net`."""

    @property
    def net(self) -> np.ndarray:
        """(k,) net USD delta of each asset."""

    @property
    def daily_vol(self) -> np.ndarray:
        """(k,) daily volatility."""

    @property
    def recent_vol(self) -> np.ndarray:
        """(k,) standard deviation of the last `lookback` daily returns."""

    @property
    def correlations(self) -> Extremes | None:
        """Worst correlations so far; None where there are too few returns."""

    @property
    def basis(self) -> BasisCharge: ...

    @property
    def volumes(self) -> np.ndarray: ...


@dataclass(frozen=True, kw_only=True)
class MeasuredBook:
    """A valued book with its history: what `compare` and the margin models put under the safeguards."""

    isolated: float
    portfolio: float
    book: Book
    past: History
    market: Market
    settings: Settings
    basis: BasisCharge = NO_BASIS

    @cached_property
    def losses(self) -> np.ndarray:
        """(n,) USD loss of today's book under every return of the whole history."""
        found: np.ndarray = self.book.losses(self.past.horizon.values).sum(axis=1)
        return found

    @property
    def dates(self) -> np.ndarray:
        """(n,) end of each of those returns."""
        return self.past.horizon.dates

    @cached_property
    def net(self) -> np.ndarray:
        """(k,) USD delta of the book in each of `assets`."""
        found: np.ndarray = self.book.linear_weights().sum(axis=0)
        return found

    @property
    def assets(self) -> tuple[str, ...]:
        """Assets in the order of `net`."""
        return self.book.assets

    @property
    def daily_vol(self) -> np.ndarray:
        """(k,) daily volatility."""
        return self.book.daily_vol

    @property
    def recent_vol(self) -> np.ndarray:
        """(k,) standard deviation of the last `lookback` daily returns."""
        found: np.ndarray = self.past.daily[-self.settings.lookback :].std(axis=0)
        return found

    @property
    def correlations(self) -> Extremes | None:
        """Worst correlations so far, remembered with the market."""
        key = ("extremes", self.past.assets, self.settings.as_of, self.settings.lookback)
        found: Extremes | None = self.market.remember(key, lambda: extremes(self.past.daily, self.settings.lookback))
        return found

    @property
    def volumes(self) -> np.ndarray:
        """(k,) median USD traded per day, NaN where it is not known."""
        found = [self.market.median_volume(asset, self.book.as_of, VOLUME_DAYS) for asset in self.assets]
        return np.array([np.nan if volume is None else volume for volume in found])

    def scaled(self, factor: float) -> "MeasuredBook":
        """The same for a book `factor` times as large."""
        basis = replace(self.basis, amount=self.basis.amount * factor, coins=self.basis.coins * factor)
        return replace(
            self,
            isolated=self.isolated * factor,
            portfolio=self.portfolio * factor,
            book=self.book.scaled(factor),
            basis=basis,
        )


def tail(book: PooledBook, losses: np.ndarray) -> float:
    """USD margin of one series of losses (n,), by the measure and level of the settings."""
    return ScenarioModel(losses[:, None], book.settings.level, book.settings.measure).total()


def worst_stretch(book: PooledBook) -> tuple[float, str]:
    """(USD margin in the worst window of `lookback` returns, which days those are)."""
    length = min(book.settings.lookback, len(book.losses))
    window = slice(start := worst_window(book.losses, length, book.settings.level), start + length)
    dates = book.dates[window]
    days = f"{str(dates[0])[:10]} to {str(dates[-1])[:10]}"
    return tail(book, book.losses[window]), f"the worst {length} returns ({days})"
