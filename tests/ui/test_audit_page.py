"""The Audit page: the made-up venue, uploads, rules, views, and one account that shows the same numbers on Portfolio."""

import io
import re

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from margin.audit.make import synthetic
from margin.audit.one import find_account, one_account, portfolio_of, position_of, two_coins
from margin.audit.parts import open_source
from margin.audit.plan import make_plan
from margin.audit.scan import audit_accounts
from margin.core.errors import InputError
from tests.support import ROOT
from ui.state import prices

VIEWS = ("Shocks", "Health", "Concentration", "Checks", "One account")
SMALL = {"audit_accounts": "10,000"}


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90).run()
    for key, value in {**SMALL, **query}.items():
        app.query_params[key] = value
    return app.switch_page("pages/audit.py").run()


def check(app: AppTest) -> str:
    assert not app.exception, [e.value for e in app.exception]
    said = "\n".join(str(x.value) for x in (*app.metric, *app.markdown, *app.caption, *app.header))
    assert not re.search(r"\bnan\b|\binf\b|None", said), said
    return said.replace("\\", "")


def test_opens_on_a_venue_of_200_000_accounts():
    app = opened(audit_accounts="200,000")
    assert re.search(
        r"Of 200,000 accounts [\d.]+% would be closed at −10%; the \$20M fund covers [\d.]+% of", check(app)
    )


@pytest.mark.parametrize("view", VIEWS)
def test_every_view(view):
    app = opened(audit_view=view)
    check(app)
    assert not app.warning, [w.value for w in app.warning]


@pytest.mark.parametrize("model", ["isolated", "hyperliquid:cross", "dydx:cross"])
def test_every_kind_of_rule(model):
    app = opened()
    before = check(app)
    app = app.selectbox(key="audit_model").set_value(model).run()
    after = check(app)
    assert not app.warning, [w.value for w in app.warning]
    assert before.split("Of 10,000")[1][:30] != after.split("Of 10,000")[1][:30]


def test_the_headline_is_the_engines_count():
    market = prices.sample().market
    plan = make_plan(market)
    _, total = audit_accounts(plan, synthetic(plan, 10_000, 1))
    closed = int(total.closed[plan.names.index("all -10%")])
    assert f"Of 10,000 accounts {100 * closed / 10_000:.1f}% would be closed" in check(opened())


def test_one_account_opens_on_portfolio_and_shows_the_same_numbers():
    app = opened(audit_view="One account")
    name = app.selectbox(key="audit_listed_Largest").options[2]
    app = app.text_input(key="audit_named").set_value(name).run()
    shown = {m.label: m.value for m in app.metric}
    check(app)
    app = app.button(key="audit_open").click().run()
    said = check(app)
    portfolio = {m.label: m.value for m in app.metric}
    assert portfolio["Portfolio"] == shown["Requirement"]
    assert f"Account {name}" in str(app.session_state["book_history"].present.book.name)
    assert portfolio["Health"].startswith(shown["Health"]), (portfolio["Health"], shown["Health"], said)


def parquet(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.to_parquet(out)
    return out.getvalue()


def uploaded(positions: bytes, accounts: bytes | None, name: str = "positions.parquet") -> AppTest:
    app = opened(audit_book="My files")
    app = app.file_uploader(key="audit_positions").set_value([(name, positions, "application/octet-stream")])
    if accounts is not None:
        app = app.run()
        app.file_uploader(key="audit_money").set_value([("a.parquet", accounts, "application/octet-stream")])
        return app.run()
    return app.run()


def rows() -> tuple[pd.DataFrame, pd.DataFrame]:
    positions = pd.DataFrame(
        {"account": ["a", "a", "b", "c"], "asset": ["BTC", "ETH", "BTC", "BTC"], "quantity": [1.0, -10.0, -1.0, np.nan]}
    )
    return positions, pd.DataFrame({"account": ["a", "b", "c"], "equity": [20_000.0, 30_000.0, 100.0]})


def test_uploaded_files_are_audited_and_what_cannot_be_used_is_counted():
    positions, accounts = rows()
    said = check(uploaded(parquet(positions), parquet(accounts)))
    assert "Of 3 accounts" in said
    assert "1 row was set aside: 1 a size that is missing" in said


def test_a_csv_serves_too_and_its_name_is_never_a_path():
    positions, accounts = rows()
    text = positions.merge(accounts).dropna().to_csv(index=False).encode()
    assert "Of 2 accounts" in check(uploaded(text, None, "../../etc/x.csv"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PAR1 not one", "cannot be read"),
        (b"", "cannot be read"),
        (parquet(pd.DataFrame({"x": [1]})), "no form known"),
    ],
    ids=["truncated", "empty", "foreign"],
)
def test_a_damaged_or_foreign_file_is_one_clear_line(content, says):
    app = uploaded(content, None)
    check(app)
    assert len(app.warning) == 1
    assert says in app.warning[0].value.replace("\\", "")


def test_paths_of_the_server_are_not_offered_unless_its_owner_says_so(monkeypatch, tmp_path):
    assert "Files on this machine" not in opened().segmented_control(key="audit_book").options
    monkeypatch.setenv("MARGIN_LOCAL_FILES", "1")
    positions, accounts = rows()
    positions.to_parquet(tmp_path / "positions-000.parquet")
    accounts.to_parquet(tmp_path / "accounts-000.parquet")
    app = opened(audit_book="Files on this machine")
    app = app.text_input(key="audit_path").set_value(str(tmp_path)).run()
    assert "Of 3 accounts" in check(app)


def test_a_market_of_accounts_can_start_from_the_audited_book():
    app = opened()
    check(app)
    app.query_params["liquidation_view"] = "A whole market"
    app = app.switch_page("pages/liquidation.py").run()
    before = app.dataframe[0].value["Accounts hit"].tolist()
    app = app.segmented_control(key="world_source").set_value("The audited book").run()
    said = check(app)
    assert app.dataframe[0].value["Accounts hit"].tolist() != before
    assert "made-up venue" in said


def test_accounts_are_found_in_files_and_as_portfolios(tmp_path):
    market = prices.sample().market
    plan = make_plan(market)
    positions, accounts = rows()
    positions.to_parquet(tmp_path / "positions-000.parquet")
    accounts.to_parquet(tmp_path / "accounts-000.parquet")
    source = open_source(str(tmp_path))
    found = find_account(plan, source, "a")
    book = portfolio_of(plan, found, 0)
    assert {p.underlying: pytest.approx(p.quantity) for p in book.positions} == {"BTC": 1.0, "ETH": -10.0}
    assert book.collateral[0].quantity == 20_000
    with pytest.raises(InputError, match="not in this book"):
        find_account(plan, source, "nobody")


def test_two_coins_keep_the_largest_markets_and_their_share_of_equity():
    market = prices.sample().market
    plan = make_plan(market)
    held = synthetic(plan, 5000, 2)
    found = two_coins(plan, held)
    interest = np.bincount(held.legs, np.abs(held.usd), len(plan.assets))
    assert {plan.assets.index(a) for a in found.assets} == set(np.argsort(-interest)[:2].tolist())
    assert len(found.equity) + found.left_out == 5000
    first = found.usd[:, 0]
    largest = held.usd[held.legs == plan.assets.index(found.assets[0])]
    assert np.abs(first).sum() == pytest.approx(np.abs(largest).sum())
    alone = one_account(held, position_of(plan, held, "7"))
    assert alone.labels[0] == 7
    assert (found.equity > 0).all()


def test_the_venues_own_figure_and_what_goes_beyond_the_fund():
    app = opened(audit_view="Checks")
    equity = float(str(shown(app, "Equity of all accounts")).replace("$", "").replace(",", ""))
    app.number_input(key="audit_tvl").set_value(2.0 * equity).run()
    check(app)
    assert shown(app, "Beside what the venue reports") == "−50.0%"
    app = opened(audit_view="Shocks")
    app.select_slider(key="audit_fund").set_value(1e6).run()
    frame = next(f.value for f in app.dataframe if "Beyond the fund" in f.value)
    amounts = frame[["Shortfall", "Fund left", "Beyond the fund"]].astype(str).replace(r"[$,]", "", regex=True)
    short, left, beyond = (amounts[name].astype(float) for name in amounts)
    assert (left >= 0).all() and (beyond > 0).any()
    np.testing.assert_allclose(left - beyond, 1e6 - short, atol=2)


def shown(app: AppTest, check: str) -> str:
    frame = next(f.value for f in app.dataframe if "Check" in f.value)
    return frame.set_index("Check")["Found"][check]
