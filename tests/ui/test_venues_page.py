"""The Venues page: every preset, spot as perpetuals, a slider of a venue's own rules, what nobody can hold."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from data.exchange import refusals, tiers
from margin import Collateral, Portfolio, Position
from margin.core.account import Account
from tests.exchange_server import ExchangeServer
from tests.exchange_server.faults import Fault
from tests.support import ROOT
from ui.blocks.formats import money
from ui.state import book, presets, prices, share


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened(portfolio: Portfolio | None = None) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if portfolio is not None:
        app.query_params[share.PARAMETER] = share.encode(replace(book.Book.of(portfolio)))
    return app.run().switch_page("pages/venues.py").run()


def check(app: AppTest) -> str:
    assert not app.exception, [e.value for e in app.exception]
    said = "\n".join(str(x.value) for x in (*app.metric, *app.markdown, *app.caption, *app.header))
    assert not re.search(r"\bnan\b|\binf\b|None", said), said
    return said


@pytest.mark.parametrize("title", [p.title for p in presets.PRESETS])
def test_every_preset(title):
    active = prices.sample()
    chosen = next(p for p in presets.PRESETS if p.title == title)
    app = opened(presets.build(chosen, active.market, active.last_day))
    check(app)
    for toggle in list(app.toggle):
        app = toggle.set_value(True).run()
        check(app)


def test_the_least_comes_first_and_every_line_has_a_source():
    app = opened()
    said = check(app)
    assert "asks least to open this book" in said
    table, lines = app.dataframe[0].value, app.dataframe[1].value
    assert "needs least for the same safety" in said
    amounts = list(table["For 5% odds in 7 days"].dropna())
    assert amounts == sorted(amounts)
    assert len(amounts) >= 12
    assert (table["For 5% odds in 7 days"].dropna() > table["Maintenance"][: len(amounts)]).all()
    refused = table[table["Initial"].isna()]
    assert refused["Cannot hold"].str.len().min() > 10
    assert lines["Source"].str.len().min() > 10
    for option in app.selectbox(key="venue_picked").options:
        app = app.selectbox(key="venue_picked").set_value(option).run()
        check(app)


def test_open_interest_raises_what_dydx_asks():
    held = Portfolio((Position("SOL/USDT:USDT", 100),), (Collateral("USDC", 5000),))
    app = opened(held)
    app = app.selectbox(key="venue_picked").set_value("dYdX v4, cross").run()

    def asked(app):
        table = app.dataframe[0].value
        return table[(table["Venue"] == "dYdX v4") & (table["Mode"] == "cross")]["Initial"].iloc[0]

    before = asked(app)
    app = app.slider(key="venue_dydx_open_interest").set_value(1.0).run()
    check(app)
    assert asked(app) > 2 * before


def test_what_nobody_can_hold_is_said():
    said = check(opened(Portfolio((Position("SPY/USD", 10),))))
    assert "No venue reproduced here can hold this book" in said


VIEWS = ("Line by line", "Which mode?", "Where it liquidates", "Scenario grid", "Tiers")


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_of_every_venue(view):
    held = Portfolio(
        (Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", -10.0, leverage=5)),
        (Collateral("USDC", 20_000), Collateral("BTC", 0.1)),
    )
    app = opened(held)
    app.query_params["venue_view"] = view
    app = app.run()
    seen = 0
    for option in app.selectbox(key="venue_picked").options:
        app = app.selectbox(key="venue_picked").set_value(option).run()
        said = check(app)
        seen += len(said)
        if view == "Where it liquidates" and "cross" in option:
            assert "All together by their betas" in said
        if view == "Scenario grid" and option.startswith("Deribit (portfolio"):
            assert "The cell marked ◆ sets the margin" in said
    assert seen


def test_a_stablecoin_below_its_peg_raises_what_derive_asks():
    held = Portfolio((Position("BTC/USDT:USDT", 1.0),), (Collateral("USDC", 20_000),))
    app = opened(held)
    app = app.selectbox(key="venue_picked").set_value("Derive, cross").run()

    def asked(app):
        table = app.dataframe[0].value
        return table[(table["Venue"] == "Derive") & (table["Mode"] == "cross")]["Initial"].iloc[0]

    before = asked(app)
    app = app.slider(key="venue_derive_stablecoin").set_value(0.95).run()
    check(app)
    assert asked(app) != before


def test_live_tiers_kept_on_this_machine_are_used_and_dated(tmp_path):
    when = datetime(2026, 3, 1, tzinfo=UTC)
    tiers.save_tiers(tiers.LiveTiers("okx", {"BTC": ((0.0, None, 0.004, 100.0),)}, {"BTC": when}), tmp_path)
    app = opened(Portfolio((Position("BTC/USDT:USDT", 1.0),), (Collateral("USDC", 20_000),)))
    said = check(app)
    assert "Live tiers in use: OKX of 2026" in said.replace("\\", "")
    table = app.dataframe[0].value
    assert set(table[(table["Venue"] == "OKX") & table["Initial"].notna()]["Mode"]) == {
        "isolated",
        "cross",
        "portfolio",
    }


def kept_in_cross(app):
    table = app.dataframe[0].value
    return table[table["Mode"] == "cross"].set_index("Venue")["Maintenance"].dropna()


def test_tiers_are_fetched_from_the_exchanges_and_used(monkeypatch, tmp_path):
    held = Portfolio((Position("SOL/USDT:USDT", 20_000.0),), (Collateral("USDC", 40_000_000.0),))
    with ExchangeServer() as server:
        monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", server.address)
        monkeypatch.setenv("MARGIN_OFFLINE", "0")
        refusals.forget()
        app = opened(held)
        carried = kept_in_cross(app)
        app = app.button(key="venues_fetch").click().run(timeout=60)
        said = check(app)
    refusals.forget()
    assert "Live tiers in use: OKX of" in said.replace("\\", "")
    fetched = kept_in_cross(app)
    assert all(fetched[venue] > 0 and fetched[venue] != carried[venue] for venue in ("OKX", "Bybit"))
    assert not app.warning


def test_a_coin_that_is_not_carried_has_its_figures_on_every_page_after_a_refresh(monkeypatch, tmp_path):
    """AVAX at OKX: refused by name; once the venue was asked, the same maintenance on Portfolio, Venues and Stress."""
    own = Account(
        name="mine", venue="okx", mode="cross", collateral=(Collateral("USDT", 20_000.0),),
        positions=(Position("AVAX/USDT:USDT", 1_000.0, leverage=10.0),),
    )  # fmt: skip
    with ExchangeServer() as server:
        monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", server.address)
        monkeypatch.setenv("MARGIN_OFFLINE", "0")
        refusals.forget()
        app = opened(Portfolio(accounts=(own,)))
        assert "OKX" not in kept_in_cross(app)
        app = app.button(key="venues_fetch").click().run(timeout=60)
        check(app)
    refusals.forget()
    asked = kept_in_cross(app)["OKX"]
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    for page in ("stress", "liquidation", "backtest"):
        seen = app.switch_page(f"pages/{page}.py").run()
        assert not seen.exception, (page, [e.value for e in seen.exception])
        texts = " ".join(e.value.replace("\\", "") for e in [*seen.caption, *seen.markdown])
        assert f"maintenance {money(asked)}" in texts, (page, texts[:400])


def test_an_exchange_that_fails_is_named_and_the_page_stays(monkeypatch, tmp_path):
    held = Portfolio((Position("BTC/USDT:USDT", 1.0),), (Collateral("USDC", 20_000.0),))
    with ExchangeServer() as server:
        server.faults.append(Fault("451", host="okx", where="all"))
        monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", server.address)
        monkeypatch.setenv("MARGIN_OFFLINE", "0")
        refusals.forget()
        app = opened(held)
        app = app.button(key="venues_fetch").click().run(timeout=60)
        check(app)
    refusals.forget()
    assert any("OKX" in str(w.value) for w in app.warning)
    assert "Bybit" in set(app.dataframe[0].value.dropna(subset=["Initial"])["Venue"])


def test_the_book_is_split_over_venues_with_the_sum_and_becomes_accounts(monkeypatch, tmp_path):
    from margin.sample.ready import sample_market
    from ui.state.book import _KEY, Book

    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))
    pair = Portfolio(
        (Position("ETH/USDT:USDT", 30.0), Position("BTC/USDT:USDT", -1.0)), (Collateral("USDC", 20_000.0),)
    )
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params[share.PARAMETER] = share.encode(Book.of(pair), "sample")
    app.query_params["venues_leverage"] = "5×"
    app.session_state["venues_split"] = True
    app.run()
    page = app.switch_page("pages/venues.py").run()
    assert not page.exception, [e.value for e in page.exception]
    table = next(f.value for f in page.dataframe if "Cannot hold" in f.value.columns and "Health" in f.value.columns)
    assert table["Status"].str.startswith("alive").any() and table["Status"].str.startswith("historic").any()
    page.selectbox(key="split_0").set_value("Hyperliquid, cross").run()
    page.selectbox(key="split_1").set_value("Bybit, cross").run()
    assert not page.exception
    said = " ".join(m.value.replace("\\", "") for m in page.markdown)
    parts = next(f.value for f in page.dataframe if "Positions" in f.value.columns).set_index("Venue")
    usd = [parts.loc[name, "Initial"] for name in ("Hyperliquid", "Bybit")]
    assert "Split over 2 venues the book asks" in said
    (total,) = re.findall(r"Split over 2 venues the book asks \*\*\$([\d,]+)", said)
    assert abs(float(total.replace(",", "")) - sum(usd)) <= 1.0
    gross = sum(abs(p.quantity) * sample_market().price(p.underlying) for p in pair.positions)
    assert sum(usd) == pytest.approx(gross / 5.0, rel=0.01)  # five times, as chosen
    page.button(key="split_use").click().run()
    accounts = app.session_state[_KEY].present.book.portfolio.accounts
    assert [a.venue for a in accounts] == ["hyperliquid", "bybit"]
    assert sum(c.quantity for a in accounts for c in a.collateral) == pytest.approx(20_000.0)
