"""A method's requirement of one book at many sets of prices at once: options, safeguards, windows a book chooses.

Every scenario loss is worked out for a block of rows together, an array (scenarios, rows) per position; what only the
returns decide (correlations, volatilities, volumes) once for all. The safeguards follow from those arrays
(margin/ladder/many_safeguards.py). Equals the same book valued anew at each row, to rounding; books without options
under a method without safeguards have a shorter way (margin/ladder/margin_models.py).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from margin.core import options
from margin.core.market import Market
from margin.core.settings import Settings
from margin.ladder.basis import NO_BASIS, BasisCharge, Legs, charge_of
from margin.ladder.many_safeguards import Pooled, safeguarded
from margin.ladder.method import VOLUME_DAYS
from margin.risk.elliptical import elliptical, simulate, tail_factor
from margin.risk.estimators import Estimator, estimator
from margin.risk.exposures import Book, Exposure
from margin.risk.extremes import Extremes, extremes
from margin.risk.history import History
from margin.risk.models import EllipticalModel, ScenarioModel, without_dust
from margin.risk.tail import expected_shortfall, value_at_risk

__all__ = ["ManyRows", "Margins"]

CELLS = 2_000_000  # scenario losses of one position worked on at a time


@dataclass(frozen=True, kw_only=True, eq=False)
class Margins:
    """USD by row: alone (rows, p) of each position, netted (rows, u) of each underlying, pooled (rows,) of all."""

    alone: np.ndarray
    netted: np.ndarray
    pooled: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class ManyRows:
    """A book valued at base prices, and how its rows move: factors (n, k) of the columns of `past`, vols (n,) by asset.

    as_of : time to which options have aged
    """

    book: Book
    past: History
    market: Market
    settings: Settings
    factors: np.ndarray
    vols: dict[str, np.ndarray] = field(default_factory=dict)
    as_of: pd.Timestamp | None = None

    @cached_property
    def legs(self) -> Legs:
        """The positions sorted into underlyings and instruments."""
        held = self.book.exposures
        return Legs([e.instrument for e in held], [e.column for e in held], self.settings.safeguards)

    @property
    def when(self) -> pd.Timestamp:
        """The as-of of every row."""
        return self.book.as_of if self.as_of is None else self.as_of

    @cached_property
    def blocks(self) -> list[slice]:
        """Rows that are worked on together."""
        size = max(CELLS // max(len(self.past.horizon.values), 1), 1)
        return [slice(i, min(i + size, len(self.factors))) for i in range(0, len(self.factors), size)]

    @property
    def _chosen(self) -> Estimator:
        return estimator(self.settings.estimator)

    @cached_property
    def _closed(self) -> bool:
        return self._chosen.closed_form and not self.book.has_options

    @cached_property
    def scenarios(self) -> np.ndarray:
        """(s, k) returns; the whole history where each row takes its own window of it."""
        s = self.settings
        if self._chosen.scenarios is not None:
            return self._chosen.scenarios(self.past, s).returns
        if self._chosen.closed_form:
            return simulate(elliptical(self.past, s)).returns
        return self.past.horizon.values

    def losses(self, e: Exposure, returns: np.ndarray, rows: slice) -> np.ndarray:
        """(s, rows) USD loss of one position under each return, at each row's prices."""
        if e.column is None:
            return np.zeros((len(returns), len(self.factors[rows])))
        moves, factor = returns[:, e.column], self.factors[rows, e.column]
        if not e.instrument.is_option:
            linear: np.ndarray = np.multiply.outer(-moves, e.delta_usd * factor)
            return linear
        spot, vol, now = self._option(e, rows)
        s, instrument = self.settings, e.instrument
        assert instrument.strike is not None and instrument.option_type is not None
        years = options.years_to_expiry(instrument, self.when)
        ratio = options.shocked_vol(1.0, moves, self.book.daily_vol[e.column], s.ewma_lambda, s.horizon, years)
        left = options.years_to_expiry(instrument, self.when, s.horizon)
        forward = (1.0 + moves)[:, None] * spot
        then = options.black76(forward, instrument.strike, left, ratio[:, None] * vol, instrument.option_type)
        lost: np.ndarray = e.position.quantity * (now - then)
        return lost

    def _option(self, e: Exposure, rows: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(spot, annual volatility, value a unit) at each row."""
        assert e.column is not None and e.instrument.strike is not None and e.instrument.option_type is not None
        spot = e.spot * self.factors[rows, e.column]
        given = self.vols.get(e.instrument.base)
        vol = np.full(len(spot), e.implied_vol) if given is None or e.position.implied_vol else given[rows]
        years = options.years_to_expiry(e.instrument, self.when)
        return spot, vol, options.black76(spot, e.instrument.strike, years, vol, e.instrument.option_type)

    def dollars(self, rows: slice) -> np.ndarray:
        """(rows, p) USD delta of each position at each row's prices."""
        out = np.zeros((len(self.factors[rows]), len(self.book.exposures)))
        for i, e in enumerate(self.book.exposures):
            if e.column is None:
                continue
            if not e.instrument.is_option:
                out[:, i] = e.delta_usd * self.factors[rows, e.column]
                continue
            assert e.instrument.strike is not None and e.instrument.option_type is not None
            spot, vol, _ = self._option(e, rows)
            years = options.years_to_expiry(e.instrument, self.when)
            unit = [
                options.greeks(float(s), e.instrument.strike, years, float(v), e.instrument.option_type).delta
                for s, v in zip(spot, vol, strict=True)
            ]
            out[:, i] = e.position.quantity * np.array(unit) * spot
        return out

    def margins(self, rows: slice) -> Margins:
        """Isolated, netted and portfolio margin of a block of rows."""
        labels, count = self.legs.labels, len(self.legs.underlyings)
        members = np.eye(count)[labels]
        if self._closed:
            return self._elliptical(self.dollars(rows), members)
        if not self.book.has_options and self._chosen.window is None:
            return self._linear(self.dollars(rows), members)
        each = [self.losses(e, self.scenarios, rows) for e in self.book.exposures]
        if self._chosen.window is not None:
            each = self._windows(each, self._chosen.window)
        alone = np.column_stack([self._tail(losses) for losses in each])
        netted = np.column_stack(
            [self._tail(sum((each[i] for i in np.flatnonzero(labels == u)), start=0.0)) for u in range(count)]
        )
        pooled = self._tail(sum(each, start=0.0))
        dust = ScenarioModel.DUST
        return Margins(
            alone=alone,
            netted=without_dust(netted, alone @ members, dust),
            pooled=without_dust(pooled, alone.sum(axis=1), dust),
        )

    def _linear(self, usd: np.ndarray, members: np.ndarray) -> Margins:
        """Without options: a dollar long and short of each price series, times the dollars; pools by products."""
        returns, dust = self.scenarios, ScenarioModel.DUST
        units = np.stack((self._tail(-returns), self._tail(returns)))  # (2, k)
        columns = np.array([0 if e.column is None else e.column for e in self.book.exposures])
        alone = np.abs(usd) * units[(usd < 0).astype(int), columns]  # dollars that do not move are 0 in `dollars`
        netted = alone @ members  # what an underlying's only line asks is what it asks netted
        for u in np.flatnonzero(members.sum(axis=0) > 1):
            netted[:, u] = self._tail(-(returns @ self._net(usd * members[:, u]).T))
        return Margins(
            alone=alone,
            netted=without_dust(netted, alone @ members, dust),
            pooled=without_dust(self._tail(-(returns @ self._net(usd).T)), alone.sum(axis=1), dust),
        )

    def _net(self, usd: np.ndarray) -> np.ndarray:
        """(rows, k) USD delta in each price series, of dollars (rows, p)."""
        net = np.zeros((len(usd), len(self.past.assets)))
        for i, e in enumerate(self.book.exposures):
            if e.column is not None:
                net[:, e.column] += usd[:, i]
        return net

    def _windows(self, each: list[np.ndarray], window: Callable[[np.ndarray, int, float], int]) -> list[np.ndarray]:
        """Of every position the losses in each row's own window."""
        s, whole = self.settings, sum(each, start=np.zeros(1))
        if len(whole) <= s.lookback:
            return each
        starts = np.array([window(whole[:, r], s.lookback, s.level) for r in range(whole.shape[1])], dtype=int)
        at = starts + np.arange(s.lookback)[:, None]
        columns = np.arange(whole.shape[1])
        return [losses[at, columns] for losses in each]

    def _tail(self, losses: "np.ndarray | float") -> np.ndarray:
        """(rows,) USD, never below 0."""
        measure = expected_shortfall if self.settings.measure == "es" else value_at_risk
        asked: np.ndarray = np.maximum(measure(np.asarray(losses), self.settings.level), 0.0)
        return asked

    def _elliptical(self, usd: np.ndarray, members: np.ndarray) -> Margins:
        closed = elliptical(self.past, self.settings)
        factor = tail_factor(self.settings.measure, self.settings.level, closed.dof)
        columns = np.array([-1 if e.column is None else e.column for e in self.book.exposures])
        weights = np.zeros((len(usd), usd.shape[1], len(self.past.assets)))
        moving = np.flatnonzero(columns >= 0)
        weights[:, moving, columns[moving]] = usd[:, moving]

        def of(w: np.ndarray) -> np.ndarray:
            variance = np.einsum("...i,ij,...j->...", w, closed.covariance, w)
            asked: np.ndarray = factor * np.sqrt(np.maximum(variance, 0.0))
            return asked

        alone, dust = of(weights), EllipticalModel.DUST
        netted = of(np.einsum("npk,pu->nuk", weights, members))
        return Margins(
            alone=alone,
            netted=without_dust(netted, alone @ members, dust),
            pooled=without_dust(of(weights.sum(axis=1)), alone.sum(axis=1), dust),
        )

    def charges(self, found: Margins, usd: np.ndarray, positions: int) -> list[BasisCharge]:
        """The basis charge of each row; the first `positions` are positions, the others coins held with them."""
        if not self.settings.safeguards.basis or not self.legs.offset:
            return [NO_BASIS] * len(usd)
        alone = found.alone @ np.eye(len(self.legs.underlyings))[self.legs.labels]
        return [charge_of(self.legs, usd[i], alone[i] - found.netted[i], positions, self.when) for i in range(len(usd))]

    def added(self, rows: slice, found: Margins, charges: list[BasisCharge]) -> np.ndarray:
        """(rows,) USD that the safeguards add to the portfolio margin."""
        usd = self.dollars(rows)
        net, past = self._net(usd), self.past.horizon.values
        if self.book.has_options:
            everything = sum((self.losses(e, past, rows) for e in self.book.exposures), start=np.zeros(1))
        else:
            everything = -(past @ net.T)
        book = Pooled(
            isolated=found.alone.sum(axis=1), pooled=found.pooled,
            basis=np.array([charge.amount if charge.assets else 0.0 for charge in charges]),
            coins=np.array([charge.coins for charge in charges]), losses=everything, net=net, assets=self.book.assets,
            daily_vol=self.book.daily_vol, recent_vol=self.recent_vol, volumes=self.volumes,
            correlations=self.correlations, settings=self.settings, tail=self._tail,
        )  # fmt: skip
        more: np.ndarray = safeguarded(book) - found.pooled
        return more

    @cached_property
    def recent_vol(self) -> np.ndarray:
        """(k,) standard deviation of the last `lookback` daily returns."""
        found: np.ndarray = self.past.daily[-self.settings.lookback :].std(axis=0)
        return found

    @cached_property
    def correlations(self) -> Extremes | None:
        """Seen so far."""
        return extremes(self.past.daily, self.settings.lookback)

    @cached_property
    def volumes(self) -> np.ndarray:
        """(k,) median USD traded per day, NaN where it is not known."""
        found = [self.market.median_volume(asset, self.when, VOLUME_DAYS) for asset in self.book.assets]
        return np.array([np.nan if volume is None else volume for volume in found])
