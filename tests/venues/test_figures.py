"""Each venue's margin of each book as listed beside this file, with every line of its account (tests/figures.py)."""

from margin import InputError, venues
from tests.figures import held
from tests.venues.test_formulas import BOOKS_TOO, cases
from tests.venues.test_rulebooks import BOOKS, MARKS


def margin_of(name, mode, title):
    try:
        found = venues.rulebook(name).requirement(BOOKS.get(title) or BOOKS_TOO[title], MARKS, mode)
        return found.initial, found.maintenance, found.equity, found.equity_initial, found.account_value, found
    except InputError as error:
        return str(error)


CASES = {f"{n} {m} {t}": lambda n=n, m=m, t=t: margin_of(n, m, t) for n, m, t in cases()}


def test_figures_are_as_listed():
    held(__file__, CASES)
