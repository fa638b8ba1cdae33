"""How every page begins: through the app, on the visitor's book and prices, with a line instead of figures it lacks."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from margin.core.errors import InputError
from margin.core.settings import Settings
from ui.blocks.notices import not_counted, nothing_computed
from ui.blocks.views import refused
from ui.shell import entrance
from ui.shell.facts import facts_of
from ui.shell.standing import standing_line
from ui.state import book, choice, compute, newest_tiers, prices
from ui.state.compute import Answer
from ui.state.prices import ActivePrices


class Seen:
    """What a page works on; nothing is computed before it is asked for.

    judged : the page answers for the account chosen in the header alone, and for its margin model
    """

    def __init__(self, judged: bool = False):
        self.judged = judged

    @cached_property
    def book(self) -> book.Book:
        """The visitor's book, or the chosen account of it."""
        return choice.chosen(book.current()) if self.judged else book.current()

    @property
    def model(self) -> str | None:
        """The chosen margin model's key; None: each account's own."""
        return choice.model() if self.judged else None

    @cached_property
    def active(self) -> ActivePrices:
        """The prices in use."""
        return prices.active()

    @cached_property
    def now(self) -> Answer:
        """The book's figures on them, row by row what could not be used."""
        found: Answer = compute.answer(self.book, self.active)
        return found

    @property
    def settings(self) -> Settings:
        """The settings of the visitor's book."""
        return book.current().settings


def show(file: str, draw: Callable[[Seen], None], needs_figures: bool = False) -> None:
    """Draw a page; called by each file of pages/ with its own `__file__`.

    needs_figures : where the book has none, say why instead of drawing
    """
    entrance.through_app(f"pages/{Path(file).name}")
    newest_tiers.follow()
    seen = Seen(facts_of(Path(file)).judged)
    if seen.judged:
        standing_line(seen.now.portfolio, seen.active, seen.settings, seen.model)
    if needs_figures and seen.now.comparison is None:
        nothing_computed(seen.now, seen.active)
        return
    if needs_figures:
        not_counted(seen.now, seen.book)
    try:
        draw(seen)
    except InputError as error:
        refused(error)
