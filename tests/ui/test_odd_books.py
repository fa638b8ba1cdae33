"""Accounts that are not everyday ones: options with coins behind them, dead accounts, hedge mode, no prices."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from margin import Collateral, Portfolio, Position
from margin.core.account import Account
from tests.support import ROOT
from ui.charts.stress import column_names
from ui.portfolio.tables import empty_cells
from ui.state import book, share

OPTIONS = Portfolio(accounts=(Account(
    name="Deribit", venue="deribit", mode="portfolio",
    positions=(
        Position("BTC/USD:BTC-261225-100000-C", 3.0, entry_price=2100.0),
        Position("BTC/USD:BTC-261225", -60_000.0, entry_price=80_500.0),
        Position("BTC/USD:BTC", 40_000.0, entry_price=76_000.0),
        Position("ETH/USD:ETH", -10_000.0, entry_price=2500.0),
    ),
    collateral=(Collateral("BTC", 0.6), Collateral("USDC", 8000.0)),
),))  # fmt: skip
DEAD = Portfolio(accounts=(Account(
    name="Gone", venue="hyperliquid", mode="cross",
    positions=(Position("BTC/USDC:USDC", 1.0, entry_price=95_000.0), Position("SOL/USDC:USDC", -50.0)),
    collateral=(Collateral("USDC", 10_000.0),),
),))  # fmt: skip


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened(portfolio: Portfolio, page: str, **asked: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params[share.PARAMETER] = share.encode(book.Book.of(portfolio))
    app.run()
    for name, value in asked.items():
        app.query_params[name] = value
    app = app.switch_page(f"pages/{page}.py").run() if page else app
    assert not app.exception, [e.value for e in app.exception]
    return app


def said(app: AppTest) -> str:
    kinds = (app.header, app.markdown, app.caption, app.info, app.warning, app.error, app.success)
    return "\n".join(str(x.value) for kind in kinds for x in kind).replace("\\", "")


def test_position_by_position_says_why_it_ends_with_more():
    words = said(opened(OPTIONS, "liquidation", liquidation_view="What happens next", liquidation_shock="-80"))
    assert "Position by position ends with $" in words and "more than as held" in words
    assert "isolated accounts hold money, not the coins of the collateral, which fell by $" in words
    assert "others bear $0 as held" in words
    assert "How Deribit closes an account is not carried here" in words and "Our own methods" not in words


def test_a_dead_account_has_a_sentence_instead_of_an_empty_chart():
    app = opened(DEAD, "liquidation", liquidation_view="What happens next")
    words = said(app)
    assert "Nothing is left to follow" in words
    assert re.search(r"equity −\$6,\d{3} is below the initial margin of \$[4-9],\d{3}", words), words


def test_the_prices_of_a_dead_account_say_already():
    app = opened(DEAD, "liquidation")
    table = next(frame.value for frame in app.dataframe if "Liquidated below" in frame.value.columns)
    assert set(table["Fall"]) == set(table["Rise"]) == {"already"}
    assert "no move left to draw" in said(app)


def test_an_account_that_holds_more_than_it_can_lose_is_no_warning():
    call = Position("BTC/USD:BTC-261225-100000-C", 1.0)
    safe = Account(venue="deribit", mode="portfolio", positions=(call,), collateral=(Collateral("USDC", 90_000.0),))
    app = opened(Portfolio(accounts=(safe,)), "stress", stress_view="What exhausts it")
    assert not app.warning and any("holds more than it can lose" in x.value for x in app.success)


def hedge_mode() -> Account:
    legs = (Position("ETH/USDT:USDT", 20.0, leverage=10.0), Position("ETH/USDT:USDT", -8.0, leverage=10.0))
    return Account(venue="bybit", mode="cross", positions=legs, collateral=(Collateral("USDT", 9_000.0),))


def test_venues_opens_on_the_accounts_own_and_shows_both_legs_of_hedge_mode():
    app = opened(Portfolio(accounts=(hedge_mode(),)), "venues", venue_view="Tiers")
    assert app.selectbox(key="venue_picked").value == "Bybit, cross"
    words = said(app)
    for size in (20.0, -8.0):  # 2,466.82 is the sample's last close
        sign = "−" if size < 0 else ""
        assert f"**ETH/USDT:USDT** {sign}{abs(size):g}: ${abs(size) * 2466.82:,.0f} at" in words


def test_a_venue_that_holds_a_part_of_the_book_stands_behind_those_that_hold_it_and_says_each_reason_once():
    app = opened(OPTIONS, "venues")
    table = next(frame.value for frame in app.dataframe if "Cannot hold" in frame.value.columns)
    asked = table[table["Initial"].notna()]
    partial = [bool(text) for text in asked["Cannot hold"]]
    assert partial == sorted(partial) and "For 5% odds in 7 days" not in table.columns
    assert app.selectbox(key="venue_picked").value == "Deribit, portfolio"
    for text in table["Cannot hold"].fillna(""):
        reasons = [part.split(": ", 1)[-1] for part in text.split("; ")]
        assert len(reasons) == len(set(reasons)), text
    whole = opened(OPTIONS, "venues", venues_split="true")
    assert all("-" not in box.label.split()[-1] for box in whole.selectbox if str(box.key).startswith("split_"))


def test_a_row_without_prices_is_named_on_every_page_that_counts_the_others():
    held = (Position("WIF/USDT:USDT", 1_000.0), Position("PEPE/USDT:USDT", 5.0), Position("BTC/USDT:USDT", 0.1))
    app = opened(Portfolio(held, (Collateral("USDC", 5_000.0),)), "")
    for page in ("stress", "liquidation", "venues", "hedge"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        told = [w.value.replace("\\", "") for w in app.warning]
        assert any("Not counted here: WIF/USDT:USDT: No prices for WIF" in x and "PEPE/USDT:USDT" in x for x in told), (
            page
        )


def test_a_book_of_collateral_alone_is_not_called_empty():
    app = opened(Portfolio((), (Collateral("BTC", 1.0),)), "")
    assert "holds collateral and no position" in said(app)
    for page in ("stress", "haircuts"):
        app.switch_page(f"pages/{page}.py").run()
        words = said(app)
        assert not app.exception and "book is empty" not in words and "posts no collateral" not in words, page


def test_what_an_empty_cell_means_is_true_of_its_row():
    held = Portfolio(accounts=(Account(
        venue="binance", mode="isolated",
        positions=(
            Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", 1.0, mode="cross"), Position("SOL/USD", 9.0),
            Position("BTC/USD:BTC-261225-100000-C", 1.0),
        ),
    ),))  # fmt: skip
    rows = list(empty_cells(book.Book.of(held)).values())
    assert [row["mode"] for row in rows] == ["isolated", "cross", "–", "isolated"]
    assert [row["margin"] for row in rows] == ["at entry", "–", "–", "at entry"]
    assert [row["implied_vol"] for row in rows] == ["–", "–", "–", "history"]


def test_columns_of_options_are_told_apart_and_short_enough_for_a_phone():
    symbols = ("BTC/USD:BTC-260925-100000-C", "BTC/USD:BTC-261225-100000-C", "ETH/USD:ETH-261225-2600-P",
               "BTC/USD:BTC-261225", "BTC/USD:BTC", "SOL/USD")  # fmt: skip
    names = column_names(symbols)
    assert names[:3] == ["BTC<br>100k C<br>25Sep", "BTC<br>100k C<br>25Dec", "ETH<br>2.6k P<br>25Dec"]
    assert names[3:] == ["BTC<br>25Dec<br>2026", "BTC<br>perp", "SOL<br>spot"]
    assert len(set(names)) == len(names) and max(len(line) for name in names for line in name.split("<br>")) <= 6


LOAN = Portfolio(accounts=(Account(venue="morpho", positions=(Position("USDC", -9_000.0),),
                                   collateral=(Collateral("BTC", 0.2),)),))  # fmt: skip


def test_a_debt_alone_is_ranked_among_lenders_only():
    app = opened(LOAN, "venues")
    words = said(app)
    assert "$0 for 5% odds" not in words and "Aster" not in app.header[0].value
    table = next(frame.value for frame in app.dataframe if "Cannot hold" in frame.value.columns)
    asked = table[table["Initial"].notna()]
    assert (asked["Initial"] > 0).all() and "Morpho (lending)" in set(asked["Venue"])
    binance = table[table["Venue"] == "Binance USD-M"]["Cannot hold"]
    assert all("a debt alone is margined by lenders" in why for why in binance)


def test_a_loan_that_can_neither_be_cut_nor_hedged_is_shown_what_money_does():
    app = opened(LOAN, "hedge")
    words = said(app)
    assert "See the moves of collateral" in words and "Each move is" in words
