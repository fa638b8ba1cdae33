"""From positions to scenario losses: linear instruments by quantity x price x return, options by full revaluation."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from margin.core import options
from margin.core.instruments import Instrument
from margin.core.portfolio import Position
from margin.core.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """One position valued at as-of.

    price : USD per unit (the option's own value for an option); value : quantity x price, signed (inverse: face)
    delta : units of the underlying it behaves like, for the whole position; delta_usd : the same in USD
    gamma : change of delta per USD; vega : USD per vol point; theta : USD per day; all for the whole position
    """

    position: Position
    instrument: Instrument
    column: int | None  # of the underlying in the scenario returns; None for dollars, which do not move
    spot: float
    price: float
    value: float
    delta: float
    gamma: float = 0.0
    vega: float = 0.0
    theta: float = 0.0
    implied_vol: float | None = None
    years: float | None = None

    @property
    def delta_usd(self) -> float:
        """USD that move one for one with the underlying."""
        return self.delta * self.spot

    def scaled(self, factor: float) -> "Exposure":
        """The exposure of a multiple of the position."""
        position = replace(self.position, quantity=self.position.quantity * factor)
        parts = {name: getattr(self, name) * factor for name in ("value", "delta", "gamma", "vega", "theta")}
        return replace(self, position=position, **parts)


@dataclass(frozen=True)
class Book:
    """Positions valued at as-of, ready to be put under scenarios.

    assets : (k) whose price each column of the scenarios is; an asset stands there again for each of its instruments
             that has closes of its own
    """

    exposures: tuple[Exposure, ...]
    assets: tuple[str, ...]
    as_of: pd.Timestamp
    daily_vol: np.ndarray
    settings: Settings

    @property
    def has_options(self) -> bool:
        """True where any position is an option."""
        return any(e.instrument.is_option for e in self.exposures)

    def linear_weights(self) -> np.ndarray:
        """(m, k) USD delta of each position in each asset."""
        weights = np.zeros((len(self.exposures), len(self.assets)))
        for i, exposure in enumerate(self.exposures):
            if exposure.column is not None:
                weights[i, exposure.column] = exposure.delta_usd
        return weights

    def scaled(self, factor: float) -> "Book":
        """Every quantity times `factor`; prices stay."""
        return replace(self, exposures=tuple(e.scaled(factor) for e in self.exposures))

    def losses(self, returns: np.ndarray) -> np.ndarray:
        """Loss of each position under each scenario, USD, loss positive.

        returns : (n, k) over the horizon; returns ndarray (n, m)
        """
        n = len(returns)
        columns = np.array([-1 if e.column is None else e.column for e in self.exposures], dtype=int)
        values = np.array([0.0 if e.column is None else e.delta_usd for e in self.exposures])
        losses = np.take(returns, columns, axis=1)
        losses *= -values
        for i, exposure in enumerate(self.exposures):
            if exposure.column is None:
                losses[:, i] = np.zeros(n)
            elif exposure.instrument.is_option:
                losses[:, i] = -self._option_pnl(exposure, returns[:, exposure.column])
        found: np.ndarray = losses
        return found

    def _option_pnl(self, exposure: Exposure, returns: np.ndarray) -> np.ndarray:
        instrument, settings = exposure.instrument, self.settings
        assert exposure.column is not None and exposure.implied_vol is not None
        assert instrument.strike is not None and instrument.option_type is not None
        years = options.years_to_expiry(instrument, self.as_of, settings.horizon)
        vol = options.shocked_vol(
            exposure.implied_vol,
            returns,
            self.daily_vol[exposure.column],
            settings.ewma_lambda,
            settings.horizon,
            exposure.years or 0.0,
        )
        forward = exposure.spot * (1.0 + returns)
        value = options.black76(forward, instrument.strike, years, vol, instrument.option_type)
        return exposure.position.quantity * (value - exposure.price)


def value_book(
    positions: Iterable[Position],
    assets: tuple[str, ...],
    prices: np.ndarray,
    daily_vol: np.ndarray,
    as_of: pd.Timestamp,
    settings: Settings,
) -> Book:
    """Value every position at as-of.

    assets : names of the price series, of assets or of instruments with closes of their own (`price_series`)
    prices, daily_vol : (k,) USD closes and EWMA volatilities per day of `assets`
    Raises InputError for a contract that had expired.
    """
    columns = {asset: i for i, asset in enumerate(assets)}
    implied = dict(settings.implied_vol)
    exposures = []
    for position in positions:
        instrument = position.instrument
        column = columns.get(instrument.symbol, columns.get(instrument.base))
        spot = 1.0 if column is None else float(prices[column])
        if instrument.is_option and column is not None:
            vol = position.implied_vol or implied.get(instrument.base)
            if vol is None:
                vol = float(daily_vol[column]) * np.sqrt(options.DAYS_PER_YEAR)
            exposures.append(_option(position, instrument, column, spot, vol, as_of))
            continue
        if instrument.expiry is not None:
            options.years_to_expiry(instrument, as_of)
        delta = position.exposure(spot) / spot
        exposures.append(
            Exposure(
                position=position,
                instrument=instrument,
                column=column,
                spot=spot,
                price=spot,
                value=position.value(spot),
                delta=delta,
            )
        )
    owners = tuple(name.split("/")[0] for name in assets)
    return Book(tuple(exposures), owners, as_of, daily_vol, settings)


def _option(
    position: Position, instrument: Instrument, column: int, spot: float, vol: float, as_of: pd.Timestamp
) -> Exposure:
    assert instrument.strike is not None and instrument.option_type is not None
    years = options.years_to_expiry(instrument, as_of)
    unit = options.greeks(spot, instrument.strike, years, vol, instrument.option_type)
    q = position.quantity
    return Exposure(
        position=position, instrument=instrument, column=column, spot=spot, price=unit.value,
        value=q * unit.value, delta=q * unit.delta,
        gamma=q * unit.gamma, vega=q * unit.vega, theta=q * unit.theta, implied_vol=vol, years=years,
    )  # fmt: skip
