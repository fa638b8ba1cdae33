"""One day of a walk through history: what every method of the ladder asks, from the returns known on that day."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from margin.backtest.day import Day, Prepared
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Portfolio, Position
from margin.core.settings import Settings
from margin.ladder.basis import NO_BASIS, BasisCharge, Legs
from margin.ladder.method import VOLUME_DAYS
from margin.ladder.safeguards import safeguard_lines
from margin.risk.elliptical import tail_factor
from margin.risk.estimators import degrees_of_freedom
from margin.risk.estimators import estimator as row_of
from margin.risk.extremes import CORRELATION_WINDOW, Extremes, correlations, running_extremes
from margin.risk.history import WARM_UP, ewma_vol_path, history, price_series
from margin.risk.models import EllipticalModel, ScenarioModel, without_dust
from margin.risk.tail import expected_shortfall, tail_mass, value_at_risk


@dataclass(frozen=True, kw_only=True)
class BookOfDay:
    """The book on a day of the past, as the safeguards ask for it (margin/ladder/method.py); taken from the walk."""

    isolated: float
    portfolio: float
    settings: Settings
    basis: BasisCharge
    walk: "Walk"
    prepared: Prepared

    @property
    def losses(self) -> np.ndarray:
        """(n,) USD losses of today's book over the returns known that day."""
        return self.prepared.history

    @property
    def dates(self) -> np.ndarray:
        """(n,) end dates of those returns."""
        return self.walk.ends[: self.prepared.known]

    @property
    def net(self) -> np.ndarray:
        """(k,) net USD of each asset that day."""
        return self.prepared.weights

    @property
    def assets(self) -> tuple[str, ...]:
        """Assets in the order of `net`."""
        return self.walk.assets

    @property
    def daily_vol(self) -> np.ndarray:
        """(k,) daily volatility as known that day."""
        return self.walk.volatility(self.prepared)

    @property
    def recent_vol(self) -> np.ndarray:
        """(k,) standard deviation of the last `lookback` daily returns known that day."""
        last = self.prepared.daily
        found: np.ndarray = self.walk.past.daily[max(last - self.settings.lookback, 0) : last].std(axis=0)
        return found

    @property
    def correlations(self) -> Extremes | None:
        """Worst correlations up to that day; None where there are too few returns."""
        return self.walk.extremes(self.prepared.daily)

    @property
    def volumes(self) -> np.ndarray:
        """(k,) median USD traded per day, NaN where it is not known."""
        return self.walk.volumes(self.prepared.row)


@dataclass(frozen=True)
class SeenAt:
    """What a walk knew at one close, as an estimator asks for it (margin/risk/estimators)."""

    walk: "Walk"
    prepared: Prepared

    @property
    def window(self) -> slice:
        """The last `lookback` returns known."""
        known = self.prepared.known
        return slice(max(known - self.walk.settings.lookback, 0), known)

    def as_they_were(self) -> np.ndarray:
        """(l, k) returns."""
        found: np.ndarray = self.walk.returns[self.window]
        return found

    def at_todays_volatility(self) -> np.ndarray:
        """(l, k) returns, each over the volatility known before it, times that of the close."""
        return self.walk.rescaled(self.prepared, self.window)


class Walk:
    """Everything that is computed once for all days of a walk, and the methods of a single day."""

    def __init__(self, portfolio: Portfolio, market: Market, settings: Settings, constant: str, keys: set[str]):
        portfolio = portfolio.settled
        self.left_out = tuple(dict.fromkeys(p.symbol for p in portfolio.positions if p.instrument.is_option))
        if self.left_out and len(self.left_out) == len(portfolio.positions):
            hint = "Add a position with prices, or look at the options on the Stress page."
            raise InputError("positions", "only options", "an option has no price history to walk through", hint)
        portfolio = portfolio.with_positions(p for p in portfolio.positions if not p.instrument.is_option)
        if not portfolio.positions and portfolio.collateral:
            hint = 'Add a position on margin, or write "paid": false where coins were bought on borrowed money.'
            raise InputError("positions", "only owned spot", "needs no margin to walk through", hint)
        if not portfolio.assets:
            raise InputError(
                "positions", "only dollars", "nothing in the portfolio moves", "Add an asset with a price."
            )
        self.portfolio, self.market, self.settings, self.keys = portfolio, market, settings, keys
        moving = [p for p in portfolio.positions if p.underlying != "USD"]
        series = price_series(market, [p.instrument for p in moving], settings)
        self.past = history(market, series, settings)
        horizon = self.past.horizon
        self.ends, self.returns = horizon.dates, horizon.values
        self.assets = tuple(name.split("/")[0] for name in series)  # whose price each column is
        self.close_dates, self.closes = horizon.close_dates, horizon.closes
        self.known = np.searchsorted(self.ends, self.close_dates, side="right")
        self.known_daily = np.searchsorted(self.past.daily_dates, self.close_dates, side="right")
        own = {name: i for i, name in enumerate(series)}
        self.columns = np.array([own.get(p.symbol, own.get(p.underlying, -1)) for p in moving])
        # Units of the coin that gain as much: of a coin-settled contract its face at the entry price.
        last = self.closes[-1, self.columns]
        quantities = np.array([_units_of(p, float(price)) for p, price in zip(moving, last, strict=True)])
        self.legs = Legs([p.instrument for p in moving], self.columns.tolist(), settings.safeguards)
        prices = self.closes if constant == "quantities" else np.broadcast_to(self.closes[-1], self.closes.shape)
        self.values = prices[:, self.columns] * quantities  # (closes, p) USD of each position
        self.labels = self.legs.labels.tolist()
        self.notes = left_out_note(self.left_out)
        self.units, self.still = self._in_units(self.past.vol_path, slice(None))
        self._extremes: tuple[np.ndarray, np.ndarray] | None = None

    def at(self, row: int) -> Prepared:
        """The day of one close."""
        known = int(self.known[row])
        values = self.values[row]
        weights = np.bincount(self.columns, values, len(self.assets))
        return Prepared(
            row=row,
            known=known,
            daily=int(self.known_daily[row]),
            values=values,
            weights=weights,
            history=-(self.returns[:known] @ weights),
        )

    def day(self, p: Prepared, key: str, estimator: str, level: float) -> Day:
        """One method of one day; figures shared between methods are kept with the day."""
        alone = self._kept(p, ("alone", estimator, level), lambda: self._alone(p, estimator, level))
        isolated = float(alone.sum())
        if key == "isolated":
            return Day(required=isolated, parts=alone, labels=self.labels)
        if key == "netted":
            parts = self._kept(p, ("netted", estimator, level), lambda: self._netted(p, estimator, level, alone))
            return Day(required=min(float(parts.sum()), isolated), parts=parts, labels=self.labels)
        pooled = self._kept(p, ("pooled", estimator, level), lambda: self._pooled(p, estimator, level, isolated))
        if key == "portfolio":
            found: Day = pooled
            return found
        s = self.settings.with_(estimator=estimator, level=level)
        basis = self.basis(p, estimator, level, alone)
        book = BookOfDay(isolated=isolated, portfolio=pooled.required, settings=s, basis=basis, walk=self, prepared=p)
        lines = safeguard_lines(book)
        return Day(required=lines[-1].requirement_after, parts=np.empty(0), labels=self.labels)

    @staticmethod
    def _kept(p: Prepared, key: tuple[Any, ...], compute: Callable[[], Any]) -> Any:
        if key not in p.kept:
            p.kept[key] = compute()
        return p.kept[key]

    def _alone(self, p: Prepared, estimator: str, level: float) -> np.ndarray:
        """(p,) margin of each position: the tail of one unit of its asset on its side, times its dollars."""
        units = self._kept(p, ("units", estimator, level), lambda: self._units(p, estimator, level))
        found: np.ndarray = np.abs(self.values[p.row]) * units[(self.values[p.row] < 0).astype(int), self.columns]
        return found

    def _netted(self, p: Prepared, estimator: str, level: float, alone: np.ndarray) -> np.ndarray:
        """(u,) margin of each underlying's net dollars."""
        units = self._kept(p, ("units", estimator, level), lambda: self._units(p, estimator, level))
        count = len(self.legs.underlyings)
        net = np.bincount(self.labels, p.values, count)
        column = np.zeros(count, dtype=int)
        column[self.labels] = self.columns
        margins = np.abs(net) * units[(net < 0).astype(int), column]
        for label in self._several_prices:
            margins[label] = self._of_columns(p, estimator, level, np.array(self.labels) == label)
        dust = EllipticalModel.DUST if row_of(estimator).closed_form else ScenarioModel.DUST
        return without_dust(margins, np.bincount(self.labels, alone, count), dust)

    @cached_property
    def _several_prices(self) -> list[int]:
        """Underlyings whose instruments have closes of their own, so that one unit's margin is not enough."""
        return [u for u in range(len(self.legs.underlyings)) if len(set(self.columns[self.legs.labels == u])) > 1]

    def _of_columns(self, p: Prepared, estimator: str, level: float, chosen: np.ndarray) -> float:
        """USD margin of the chosen positions (p,) together."""
        weights = np.bincount(self.columns[chosen], p.values[chosen], len(self.assets))
        if row_of(estimator).closed_form:
            return self._factor(estimator, level) * float(np.sqrt(max(weights @ self._covariance(p) @ weights, 0.0)))
        measure = expected_shortfall if self.settings.measure == "es" else value_at_risk
        return max(float(measure(-(self._scenarios(p, estimator) @ weights), level)), 0.0)

    def basis(self, p: Prepared, estimator: str, level: float, alone: np.ndarray) -> BasisCharge:
        """What offsets between instruments are charged that day."""
        if not self.settings.safeguards.basis or not self.legs.offset:
            return NO_BASIS
        parts = self._kept(p, ("netted", estimator, level), lambda: self._netted(p, estimator, level, alone))
        saved = np.bincount(self.labels, alone, len(parts)) - parts
        charged = self.legs.charges(p.values, saved, pd.Timestamp(self.close_dates[p.row]))
        named = tuple(n for n, usd in zip(self.legs.underlyings, charged, strict=True) if usd > 0)
        return BasisCharge(float(charged.sum()), 0.0, named)

    def _units(self, p: Prepared, estimator: str, level: float) -> np.ndarray:
        """(2, k) margin of one dollar long and of one dollar short in each asset."""
        if row_of(estimator).closed_form:
            return np.tile(self._factor(estimator, level) * np.sqrt(np.diag(self._covariance(p))), (2, 1))
        scenarios = self._scenarios(p, estimator)
        both = np.stack((-scenarios, scenarios), axis=1)  # (n, 2, k)
        measure = expected_shortfall if self.settings.measure == "es" else value_at_risk
        found: np.ndarray = np.maximum(measure(both, level), 0.0)
        return found

    def _pooled(self, p: Prepared, estimator: str, level: float, isolated: float) -> Day:
        es_asked = self.settings.measure == "es"
        if row_of(estimator).closed_form:
            deviation = float(np.sqrt(max(p.weights @ self._covariance(p) @ p.weights, 0.0)))
            dof = degrees_of_freedom(self.settings, estimator)
            es, var = (tail_factor(m, level, dof) * deviation for m in ("es", "var"))
            required = self._tidy(es if es_asked else var, isolated, EllipticalModel.DUST)
            return Day(
                required=required,
                parts=np.empty(0),
                labels=self.labels,
                var=var,
                es=es,
                tail=None,
                scenarios=self.settings.lookback,
            )
        losses = -(self._scenarios(p, estimator) @ p.weights)
        es, var = float(expected_shortfall(losses, level)), float(value_at_risk(losses, level))
        required = self._tidy(max(es if es_asked else var, 0.0), isolated, ScenarioModel.DUST)
        whole = max(tail_mass(len(losses), level)[1], 1)
        tail = np.sort(np.partition(losses, -whole)[-whole:])
        return Day(
            required=required, parts=np.empty(0), labels=self.labels, var=var, es=es, tail=tail, scenarios=len(losses)
        )

    @staticmethod
    def _tidy(pooled: float, isolated: float, dust: float) -> float:
        return 0.0 if pooled <= dust * isolated else pooled

    def _scenarios(self, p: Prepared, estimator: str) -> np.ndarray:
        """(lookback, k) returns, as the estimator's own scenarios."""
        walk = row_of(estimator).walk
        assert walk is not None  # `backtest` takes no other
        return walk(SeenAt(self, p))

    def rescaled(self, p: Prepared, window: slice) -> np.ndarray:
        """(lookback, k) returns of a window over the volatility known before each, times that of the close."""
        if p.daily < WARM_UP:  # what starts the volatilities of the whole walk was not known yet
            path = self._early_path(p)
            units, still = self._in_units(path, window)
            return np.maximum(np.where(still, self.returns[window], units * path[-1]), -1.0)
        now = self.past.vol_path[p.daily]
        scaled = np.where(self.still[window], self.returns[window], self.units[window] * now)
        return np.maximum(scaled, -1.0)

    def volatility(self, p: Prepared) -> np.ndarray:
        """(k,) EWMA volatility per day at that close."""
        path: np.ndarray = self._early_path(p) if p.daily < WARM_UP else self.past.vol_path[: p.daily + 1]
        found: np.ndarray = path[-1]
        return found

    def _early_path(self, p: Prepared) -> np.ndarray:
        """Volatilities before each return, of a day on which fewer returns were known than start an EWMA."""
        known = self.past.daily[: p.daily]
        found: np.ndarray = self._kept(p, ("path",), lambda: ewma_vol_path(known, self.settings.ewma_lambda))
        return found

    def _in_units(self, path: np.ndarray, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """(returns / the volatility known before each, whether there was none)."""
        at = np.searchsorted(self.past.daily_dates, self.ends[rows]) - self.past.horizon.horizon + 1
        before, returns = path[np.maximum(at, 0)], self.returns[rows]
        return np.divide(returns, before, out=np.zeros_like(returns), where=before > 0), before <= 0

    def _covariance(self, p: Prepared) -> np.ndarray:
        """(k, k) sample covariance of the last `lookback` daily returns, over the horizon."""
        found: np.ndarray = self._kept(p, ("covariance",), lambda: self._sample(p))
        return found

    def _sample(self, p: Prepared) -> np.ndarray:
        recent = self.past.daily[max(p.daily - self.settings.lookback, 0) : p.daily]
        centred = recent - recent.mean(axis=0)
        found: np.ndarray = centred.T @ centred / (len(recent) - 1) * self.settings.horizon
        return found

    def _factor(self, estimator: str, level: float) -> float:
        dof = degrees_of_freedom(self.settings, estimator)
        return tail_factor(self.settings.measure, level, dof)

    def extremes(self, daily: int) -> Extremes | None:
        """What had been seen of correlations after so many daily returns."""
        if daily < CORRELATION_WINDOW:
            return None
        if self._extremes is None:
            self._extremes = running_extremes(self.past.daily)
        low, high = self._extremes
        at = daily - CORRELATION_WINDOW
        now = correlations(self.past.daily[max(daily - self.settings.lookback, 0) : daily])
        return Extremes(low[at], high[at], now)

    def volumes(self, row: int) -> np.ndarray:
        """(k,) median USD traded per day over the last 90 rows of the market up to a close, NaN where not known."""
        if self._volumes is None:
            return np.full(len(self.assets), np.nan)
        at = int(np.searchsorted(self.market.dates, self.close_dates[row], side="right")) - 1
        found: np.ndarray = self._volumes[at]
        return found

    @cached_property
    def _volumes(self) -> np.ndarray | None:
        if self.market.volumes is None:
            return None
        table = pd.DataFrame(self.market.volumes[:, self.market.columns(self.assets)])
        return table.rolling(VOLUME_DAYS, min_periods=1).median().to_numpy()

    def losses_after(self, rows: np.ndarray) -> np.ndarray:
        """(n, p) USD loss of each position over the horizon that followed each close."""
        ends = self.close_dates[rows + self.settings.horizon]
        following = self.returns[np.searchsorted(self.ends, ends)]
        found: np.ndarray = -following[:, self.columns] * self.values[rows]
        return found

    def gross(self, rows: np.ndarray) -> np.ndarray:
        """(n,) USD gross exposure."""
        found: np.ndarray = np.abs(self.values[rows]).sum(axis=1)
        return found


def left_out_note(symbols: tuple[str, ...]) -> list[str]:
    """One sentence that names the options that are not walked; none where there are none."""
    return [f"Left out, for options have no price history to walk through: {', '.join(symbols)}."] if symbols else []


def _units_of(p: Position, last: float) -> float:
    """Units of the coin that gain as much; the price has a say only for a coin-settled contract without an entry."""
    return p.exposure(last) / last if p.instrument.is_inverse else p.quantity


def days_to_walk(walk: Walk, days: int) -> tuple[np.ndarray, int]:
    """(rows of the closes to set margins on, how many others were left out for a pause in the prices).

    Every `horizon`-th close back from the last whose loss is known, with `lookback` returns before it.
    """
    horizon, lookback = walk.settings.horizon, walk.settings.lookback
    last = len(walk.close_dates) - 1 - horizon
    enough = np.flatnonzero(walk.known >= lookback)
    first = int(enough[0]) if len(enough) else last + 1
    rows = np.arange(last, max(first - 1, last - days), -horizon)[::-1] if last >= first else np.empty(0, dtype=int)
    if len(rows):
        ends = walk.close_dates[rows + horizon]
        at = np.minimum(np.searchsorted(walk.ends, ends), len(walk.ends) - 1)
        fine = walk.ends[at] == ends
        skipped, rows = int((~fine).sum()), rows[fine]
    if len(rows) < 20:
        have = f"{len(walk.returns)} returns in common"
        hint = "Use a shorter lookback, a shorter horizon, or assets with longer history."
        raise InputError("lookback", lookback, f"leaves {len(rows)} days to walk ({have}), 20 are needed", hint)
    return rows, skipped
