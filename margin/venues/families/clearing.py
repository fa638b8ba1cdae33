"""Clearing-house rules for comparison: SPAN's sixteen scenarios, EMIR's offset cap and buffer, OCC's TIMS steps.

No venue here clears the book; price ranges are the visitor's own, within what has been published.
Sources: McMillan, "Options as a Strategic Investment", chapter 34 (SPAN); EMIR RTS 153/2013, articles 27 and 28; FINRA
rule 4210(g) (TIMS).
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from margin.core.portfolio import Portfolio, Position
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import (
    CollateralValue,
    Grid,
    Lines,
    Mode,
    PositionMargin,
    Rulebook,
    Slider,
    Unsupported,
    VenueMargin,
)
from margin.venues.families.grids import scenario_pnl

# price move as a share of the scan range, volatility direction, share of the loss that counts
SPAN_SCENARIOS = (
    (0.0, 1, 1.0), (0.0, -1, 1.0), (1 / 3, 1, 1.0), (1 / 3, -1, 1.0), (-1 / 3, 1, 1.0), (-1 / 3, -1, 1.0),
    (2 / 3, 1, 1.0), (2 / 3, -1, 1.0), (-2 / 3, 1, 1.0), (-2 / 3, -1, 1.0), (1.0, 1, 1.0), (1.0, -1, 1.0),
    (-1.0, 1, 1.0), (-1.0, -1, 1.0), (2.0, 0, 0.35), (-2.0, 0, 0.35),
)  # fmt: skip


def net_array(arrays: Mapping[str, Sequence[float]], weights: Mapping[str, float]) -> np.ndarray:
    """(16,) PnL of a book from its contracts' arrays and quantities."""
    return np.sum([np.asarray(arrays[name], dtype=float) * quantity for name, quantity in weights.items()], axis=0)


def scan_risk(array: Sequence[float] | np.ndarray) -> float:
    """Largest loss over the scenarios, 0 or more."""
    return max(-float(np.min(array)), 0.0)


def worst_scenario(array: Sequence[float] | np.ndarray) -> int | None:
    """Number, 1 to 16, of the scenario that loses most; None where none loses."""
    return int(np.argmin(array)) + 1 if float(np.min(array)) < 0 else None


def offset_cap(standalone: float, portfolio: float, cap: float = 0.8) -> float:
    """EMIR article 27: the reduction is at most `cap` of (sum alone - portfolio)."""
    return standalone - cap * max(standalone - portfolio, 0.0)


def buffered(margin: float, buffer: float = 0.25) -> float:
    """EMIR article 28(1)(a): a buffer on top."""
    return margin * (1.0 + buffer)


def stress_weighted(margin: float, stressed: float, weight: float = 0.25) -> float:
    """EMIR article 28(1)(b): a quarter's weight on stressed observations."""
    return (1.0 - weight) * margin + weight * stressed


def floored(margin: float, long_run: float) -> float:
    """EMIR article 28(1)(c): never below the margin at ten years' volatility."""
    return max(margin, long_run)


def tims_moves(range_: float, points: int = 10) -> np.ndarray:
    """Equally spaced valuation points over +-range, without 0."""
    return np.linspace(-range_, range_, points + 1)[np.arange(points + 1) != points // 2]


class Clearing(Rulebook):
    """Scans each underlying; subclasses say which scenarios, and what the scans add up to."""

    modes: ClassVar[tuple[Mode, ...]] = ("portfolio",)
    purpose = "comparison"
    kinds: ClassVar[tuple[str, ...]] = ("spot", "perpetual", "future", "option")

    @abstractmethod
    def scenarios(self, settings: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
        """(price moves, volatility factors, shares that count, names)."""

    @abstractmethod
    def combined(self, alone: Mapping[str, float], together: Mapping[str, float], lines: Lines) -> float:
        """Margin USD from each position's loss alone (by symbol) and each underlying's together."""

    def supports(self, portfolio: Portfolio, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        return ()

    def requirement(
        self, portfolio: Portfolio, marks: Marks, mode: Mode, settings: Mapping[str, float] | None = None
    ) -> VenueMargin:
        self.check(portfolio, mode)
        chosen = self.settings(settings)
        moves, vols, shares, names = self.scenarios(chosen)
        lines, source = Lines(), self.parameters.source("rules")
        held = accounts.of_kind(portfolio, *self.kinds)

        def array(positions: Sequence[Position]) -> np.ndarray:
            return scenario_pnl(positions, marks, np.maximum(1.0 + moves, 1e-9), vols) * shares

        together: dict[str, float] = {}
        alone: dict[str, float] = {}
        grids, rows = [], []
        for asset, positions in accounts.of_underlying(held).items():
            pnl = array(positions)
            together[asset] = scan_risk(pnl)
            number = worst_scenario(pnl)
            lines.add(
                f"{asset}: scan", "no scenario loses" if number is None else names[number - 1], together[asset], source
            )
            binding = None if number is None else (number - 1, 0)
            grids.append(_listed(f"{asset}: PnL by scenario", names, pnl, binding))
            for p in positions:
                own = scan_risk(array([p]))
                alone[p.symbol] = alone.get(p.symbol, 0.0) + own
                value = abs(p.quantity) * marks.price(asset)
                rows.append(PositionMargin(p.symbol, p.quantity, value, own, own, "alone"))
        margin = self.combined(alone, together, lines)
        profit = sum(marks.unrealised(p) for p in held)
        wallet = [
            CollateralValue(asset, quantity, price, quantity * price, quantity * price, quantity * price)
            for asset, quantity, price in accounts.tokens(portfolio, marks)
        ]
        equity = sum(c.market_value for c in wallet) + profit
        notes = (*marks.notes, "For comparison: no clearing house takes this account; collateral is counted in full.")
        return VenueMargin(
            self.title, mode, margin, margin, equity, equity, equity - profit, equity, tuple(lines.kept), tuple(rows),
            tuple(wallet), tuple(grids), notes,
        )  # fmt: skip


def _listed(title: str, names: list[str], pnl: np.ndarray, binding: tuple[int, int] | None) -> Grid:
    return Grid(title, tuple(names), ("PnL",), pnl[:, None], binding)


RANGE = Slider(
    "scan_range", "Price scan range", 0.05, 0.60, 0.35, 0.05, "",
    "CME announced 35% for its first bitcoin future and asked 43% to 47% at its launch in December 2017.",
)  # fmt: skip
VOL_RANGE = Slider(
    "vol_range", "Volatility scan range", 0.0, 1.0, 0.25, 0.05, "", "Relative; not published for crypto."
)


class Span(Clearing):
    name = "span"
    sliders = (RANGE, VOL_RANGE)

    def scenarios(self, settings: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
        rows = np.array(SPAN_SCENARIOS)
        moves = rows[:, 0] * settings["scan_range"]
        words = {1: "volatility up", -1: "volatility down", 0: "extreme, 35% counts"}
        names = [f"{move:+.1%}, {words[int(v)]}" for move, v in zip(moves, rows[:, 1], strict=True)]
        return moves, 1.0 + rows[:, 1] * settings["vol_range"], rows[:, 2], names

    def combined(self, alone: Mapping[str, float], together: Mapping[str, float], lines: Lines) -> float:
        margin = sum(together.values())
        source = self.parameters.source("rules")
        lines.add("Scan risks added up", "no inter-commodity credit between coins is published", margin, source)
        return margin


class Emir(Span):
    name = "emir"

    def combined(self, alone: Mapping[str, float], together: Mapping[str, float], lines: Lines) -> float:
        source = self.parameters.source("rules")
        standalone, portfolio = sum(alone.values()), sum(together.values())
        capped = offset_cap(standalone, portfolio)
        lines.add("Offset cap (article 27)", f"{standalone:,.2f} - 80% x {standalone - portfolio:,.2f}", capped, source)
        margin = buffered(capped)
        lines.add("Buffer (article 28)", f"{capped:,.2f} x 125%", margin, source)
        return margin


class Tims(Clearing):
    name = "tims"
    sliders = (
        Slider(
            "range",
            "Valuation range",
            0.06,
            0.60,
            0.15,
            0.01,
            "",
            "15% for single equities; none is published for coins.",
        ),
    )

    def scenarios(self, settings: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
        moves = tims_moves(settings["range"])
        return moves, np.ones(len(moves)), np.ones(len(moves)), [f"{move:+.1%}" for move in moves]

    def combined(self, alone: Mapping[str, float], together: Mapping[str, float], lines: Lines) -> float:
        margin = sum(together.values())
        source = self.parameters.source("rules")
        lines.add("Worst points added up", "no offset between single names", margin, source)
        return margin
