"""Prices at which a venue's rules are read: one as-of, one price per asset, one volatility per underlying."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pandas as pd

from margin.core import options
from margin.core.account import Account
from margin.core.checks import has_time, parse_date
from margin.core.errors import InputError, MissingPriceError
from margin.core.instruments import USD_LIKE, Instrument, parse_symbol
from margin.core.market import Market
from margin.core.portfolio import Portfolio, Position
from margin.risk.history import ewma_vol_path


@dataclass(frozen=True)
class Marks:
    """USD prices by asset and implied volatilities (annual) by underlying, as of one moment.

    prices : {"BTC": 61000.0}; USD is always 1
    vols   : {"BTC": 0.55}, by underlying or by an option's own symbol; only options read it
    contracts : {"BTC/USDT:USDT": 61010.0}, marks of single perpetuals and futures; they move with their asset's price
    Other linear contracts are marked at the asset's price; options at Black-76 on it with rate zero, as everywhere else
    in Margin Lab.
    """

    prices: Mapping[str, float]
    as_of: pd.Timestamp
    vols: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    contracts: Mapping[str, float] = field(default_factory=dict)

    def price(self, asset: str) -> float:
        """USD per unit. Raises MissingPriceError."""
        if asset == "USD":
            return 1.0
        try:
            return self.prices[asset]
        except KeyError:
            raise MissingPriceError([asset], self.prices) from None

    def vol(self, underlying: str) -> float:
        """Annual implied volatility of an underlying's options. Raises InputError where none is given."""
        try:
            return self.vols[underlying]
        except KeyError:
            hint = "Give an implied volatility per underlying, e.g. {'BTC': 0.55}."
            raise InputError("vols", underlying, "no implied volatility for its options", hint) from None

    def vol_of(self, instrument: Instrument) -> float:
        """Annual implied volatility of one option: its own, else its underlying's. Raises InputError."""
        own = self.vols.get(instrument.symbol)
        return own if own is not None else self.vol(instrument.base)

    def years(self, instrument: Instrument) -> float:
        """Years to the instrument's expiry from the as-of."""
        return options.years_to_expiry(instrument, self.as_of)

    def mark(self, instrument: Instrument) -> float:
        """USD per unit of the instrument: an option's premium, else the asset's price."""
        if not instrument.is_option:
            return self.contract(instrument)
        if isinstance(self.price(instrument.base), float):
            found: float = self.remember(instrument.symbol, lambda: self._premium(instrument))
            return found
        return self._premium(instrument)

    def _premium(self, instrument: Instrument) -> float:
        spot = self.price(instrument.base)
        assert instrument.strike is not None and instrument.option_type is not None
        years = self.years(instrument)
        value = options.black76(spot, instrument.strike, years, self.vol_of(instrument), instrument.option_type)
        return float(value) if value.ndim == 0 else value  # type: ignore[return-value]  # prices may be arrays

    @cached_property
    def _kept(self) -> dict[Hashable, Any]:
        return {}

    def remember(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What `make` gives at these marks, made once for `key`; only for what these marks alone decide."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def contract(self, instrument: Instrument) -> float:
        """USD per unit of a perpetual or future: its own mark where one is known, else the asset's price."""
        own = self.contracts.get(instrument.symbol)
        return self.price(instrument.base) if own is None else own

    def moved(self, factors: Mapping[str, float]) -> "Marks":
        """The same marks with prices multiplied: {"BTC": 0.9} is BTC down 10%; volatilities stay."""
        moved = {asset: self.price(asset) * factor for asset, factor in factors.items()}
        own = {s: price * factors.get(parse_symbol(s).base, 1.0) for s, price in self.contracts.items()}
        return replace(self, prices={**self.prices, **moved}, contracts=own)

    def unrealised(self, position: Position) -> float:
        """USD PnL since `entry_price`; 0 when none is given (entered at the mark). Coin-settled: N (P / E - 1)."""
        return position.profit(self.mark(position.instrument)) if position.entry_price is not None else 0.0

    @classmethod
    def of_account(
        cls,
        account: Account,
        prices: Mapping[str, float] | None = None,
        as_of: Any = None,
        vols: Mapping[str, float] | None = None,
    ) -> "Marks":
        """From what the account itself carries: each position's `mark_price` and `implied_vol`, its as-of.

        An option's volatility is the one that gives its printed mark, else what it says.

        prices : by asset, where at hand; else what the account's collateral carries, then the first perpetual's mark, a
                 future's, and 1 for dollar stablecoins
        Raises MissingPriceError for an asset that has neither, InputError where there is no as-of.
        """
        when = as_of if as_of is not None else account.as_of
        if when is None:
            raise InputError("as_of", None, "the account has no as-of", 'Add "as_of": "2026-11-26T10:00:00Z".')
        known = dict(prices or {})
        given: dict[str, float] = {}
        contracts: dict[str, float] = {}
        for c in account.collateral:
            if c.mark_price is not None:
                known.setdefault(c.asset, c.mark_price)
        order = {"perpetual": 0, "future": 1, "spot": 2}
        for p in sorted(account.positions, key=lambda p: order.get(p.instrument.kind, 3)):
            if p.implied_vol is not None:
                given[p.symbol] = p.implied_vol
            if p.mark_price is None or p.instrument.is_option:
                continue
            known.setdefault(p.underlying, p.mark_price)
            if p.instrument.kind in ("perpetual", "future"):
                contracts[p.symbol] = p.mark_price
        needed = {p.underlying for p in account.positions} | {c.asset for c in account.collateral}
        notes = []
        for asset in sorted(needed - {"USD"} - set(known)):
            if asset not in USD_LIKE:
                raise MissingPriceError([asset], known)
            known[asset] = 1.0
            notes.append(f"{asset} is taken at 1 US dollar")
        moment = parse_date(when)
        if has_time(when) and moment == moment.normalize():
            moment += pd.Timedelta(microseconds=1)  # midnight itself, where a bare date stands for its close
        out = cls(known, moment, {**(vols or {}), **given}, tuple(notes), contracts)
        return replace(out, vols={**out.vols, **_printed_vols(account, out)})

    @classmethod
    def of_market(
        cls, market: Market, portfolio: Portfolio, as_of: Any = None, vols: Mapping[str, float] | None = None
    ) -> "Marks":
        """Last closes not after `as_of` of every asset of the book; volatilities default to EWMA (0.94) x root(365).

        Raises MissingPriceError for an asset without a recent close, unless the book's collateral carries its price;
        dollar stablecoins are then taken at 1. Both are said.
        """
        when = parse_date(as_of) if as_of is not None else pd.Timestamp(market.dates[-1])
        prices: dict[str, float] = {}
        notes: list[str] = []
        carried = {c.asset: c.mark_price for c in portfolio.held if c.mark_price is not None}
        for asset in sorted({*portfolio.assets, *portfolio.collateral_assets}):
            prices[asset], note = _close(market, asset, when, carried.get(asset))
            notes += [note] if note else []
        given = dict(vols or {})
        options_held = [p for p in portfolio.positions if p.instrument.is_option]
        given |= {p.symbol: p.implied_vol for p in options_held if p.implied_vol is not None}
        for underlying in {p.underlying for p in options_held} - set(given):
            given[underlying] = _ewma_vol(market, underlying, when)
        own = {p.symbol for p in portfolio.positions if not p.instrument.is_option} & set(market.instruments)
        contracts = {symbol: market.price(symbol, when) for symbol in sorted(own)}
        return cls(prices, when, given, tuple(notes), contracts)


def _close(market: Market, asset: str, when: pd.Timestamp, carried: float | None) -> tuple[float, str]:
    """(USD, note): the market's close; else the price that the book's collateral carries, a stablecoin's 1."""
    try:
        price, note = market.collateral_price(asset, when)
    except MissingPriceError:
        if carried is None:
            raise
        return carried, f"{asset} has no close: it is taken at the {carried:g} USD that the account carries"
    if note and carried is not None:
        return carried, f"{asset} has no close: it is taken at the {carried:g} USD that the account carries"
    return price, note


def _printed_vols(account: Account, marks: Marks) -> dict[str, float]:
    """By option symbol: the volatility at which Black-76 gives the mark that the venue printed for it."""
    out: dict[str, float] = {}
    for p in account.positions:
        i = p.instrument
        if i.is_option and p.mark_price is not None and i.base in marks.prices:
            assert i.strike is not None and i.option_type is not None
            found = options.implied_vol(p.mark_price, marks.price(i.base), i.strike, marks.years(i), i.option_type)
            out |= {p.symbol: found} if found is not None else {}
    return out


def _ewma_vol(market: Market, asset: str, as_of: pd.Timestamp) -> float:
    """Annual volatility from daily closes, decay 0.94: the engine's own estimate where no implied one is given."""
    daily = market.returns([asset], as_of).values
    return float(ewma_vol_path(daily, 0.94)[-1, 0] * options.DAYS_PER_YEAR**0.5)
