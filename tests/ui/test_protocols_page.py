"""The Protocols page: every wallet, rule, view and network; its headline is the engine's own answer."""

import json
import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from margin import Collateral, Portfolio, Position
from margin.protocols.paid import along_falls, textbook
from margin.protocols.wallet import NAMES, RULES
from tests.support import ROOT
from ui.charts.protocols import _labels
from ui.protocols import wallets
from ui.protocols.double_count import said as lesson_said
from ui.state import book, prices, share

VIEWS = ("Sharing", "Counted twice", "Contagion", "Events", "Fund")


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened(view: str, portfolio: Portfolio | None = None, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if portfolio is not None:
        app.query_params[share.PARAMETER] = share.encode(replace(book.Book.of(portfolio)))
    app = app.run()
    app.query_params["protocols_view"] = view
    for key, value in query.items():
        app.query_params[key] = value
    return app.switch_page("pages/protocols.py").run()


def check(app: AppTest) -> str:
    assert not app.exception, [e.value for e in app.exception]
    said = "\n".join(str(x.value) for x in (*app.metric, *app.markdown, *app.caption, *app.header))
    assert not re.search(r"\bnan\b|\binf\b|None", said), said
    return said.replace("\\", "")


@pytest.mark.parametrize("view", VIEWS)
def test_every_view(view):
    app = opened(view)
    check(app)
    assert not app.warning, [w.value for w in app.warning]


@pytest.mark.parametrize("kind", [*wallets.SHAPES])
def test_every_wallet_has_a_headline_of_the_form(kind):
    said = check(opened("Sharing", protocols_wallet=kind))
    assert re.search(r"Sharing this ETH (frees|costs) \$[\d,]+ \(\d+(\.\d)?%\) at equal odds of a call \(5", said), said
    assert "counted twice it would" in said


def test_the_headline_is_the_engines_answer():
    app = opened("Sharing")
    said = check(app)
    active = prices.sample()
    wanted = wallets.Asked(
        portfolio=wallets._made(active, "ETH", "ETH", 20_000.0),
        debt=10_000.0,
        lender="aave:cross",
        venue="hyperliquid:cross",
        odds=0.05,
        days=7,
        theta=0.8,
        weight=None,
    )
    found = wallets.compared(wanted, active, None)
    freed, twice = found.equal.saved("unified"), found.equal.saved("double")
    whole = found.equal.of("separate").capital
    loss = found.equal.of("double").expected_shortfall
    assert (
        f"Sharing this ETH {'frees' if freed >= 0 else 'costs'} ${abs(freed):,.0f} ({100 * abs(freed) / whole:.0f}%)"
    ) in said
    assert f"counted twice it would free ${twice:,.0f} and leave others ${loss:,.0f} of expected loss" in said
    least = found.split.capital - found.equal.of("unified").capital
    assert f"compared with that, sharing {'frees' if least >= 0 else 'costs'} ${abs(least):,.0f}" in said
    table = app.dataframe[0].value.set_index("Rule")
    assert table.loc["Unified account", "Capital"] == round(found.equal.of("unified").capital)


@pytest.mark.parametrize("rule", RULES)
def test_who_is_paid_what_under_every_rule(rule):
    app = opened("Sharing", protocols_rule=NAMES[rule], protocols_fall="-60")
    check(app)
    assert app.radio(key="protocols_rule").value == rule
    labels = [m.label for m in app.metric]
    assert labels == (["The account's gap"] if rule == "unified" else ["Lender's gap", "Venue's gap"]) + ["Others lose"]


def test_the_lesson_says_what_the_closed_forms_say():
    """$1,000 of ETH, $400 owed, long $500 counted twice: nothing left at -40%, the lender calls at -51.8%."""
    words = lesson_said(along_falls(textbook(), "double"))
    assert "fall of 40.0% the wallet is worth nothing" in words.replace("40%", "40.0%")
    assert "51.8%" in words and "certain" in words
    app = opened("Counted twice")
    assert "certain" in check(app)
    app = app.slider(key="protocols_long").set_value(0).run()
    assert "worth nothing only at" in check(app)


def test_my_portfolio_as_the_wallet_and_one_that_cannot_be():
    mine = Portfolio((Position("ETH/USDC:USDC", -5),), (Collateral("ETH", 10.0), Collateral("USD", -4000.0)))
    said = check(opened("Sharing", mine, protocols_wallet=wallets.OWN))
    assert "Sharing this ETH" in said and "assumed" not in said
    bare = Portfolio((Position("ETH/USDC:USDC", -5),), (Collateral("USD", 4000.0),))
    app = opened("Sharing", bare, protocols_wallet=wallets.OWN)
    check(app)
    assert "no coin" in app.warning[0].value.replace("\\", "")


@pytest.mark.parametrize("model", ["clearing", "debtrank", "fire-sales", "cascade"])
def test_every_model_of_contagion(model):
    app = opened("Contagion", protocols_model=model)
    check(app)
    assert not app.warning, [w.value for w in app.warning]


def test_a_reported_failure_clears_as_reported():
    """Stream, assets of 138 against 284.9 owed: creditors recover 48.4%."""
    app = opened("Contagion")
    options = app.selectbox(key="protocols_network").options
    app = app.selectbox(key="protocols_network").set_value(next(o for o in options if "Stream" in o)).run()
    check(app)
    assert 48.4 in app.dataframe[0].value["Recovery"].tolist()


def test_a_harder_shock_costs_more():
    lost = []
    for move in ("-10", "-50"):
        said = check(opened("Contagion", protocols_shock=move))
        lost.append(float(re.search(r"\$([\d,]+) of equity is gone", said)[1].replace(",", "")))
    assert lost[0] < lost[1]


def test_a_wallet_chosen_stays_when_another_view_is_looked_at():
    app = opened("Sharing")
    before = check(app)
    app = app.selectbox(key="protocols_wallet").set_value(wallets.SHORT_OTHER).run()
    chosen = check(app)
    assert chosen != before
    app.session_state["protocols_view"] = "Events"
    app = app.run()
    assert not app.exception
    app.session_state["protocols_view"] = "Sharing"
    assert check(app.run()).split("Sharing this")[1][:60] == chosen.split("Sharing this")[1][:60]


def test_dexposures_snapshots_with_their_names_are_read_from_an_upload():
    week = {
        "nodes": [
            {"id": "1599", "size": 300.0, "composition": {"ETH": 300e6}},
            {"id": "182", "size": 200.0, "composition": {"ETH": 200e6}},
        ],
        "links": [{"source": "1599", "target": "182", "size": 180e6, "composition": {"STETH": 180e6}}],
    }
    snapshots = json.dumps({"data": {"2025-06-30": week}}).encode()
    names = b"id,name,category\n182,Lido,Liquid Staking\n1599,AAVE V3,Lending\n"
    app = opened("Contagion", protocols_network="Your file")
    app = app.file_uploader(key="protocols_network_file").set_value(
        [("week.json", snapshots, "application/json"), ("meta_df.csv", names, "text/csv")]
    )
    app = app.run()
    said = check(app)
    assert "DeXposure's week of 2025-06-30" in said  # a date keeps its hyphens
    assert set(app.dataframe[0].value["Node"]) == {"Lido", "AAVE V3"}


def test_loans_without_recourse_show_what_their_collateral_pays():
    network = {
        "nodes": [{"id": "b", "cash": 500}, {"id": "l"}],
        "loans": [{"from": "b", "to": "l", "usd": 600, "collateral": {"ETH": 10}}],
        "prices": {"ETH": 100},
    }
    app = opened("Contagion", protocols_network="Your file", protocols_shock="-50")
    app = app.file_uploader(key="protocols_network_file").set_value(
        [("N.json", json.dumps(network).encode(), "application/json")]
    )
    app = app.run()
    assert "paid out of their collateral alone" in check(app)
    loan = app.dataframe[1].value.iloc[0]
    assert (loan["Loan of"], loan["From"]) == ("b", "l")
    assert loan[["Owed", "Paid", "Collateral"]].tolist() == [600, 500, 500]


def test_a_name_of_the_frontier_lies_on_no_other_dot():
    spots = [("Unified account", 0.27, 0.0), ("Second lien", 0.336, 0.087), ("Counted twice", 0.0, 1.0)]
    assert _labels(spots) == [1, 2, 0]  # both above the second dot, and not on one another
    assert _labels(spots[::2]) == [0, 0]


def test_odds_below_one_percent_have_no_figure():
    """As on every page: no figure of odds is known that small."""
    tables = [f.value for f in check_frames("Sharing")]
    odds = next(t for t in tables if "Odds: lender, venue" in t)["Odds: lender, venue"].tolist()
    assert any("below 1%" in said for said in odds) and not any(re.search(r"\b0\.\d+%", said) for said in odds)


def check_frames(view: str):
    app = opened(view)
    assert not app.exception
    return app.dataframe
