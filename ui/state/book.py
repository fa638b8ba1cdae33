"""The visitor's book: one immutable value in session state, with a bounded history to undo and redo.

Every page reads `current()`. Only the Portfolio page changes it, through `load` (a preset, an import, a link) and
`edit` (a cell or a setting). `version()` grows when the tables must be drawn afresh, and only then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import streamlit as st

from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from ui.state.rows import Draft, Problem, collateral_drafts, position_drafts, read_collateral, read_positions

MAX_STEPS = 100
_KEY = "book_history"


@dataclass(frozen=True)
class Book:
    """Rows as typed and the settings; `portfolio` is what the good rows say."""

    positions: tuple[Draft, ...] = ()
    collateral: tuple[Draft, ...] = ()
    settings: Settings = field(default_factory=Settings)
    name: str = ""

    @classmethod
    def of(cls, portfolio: Portfolio, settings: Settings | None = None) -> "Book":
        drafts = position_drafts(portfolio.positions), collateral_drafts(portfolio.collateral)
        return cls(*drafts, settings or Settings(), portfolio.name)

    @cached_property
    def portfolio(self) -> Portfolio:
        """The good rows, in order."""
        positions, collateral = self._readings
        return Portfolio(tuple(p for _, p in positions.items), tuple(c for _, c in collateral.items), self.name)

    @cached_property
    def _readings(self):
        return read_positions(self.positions), read_collateral(self.collateral)

    @property
    def position_ids(self) -> tuple[int, ...]:
        """The row each position of `portfolio` came from."""
        return tuple(row for row, _ in self._readings[0].items)

    @property
    def collateral_ids(self) -> tuple[int, ...]:
        return tuple(row for row, _ in self._readings[1].items)

    @property
    def position_problems(self) -> Mapping[int, Problem]:
        return self._readings[0].problems

    @property
    def collateral_problems(self) -> Mapping[int, Problem]:
        return self._readings[1].problems

    def without_positions(self, rows: Iterable[int]) -> Portfolio:
        """`portfolio` less the given rows (those that cannot be priced)."""
        out = set(rows)
        kept = (p for row, p in self._readings[0].items if row not in out)
        return self.portfolio.with_positions(kept)


@dataclass(frozen=True)
class State:
    """A book, and the book it is compared with: the last one loaded (preset, import, link) or marked."""

    book: Book
    baseline: Book


@dataclass(frozen=True)
class History:
    """`past` and `future` are stacks, the last entry nearest. Undoing a load brings its old baseline back too."""

    present: State
    past: tuple[State, ...] = ()
    future: tuple[State, ...] = ()
    version: int = 1
    step: tuple = ()  # what the last edit belonged to; another edit of the same step replaces it

    @property
    def before(self) -> Book:
        """The book before the last step, or the present one when there is none."""
        return self.past[-1].book if self.past else self.present.book

    def edited(self, book: Book, step: tuple = ()) -> "History":
        """`book` as the newest state. Edits of one `step` (typing in one cell) are undone together."""
        if book == self.present.book:
            return self
        state = State(book, self.present.baseline)
        if step and step == self.step and self.past:
            return replace(self, present=state, future=())
        return self._pushed(state, step)

    def loaded(self, book: Book) -> "History":
        """`book` from elsewhere, drawn afresh; 'before' now means this book."""
        return replace(self._pushed(State(book, book), ()), version=self.version + 1)

    def _pushed(self, state: State, step: tuple) -> "History":
        past = (*self.past, self.present)[-MAX_STEPS:]
        return replace(self, present=state, past=past, future=(), step=step)

    def undone(self) -> "History":
        if not self.past:
            return self
        future = (*self.future, self.present)
        return History(self.past[-1], self.past[:-1], future, self.version + 1)

    def redone(self) -> "History":
        if not self.future:
            return self
        past = (*self.past, self.present)
        return History(self.future[-1], past, self.future[:-1], self.version + 1)

    def rebased(self) -> "History":
        """From now on 'before' means the book as it is."""
        return replace(self, present=State(self.present.book, self.present.book), step=())


def history() -> History:
    """The session's history; the app puts one there before any page runs."""
    return st.session_state[_KEY]


def started() -> bool:
    return _KEY in st.session_state


def start(book: Book) -> None:
    """Open the visit with `book`, or begin it again with another one; there is nothing to undo."""
    version = history().version + 1 if started() else 1
    st.session_state[_KEY] = History(State(book, book), version=version)


def current() -> Book:
    return history().present.book


def version() -> int:
    """Key part for widgets that show the book: grows when they must be drawn afresh."""
    return history().version


def load(book: Book) -> None:
    st.session_state[_KEY] = history().loaded(book)


def edit(book: Book, step: tuple = ()) -> None:
    st.session_state[_KEY] = history().edited(book, step)


def undo() -> None:
    st.session_state[_KEY] = history().undone()


def redo() -> None:
    st.session_state[_KEY] = history().redone()


def compare_from_here() -> None:
    st.session_state[_KEY] = history().rebased()
