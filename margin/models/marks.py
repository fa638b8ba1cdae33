"""Prices at which a venue's rules are read: one as-of, one price per asset, one volatility per underlying."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from margin.core import options
from margin.core.errors import InputError, MissingPriceError
from margin.core.instruments import Instrument
from margin.core.market import Market, parse_date
from margin.core.portfolio import Portfolio, Position
from margin.risk.scenarios import ewma_vol_path


@dataclass(frozen=True)
class Marks:
    """USD prices by asset and implied volatilities (annual) by underlying, as of one moment.

    prices : {"BTC": 61000.0}; USD is always 1
    vols   : {"BTC": 0.55}; only options read it
    Linear contracts are marked at the asset's price; options at Black-76 on it with rate zero, as everywhere else in
    Margin Lab.
    """

    prices: Mapping[str, float]
    as_of: pd.Timestamp
    vols: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def price(self, asset: str) -> float:
        """USD per unit. Raises MissingPriceError."""
        if asset == "USD":
            return 1.0
        try:
            return self.prices[asset]
        except KeyError:
            raise MissingPriceError([asset], self.prices) from None

    def vol(self, underlying: str) -> float:
        try:
            return self.vols[underlying]
        except KeyError:
            hint = "Give an implied volatility per underlying, e.g. {'BTC': 0.55}."
            raise InputError("vols", underlying, "no implied volatility for its options", hint) from None

    def years(self, instrument: Instrument) -> float:
        return options.years_to_expiry(instrument, self.as_of)

    def mark(self, instrument: Instrument) -> float:
        """USD per unit of the instrument: an option's premium, else the asset's price."""
        spot = self.price(instrument.base)
        if not instrument.is_option:
            return spot
        assert instrument.strike is not None and instrument.option_type is not None
        years, vol = self.years(instrument), self.vol(instrument.base)
        return float(options.black76(spot, instrument.strike, years, vol, instrument.option_type))

    def moved(self, factors: Mapping[str, float]) -> "Marks":
        """The same marks with prices multiplied: {"BTC": 0.9} is BTC down 10%; volatilities stay."""
        moved = {asset: self.price(asset) * factor for asset, factor in factors.items()}
        return replace(self, prices={**self.prices, **moved})

    def unrealised(self, position: Position) -> float:
        """USD PnL since `entry_price`; 0 when none is given (entered at the mark)."""
        if position.entry_price is None:
            return 0.0
        return position.quantity * (self.mark(position.instrument) - position.entry_price)

    @classmethod
    def of_market(
        cls, market: Market, portfolio: Portfolio, as_of: Any = None, vols: Mapping[str, float] | None = None
    ) -> "Marks":
        """Last closes not after `as_of` of every asset of the book; volatilities default to EWMA (0.94) x root(365).

        Raises MissingPriceError for an asset without a recent close; dollar stablecoins are then taken at 1, and said.
        """
        when = parse_date(as_of) if as_of is not None else pd.Timestamp(market.dates[-1])
        prices: dict[str, float] = {}
        notes: list[str] = []
        for asset in sorted({*portfolio.assets, *portfolio.collateral_assets}):
            prices[asset], note = market.collateral_price(asset, when)
            notes += [note] if note else []
        given = dict(vols or {})
        for underlying in {p.underlying for p in portfolio.positions if p.instrument.is_option} - set(given):
            given[underlying] = _ewma_vol(market, underlying, when)
        return cls(prices, when, given, tuple(notes))


def _ewma_vol(market: Market, asset: str, as_of: pd.Timestamp) -> float:
    """Annual volatility from daily closes, decay 0.94: the engine's own estimate where no implied one is given."""
    daily = market.returns([asset], as_of).values
    return float(ewma_vol_path(daily, 0.94)[-1, 0] * options.DAYS_PER_YEAR**0.5)
