"""The visitor's book: one immutable value in session state, with a bounded history to undo and redo.

Every page reads `current()`. Only the Portfolio page changes it, through `load` (a preset, an import, a link) and
`edit` (a cell or a setting). `version()` grows when the tables must be drawn afresh, and only then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import streamlit as st

from margin.core.portfolio import Account, Portfolio
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
    accounts: tuple[Account, ...] = (Account(),)  # their names, venues, modes; what they hold is in the rows

    @classmethod
    def of(cls, portfolio: Portfolio, settings: Settings | None = None) -> "Book":
        owners = [[i] * len(a.positions) for i, a in enumerate(portfolio.accounts)]
        holders = [[i] * len(a.collateral) for i, a in enumerate(portfolio.accounts)]
        return cls(
            _owned(position_drafts(portfolio.positions), owners),
            _owned(collateral_drafts(portfolio.collateral), holders),
            settings or Settings(),
            portfolio.name,
            tuple(replace(a, positions=(), collateral=()) for a in portfolio.accounts),
        )

    @cached_property
    def portfolio(self) -> Portfolio:
        """The good rows, account by account, in order."""
        positions, collateral = self._readings
        return self.gathered(positions.items, collateral.items)

    def gathered(self, positions: Iterable[tuple[int, Any]], collateral: Iterable[tuple[int, Any]]) -> Portfolio:
        """The portfolio of these (row, position) and (row, collateral) in their accounts."""
        mine = {draft.id: draft.account for draft in self.positions}
        theirs = {draft.id: draft.account for draft in self.collateral}
        last = len(self.accounts) - 1
        held: list[list[Any]] = [[] for _ in self.accounts]
        posted: list[list[Any]] = [[] for _ in self.accounts]
        for row, p in positions:
            held[min(mine[row], last)].append(p)
        for row, c in collateral:
            posted[min(theirs[row], last)].append(c)
        accounts = [
            replace(account, positions=tuple(p), collateral=tuple(c))
            for account, p, c in zip(self.accounts, held, posted, strict=True)
        ]
        return Portfolio(accounts=accounts, name=self.name)

    @property
    def positions_in_order(self) -> tuple[Any, ...]:
        """The position of each of `position_ids`."""
        return tuple(p for _, p in self._readings[0].items)

    @property
    def collateral_in_order(self) -> tuple[Any, ...]:
        return tuple(c for _, c in self._readings[1].items)

    @cached_property
    def _readings(self) -> tuple[Any, Any]:
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
        found: Mapping[int, Problem] = self._readings[0].problems
        return found

    @property
    def collateral_problems(self) -> Mapping[int, Problem]:
        found: Mapping[int, Problem] = self._readings[1].problems
        return found

    def only(self, number: int) -> "Book":
        """One account of it, as a book of its own; rows keep their ids."""
        mine = tuple(replace(d, account=0) for d in self.positions if d.account == number)
        posted = tuple(replace(d, account=0) for d in self.collateral if d.account == number)
        return replace(self, positions=mine, collateral=posted, accounts=(self.accounts[number],))

    def without_positions(self, rows: Iterable[int]) -> Portfolio:
        """`portfolio` less the given rows (those that cannot be priced)."""
        out = set(rows)
        kept = [(row, p) for row, p in self._readings[0].items if row not in out]
        return self.gathered(kept, self._readings[1].items)


def _owned(drafts: tuple[Draft, ...], owners: list[list[int]]) -> tuple[Draft, ...]:
    flat = [i for account in owners for i in account]
    return tuple(replace(draft, account=i) for draft, i in zip(drafts, flat, strict=True))


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
    step: tuple[Any, ...] = ()  # what the last edit belonged to; another edit of the same step replaces it

    @property
    def before(self) -> Book:
        """The book before the last step, or the present one when there is none."""
        return self.past[-1].book if self.past else self.present.book

    def edited(self, book: Book, step: tuple[Any, ...] = ()) -> "History":
        """`book` as the newest state. Edits of one `step` (typing in one cell) are undone together."""
        if book == self.present.book:
            return self
        state = State(book, self.present.baseline)
        if step and step == self.step and self.past:
            return replace(self, present=state, future=())
        return self._pushed(state, step)

    def redrawn(self, book: Book) -> "History":
        """`book` as the newest state, drawn afresh; what is compared with stays."""
        if book == self.present.book:
            return self
        return replace(self._pushed(State(book, self.present.baseline), ()), version=self.version + 1)

    def loaded(self, book: Book) -> "History":
        """`book` from elsewhere, drawn afresh; 'before' now means this book."""
        return replace(self._pushed(State(book, book), ()), version=self.version + 1)

    def _pushed(self, state: State, step: tuple[Any, ...]) -> "History":
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
    found: History = st.session_state[_KEY]
    return found


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


def edit(book: Book, step: tuple[Any, ...] = ()) -> None:
    st.session_state[_KEY] = history().edited(book, step)


def redraw(book: Book) -> None:
    """An edit that the tables did not make themselves: accounts added, moved, removed."""
    st.session_state[_KEY] = history().redrawn(book)


def undo() -> None:
    st.session_state[_KEY] = history().undone()


def redo() -> None:
    st.session_state[_KEY] = history().redone()


def compare_from_here() -> None:
    st.session_state[_KEY] = history().rebased()
