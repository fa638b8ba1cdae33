"""What every rulebook gives, whatever the venue: the words, the results, and the interface the page and CLI use.

A rulebook answers for one venue: what would this venue ask for this book, in which mode, and where would it close it?

    rulebook = venues.rulebook("dydx")
    rulebook.supports(book)                        -> reasons why the venue cannot hold the book; () when it can
    rulebook.requirement(book, marks, "cross")     -> VenueMargin: totals, one line per rule, one row per position
    models.get("dydx:cross")                       -> the same rules as a margin model: `state`, `states`, `closing`
    margin.venues.liquidation                      -> prices, joint moves and surfaces where equity = maintenance

How to write one: a module `margin/venues/rules/NAME.py` that ends in `RULEBOOK = ...`, and its parameters in
`margin/venues/parameters/NAME.json`; that file's being there is the registration. `reckon` is written once, for prices
that are numbers and for prices that are arrays (n,) alike: arithmetic, np.minimum, np.where, no branch on a price.
Words are only put together where `lines.wanted`. Where a rule is not published, list it under `missing` in the
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
import pandas as pd

from margin.core.account import SubAccount
from margin.core.errors import InputError, did_you_mean
from margin.core.portfolio import Portfolio
from margin.core.position import Position
from margin.models.base import NOT_CARRIED, ClosingRules, MarginState, Unsupported
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.parameters import Parameters

__all__ = [
    "MODES",
    "CollateralValue",
    "Grid",
    "Lines",
    "Mode",
    "PositionMargin",
    "RuleLine",
    "Rulebook",
    "Slider",
    "Unsupported",
    "VenueMargin",
]

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


@dataclass(frozen=True, kw_only=True)
class PositionMargin:
    """One position's own share before any offset, as the venue prints it; tier and rate too. USD.

    fee : kept back for closing it; counts in the account's maintenance margin where the venue prints it apart, else 0
    equity : in isolated mode the position's own margin plus its unrealised PnL, else None
    """

    symbol: str
    quantity: float
    notional: float
    initial: float
    maintenance: float
    tier: str = ""
    initial_rate: float | None = None
    maintenance_rate: float | None = None
    fee: float = 0.0
    equity: float | None = None


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class VenueMargin(MarginState):
    """What one venue asks for one book in one mode, USD: a margin model's state, and what only venues have.

    collateral_value : collateral after haircuts, for opening; account_value : everything at market prices
    notes : what the reader must know to read the number (assumptions, undated or missing rules)
    pools : where the venue keeps several that are liquidated by themselves: each one's margin; amounts are their sums
    """

    venue: str
    mode: Mode
    collateral_value: float
    account_value: float
    lines: tuple[RuleLine, ...] = ()
    positions: tuple[PositionMargin, ...] = ()
    collateral: tuple[CollateralValue, ...] = ()
    grids: tuple[Grid, ...] = ()
    pools: tuple["VenueMargin", ...] = ()

    @property
    def health(self) -> float | None:
        """Equity / maintenance, of several pools the lowest; None where nothing is required."""
        if not self.pools:
            return super().health
        return min((h for pool in self.pools if (h := pool.health) is not None), default=None)

    @property
    def liquidated(self) -> bool:
        """True where equity is below maintenance, in one of several pools."""
        return any(pool.liquidated for pool in self.pools) if self.pools else super().liquidated


@dataclass(frozen=True, kw_only=True)
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


NEWEST = pd.Timestamp("2200-01-01")  # where no time is given: the rules of today
UNKNOWN_CLOSING: dict[str, Any] = {
    "step": 1.0,
    "least_step_usd": 0.0,
    "fee": 0.0,
    "buffer": 0.0,
    "keeps_rest": False,
    "insurance": False,
    "adl": None,
    "socialised": False,
    "source": NOT_CARRIED,
}


class Rulebook(ABC):
    """One venue. Subclasses set the class attributes and write `supports` and `reckon`."""

    name: ClassVar[str]  # of the module and parameter file
    purpose: ClassVar[Literal["venue", "lending", "comparison"]] = "venue"
    modes: ClassVar[tuple[Mode, ...]]
    sliders: ClassVar[tuple[Slider, ...]] = ()
    coin_settled: ClassVar[str] = ""  # the rulebook with the venue's tables of coin-settled contracts
    coin_wallets: ClassVar[tuple[Mode, ...]] = ()  # modes in which those stand in a wallet of their coin, apart
    judges_the_past: bool = False  # whether older tables are used too (`of_the_day`)
    quote: ClassVar[str] = "USDT"  # its usual perpetual's
    counts_contracts: ClassVar[bool] = False  # whether its orders count contracts, not coins
    least_order_usd: ClassVar[float | None] = None

    def __init__(self, parameters: Parameters | None = None):
        self.parameters = parameters if parameters is not None else Parameters.load(self.name)

    @property
    def title(self) -> str:
        """The venue as a reader sees it."""
        return self.parameters.title

    @property
    def as_of(self) -> str:
        """The venue's own date of the oldest parameter in use, YYYY-MM-DD."""
        return self.parameters.as_of

    def dated(self, margin: VenueMargin) -> str:
        """The venue's own oldest date among the sources of the margin's lines; "undated" and the day of reading."""
        used = {line.source for line in margin.lines if line.part != "note"}
        found = [source for source in self.parameters.sources.values() if str(source) in used]
        dates = [source.date for source in found if source.date]
        if dates or not found:
            return min(dates) if dates else self.as_of
        return f"undated, read {min(source.read for source in found)}"

    @property
    def status(self) -> str:
        """Whether the venue is alive, with date and source; "" where not known."""
        return str(self.parameters.status or "")

    @property
    def sources(self) -> Mapping[str, Any]:
        """Where each table was read."""
        return self.parameters.sources

    @property
    def missing(self) -> tuple[str, ...]:
        """Rules and parameters the venue does not publish, and what that means here."""
        return self.parameters.missing

    @property
    def closing(self) -> ClosingRules:
        """How the venue closes what it liquidates; each figure's source is in its parameter file."""
        given = self.parameters.facts.get("closing")
        if given is None:
            return ClosingRules(**UNKNOWN_CLOSING, name=self.title)
        source = self.parameters.source("closing")
        return ClosingRules(**given, name=self.title, source=source)

    @abstractmethod
    def supports(self, book: Portfolio | SubAccount, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """What of the book is not reproduced here (in this mode), position by position; () when all of it is."""

    @abstractmethod
    def reckon(
        self, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: "Lines"
    ) -> VenueMargin:
        """The margin of a book that is supported. Prices may be arrays (n,): then so is every amount, and no words."""

    def requirement(
        self,
        book: Portfolio | SubAccount,
        marks: Marks,
        mode: Mode,
        settings: Mapping[str, float] | None = None,
        lines: "Lines | None" = None,
    ) -> VenueMargin:
        """The margin of the book. lines : where the reckoning is kept; without them all of it is.

        Raises InputError for a mode, position or setting the venue does not have.
        """
        sub, chosen = accounts.as_sub(book), self.settings(settings)
        self.check(accounts.priced(sub, marks), mode)
        self.within(sub, marks, mode)
        return self.reckon(sub, marks, mode, chosen, lines or Lines())

    def within(self, book: SubAccount, marks: Marks, mode: Mode) -> None:
        """Raise InputError where the rules at these prices are not published: at most venues nowhere."""
        return

    def opening_margin(
        self, position: Position, marks: Marks | None = None, settings: Mapping[str, float] | None = None
    ) -> float:
        """USD initial margin of the position alone at its entry price, without one at `marks`: isolated margin.

        Raises InputError without any price, and for a position that is not reproduced here.
        """
        price = position.entry_price
        if price is None or position.instrument.is_option:
            if marks is None:
                raise InputError("entry_price", None, f"of {position.symbol} is missing", "Give it, or its margin.")
            at = marks
        else:
            when, vols = (marks.as_of, marks.vols) if marks is not None else (NEWEST, {})
            at = Marks({position.underlying: price}, when, vols)
        alone = SubAccount(name=position.symbol, positions=(position,), collateral=(), isolated=True)
        mode: Mode = "isolated" if "isolated" in self.modes else self.modes[0]
        self.check(alone, mode)
        return self.reckon(alone, at, mode, self.settings(settings), Lines(wanted=False)).initial

    def printed_note(self, position: Position) -> str:
        """What must be said of the way `printed_price` prints this position's price; "" at most venues."""
        return ""

    def of_the_day(self) -> "Rulebook":
        """The rules by which an account of the past is judged: older tables too, where a venue's are carried."""
        return self

    def printed_price(self, position: Position, price: float, long: bool, marks: Marks) -> float:
        """The liquidation price as the venue prints it: most print the price itself. long : it loses below."""
        return price

    def check(self, book: SubAccount, mode: Mode) -> None:
        """Raise InputError when the mode does not exist or the book cannot be held."""
        if mode not in self.modes:
            hint = did_you_mean(str(mode), self.modes) or f"One of {', '.join(self.modes)}."
            raise InputError("mode", mode, f"{self.title} has no such mode", hint)
        refused = self.supports(book, mode)
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
    """Collects rule lines and notes while a margin is reckoned; with `wanted=False` only the totals matter."""

    wanted: bool = True
    kept: list[RuleLine] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Keeps a note where lines are wanted."""
        if self.wanted and text:
            self.notes.append(text)

    def add(self, label: str, formula: str, amount: float | None, source: str, part: str = "both") -> None:
        """Keeps one line of the account with its source."""
        if self.wanted:
            self.kept.append(RuleLine(label, formula, amount, source, part))
