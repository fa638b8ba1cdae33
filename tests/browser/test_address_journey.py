"""The address holds the view: refresh, back and a copied address show the same book on every page."""

from urllib.parse import parse_qs, urlsplit

import pytest

from margin import Portfolio, Position
from margin.core.account import Account
from tests.running_app import settled
from ui.shell.facts import page_facts
from ui.state.book import Book
from ui.state.share import decode, encode

BOOK = Portfolio(positions=(Position("SOL/USDT:USDT", 321.0), Position("ETH/USDT:USDT", -7.0)), name="Two of mine")
PAGES = [page.name for page in page_facts() if not page.home]


def held(page) -> Portfolio:
    """The book that the address bar holds, once the run has put it there."""
    page.wait_for_function("document.title.endsWith('· Margin Lab')")
    page.wait_for_function("location.search.includes('p=')")
    (text,) = parse_qs(urlsplit(page.url).query)["p"]
    return decode(text).book.portfolio


@pytest.mark.parametrize("name", PAGES)
def test_refresh_shows_the_same_book(visit, name):
    page = visit(f"/{name}?p={encode(Book.of(BOOK))}")
    assert held(page) == BOOK
    page.reload()
    settled(page)
    assert held(page) == BOOK and urlsplit(page.url).path == f"/{name}"
    page.wait_for_function("document.title.startsWith('Two of mine: ')")


def test_a_copied_address_shows_the_same_book_to_another_visitor(visit):
    page = visit(f"/stress?p={encode(Book.of(BOOK))}")
    assert held(page) == BOOK
    copied = visit(page.url)
    assert held(copied) == BOOK and urlsplit(copied.url).path == "/stress"


def test_an_edit_replaces_the_address_and_makes_no_history(visit):
    page = visit(f"/?p={encode(Book.of(BOOK))}")
    held(page)
    before, link = page.evaluate("history.length"), page.evaluate("location.search")
    quantity = page.get_by_label("Quantity, position 1")
    quantity.fill("322")
    page.wait_for_function("old => location.search !== old", arg=link)
    assert held(page).positions[0].quantity == 322.0
    assert page.evaluate("history.length") == before
    page.reload()
    settled(page)
    assert held(page).positions[0].quantity == 322.0


def test_back_leads_to_the_page_before_with_the_same_book_and_choice(visit):
    accounts = (Account(name="a", positions=BOOK.positions), Account(name="b", positions=BOOK.positions[:1]))
    page = visit(f"/stress?p={encode(Book.of(Portfolio(accounts=accounts)))}&model=hyperliquid%3Across&account=1")
    page.get_by_role("button", name="b · Hyperliquid, cross").wait_for()
    page.reload()
    settled(page)
    page.get_by_role("button", name="b · Hyperliquid, cross").wait_for()
    page.goto(page.url.replace("/stress?", "/venues?"))
    settled(page)
    page.go_back()
    settled(page)
    page.get_by_role("button", name="b · Hyperliquid, cross").wait_for()
    assert len(held(page).accounts) == 2
