"""Clearing-house rules for comparison: SPAN's sixteen scenarios, EMIR's offset cap and buffer, OCC's TIMS steps.

No venue here clears the book; price ranges are the visitor's own, within what has been published.
Sources: McMillan, "Options as a Strategic Investment", chapter 34 (SPAN); EMIR RTS 153/2013, articles 27 and 28; FINRA
rule 4210(g) (TIMS).
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from margin.core.account import SubAccount
from margin.core.portfolio import Portfolio
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


def net_array(arrays: Sequence[Any]) -> np.ndarray:
    """(..., 16) PnL of a book from its positions' arrays."""
    found: np.ndarray = np.sum([np.asarray(array, dtype=float) for array in arrays], axis=0)
    return found


def scan_risk(array: Sequence[float] | np.ndarray) -> Any:
    """Largest loss over the scenarios (the last axis), 0 or more."""
    return np.maximum(-np.min(array, axis=-1), 0.0)


def worst_scenario(array: Sequence[float] | np.ndarray) -> int | None:
    """Number, 1 to 16, of the scenario that loses most; None where none loses."""
    return int(np.argmin(array)) + 1 if float(np.min(array)) < 0 else None


def offset_cap(standalone: Any, portfolio: Any, cap: float = 0.8) -> Any:
    """EMIR article 27: the reduction is at most `cap` of (sum alone - portfolio)."""
    return standalone - cap * np.maximum(standalone - portfolio, 0.0)


def buffered(margin: Any, buffer: float = 0.25) -> Any:
    """EMIR article 28(1)(a): a buffer on top."""
    return margin * (1.0 + buffer)


def stress_weighted(margin: Any, stressed: Any, weight: float = 0.25) -> Any:
    """EMIR article 28(1)(b): a quarter's weight on stressed observations."""
    return (1.0 - weight) * margin + weight * stressed


def floored(margin: Any, long_run: Any) -> Any:
    """EMIR article 28(1)(c): never below the margin at ten years' volatility."""
    return np.maximum(margin, long_run)


def tims_moves(range_: float, points: int = 10) -> np.ndarray:
    """Equally spaced valuation points over +-range, without 0."""
    found: np.ndarray = np.linspace(-range_, range_, points + 1)[np.arange(points + 1) != points // 2]
    return found


class Clearing(Rulebook):
    """Scans each underlying; subclasses say which scenarios, and what the scans add up to."""

    modes: ClassVar[tuple[Mode, ...]] = ("portfolio",)
    purpose = "comparison"
    each_alone: ClassVar[bool] = False  # whether the margin needs each position's own loss

    @abstractmethod
    def scenarios(self, settings: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
        """(price moves, volatility factors, shares that count, names)."""

    @abstractmethod
    def combined(
        self, alone: Sequence[Any], together: Sequence[Any], settings: Mapping[str, float], lines: Lines
    ) -> Any:
        """Margin USD from each position's loss alone and each underlying's together."""

    def supports(self, book: Portfolio | SubAccount, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """What of the account is not reproduced here, row by row."""
        return ()

    def reckon(
        self, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> VenueMargin:
        """Borrowed spot is scanned like a contract; what is owned is collateral, and counts in full."""
        moves, vols, shares, names = self.scenarios(settings)
        source = self.parameters.source("rules")
        held = [p for p in book.positions if p.instrument.kind != "loan"]
        spots = np.maximum(1.0 + moves, 1e-9)
        together, alone, grids, rows = [], [], [], []
        for asset, positions in accounts.of_underlying(held).items():
            each = [scenario_pnl([p], marks, spots, vols) * shares for p in positions]
            pnl = net_array(each)
            together.append(scan_risk(pnl))
            own = [scan_risk(array) for array in each] if self.each_alone or lines.wanted else []
            alone += own
            if not lines.wanted:
                continue
            number = worst_scenario(pnl)
            words = "no scenario loses" if number is None else names[number - 1]
            lines.add(f"{asset}: scan", words, float(together[-1]), source)
            grids.append(_listed(f"{asset}: PnL by scenario", names, pnl, None if number is None else (number - 1, 0)))
            rows += [
                PositionMargin(
                    symbol=p.symbol, quantity=p.quantity, notional=abs(p.value(marks.price(asset))), initial=float(x),
                    maintenance=float(x), tier="alone",
                )
                for p, x in zip(positions, own, strict=True)
            ]  # fmt: skip
        margin = self.combined(alone, together, settings, lines)
        margin = float(margin) if lines.wanted else margin
        profit = sum(marks.unrealised(p) for p in held)
        wallet = [
            CollateralValue(
                asset=asset, quantity=quantity, price=price, market_value=quantity * price,
                counted_initial=quantity * price, counted_maintenance=quantity * price,
            )
            for asset, quantity, price in accounts.tokens(book, marks)
        ]  # fmt: skip
        equity = sum(c.market_value for c in wallet) + profit
        notes = (*marks.notes, "For comparison: no clearing house takes this account; collateral is counted in full.")
        return VenueMargin(
            venue=self.title, mode=mode, initial=margin, maintenance=margin, equity_initial=equity, equity=equity,
            collateral_value=equity - profit, account_value=equity, lines=tuple(lines.kept), positions=tuple(rows),
            collateral=tuple(wallet), grids=tuple(grids), notes=notes,
        )  # fmt: skip


def _listed(title: str, names: list[str], pnl: np.ndarray, binding: tuple[int, int] | None) -> Grid:
    return Grid(title, tuple(names), ("PnL",), pnl[:, None], binding)


RANGE = Slider(
    key="scan_range", title="Price scan range", low=0.05, high=0.60, default=0.35, step=0.05, unit="",
    help="CME announced 35% for its first bitcoin future and asked 43% to 47% at its launch in December 2017.",
)  # fmt: skip
VOL_RANGE = Slider(
    key="vol_range",
    title="Volatility scan range",
    low=0.0,
    high=1.0,
    default=0.25,
    step=0.05,
    unit="",
    help="Relative; not published for crypto.",
)


class Span(Clearing):
    """SPAN: the worst of sixteen price and volatility scenarios."""

    name = "span"
    sliders: ClassVar[tuple[Slider, ...]] = (RANGE, VOL_RANGE)

    def scenarios(self, settings: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
        """(price moves, volatility factors, weights, names) of the grid."""
        rows = np.array(SPAN_SCENARIOS)
        moves = rows[:, 0] * settings["scan_range"]
        words = {1: "volatility up", -1: "volatility down", 0: "extreme, 35% counts"}
        names = [f"{move:+.1%}, {words[int(v)]}" for move, v in zip(moves, rows[:, 1], strict=True)]
        return moves, 1.0 + rows[:, 1] * settings["vol_range"], rows[:, 2], names

    def combined(
        self, alone: Sequence[Any], together: Sequence[Any], settings: Mapping[str, float], lines: Lines
    ) -> Any:
        """The margin of all groups together."""
        margin = sum(together)
        source = self.parameters.source("rules")
        lines.add("Scan risks added up", "no inter-commodity credit between coins is published", margin, source)
        return margin


STRESSED = Slider(
    key="stressed", title="Stressed margin over today's", low=0.0, high=5.0, default=0.0, step=0.1, unit="x",
    help="Article 28(1)(b): a quarter's weight on it instead of the buffer. 0: the buffer of (a).",
)  # fmt: skip
LONG_RUN = Slider(
    key="long_run", title="Margin at ten years' volatility over today's", low=0.0, high=5.0, default=0.0, step=0.1,
    unit="x", help="Article 28(1)(c): the margin is never below it. 0: not used.",
)  # fmt: skip


class Emir(Span):
    """EMIR's floor on what offsets may take off."""

    name = "emir"
    each_alone = True
    sliders: ClassVar[tuple[Slider, ...]] = (RANGE, VOL_RANGE, STRESSED, LONG_RUN)

    def combined(
        self, alone: Sequence[Any], together: Sequence[Any], settings: Mapping[str, float], lines: Lines
    ) -> Any:
        """The margin of all groups together."""
        standalone, portfolio = sum(alone), sum(together)
        capped = offset_cap(standalone, portfolio)
        stressed, long_run = settings["stressed"], settings["long_run"]
        margin = stress_weighted(capped, capped * stressed) if stressed else buffered(capped)
        raised = floored(margin, capped * long_run)
        if lines.wanted:
            source, reduced = self.parameters.source("rules"), standalone - portfolio
            lines.add("Offset cap (article 27)", f"{standalone:,.2f} - 80% x {reduced:,.2f}", float(capped), source)
            how = f"{capped:,.2f} x 125%" if not stressed else f"75% x {capped:,.2f} + 25% x {capped * stressed:,.2f}"
            lines.add(f"Article 28(1)({'b' if stressed else 'a'})", how, float(margin), source)
            if long_run:
                lines.add("Floor (article 28(1)(c))", f"{capped:,.2f} x {long_run:g}", float(raised), source)
        return raised


class Tims(Clearing):
    """TIMS: the worst of ten points of price."""

    name = "tims"
    sliders = (
        Slider(
            key="range",
            title="Valuation range",
            low=0.06,
            high=0.60,
            default=0.15,
            step=0.01,
            unit="",
            help="15% for single equities; none is published for coins.",
        ),
    )

    def scenarios(self, settings: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
        """(price moves, volatility factors, weights, names) of the grid."""
        moves = tims_moves(settings["range"])
        return moves, np.ones(len(moves)), np.ones(len(moves)), [f"{move:+.1%}" for move in moves]

    def combined(
        self, alone: Sequence[Any], together: Sequence[Any], settings: Mapping[str, float], lines: Lines
    ) -> Any:
        """The margin of all groups together."""
        margin = sum(together)
        source = self.parameters.source("rules")
        lines.add("Worst points added up", "no offset between single names", margin, source)
        return margin
