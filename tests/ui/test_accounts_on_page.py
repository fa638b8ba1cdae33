"""Several accounts on the Portfolio page: the first screen as held, each account's line, ours beside the venue's, edits."""

import json

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from margin.core.portfolio import Account, Collateral, Portfolio, Position
from margin.core.settings import Settings
from margin.ladder.compare import compare
from margin.liquidation.nearest import nearest_liquidation
from margin.liquidation.standing import standing
from margin.sample.ready import sample_market
from tests.support import ROOT
from ui.state import share
from ui.state.book import _KEY, Book

SAYS = {"maintenance": 75.0, "liquidation_prices": {"ETH/USDC:USDC": None}}
HYPERLIQUID = Account(
    name="HL main", venue="hyperliquid", mode="cross", as_of="2026-03-30T10:00:00Z",
    positions=(Position("ETH/USDC:USDC", 2.0, 2100.0, 20.0, mark_price=2000.0),),
    collateral=(Collateral("USDC", 3_000.0),), venue_says=SAYS,
)  # fmt: skip
OURS = Account(positions=(Position("BTC/USDT:USDT", -0.05, 70_000.0),), collateral=(Collateral("USDC", 2_000.0),))
BOOK = Portfolio(accounts=(HYPERLIQUID, OURS))


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened(portfolio: Portfolio = BOOK, panel: str = "") -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params[share.PARAMETER] = share.encode(Book.of(portfolio), "sample")
    if panel:
        app.session_state[panel] = True
    app.run()
    assert not app.exception, [e.value for e in app.exception]
    return app


def cards(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def accounts(app: AppTest) -> tuple[Account, ...]:
    return app.session_state[_KEY].present.book.portfolio.accounts


def test_the_first_screen_is_the_engines():
    market = sample_market()
    result = compare(BOOK, market)
    shown = cards(opened())
    assert result.as_held is not None
    figures = standing(result)
    wanted = {
        "As held": result.as_held.initial, "In one pool": result.as_held.pooled, "Freed": result.as_held.saved,
        "Equity": figures.equity, "Free": figures.free,
    }  # fmt: skip
    from ui.blocks.formats import money, price

    assert {label: shown[label] for label in wanted} == {label: money(value) for label, value in wanted.items()}
    near = min((nearest_liquidation(a, market) for a in BOOK.accounts), key=lambda n: abs(n.move) if n else 9e9)
    assert shown["Nearest liquidation"] == price(near.price)


def test_the_nearest_liquidation_is_the_liquidation_pages():
    from margin.liquidation.moves import fatal_moves, nearest_fatal
    from margin.stress.held import stress_book
    from ui.blocks.formats import price

    found = nearest_fatal(fatal_moves(stress_book(BOOK, sample_market(), Settings())))
    assert found is not None and found.spot is not None and found.nearest is not None
    assert cards(opened())["Nearest liquidation"] == price(found.spot * (1.0 + found.nearest))


def test_each_account_has_a_line_and_ours_stands_beside_the_venues():
    app = opened()
    text = "\n".join(str(m.value) for m in app.markdown).replace("\\", "")
    assert "HL main** · Hyperliquid, cross" in text and "Account 2** · our portfolio method" in text
    titles = [e.label for e in app.expander]
    assert any("of 2 figures are what Hyperliquid said" in title for title in titles), titles


def test_a_row_without_prices_here_is_compared_at_the_venues_own_mark():
    share_of_stock = Position("XYZ-SPCX/USDC:USDC", 1.0, 400.0, 10.0, mark_price=410.0)
    says = {"liquidation_prices": {"ETH/USDC:USDC": None, "XYZ-SPCX/USDC:USDC": None}}
    held = Account(name="HL main", venue="hyperliquid", mode="cross", as_of=HYPERLIQUID.as_of, collateral=HYPERLIQUID.collateral,
                   positions=(*HYPERLIQUID.positions, share_of_stock), venue_says=says)  # fmt: skip
    app = opened(Portfolio(accounts=(held, OURS)))
    captions = "\n".join(str(c.value) for c in app.caption)
    assert "no position of the account" not in captions, captions
    assert any("of 2 figures are what Hyperliquid said" in e.label for e in app.expander)


def test_an_account_that_is_not_covered_says_so_and_the_sum_is_not_computed():
    unknown = Account(venue="nowhere", positions=(Position("ETH/USDC:USDC", 1.0),))
    app = opened(Portfolio(accounts=(unknown, OURS)))
    assert cards(app)["As held"] == "–"
    assert "not computed" in "\n".join(str(m.value) for m in app.markdown)


def test_accounts_are_added_named_copied_moved_and_removed_each_undone():
    app = opened(panel="panel_accounts")
    app.button(key="account_add").click().run()
    assert len(accounts(app)) == 3
    app.button(key="account_copy_0").click().run()
    assert accounts(app)[3].positions == HYPERLIQUID.positions
    version = app.session_state[_KEY].version
    app.text_input(key=f"account_name_2_{version}").set_value("cold").run()
    assert accounts(app)[2].name == "cold"
    version = app.session_state[_KEY].version
    app.multiselect(key=f"move_rows_{version}").set_value([1]).run()
    app.selectbox(key=f"move_to_{version}").set_value(2).run()
    app.button(key="account_move").click().run()
    assert [p.symbol for p in accounts(app)[2].positions] == ["ETH/USDC:USDC"]
    app.button(key="account_remove_2").click().run()
    assert len(accounts(app)) == 3
    app.button(key="undo").click().run()
    assert len(accounts(app)) == 4
    assert not app.exception


def test_a_venue_given_to_an_account_changes_who_judges_it():
    app = opened(Portfolio(accounts=(OURS,)), panel="panel_accounts")
    version = app.session_state[_KEY].version
    app.selectbox(key=f"account_venue_0_{version}").set_value("binance").run()
    assert not app.exception
    assert accounts(app)[0].venue == "binance"
    assert "As held" in cards(app)


def test_version_2_json_can_be_downloaded_and_read_back():
    book = opened().session_state[_KEY].present.book
    assert Portfolio.from_json(book.portfolio.to_json()) == BOOK
    assert json.loads(book.portfolio.to_json())["accounts"][0]["venue_says"]["maintenance"] == 75.0


def test_standing_of_one_account_is_its_own():
    result = compare(Portfolio(accounts=(OURS,)), sample_market(), settings=Settings())
    figures = standing(result)
    assert (figures.equity, figures.free, figures.health) == (
        result.account.equity, result.account.free_equity, result.account.health,
    )  # fmt: skip


@pytest.mark.parametrize("title", ["Three venues", "Carry over two accounts"])
def test_presets_of_several_accounts_say_what_pooling_frees(title):
    from ui.state import presets, prices

    active = prices.sample()
    made = presets.build(next(p for p in presets.PRESETS if p.title == title), active.market, active.last_day)
    app = opened(made)
    shown = cards(app)
    assert {"As held", "In one pool", "Freed", "Isolated", "Portfolio", "With safeguards", "Saved", "Health"} <= set(
        shown
    )
    said = [h.value for h in app.header]
    assert any("accounts need" in text and "in one pool" in text for text in said), said


def test_two_accounts_stand_side_by_side():
    result = compare(BOOK, sample_market())
    app = opened(panel="side_by_side")
    table = next(frame.value for frame in app.dataframe if "Figure" in frame.value.columns)
    first, second = [c for c in table.columns if c not in ("Figure", "Difference")]
    assert (first, second) == ("1. HL main", "2. Account 2")
    rows = table.set_index("Figure")
    assert result.as_held is not None
    from ui.blocks.formats import money, price

    a, b = result.as_held.accounts
    assert (rows.loc["Equity", first], rows.loc["Equity", second]) == (money(a.equity), money(b.equity))
    assert rows.loc["Equity", "Difference"] == money(b.equity - a.equity)
    assert rows.loc["Health", first] == f"{a.health:,.2f}×"
    near = nearest_liquidation(BOOK.accounts[1], sample_market())
    assert near is not None and price(near.price) in rows.loc["Nearest liquidation", second]
    wide = sum(abs(p.delta_usd) for p in result.positions)
    from ui.portfolio.side_by_side import gross

    assert sum(gross(result, BOOK.accounts)) == pytest.approx(wide)
    held = next(frame.value for frame in app.dataframe if "Held" in frame.value.columns).set_index("Held")
    assert held.loc["ETH/USDC:USDC", first] == 2 and pd.isna(held.loc["ETH/USDC:USDC", second])
    assert held.loc["USDC, collateral", second] == 2000
    app.selectbox(key="side_second").set_value("1. HL main").run()
    assert not app.exception


def test_a_dead_account_is_bold_in_its_line_and_plain_in_the_table():
    bare = Account(
        name="bare", positions=(Position("BTC/USDT:USDT", 1.0, 90_000.0),), collateral=(Collateral("USDC", 1.0),)
    )
    app = opened(Portfolio(accounts=(bare, OURS)), panel="side_by_side")
    table = next(frame.value for frame in app.dataframe if "Figure" in frame.value.columns).set_index("Figure")
    assert table.loc["Nearest liquidation", "1. bare"] == "liquidated already"
    assert any("**liquidated already**" in str(m.value) for m in app.markdown)


def test_collateral_moves_to_another_account_by_its_name():
    from dataclasses import replace

    from ui.state.accounts import labels
    from ui.state.rows import kept_with_account, shown_with_account

    before = Book.of(BOOK)
    names = labels(before.accounts)
    shown = shown_with_account(before.collateral, names)
    assert [row.cells[-1] for row in shown] == ["HL main", "Account 2"]
    moved = replace(shown[0], cells=(*shown[0].cells[:-1], "account 2"))
    rows, problems = kept_with_account((moved, shown[1]), before.collateral, names)
    assert not problems and [row.account for row in rows] == [1, 1]
    lost = replace(shown[0], cells=(*shown[0].cells[:-1], "nowhere"))
    rows, problems = kept_with_account((lost, shown[1]), before.collateral, names)
    assert [row.account for row in rows] == [0, 1] and "nowhere" in problems[shown[0].id].text
