"""No word of a visitor becomes a link, on the pages that show most of them."""

import pytest

from margin import Portfolio, Position
from margin.core.account import Account
from margin.core.position import Collateral
from tests.running_app import settled
from ui.state.book import Book
from ui.state.rows import Draft
from ui.state.share import encode

NAME = "www.evil.com a@evil.com https://evil.com [x](https://evil.com)"
ACCOUNT = Account(
    name=NAME, positions=(Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", -20.0)),
    collateral=(Collateral("USDC", 50_000),),
)  # fmt: skip


@pytest.mark.parametrize("name", ["portfolio", "stress", "liquidation", "forecast", "protocols"])
def test_a_visitors_words_are_never_links(visit, name):
    book = Book.of(Portfolio(accounts=(ACCOUNT, ACCOUNT), name=NAME))
    rows = (*book.positions, Draft(90, ("WWW.EVIL.COM", "1", "", "")), Draft(91, ("https://evil.com", "1", "", "")))
    page = visit(
        f"/{'' if name == 'portfolio' else name}?p={encode(Book(rows, book.collateral, book.settings, NAME, book.accounts))}"
    )
    settled(page)
    page.wait_for_timeout(500)
    assert (
        page.locator("a[href*='evil' i]").evaluate_all("links => links.map(l => l.closest('[data-testid]').innerText)")
        == []
    )
    assert page.get_by_test_id("stException").count() == 0
