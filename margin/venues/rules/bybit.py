"""Bybit: isolated, and the unified account's cross margin with tiered collateral, for contracts in dollars and coins.

Source: Bybit help centre, "Liquidation price calculation under isolated mode" and "Maintenance margin (USDT contract)".
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from margin.core.account import SubAccount
from margin.core.portfolio import Portfolio
from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import Lines, Mode, PositionMargin, Slider, Unsupported, VenueMargin
from margin.venues.families.perpetuals import FIRST_LEVERAGE, Basis, PerpetualVenue
from margin.venues.families.tiers import Tiers, sliced, tiers_of


def bankruptcy_price(
    quantity: float, entry: Any, leverage: float, posted: float | None = None, fee: float = 0.0
) -> Any:
    """USD at which the position's own margin is gone: what its leverage asks, or what was posted, fee included.

    posted : USD; then q (p - entry) + posted - |q| p fee = 0
    """
    side = 1.0 if quantity > 0 else -1.0
    if posted is None:
        return entry * (1.0 - side / leverage)
    return max((abs(quantity) * entry - side * posted) / (abs(quantity) * (1.0 - side * fee)), 0.0)


def coin_bankruptcy_price(
    face: float, entry: float, leverage: float, posted: float | None = None, fee: float = 0.0
) -> float:
    """USD at which an inverse position's own margin is gone: what its leverage asks, or coins posted, fee included.

    face : signed USD; posted : coins; then face (1 / entry - 1 / p) + posted - |face| fee / p = 0. Infinite where a
    short's coins exceed what it can lose.
    """
    side = 1.0 if face > 0 else -1.0
    if posted is None:
        return entry / (1.0 + side / leverage) if side > 0 or leverage > 1 else float("inf")
    left = face / entry + posted
    return face * (1.0 + side * fee) / left if left * side > 0 else float("inf")


def short_option(out_of_money: Any, index: Any, mark: Any, rule: Mapping[str, float]) -> tuple[Any, Any]:
    """(initial, maintenance) USD per option sold; out of the money, index and mark in USD."""
    kept = np.maximum(rule["maintenance"] * index, rule["maintenance"] * mark) + mark + rule["liquidation_fee"] * index
    opening = np.maximum(rule["most"] * index - out_of_money, rule["least"] * index) + mark
    return np.maximum(opening, kept), kept


class Bybit(PerpetualVenue):
    """Bybit unified trading account: risk limits and collateral ratios."""

    name = "bybit"
    coin_settled: ClassVar[str] = "bybit_inverse"
    rule = "risk_limits"
    summed: ClassVar[tuple[Mode, ...]] = ("cross",)
    valued: ClassVar[bool] = True
    inverse: ClassVar[bool] = True
    kinds: ClassVar[tuple[str, ...]] = ("perpetual", "option")
    closed = True
    mode_notes: ClassVar = {
        "cross": (
            "Portfolio margin is not offered here: its contingencies, initial-margin factor and volatility shocks "
            "are not published.",
        )
    }
    sliders = (
        Slider(
            key="taker_fee", title="My taker fee", low=0.0, high=0.002, default=0.00055, step=0.00005, unit="",
            help="Kept back to close at the bankruptcy price; 0.055% for accounts without a discount.",
        ),
    )  # fmt: skip

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        return self.coin_tiers(asset) if inverse else self._tiers.get(asset)

    def supports(self, book: Portfolio | SubAccount, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """Also refused: options settled in the coin, of coins whose factors are not carried, and in isolated mode."""
        found, sub = super().supports(book, mode), accounts.as_sub(book)
        known = {u.symbol for u in found}
        for p in accounts.of_kind(sub, "option"):
            if p.symbol in known:
                continue
            if mode == "isolated" or sub.isolated:
                found += (Unsupported(symbol=p.symbol, reason="options have no isolated margin here"),)
            elif p.instrument.settle == p.underlying:
                why = "Bybit's options settle in dollars: coin-settled ones are not held here"
                found += (Unsupported(symbol=p.symbol, reason=why, alone=True),)
            elif p.underlying not in self.parameters["options"]:
                why = f"the option factors of {p.underlying} are not known here: not reproduced here"
                found += (Unsupported(symbol=p.symbol, reason=why, alone=True),)
        return found

    def tiered(self, position: Position) -> bool:
        """Perpetuals have tiers, options factors of their own."""
        return not position.instrument.is_option

    def position_margin(
        self, position: Position, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> PositionMargin:
        """Initial and maintenance margin of one position."""
        if not position.instrument.is_option:
            return super().position_margin(position, marks, mode, settings, lines)
        i, index = position.instrument, marks.price(position.underlying)
        assert i.strike is not None
        rates: tuple[Any, Any] = (0.0, 0.0)  # bought: paid for, asks nothing
        if position.quantity < 0:
            out = np.maximum(i.strike - index if i.option_type == "C" else index - i.strike, 0.0)
            rates = short_option(out, index, marks.mark(i), self.parameters["options"][position.underlying])
        size = abs(position.quantity)
        amounts = size * rates[0], size * rates[1]
        if lines.wanted:
            amounts = float(amounts[0]), float(amounts[1])
            for word, rate, amount in zip(("initial", "maintenance"), rates, amounts, strict=True):
                formula = f"{size:,.8g} x {float(rate):,.2f}"
                lines.add(f"{position.symbol}: {word}", formula, amount, self.parameters.source("options"), word)
        return PositionMargin(
            symbol=position.symbol, quantity=position.quantity, notional=size * index, initial=amounts[0],
            maintenance=amounts[1],
        )  # fmt: skip

    def reckon(
        self, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> VenueMargin:
        """The account's figures; the margin balance counts no option's value: what it cost or brought is cash."""
        found = super().reckon(book, marks, mode, settings, lines)
        held = accounts.of_kind(book, "option")
        if not held:
            return found
        worth = self.worths(book, marks, mode) or {}
        value = sum(p.quantity * marks.mark(p.instrument) * worth.get(str(p.instrument.settle), 1.0) for p in held)
        if lines.wanted:
            source = self.parameters.source("options")
            lines.add("Options' value", "not part of the margin balance", -float(value), source, "pnl")
        return replace(
            found, equity=found.equity - value, equity_initial=found.equity_initial - value, lines=tuple(lines.kept)
        )

    def basis(self, mode: Mode, marks: Marks) -> tuple[Basis, Basis]:
        """Cross margins are taken at mark since November 2025, before at entry; isolated initial margin at entry."""
        if marks.as_of < pd.Timestamp(self.parameters["at_mark_since"]):
            return "entry", "entry"
        return ("entry", "mark") if mode == "isolated" else ("mark", "mark")

    def closing_fee(self, position: Position, marks: Marks, settings: Mapping[str, float]) -> Any:
        """Taker fee on the value at the bankruptcy price; of a coin-settled contract coins, at today's price."""
        if position.instrument.is_inverse:
            return self._coin_fee(position, marks, settings["taker_fee"])
        fee, (until, older) = settings["taker_fee"], self.parameters["older_taker_fee"]
        if fee == self.parameters["taker_fee"] and marks.as_of <= pd.Timestamp(until):
            fee = older
        leverage = position.leverage or FIRST_LEVERAGE
        entry = accounts.entry(position, marks)
        return abs(position.quantity) * bankruptcy_price(position.quantity, entry, leverage, position.margin, fee) * fee

    def _coin_fee(self, position: Position, marks: Marks, fee: float) -> Any:
        """USD of the fee on the coins that a position is worth at its bankruptcy price."""
        entry = accounts.entry(position, marks)
        posted = position.margin_coin
        if posted is None and position.margin is not None:
            posted = position.margin / entry
        leverage = position.leverage or FIRST_LEVERAGE
        price = coin_bankruptcy_price(position.quantity, entry, leverage, posted, fee)
        return abs(position.quantity) / price * fee * marks.contract(position.instrument)

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        """(for opening, against liquidation, note): what a collateral amount counts for, USD."""
        rows = self.parameters["collateral_ratios"].get(asset)
        if mode != "cross" or rows is None or np.any(np.less_equal(quantity, 0)):
            return super().counted(asset, quantity, price, mode, settings)
        value = sliced(rows, quantity) * price
        return value, value, f"{asset} counts slice by slice, from {rows[0][2]:.0%} down."

    def printed_price(self, position: Position, price: float, long: bool, marks: Marks) -> float:
        """A cross account's dollars are spread over the quantity as if they were what the contract settles in.

        Source: the account of 2025-10-02 that held USDT at 1.000686.
        """
        i, mark = position.instrument, marks.contract(position.instrument)
        if i.is_inverse or position.mode == "isolated" or position.margin_posted:
            return price
        return mark - (mark - price) * marks.prices.get(str(i.settle), 1.0)

    def totals(
        self, book: SubAccount, marks: Marks, mode: Mode, rows: list[PositionMargin], lines: Lines
    ) -> tuple[Any, Any]:
        """The sums; beside cross margin also the loss that portfolio margin would start from, as far as published."""
        for asset, positions in accounts.of_underlying(accounts.margined(book)).items() if lines.wanted else ():
            reach = self.parameters["portfolio_range"].get(asset)
            if mode == "cross" and reach is not None:
                net = sum(p.value(marks.price(asset)) for p in positions if not p.instrument.is_option)
                label, source = f"{asset}: where portfolio margin starts", self.parameters.source("portfolio_range")
                lines.add(label, f"largest loss within {reach:.0%}", abs(net) * reach, source, "note")
        return super().totals(book, marks, mode, rows, lines)

    @cached_property
    def _tiers(self) -> dict[str, Tiers]:
        return {asset: tiers_of(rows, closed=self.closed) for asset, rows in self.carried.items()}


RULEBOOK = Bybit()
