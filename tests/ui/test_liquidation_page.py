"""The Liquidation page: every view, every preset, every venue's rules, recorded and simulated paths, the whole market."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from data.exchange import refusals
from margin import Collateral, Portfolio, Position
from margin.liquidation.closing import venues
from margin.liquidation.moves import ALL, FatalMove
from tests.exchange_server import ExchangeServer
from tests.support import ROOT
from ui.liquidation.page import headline
from ui.state import book, presets, prices, share

VIEWS = ("Where", "What happens next", "A whole market", "Loss allocation")


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened(view: str, portfolio: Portfolio | None = None) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if portfolio is not None:
        made = book.Book.of(portfolio)
        app.query_params[share.PARAMETER] = share.encode(replace(made))
    app = app.run()
    app.query_params["liquidation_view"] = view
    return app.switch_page("pages/liquidation.py").run()


def check(app: AppTest) -> str:
    assert not app.exception, [e.value for e in app.exception]
    said = "\n".join(str(x.value) for x in (*app.metric, *app.markdown, *app.caption, *app.header))
    assert not re.search(r"\bnan\b|\binf\b|None", said), said
    return said


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("title", [p.title for p in presets.PRESETS])
def test_every_view_of_every_preset(title, view):
    active = prices.sample()
    chosen = next(p for p in presets.PRESETS if p.title == title)
    app = opened(view, presets.build(chosen, active.market, active.last_day))
    said = check(app)
    assert not app.warning, [w.value for w in app.warning]
    assert (
        "liquidates" in said or "Liquidated before" in said or "No move of one price" in said or "owned coins" in said
    )
    if title == "Three venues" and view == "What happens next":
        said = said.replace("\\", "")
        assert "- day 1, at the close, **Binance USD-M**: margin call: equity −" in said
        assert "How Bybit closes an account is not carried here" in said


@pytest.mark.parametrize("venue", [r.name for r in venues()])
def test_every_venues_rules_along_both_kinds_of_path(venue):
    poor = Portfolio((Position("BTC/USDT:USDT", 1), Position("ETH/USDT:USDT", -10)), (Collateral("USD", 9_000),))
    app = opened("What happens next", poor)
    app = app.selectbox(key="liquidation_venue").set_value(venue).run()
    said = check(app)
    assert venue in said.replace("\\", "")
    app = app.selectbox(key="liquidation_path").set_value(app.selectbox(key="liquidation_path").options[-1]).run()
    check(app)


def test_recorded_funding_is_paid_along_a_recorded_path(monkeypatch):
    monkeypatch.delenv("MARGIN_OFFLINE")
    long = Portfolio((Position("BTC/USDT:USDT", 0.5),), (Collateral("USDC", 12_000.0),))
    with ExchangeServer() as server:
        monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", server.address)
        refusals.forget()
        app = opened("What happens next", long)
        assert not [t for t in app.toggle if t.key == "liquidation_funding"], "a simulated path has no dates"
        app = app.selectbox(key="liquidation_path").set_value(app.selectbox(key="liquidation_path").options[-1]).run()
        app = app.toggle(key="liquidation_funding").set_value(True).run()
        assert "Funding on this path, as held: paid $" in check(app).replace("\\", "")
    refusals.forget()


def test_a_larger_shock_liquidates_more():
    app = opened("A whole market")
    before = app.dataframe[0].value["Accounts hit"].tolist()
    app = app.slider(key="world_shock").set_value(-50).run()
    check(app)
    after = app.dataframe[0].value["Accounts hit"]
    assert all(a < b for a, b in zip(before, after, strict=True))


def test_a_shock_that_bankrupts_nobody_is_a_message():
    app = opened("Loss allocation")
    app = app.slider(key="adl_shock").set_value(0).run()
    check(app)
    assert "nobody" in app.warning[0].value


def test_options_only_and_nothing():
    only = Portfolio((Position("BTC/USD:BTC-261225-80000-C", 1),), (Collateral("USD", 1e4),))
    app = opened("What happens next", only)
    check(app)
    assert not app.warning
    app = opened("Where", Portfolio())
    check(app)
    assert "empty" in app.info[0].value


def move(account, name, fall=None, rise=None, alone=False):
    return FatalMove(account=account, name=name, fall=fall, rise=rise, spot=None, alone=alone)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([move("the pool", "ETH", fall=-0.231), move("the pool", ALL, rise=7.924)],
         "A fall of 23.1% in ETH liquidates the pool; so does a rise of 792.4% in all prices together. "),
        ([move("the pool", "ETH", fall=-0.231), move("BTC alone", ALL, fall=-0.31)],
         "A fall of 23.1% in ETH liquidates the pool; a fall of 31.0% in all prices together liquidates BTC alone. "),
        ([move("the pool", "ETH", fall=-0.231)],
         "A fall of 23.1% in ETH liquidates the pool; no move of all prices together does. "),
        ([move("the pool", ALL, fall=-0.5)],
         "No move of one price alone liquidates the account, but a fall of 50.0% in all prices together does. "),
        ([], "No move of one price, nor of all together, liquidates the account. "),
    ],
)  # fmt: skip
def test_the_headline_is_a_sentence(rows, said):
    held = SimpleNamespace(positions=(1,), dead=())
    assert headline(held, rows) == said + "No position is liquidated alone by any move of its own price."
    alone = [*rows, move("SOL", "SOL", rise=0.1, alone=True)]
    assert headline(held, alone) == said + "In an isolated account of its own SOL lasts to a rise of 10.0%."
