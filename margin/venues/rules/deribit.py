"""Deribit: standard margin that grows with a position's size, and portfolio margin from a grid of price and volatility.

Source: support.deribit.com, "Linear perpetual" (25944738177565) and "Portfolio margin" (25944756247837);
docs.deribit.com, private/pme/simulate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.core.portfolio import Portfolio
from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import Lines, Mode, PositionMargin, Unsupported, VenueMargin
from margin.venues.families.grids import scenario_pnl, table, worst_cell
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tiers, one_rate
from margin.venues.rules.derive.book import SECONDS_PER_YEAR, vol_multiple

STATES = ("vol down", "vol same", "vol up")


def unknown_day(month: str, marks: Marks, what: str) -> str:
    """Words for marks within a month (YYYY-MM) of whose change the day is unknown: its first is used; else ""."""
    return (
        f"The day in {month} on which {what} is unknown: its first is used." if f"{marks.as_of:%Y-%m}" == month else ""
    )


def linear_rates(size: Any, initial: float, maintenance: float, growth: float) -> tuple[Any, Any]:
    """(initial, maintenance) rate of a perpetual: each grows with the size in coins."""
    return initial + growth * size, maintenance + growth * size


def short_option(call: bool, out_of_money: Any, mark: Any, most: float, least: float, kept: float) -> tuple[Any, Any]:
    """(initial, maintenance) coins per option sold; `out_of_money` as a share of the underlying, mark in coins."""
    opening = np.maximum(most - out_of_money, least)
    if call:
        return opening + mark, kept + mark
    maintenance = np.maximum(kept, kept * mark) + mark
    return np.maximum(opening + mark, maintenance), maintenance


def price_moves(price_range: float, per_side: int) -> np.ndarray:
    """Evenly spaced moves, `per_side` to either side of 0."""
    return np.linspace(-price_range, price_range, 2 * per_side + 1)


def offset(pnl: np.ndarray, share: float) -> np.ndarray:
    """A group's cells before groups are added: losses in full, gains at a share."""
    return np.where(pnl > 0, pnl * share, pnl)


def roll_shock(quantities: Mapping[float | None, Any], move: float, least: float) -> Any:
    """Coins (or USD) charged on |net| per expiry: |q| max(least, move x years); a perpetual (None) at the least."""
    return sum(abs(q) * (least if t is None else max(least, move * t)) for t, q in quantities.items())


class Deribit(PerpetualVenue):
    """Deribit: linear rates, or a scenario grid in portfolio mode."""

    name = "deribit"
    quote = "USDC"
    counts_contracts = True
    rule = "perpetual_rates"
    own_leverage: ClassVar[bool] = False
    modes: ClassVar[tuple[Mode, ...]] = ("cross", "portfolio")
    kinds = ("perpetual", "future", "option")
    inverse = True
    one = "net"
    mode_notes: ClassVar = {
        "cross": ("Standard margin: every position by itself, nothing offsets.",),
        "portfolio": (
            "Volatility shocks are taken relative to the volatility, as venues modelled on Deribit do; its text does "
            "not say. The extended moves, to +500%, are capped for futures and left out for options.",
        ),
    }

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        rates = self.parameters["perpetual_rates"].get(asset)
        return None if rates is None else one_rate(rates[1], 1.0 / rates[0])

    def tiered(self, position: Position) -> bool:
        """Whether a position's rate grows with its size."""
        return False

    def supports(self, book: Portfolio | SubAccount, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """What of the account is not reproduced here, row by row."""
        if mode != "portfolio":
            return super().supports(book, mode)
        ranges, found = self.parameters["portfolio"], []
        for p in accounts.as_sub(book).positions:
            kind = p.instrument.kind
            if kind == "loan":
                continue
            if kind not in self.kinds:
                found.append(Unsupported(symbol=p.symbol, reason=f"{kind} in this account is not reproduced here"))
            elif p.underlying not in ranges:
                why = f"no portfolio-margin parameters of {p.underlying} are known here: not reproduced here"
                found.append(Unsupported(symbol=p.symbol, reason=why))
        return tuple(found)

    def within(self, book: SubAccount, marks: Marks, mode: Mode) -> None:
        """Above its delta threshold portfolio margin adds a charge that is not published."""
        for asset, positions in accounts.of_underlying(accounts.margined(book)).items() if mode == "portfolio" else ():
            most = self.parameters["portfolio"][asset]["delta_threshold"]
            if abs(sum(_delta(p, marks) for p in positions)) * marks.price(asset) > most:
                problem = f"a net delta above ${most:,.0f} is charged by a rule that is not published"
                raise InputError("positions", asset, problem, "Hold less of it, or see the cross mode.")

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        """(for opening, against liquidation, note): what a collateral amount counts for, USD."""
        if asset in self.parameters["portfolio"]:
            return quantity * price, quantity * price, ""
        return super().counted(asset, quantity, price, mode, settings)

    def position_margin(
        self, position: Position, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> PositionMargin:
        """Initial and maintenance margin of one position."""
        if position.instrument.is_option:
            return self._option(position, marks, lines)
        notional = accounts.contracts_value(position, marks)
        size = notional / marks.contract(position.instrument)
        own = position.instrument.kind == "future" and marks.as_of >= pd.Timestamp(self.parameters["futures_since"])
        rows = self.parameters["future_rates"] if own else {}  # before, futures had the perpetual's rates
        undated = self.parameters["perpetual_rates"].get(position.underlying, (0.0, 0.0, 0.0))  # 0: in the grid only
        older = self.parameters["older_rates"]
        before = marks.as_of < pd.Timestamp(older["until"]) and position.underlying in older["rates"]
        if before:
            undated = older["rates"][position.underlying]
        rates = linear_rates(size, *rows.get(position.underlying, undated))
        amounts = notional * rates[0], notional * rates[1]
        if not lines.wanted:
            return PositionMargin(
                symbol=position.symbol, quantity=position.quantity, notional=notional, initial=amounts[0],
                maintenance=amounts[1],
            )  # fmt: skip
        source = self.parameters.source("future_rates" if position.underlying in rows else self.rule)
        if before:
            source = self.parameters.source("older_rates")
        if position.instrument.kind == "future":
            lines.note(unknown_day(self.parameters["futures_since"], marks, "dated futures went to their own rates"))
        for word, rate, amount in zip(("initial", "maintenance"), rates, amounts, strict=True):
            lines.add(f"{position.symbol}: {word}", f"{notional:,.2f} x {rate:.4%}", amount, source, word)
        return PositionMargin(
            symbol=position.symbol, quantity=position.quantity, notional=notional, initial=amounts[0],
            maintenance=amounts[1], tier=f"{size:,.4g} {position.underlying}", initial_rate=rates[0],
            maintenance_rate=rates[1],
        )  # fmt: skip

    def _option(self, position: Position, marks: Marks, lines: Lines) -> PositionMargin:
        instrument, spot = position.instrument, marks.price(position.underlying)
        assert instrument.strike is not None
        mark = marks.mark(instrument) / spot
        call = instrument.option_type == "C"
        out = np.maximum(instrument.strike - spot if call else spot - instrument.strike, 0.0) / spot
        value = abs(position.quantity) * spot
        rates: tuple[Any, Any] = (0.0, 0.0)  # bought: paid for, asks nothing
        if position.quantity < 0:
            rates = short_option(call, out, mark, *self.parameters["short_options"])
        amounts = value * rates[0], value * rates[1]
        if lines.wanted:
            source = self.parameters.source("short_options")
            amounts = float(amounts[0]), float(amounts[1])
            for word, rate, amount in zip(("initial", "maintenance"), rates, amounts, strict=True):
                lines.add(f"{position.symbol}: {word}", f"{value:,.2f} x {rate:.4%}", amount, source, word)
        return PositionMargin(
            symbol=position.symbol, quantity=position.quantity, notional=value, initial=amounts[0],
            maintenance=amounts[1],
        )  # fmt: skip

    def reckon(
        self, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> VenueMargin:
        """The account's figures, with lines where they are wanted."""
        if mode == "portfolio":
            found = super().reckon(book, marks, mode, settings, Lines(wanted=False))
            wallet = self.wallet(book, marks, mode, settings, lines)  # its lines only: positions are in the grid
            return self._portfolio(book, marks, replace(found, collateral=tuple(wallet)), lines)
        found = super().reckon(book, marks, mode, settings, lines)
        options = [p for p in book.positions if p.instrument.is_option]
        if not options:
            return found
        value = sum(p.quantity * marks.mark(p.instrument) for p in options)  # is in the margin of options sold
        return replace(found, equity=found.equity - value, equity_initial=found.equity_initial - value)

    def _portfolio(self, book: SubAccount, marks: Marks, found: VenueMargin, lines: Lines) -> VenueMargin:
        """Worst cell of the groups added, with gains at a share, and a charge for rolling each expiry."""
        source = self.parameters.source("portfolio")
        rolls: Any = 0.0
        total: Any = np.zeros((1, 1))
        tables: list[tuple[str, np.ndarray, np.ndarray]] = []
        for asset, positions in accounts.of_underlying(accounts.margined(book)).items():
            rules = self.parameters["portfolio"][asset]
            pnl = self._cells(positions, marks, rules)
            total = total + offset(pnl, rules["pnl_offset"])
            net: dict[float | None, Any] = {}
            for p in positions:
                if not p.instrument.is_option:
                    t = marks.years(p.instrument) if p.instrument.kind == "future" else None
                    coins = p.quantity / marks.contract(p.instrument) if p.instrument.is_inverse else p.quantity
                    net[t] = net.get(t, 0.0) + coins
            roll = roll_shock(net, rules["annual_move"], rules["least_move"]) * marks.price(asset)
            rolls = rolls + roll
            if lines.wanted:
                lines.add(f"{asset}: roll shock", "sum of |net| x max(least, move x years)", roll, source)
                tables.append((asset, _moves(rules), pnl))
        worst = np.maximum(-total.min(axis=(-2, -1)), 0.0)
        initial = worst + rolls
        factor = self.parameters["maintenance_factor"]
        maintenance = factor * initial
        rows = tuple(
            replace(row, initial=0.0, maintenance=0.0, tier="in the grid", initial_rate=None, maintenance_rate=None)
            for row in found.positions
        )
        if not lines.wanted:
            return replace(found, initial=initial, maintenance=maintenance, positions=rows)
        initial, maintenance = float(initial), float(maintenance)
        lines.add("Worst cell, all coins", "losses in full, gains at their share", float(worst), source)
        lines.add("Maintenance", f"{initial:,.2f} x {factor:g}", maintenance, source, "maintenance")
        binding = worst_cell(total)  # of all coins together: the same move and volatility in each grid
        grids = tuple(
            table(f"{asset}: PnL by move and volatility", list(moves), STATES, pnl, binding)
            for asset, moves, pnl in tables
        )
        return replace(
            found, initial=initial, maintenance=maintenance, lines=tuple(lines.kept), grids=grids, positions=rows
        )

    def _cells(self, positions: Sequence[Position], marks: Marks, rules: Mapping[str, float]) -> np.ndarray:
        """(..., moves, volatility states) USD."""
        moves = _moves(rules)
        spots = 1.0 + moves
        linear = scenario_pnl([p for p in positions if not p.instrument.is_option], marks, spots, spots, in_coin=True)
        dated: dict[Any, list[Position]] = {}
        for p in positions:
            if p.instrument.is_option:
                own = p.symbol if p.symbol in marks.vols else ""  # the least volatility is of each by itself
                dated.setdefault((p.instrument.expiry, own), []).append(p)
        columns = []
        for state in (-rules["vol_down"], 0.0, rules["vol_up"]):
            pnl = linear
            for options in dated.values():
                seconds = marks.years(options[0].instrument) * SECONDS_PER_YEAR
                factor: Any = 1.0 + state * vol_multiple(seconds, rules["short_power"], rules["long_power"])
                if state > 0:
                    factor = np.maximum(factor, rules["least_vol"] / marks.vol_of(options[0].instrument))
                factors = np.maximum(np.asarray(factor)[..., None], 0.0) * np.ones(len(moves))
                pnl = pnl + scenario_pnl(options, marks, spots, factors, in_coin=True)
            columns.append(pnl)
        return np.stack(columns, axis=-1)


def _moves(rules: Mapping[str, float]) -> np.ndarray:
    return price_moves(rules["price_range"], 4)


def _delta(position: Position, marks: Marks) -> float:
    """Coins of the underlying that the position behaves like."""
    step = 1e-4
    up, down = (scenario_pnl([position], marks, np.array([1.0 + s]), np.ones(1))[0] for s in (step, -step))
    return float((up - down) / (2 * step * marks.price(position.underlying)))


RULEBOOK = Deribit()
