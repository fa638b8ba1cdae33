"""What every rulebook gives, whatever the venue: the words, the results, and the interface the page and CLI use.

A rulebook answers for one venue: what would this venue ask for this book, in which mode, and where would it close it?

    rulebook = venues.rulebook("dydx")
    rulebook.supports(portfolio)                        -> reasons why the venue cannot hold the book; () when it can
    rulebook.requirement(portfolio, marks, "cross")     -> VenueMargin: totals, one line per rule, one row per position
    rulebook.gap(portfolio, marks, "cross")             -> equity - maintenance, USD: liquidated when below 0
    margin.venues.liquidation                           -> prices, joint moves and surfaces where the gap is 0

How to write one: a module `margin/venues/rules/NAME.py` that ends in `RULEBOOK = ...`, and its parameters in
`margin/venues/parameters/NAME.json`; that file's being there is the registration. The arithmetic lives in plain
functions of the module on the venue's own inputs; the class only maps a Portfolio on to them, and the published cases
(`tests/venues/adapters/`) call the same functions. Where a rule is not published, list it under `missing` in the
parameter file; never guess.

Two conventions, because venues differ: some weight the collateral, some charge the position. `equity_initial` and
`equity` are what the venue itself compares with `initial` and `maintenance`; `account_value` is the same account at
market prices, so venues can be compared. All money is USD.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from margin.core.errors import InputError, did_you_mean
from margin.core.portfolio import Portfolio
from margin.models.marks import Marks
from margin.venues.parameters import Parameters

Mode = Literal["isolated", "cross", "portfolio"]
MODES: tuple[Mode, ...] = ("isolated", "cross", "portfolio")


@dataclass(frozen=True)
class RuleLine:
    """One step of the reckoning: what it is, the formula with the book's own numbers, USD, and where the rule is from.

    part : which total the amount goes into: "initial", "maintenance", "both", "collateral", "pnl" or "note" (no amount)
    """

    label: str
    formula: str
    amount: float | None
    source: str
    part: str = "both"


@dataclass(frozen=True)
class PositionMargin:
    """One position's own share before any offset; tier and rate as the venue prints them. USD.

    equity : in isolated mode the silo's margin plus its unrealised PnL, else None
    """

    symbol: str
    quantity: float
    notional: float
    initial: float
    maintenance: float
    tier: str = ""
    initial_rate: float | None = None
    maintenance_rate: float | None = None
    equity: float | None = None


@dataclass(frozen=True)
class CollateralValue:
    """One asset held: its market value and what the venue counts of it for opening and against liquidation, USD."""

    asset: str
    quantity: float
    price: float
    market_value: float
    counted_initial: float
    counted_maintenance: float
    why: str = ""


@dataclass(frozen=True)
class Grid:
    """PnL of a stress grid, USD, profit > 0: values[i, j] under rows[i] (spot) and columns[j] (volatility).

    NaN where the venue has no such scenario. binding : (i, j) of the cell that sets the margin, None when another rule
    does.
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: np.ndarray
    binding: tuple[int, int] | None


@dataclass(frozen=True)
class VenueMargin:
    """What one venue asks for one book in one mode, USD.

    initial, maintenance : needed to open / below which liquidation starts, >= 0
    equity_initial, equity : what the venue compares with them
    collateral_value : collateral after haircuts, for opening; account_value : everything at market prices
    notes : what the reader must know to read the number (assumptions, undated or missing rules)
    """

    venue: str
    mode: Mode
    initial: float
    maintenance: float
    equity_initial: float
    equity: float
    collateral_value: float
    account_value: float
    lines: tuple[RuleLine, ...] = ()
    positions: tuple[PositionMargin, ...] = ()
    collateral: tuple[CollateralValue, ...] = ()
    grids: tuple[Grid, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def free(self) -> float:
        """What is left to open more, or to withdraw; below 0 the book cannot be opened."""
        return self.equity_initial - self.initial

    @property
    def gap(self) -> float:
        return self.equity - self.maintenance

    @property
    def liquidatable(self) -> bool:
        return self.maintenance > 0 and self.gap < 0

    @property
    def health(self) -> float | None:
        """Equity / maintenance margin; None where nothing is required."""
        return self.equity / self.maintenance if self.maintenance > 0 else None


@dataclass(frozen=True)
class Unsupported:
    """Something of the book the venue cannot hold, and why, e.g. ("BTC/USDT:USDT-261225", "no dated futures")."""

    symbol: str
    reason: str


@dataclass(frozen=True)
class Slider:
    """A knob the venue's rules really have, e.g. open interest against its cap."""

    key: str
    title: str
    low: float
    high: float
    default: float
    step: float
    unit: str = ""
    help: str = ""


class Rulebook(ABC):
    """One venue. Subclasses set the class attributes and write `supports` and `requirement`."""

    name: ClassVar[str]  # of the module and parameter file
    purpose: ClassVar[Literal["venue", "lending", "comparison"]] = "venue"
    modes: ClassVar[tuple[Mode, ...]]
    sliders: ClassVar[tuple[Slider, ...]] = ()

    def __init__(self, parameters: Parameters | None = None):
        self.parameters = parameters if parameters is not None else Parameters.load(self.name)

    @property
    def title(self) -> str:
        return self.parameters.title

    @property
    def as_of(self) -> str:
        """The venue's own date of the oldest parameter in use, YYYY-MM-DD."""
        return self.parameters.as_of

    @property
    def status(self) -> str:
        """Whether the venue is alive, with date and source; "" where not known."""
        return str(self.parameters.status or "")

    @property
    def sources(self) -> Mapping[str, Any]:
        return self.parameters.sources

    @property
    def missing(self) -> tuple[str, ...]:
        """Rules and parameters the venue does not publish, and what that means here."""
        return self.parameters.missing

    @abstractmethod
    def supports(self, portfolio: Portfolio, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """Reasons why the venue cannot hold the book (in this mode), position by position; () when it can."""

    @abstractmethod
    def requirement(
        self, portfolio: Portfolio, marks: Marks, mode: Mode, settings: Mapping[str, float] | None = None
    ) -> VenueMargin:
        """The margin of the book. Raises InputError for a mode, position or setting the venue does not have."""

    def gap(self, portfolio: Portfolio, marks: Marks, mode: Mode, settings: Mapping[str, float] | None = None) -> float:
        """Equity less maintenance margin, USD: the account is liquidated below 0.

        Override where a shorter way to the same number exists; a test holds the two equal.
        """
        return self.requirement(portfolio, marks, mode, settings).gap

    def silos(
        self, portfolio: Portfolio, marks: Marks, settings: Mapping[str, float] | None = None
    ) -> tuple[Portfolio, ...]:
        """Isolated mode as separate accounts: one portfolio per position, holding only its own margin.

        Where a silo's gap is 0 lies the position's isolated liquidation price.
        """
        raise InputError("mode", "isolated", f"{self.title} has no isolated mode", f"One of {', '.join(self.modes)}.")

    def silo_gap(self, silo: Portfolio, marks: Marks, settings: Mapping[str, float] | None = None) -> float:
        """Equity of one silo (its own margin and its position's profit) less its maintenance margin, USD."""
        own = sum(held.quantity * marks.price(held.asset) for held in silo.collateral)
        own += sum(marks.unrealised(p) for p in silo.positions)
        return own - self.requirement(silo, marks, "isolated", settings).maintenance

    def check(self, portfolio: Portfolio, mode: Mode) -> None:
        """Raise InputError when the mode does not exist or the book cannot be held."""
        if mode not in self.modes:
            hint = did_you_mean(str(mode), self.modes) or f"One of {', '.join(self.modes)}."
            raise InputError("mode", mode, f"{self.title} has no such mode", hint)
        refused = self.supports(portfolio, mode)
        if refused:
            first = refused[0]
            raise InputError("positions", first.symbol, f"{self.title} cannot hold it: {first.reason}")

    def settings(self, given: Mapping[str, float] | None) -> dict[str, float]:
        """Every slider's value: the given one within its limits, else the default."""
        values = {slider.key: slider.default for slider in self.sliders}
        limits = {slider.key: slider for slider in self.sliders}
        for key, value in (given or {}).items():
            if key not in limits:
                hint = did_you_mean(key, limits) or f"Settings: {', '.join(limits) or 'none'}."
                raise InputError("settings", key, f"{self.title} has no such setting", hint)
            slider = limits[key]
            if not slider.low <= value <= slider.high:
                raise InputError(f"settings.{key}", value, f"must be from {slider.low:g} to {slider.high:g}")
            values[key] = float(value)
        return values


@dataclass
class Lines:
    """Collects rule lines while a margin is reckoned; `wanted=False` makes it free when only the totals matter."""

    wanted: bool = True
    kept: list[RuleLine] = field(default_factory=list)

    def add(self, label: str, formula: str, amount: float | None, source: str, part: str = "both") -> None:
        if self.wanted:
            self.kept.append(RuleLine(label, formula, amount, source, part))
