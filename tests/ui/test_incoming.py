"""A paste before it is opened: which account it becomes, what stays, and that rows of other accounts are untouched."""

import pytest

from margin.core.errors import InputError
from margin.core.portfolio import Account, Collateral, Portfolio, Position
from margin.core.settings import Settings
from ui.state import accounts as account_edits
from ui.state.accounts import labels
from ui.state.book import Book
from ui.state.incoming import NEW, Incoming, applied, proposals, read_text, stays, without_empty

BYBIT = '{"result": {"list": [{"symbol": "BTCUSDT", "side": "Sell", "size": "0.5", "avgPrice": "61000"}]}}'
OKX = '{"data": [{"totalEq": "1", "details": [{"ccy": "USDT", "cashBal": "12000"}]}]}'


def two() -> Book:
    first = Account(name="mine", positions=(Position("BTC/USD", 1.0),), collateral=(Collateral("USDC", 10.0),))
    second = Account(
        venue="bybit", mode="cross", positions=(Position("ETH/USDT:USDT", 3.0),), collateral=(Collateral("USDT", 5.0),)
    )
    return Book.of(Portfolio(accounts=(first, second), name="n"), Settings(level=0.99))


def held(book: Book) -> list[tuple[list, list]]:
    return [
        ([(p.symbol, p.quantity) for p in a.positions], [(c.asset, c.quantity) for c in a.collateral])
        for a in book.portfolio.accounts
    ]


STATES = (
    '{"crossMarginSummary": {"accountValue": "0", "totalMarginUsed": "0"}, "assetPositions": [], "dex": "xyz"}\n'
    '{"balances": [{"coin": "PURR", "total": "5"}]}'
)


def test_an_account_of_nothing_is_not_added_but_empties_the_one_it_is():
    found = read_text(STATES)
    assert [a.name for a in found.accounts] == ["Hyperliquid xyz", "Hyperliquid spot"]
    assert [a.name for a in without_empty(two(), found).accounts] == ["Hyperliquid spot"]
    there = Account(venue="hyperliquid", name="Hyperliquid xyz", positions=(Position("XYZ-TSLA/USDC:USDC", 1.0),))
    present = Book.of(Portfolio(accounts=(there,)), Settings())
    kept = without_empty(present, found)
    assert len(kept.accounts) == 2 and proposals(present, kept)[0] == 0
    assert applied(present, kept, (0, NEW)).portfolio.accounts[0].positions == ()
    alone = read_text(STATES.splitlines()[0])
    assert without_empty(two(), alone) is alone


def test_the_account_of_the_same_venue_is_replaced_and_its_collateral_stays():
    found = read_text(BYBIT)
    assert proposals(two(), found) == (1,)
    made = applied(two(), found, (1,))
    assert held(made)[1] == ([("BTC/USDT:USDT", -0.5)], [("USDT", 5.0)])
    assert held(made)[0] == held(two())[0]
    assert made.settings.level == 0.99
    assert stays(two(), found, 0, 1) == "its collateral (1)"


def test_balances_alone_leave_the_positions():
    found = read_text(OKX)
    assert proposals(two(), found) == (NEW,)
    made = applied(two(), found, (0,))
    assert held(made)[0] == ([("BTC/USD", 1.0)], [("USDT", 12000.0)])
    assert made.portfolio.accounts[0].venue == "okx"
    assert held(applied(two(), found, (NEW,)))[2] == ([], [("USDT", 12000.0)])


def test_the_only_account_without_a_venue_is_replaced_its_preset_name_leaves():
    preset = Book.of(Portfolio((Position("BTC/USD", 1.0),), (Collateral("USDC", 10.0),), "ETH/BTC pair"))
    found = read_text("symbol\tside\tsize\tentry\nBTCUSDT\tlong\t0.5\t61000")
    assert proposals(preset, found) == (0,)
    made = applied(preset, found, (0,))
    assert held(made) == [([("BTC/USDT:USDT", 0.5)], [("USDC", 10.0)])]
    assert made.name == ""


def test_a_book_of_ours_replaces_everything():
    found = read_text(two().portfolio.to_json())
    assert found.whole
    assert applied(Book.of(Portfolio()), found, ()).portfolio == two().portfolio


def test_what_a_pair_means_is_asked_and_the_text_is_kept_for_the_answer():
    found = read_text("symbol;size\nBTCUSDT;1,5\nBTC/USD;2")
    assert found.asks and found.set_aside[0].symbol == "BTCUSDT"
    assert len(read_text(found.text, True).accounts[0].positions) == 2


def test_rows_as_typed_and_undone_rows_survive_in_the_other_account():
    from dataclasses import replace

    from ui.state.rows import Draft

    book = replace(two(), positions=(*two().positions, Draft(9, ("nonsense!", "1", "", ""), (), 0)))
    made = applied(book, read_text(BYBIT), (1,))
    assert [d.cells[0] for d in made.positions if d.account == 0] == ["BTC/USD", "nonsense!"]
    assert len({d.id for d in made.positions}) == len(made.positions)


def test_accounts_are_named_by_venue_never_by_address():
    assert labels((Account(venue="hyperliquid"), Account(), Account(venue="hyperliquid"), Account(name="x"))) == (
        "Hyperliquid", "Account 2", "Hyperliquid (2)", "x",
    )  # fmt: skip


def test_editing_accounts_keeps_every_row():
    book = two()
    wide = account_edits.duplicated(book, 1)
    assert held(wide)[2] == held(book)[1] and wide.accounts[2].name == "Bybit copy"
    gone = account_edits.removed(wide, 0)
    assert held(gone) == [held(book)[1], held(book)[1]]
    assert held(account_edits.moved(book, [1], 1))[1][0] == [("BTC/USD", 1.0), ("ETH/USDT:USDT", 3.0)]
    assert account_edits.removed(account_edits.removed(book, 1), 0).portfolio == Portfolio()
    assert account_edits.added(book, "new", "okx").accounts[2] == Account(name="new", venue="okx", mode="cross")
    named = account_edits.changed(book, 0, name="main", venue="deribit", mode="portfolio")
    assert (named.accounts[0].name, named.accounts[0].venue, held(named)) == ("main", "deribit", held(book))


def test_too_many_accounts_are_refused():
    many = Book.of(Portfolio(accounts=[Account()] * 50))
    for change in (lambda b: account_edits.added(b), lambda b: applied(b, read_text(BYBIT), (NEW,))):
        with pytest.raises(InputError, match="At most 50"):
            change(many)


def test_an_address_is_no_part_of_what_is_kept():
    assert "address" not in Incoming.__dataclass_fields__
