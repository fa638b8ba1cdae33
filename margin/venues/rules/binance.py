"""Binance USD-M futures: brackets per contract; isolated, cross, and portfolio margin that nets collateral only."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from margin.core.account import SubAccount
from margin.core.portfolio import Portfolio
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import Lines, Mode, PositionMargin, Slider, Unsupported, VenueMargin
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tiers, tiers_of


def portfolio_value(net: Any, price: Any, rate: float) -> Any:
    """USD that portfolio margin counts of a net asset: min(net x price x rate, net x price), so debts count in full."""
    return np.minimum(net * price * rate, net * price)


def converted(deficit: Any, cut: float) -> Any:
    """USD of a coin that auto-exchange sells to cover a deficit in dollars: its value less the cut must cover it."""
    return deficit / (1.0 - cut)


UNI_MMR_LIQUIDATION = 1.05  # equity / maintenance margin at which liquidation starts


class Binance(PerpetualVenue):
    """Binance USD-M: brackets by notional."""

    name = "binance"
    coin_settled: ClassVar[str] = "binance_coinm"
    coin_wallets: ClassVar[tuple[Mode, ...]] = ("isolated", "cross")
    coin_equity: ClassVar[tuple[Mode, ...]] = ("portfolio",)
    rule = "brackets"
    summed: ClassVar[tuple[Mode, ...]] = ("cross",)
    closed = True
    inverse: ClassVar[bool] = True
    mode_notes: ClassVar = {"portfolio": ("It nets collateral only: the futures' margins are still added up.",)}
    modes: ClassVar[tuple[Mode, ...]] = ("isolated", "cross", "portfolio")
    sliders = (
        Slider(
            key="coin_rate",
            title="Collateral rate of coins (portfolio margin)",
            low=0.0,
            high=1.0,
            default=0.0,
            step=0.05,
            unit="",
            help="Binance shows it to account holders only: look yours up. At 0 coins count for nothing.",
        ),
        Slider(
            key="multi_assets",
            title="Multi-assets mode (cross): 1 is on",
            low=0.0,
            high=1.0,
            default=0.0,
            step=1.0,
            help="Coins and other dollars back the contracts at the published ratios; off, only dollars do.",
        ),
    )

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        return self.coin_tiers(asset) if inverse else self._tiers.get(asset)

    def supports(self, book: Portfolio | SubAccount, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """Coin-settled contracts are margined here in the portfolio account only, else in their coin's wallet."""
        found = super().supports(book, mode)
        if mode == "portfolio":
            return found
        known = {u.symbol for u in found}
        why = "coin-settled contracts stand in a wallet of their coin, by the rules of binance_coinm"
        apart = [p for p in accounts.as_sub(book).positions if p.instrument.is_inverse and p.symbol not in known]
        return found + tuple(Unsupported(symbol=p.symbol, reason=why, alone=True) for p in apart)

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        """(for opening, against liquidation, note): what a collateral amount counts for, USD."""
        if mode == "cross" and settings["multi_assets"] and np.all(np.greater(quantity, 0)):
            ratio = self.parameters["multi_assets"].get(asset, 0.0)
            value = quantity * price * ratio
            return value, value, f"{asset} counts at {ratio:.2%} in multi-assets mode."
        if mode != "portfolio" or asset in self.collateral_assets:
            return super().counted(asset, quantity, price, mode, settings)
        rate = settings["coin_rate"]
        value = portfolio_value(quantity, price, rate)
        why = f"{asset} counts at {rate:.0%}, the rate set by you; the venue shows its own to account holders only."
        return value, value, why

    def totals(
        self, book: SubAccount, marks: Marks, mode: Mode, rows: list[PositionMargin], lines: Lines
    ) -> tuple[Any, Any]:
        """Initial and maintenance margin of all positions together."""
        initial, maintenance = super().totals(book, marks, mode, rows, lines)
        if mode != "portfolio":
            return initial, maintenance
        raised = maintenance * UNI_MMR_LIQUIDATION
        if lines.wanted:
            formula = f"{maintenance:,.2f} x {UNI_MMR_LIQUIDATION:g}"
            lines.add("Liquidated at uniMMR 105%", formula, raised, self.parameters.source("uni_mmr"), "maintenance")
        return np.maximum(initial, raised), raised

    def reckon(
        self, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> VenueMargin:
        """The account's figures; in multi-assets mode also what auto-exchange would sell now."""
        found = super().reckon(book, marks, mode, settings, lines)
        if mode != "cross" or not settings["multi_assets"] or not lines.wanted:
            return found
        rule, source = self.parameters["auto_exchange"], self.parameters.source("auto_exchange")
        held = {c.asset: c.market_value for c in found.collateral}
        for asset in ("USDT", "USDC"):
            deficit = -held.get(asset, 0.0)
            for coin, cut in rule["cut"].items():
                if deficit >= -rule["least"] and held.get(coin, 0.0) > 0:
                    formula = f"{deficit:,.2f} / (1 - {cut:.1%})"
                    lines.add(f"{coin} sold for {asset}", formula, converted(deficit, cut), source, "note")
        return replace(found, lines=tuple(lines.kept))

    @cached_property
    def _tiers(self) -> dict[str, Tiers]:
        return {asset: tiers_of(rows, closed=self.closed) for asset, rows in self.parameters["brackets"].items()}


RULEBOOK = Binance()
