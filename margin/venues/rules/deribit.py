"""Deribit: standard margin that grows with a position's size, and portfolio margin from a grid of price and volatility.

Source: support.deribit.com, "Linear perpetual" (25944738177565) and "Portfolio margin" (25944756247837);
docs.deribit.com, private/pme/simulate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from margin.core.errors import InputError
from margin.core.portfolio import Portfolio, Position
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import Lines, Mode, PositionMargin, Unsupported, VenueMargin
from margin.venues.families.grids import scenario_pnl, table, worst_cell
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tier
from margin.venues.rules.derive.book import SECONDS_PER_YEAR, vol_multiple

EXTENDED_MOVES = (-0.66, -0.33, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0)
STATES = ("vol down", "vol same", "vol up")


def linear_rates(size: float, initial: float, maintenance: float, growth: float) -> tuple[float, float]:
    """(initial, maintenance) rate of a perpetual: each grows with the size in coins."""
    return initial + growth * size, maintenance + growth * size


def short_option(
    call: bool, out_of_money: float, mark: float, most: float, least: float, kept: float
) -> tuple[float, float]:
    """(initial, maintenance) coins per option sold; `out_of_money` as a share of the underlying, mark in coins."""
    opening = max(most - out_of_money, least)
    if call:
        return opening + mark, kept + mark
    maintenance = max(kept, kept * mark) + mark
    return max(opening + mark, maintenance), maintenance


def price_moves(price_range: float, per_side: int) -> np.ndarray:
    """Evenly spaced moves, `per_side` to either side of 0."""
    return np.linspace(-price_range, price_range, 2 * per_side + 1)


def inverse_pnl(quantity: float, moves: np.ndarray) -> np.ndarray:
    """Coins an inverse contract worth `quantity` coins gains under relative moves of its price."""
    return quantity * (1.0 - 1.0 / (1.0 + moves))


def extended_pnl(quantity: float, price_range: float) -> np.ndarray:
    """The same under the extended moves: a future's gain or loss is capped at the edge of the range."""
    return inverse_pnl(quantity, np.clip(EXTENDED_MOVES, -price_range, price_range))


def offset(pnl: np.ndarray, share: float) -> np.ndarray:
    """A group's cells before groups are added: losses in full, gains at a share."""
    return np.where(pnl > 0, pnl * share, pnl)


def roll_shock(quantities: Mapping[float | None, float], move: float, least: float) -> float:
    """Coins (or USD) charged on |net| per expiry: |q| max(least, move x years); a perpetual (None) at the least."""
    return sum(abs(q) * (least if t is None else max(least, move * t)) for t, q in quantities.items())


class Deribit(PerpetualVenue):
    name = "deribit"
    rule = "perpetual_rates"
    modes: ClassVar[tuple[Mode, ...]] = ("cross", "portfolio")
    kinds = ("perpetual", "future", "option")
    inverse = True
    mode_notes: ClassVar = {
        "cross": ("Standard margin: every position by itself, nothing offsets.",),
        "portfolio": (
            "Volatility shocks are taken relative to the volatility, as venues modelled on Deribit do; its text does "
            "not say. The extended moves, to +500%, are capped for futures and left out for options.",
        ),
    }

    def tiers(self, asset: str, inverse: bool = False) -> tuple[Tier, ...] | None:
        rates = self.parameters["perpetual_rates"].get(asset)
        return None if rates is None else (Tier(0.0, None, rates[1], 1.0 / rates[0], 0.0),)

    def supports(self, portfolio: Portfolio, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        if mode == "portfolio":
            ranges = self.parameters["portfolio"]
            return tuple(
                Unsupported(p.symbol, f"no portfolio-margin parameters of {p.underlying} are known here")
                if p.instrument.kind in self.kinds
                else Unsupported(p.symbol, f"{p.instrument.kind} in this account is not reproduced here")
                for p in portfolio.positions
                if p.instrument.kind != "loan" and (p.underlying not in ranges or p.instrument.kind not in self.kinds)
            )
        return super().supports(portfolio, mode)

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        if asset in self.parameters["portfolio"]:
            return quantity * price, quantity * price, ""
        return super().counted(asset, quantity, price, mode, settings)

    def position_margin(
        self, position: Position, marks: Marks, settings: Mapping[str, float], lines: Lines
    ) -> PositionMargin:
        source = self.parameters.source(self.rule)
        spot = marks.price(position.underlying)
        notional = accounts.contracts_value(position, marks)
        if position.instrument.is_option:
            return self._option(position, marks, spot, lines)
        size = notional / spot
        dated = position.instrument.kind == "future"
        rows = self.parameters["future_rates"] if dated else {}
        undated = self.parameters["perpetual_rates"].get(position.underlying, (0.0, 0.0, 0.0))  # 0: in the grid only
        given = rows.get(position.underlying, undated)
        rates = linear_rates(size, *given)
        amounts = notional * rates[0], notional * rates[1]
        for word, rate, amount in zip(("initial", "maintenance"), rates, amounts, strict=True):
            lines.add(f"{position.symbol}: {word}", f"{notional:,.2f} x {rate:.4%}", amount, source, word)
        return PositionMargin(
            position.symbol, position.quantity, notional, *amounts, f"{size:,.4g} {position.underlying}", *rates
        )

    def _option(self, position: Position, marks: Marks, spot: float, lines: Lines) -> PositionMargin:
        instrument, source = position.instrument, self.parameters.source("short_options")
        assert instrument.strike is not None
        mark = marks.mark(instrument) / spot
        call = instrument.option_type == "C"
        out = max(instrument.strike - spot if call else spot - instrument.strike, 0.0) / spot
        value = abs(position.quantity) * spot
        rates = (0.0, 0.0)  # bought: paid for, asks nothing
        if position.quantity < 0:
            rates = short_option(call, out, mark, *self.parameters["short_options"])
        amounts = value * rates[0], value * rates[1]
        for word, rate, amount in zip(("initial", "maintenance"), rates, amounts, strict=True):
            lines.add(f"{position.symbol}: {word}", f"{value:,.2f} x {rate:.4%}", amount, source, word)
        return PositionMargin(position.symbol, position.quantity, value, *amounts)

    def requirement(
        self, portfolio: Portfolio, marks: Marks, mode: Mode, settings: Mapping[str, float] | None = None
    ) -> VenueMargin:
        found = super().requirement(portfolio, marks, mode, settings)
        options = accounts.of_kind(portfolio, "option")
        if mode == "portfolio":
            return self._portfolio(portfolio, marks, found)
        if not options:
            return found
        value = sum(p.quantity * marks.mark(p.instrument) for p in options)  # is in the margin of options sold
        return replace(found, equity=found.equity - value, equity_initial=found.equity_initial - value)

    def totals(
        self, portfolio: Portfolio, marks: Marks, mode: Mode, rows: list[PositionMargin], lines: Lines
    ) -> tuple[float, float]:
        if mode == "portfolio":
            lines.kept = [line for line in lines.kept if line.part not in ("initial", "maintenance")]
        return super().totals(portfolio, marks, mode, rows, lines)

    def _portfolio(self, portfolio: Portfolio, marks: Marks, found: VenueMargin) -> VenueMargin:
        """Worst cell of the groups added, with gains at a share, and a charge for rolling each expiry."""
        source = self.parameters.source("portfolio")
        lines = Lines(kept=list(found.lines))
        cells: list[np.ndarray] = []
        rolls = 0.0
        tables: list[tuple[str, np.ndarray, np.ndarray]] = []
        derivatives = accounts.of_kind(portfolio, *self.kinds)
        for asset, positions in accounts.of_underlying(derivatives).items():
            rules = self.parameters["portfolio"][asset]
            delta = sum(_delta(p, marks) for p in positions)
            if abs(delta) * marks.price(asset) > rules["delta_threshold"]:
                problem = (
                    f"a net delta above ${rules['delta_threshold']:,.0f} is charged by a rule that is not published"
                )
                raise InputError("positions", asset, problem)
            pnl = self._cells(positions, marks, rules)
            tables.append((asset, _moves(rules), pnl))
            cells.append(offset(pnl, rules["pnl_offset"]))
            net: dict[float | None, float] = {}
            for p in positions:
                if not p.instrument.is_option:
                    t = marks.years(p.instrument) if p.instrument.kind == "future" else None
                    net[t] = net.get(t, 0.0) + p.quantity
            roll = roll_shock(net, rules["annual_move"], rules["least_move"]) * marks.price(asset)
            lines.add(f"{asset}: roll shock", "sum of |net| x max(least, move x years)", roll, source)
            rolls += roll
        total = np.sum(cells, axis=0) if cells else np.zeros((1, 1))
        worst = max(-float(total.min()), 0.0)
        lines.add("Worst cell, all coins", "losses in full, gains at their share", worst, source)
        binding = worst_cell(total)  # of all coins together: the same move and volatility in each grid
        grids = tuple(
            table(f"{asset}: PnL by move and volatility", list(moves), STATES, pnl, binding)
            for asset, moves, pnl in tables
        )
        initial = worst + rolls
        factor = self.parameters["maintenance_factor"]
        maintenance = factor * initial
        lines.add("Maintenance", f"{initial:,.2f} x {factor:g}", maintenance, source, "maintenance")
        rows = tuple(
            replace(row, initial=0.0, maintenance=0.0, tier="in the grid", initial_rate=None, maintenance_rate=None)
            for row in found.positions
        )
        return replace(
            found, initial=initial, maintenance=maintenance, lines=tuple(lines.kept), grids=grids, positions=rows
        )

    def _cells(self, positions: Sequence[Position], marks: Marks, rules: Mapping[str, float]) -> np.ndarray:
        """(moves, volatility states) USD."""
        moves = _moves(rules)
        columns = []
        for state in (-rules["vol_down"], 0.0, rules["vol_up"]):
            pnl = np.zeros(len(moves))
            for p in positions:
                factor = 1.0
                if state and p.instrument.is_option:
                    seconds = marks.years(p.instrument) * SECONDS_PER_YEAR
                    factor = 1.0 + state * vol_multiple(seconds, rules["short_power"], rules["long_power"])
                    if state > 0:
                        factor = max(factor, rules["least_vol"] / marks.vol(p.underlying))
                pnl = pnl + scenario_pnl([p], marks, 1.0 + moves, np.full(len(moves), max(factor, 0.0)), in_coin=True)
            columns.append(pnl)
        return np.column_stack(columns)


def _moves(rules: Mapping[str, float]) -> np.ndarray:
    return price_moves(rules["price_range"], 4)


def _delta(position: Position, marks: Marks) -> float:
    """Coins of the underlying that the position behaves like."""
    step = 1e-4
    up, down = (scenario_pnl([position], marks, np.array([1.0 + s]), np.ones(1))[0] for s in (step, -step))
    return float((up - down) / (2 * step * marks.price(position.underlying)))


RULEBOOK = Deribit()
