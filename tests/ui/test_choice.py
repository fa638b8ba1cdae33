"""The choice in the header: one account or all, one margin model, the same on every page and in the address."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from margin import Portfolio, models
from margin.core.account import Account
from margin.core.position import Collateral, Position
from tests.support import ROOT
from ui.shell.facts import page_facts
from ui.state import book, choice, share

JUDGED = [f"pages/{page.path.name}" for page in page_facts() if page.judged]
TWO = Portfolio(
    accounts=(
        Account(
            name="first", venue="hyperliquid", positions=(Position("BTC/USDC:USDC", 1, leverage=10),),
            collateral=(Collateral("USDC", 20_000),),
        ),
        Account(
            name="second", venue="binance", positions=(Position("ETH/USDT:USDT", -30, leverage=10),),
            collateral=(Collateral("USDT", 30_000),),
        ),
    )
)  # fmt: skip


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened(**address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params[share.PARAMETER] = share.encode(book.Book.of(TWO))
    for key, value in address.items():
        app.query_params[key] = value
    return app.run()


def test_the_pages_that_answer_for_an_account_say_so():
    assert {"pages/stress.py", "pages/liquidation.py", "pages/backtest.py", "pages/venues.py"} <= set(JUDGED)


def test_one_account_of_a_book_is_a_book_with_the_same_rows():
    whole = book.Book.of(TWO)
    second = whole.only(1)
    assert [p.symbol for p in second.portfolio.positions] == ["ETH/USDT:USDT"]
    assert second.portfolio.accounts[0].venue == "binance"
    assert [d.id for d in second.positions] == [d.id for d in whole.positions if d.account == 1]
    assert whole.only(0).portfolio.accounts[0] == whole.portfolio.accounts[0]


def drawn(**address: str) -> AppTest:
    """The header's choice alone, in a visit that began with this link."""

    def script() -> None:
        from ui.shell.judge import judge
        from ui.state.session import open_session

        open_session()
        judge()

    app = AppTest.from_function(script, default_timeout=60)
    app.query_params[share.PARAMETER] = share.encode(book.Book.of(TWO))
    for key, value in address.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, [e.value for e in app.exception]
    return app


@pytest.mark.parametrize("page", JUDGED)
def test_every_judging_page_answers_under_another_model_for_one_account(page):
    app = opened(account="1", model="bybit:cross").switch_page(page).run()
    assert not app.exception, [e.value for e in app.exception]
    assert app.session_state["account"] == "1" and app.session_state["model"] == "bybit:cross"


def test_a_link_chooses_and_the_header_changes_the_choice():
    app = drawn(account="1", model="bybit:cross")
    assert app.selectbox(key="account").value == "1"
    assert app.selectbox(key="model").value == "bybit:cross"
    app.selectbox(key="model").set_value("hyperliquid:cross").run()
    assert app.session_state["model"] == "hyperliquid:cross"
    assert len(app.selectbox(key="model").options) == len(models.keys()) + 1  # and "as held"


@pytest.mark.parametrize("asked", [{"account": "7", "model": "nobody:cross"}, {"account": "-1"}, {"account": "x" * 99}])
def test_an_unknown_choice_in_a_link_opens_the_default(asked):
    app = drawn(**asked)
    assert app.selectbox(key="account").value == choice.ALL
    assert app.selectbox(key="model").value == choice.OWN


def test_an_account_without_a_name_is_called_as_in_the_header_on_every_page():
    """By its venue, numbered where two are at one; so the liquidation of one is found again in the list of accounts."""
    unnamed = Portfolio(accounts=[replace(a, name="", venue="binance", mode="cross") for a in TWO.accounts])
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params[share.PARAMETER] = share.encode(book.Book.of(unnamed))
    app.run()
    page = app.switch_page("pages/liquidation.py").run()
    names = set(next(d.value for d in page.dataframe if "Liquidated below" in d.value)["Account"])
    assert {"Binance USD-M", "Binance USD-M (2)"} <= names
    assert not [name for name in names if name.lower().startswith("account")]
    assert book.Book.of(unnamed).accounts[0].name == ""
