"""Live margin tiers through the real ccxt code against the loopback exchanges: units, gaps, failures, the kept copy."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from data.errors import FetchError
from data.exchange.tiers import LiveTiers, fetch_tiers, load_tiers, save_tiers
from margin import Collateral, InputError, Portfolio, Position, models, venues
from margin.core.account import Account
from tests.data.exchange.conftest import QUICK
from tests.exchange_server.faults import Fault

NOW_DAY = pd.Timestamp("2026-03-20")


def test_okx_counts_contracts_and_leaves_gaps_of_one(server):
    """Contracts of 0.01 coins: 2,000 of them are 20 coins, and the second tier begins there, not at 20.01."""
    found = fetch_tiers("okx", ["BTC", "ETH"], QUICK)
    assert found.rows["BTC"] == (
        (0.0, 20.0, 0.004, 100.0),
        (20.0, 80.0, 0.0065, 75.0),
        (80.0, None, 0.01, 50.0),
    )
    assert found.rows["ETH"] == found.rows["BTC"]


def test_bybit_counts_dollars_and_the_deduction_is_reckoned(server):
    found = fetch_tiers("bybit", ["BTC"], QUICK)
    assert found.rows["BTC"][1] == (2_000_000.0, 2_600_000.0, 0.0056, 90.0)
    rulebook = venues.rulebook("bybit").with_tiers(found.rows, "live")
    assert [t.deduction for t in rulebook.tiers_for("BTC")] == pytest.approx([0.0, 1_200.0, 3_020.0])


def test_kraken_futures_gives_all_in_one_answer_without_a_last_cap(server):
    found = fetch_tiers("kraken", ["BTC", "SOL"], QUICK)
    assert found.rows["SOL"][0] == (0.0, 1_000_000.0, 0.01, 50.0)
    assert found.rows["SOL"][-1] == (5_000_000.0, None, 0.05, 10.0)


def test_a_rulebook_with_live_tiers_uses_them_and_says_so(server):
    book = Portfolio((Position("BTC/USDT:USDT", 30.0, 60_000.0, 10.0),), (Collateral("USDT", 500_000.0),))
    marks = venues.Marks({"BTC": 60_000.0, "USDT": 1.0}, NOW_DAY)
    carried = venues.rulebook("okx").requirement(book, marks, "cross")
    assert carried.maintenance == pytest.approx(30 * 60_000 * (0.005 + 0.0005))
    live = venues.rulebook("okx").with_tiers(fetch_tiers("okx", ["BTC"], QUICK).rows, "OKX position tiers (2026-03-20)")
    found = live.requirement(book, marks, "cross")
    assert found.maintenance == pytest.approx(30 * 60_000 * (0.0065 + 0.0005)), "the whole position at its tier's rate"
    assert any(line.source == "OKX position tiers (2026-03-20)" for line in found.lines)
    assert venues.rulebook("okx").live == {}, "the shared rulebook stays as it was"


@pytest.mark.parametrize(("venue", "coin"), [("bybit", "HYPE"), ("okx", "AVAX"), ("kraken", "SOL")])
def test_a_coin_that_is_not_carried_has_its_figure_once_the_venue_was_asked(server, venue, coin):
    held = Account(
        positions=[Position(f"{coin}/USDT:USDT", 10.0, 100.0, 10.0)], collateral=[Collateral("USDT", 500.0)],
        venue=venue, mode="cross",
    )  # fmt: skip
    marks = venues.Marks({coin: 100.0, "USDT": 1.0}, NOW_DAY)
    (refused,) = models.for_account(held).refuses(held)
    assert "not reproduced here" in refused.reason
    try:
        venues.follow({venue: (fetch_tiers(venue, [coin], QUICK).rows, "asked today")})
        model = models.for_account(held)
        assert model.refuses(held) == ()
        (pool,) = held.sub_accounts(model, marks)
        state = model.state(pool, marks)
        assert 0 < state.maintenance < state.initial < 200
        assert any(line.source == "asked today" for line in state.lines)
    finally:
        venues.follow({})
    assert models.for_account(held).refuses(held) == (refused,)


def test_an_asset_that_is_not_listed_is_left_out(server):
    assert set(fetch_tiers("okx", ["BTC", "NOSUCH"], QUICK).rows) == {"BTC"}
    with pytest.raises(FetchError) as caught:
        fetch_tiers("okx", ["NOSUCH"], QUICK)
    assert caught.value.kind == "not listed"


@pytest.mark.parametrize("kind", ["html", "truncated", "500", "451"])
def test_failures_are_said(server, kind):
    server.faults.append(Fault(kind, where="all"))
    with pytest.raises(FetchError) as caught:
        fetch_tiers("okx", ["BTC"], QUICK)
    assert caught.value.message


def test_who_publishes_none_is_refused():
    with pytest.raises(InputError, match="publishes no tiers"):
        fetch_tiers("mango", ["BTC"])
    with pytest.raises(InputError, match="nothing to ask for"):
        fetch_tiers("okx", [])


def test_they_are_kept_with_the_date_of_each(tmp_path):
    early, late = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC)
    rows = ((0.0, None, 0.01, 50.0),)
    save_tiers(LiveTiers("okx", {"BTC": rows}, {"BTC": early}), tmp_path)
    save_tiers(LiveTiers("okx", {"ETH": rows}, {"ETH": late}), tmp_path)
    kept = load_tiers("okx", tmp_path)
    assert kept.rows == {"BTC": rows, "ETH": rows}
    assert kept.at == {"BTC": early, "ETH": late}
    assert kept.date == "2026-03-01"
    assert load_tiers("bybit", tmp_path) is None


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"version": 1, "rows": {"BTC": 3}, "at": {}}', "\x00"])
def test_a_damaged_copy_is_no_copy(tmp_path, text):
    (tmp_path / "tiers").mkdir()
    (tmp_path / "tiers" / "okx.json").write_text(text)
    assert load_tiers("okx", tmp_path) is None
