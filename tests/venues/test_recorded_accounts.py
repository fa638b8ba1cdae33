"""Accounts as their venues recorded them, through `check`: every figure matches, or the reason is named and shown."""

import json

import pytest

from margin.core.portfolio import Portfolio
from margin.venues.check import check
from tests.support import ROOT, shared_path
from tests.venues.recorded_accounts import version_2

HERE = ROOT / "tests" / "venues" / "accounts"
SMALL = sorted(HERE.glob("*.json"))

UNIFIED = "a unified account of 2026: its spot USDC counts and is not in the record"
# (record, figure) -> why it is not ours.
REASONS = {
    ("hl-13", "liquidation_prices BTC/USDC:USDC"): "test network: it printed no price for a long at 5x",
    ("hl-20", "liquidation_prices BTC/USDC:USDC"): UNIFIED,
    ("hl-20", "liquidation_prices HYPE/USDC:USDC"): UNIFIED,
    ("hl-20", "liquidation_prices ZEC/USDC:USDC"): UNIFIED,
    ("hl-20", "liquidation_prices LIT/USDC:USDC"): UNIFIED,
    ("by-06", "liquidation_prices SOL/USDT:USDT"): "other fee tier: 0.0649% instead of 0.055%",
    ("by-09", "position_initial AAVE/USDT:USDT"): "other fee tier: 0.1% instead of 0.06%",
    ("by-09", "position_maintenance AAVE/USDT:USDT"): "other fee tier: 0.1% instead of 0.06%",
    ("ok-09", "liquidation_prices BTC/USD:BTC"): "other fee tier: 0.03% instead of 0.05%",
    (
        "bn-04",
        "position_maintenance ADA/USDT:USDT",
    ): "older tier: the document of July 2024 prints a sample with the 0.65% of 2022",
    ("bx-01", "equity_coin"): "mark not in the record: the balance stands at 5,100.8, the position row at 5,101",
}


def judged(portfolio, **settings):
    (account,) = Portfolio.from_json(portfolio).accounts
    return check(account, settings=settings or None)


def figures(found):
    """{"equity": Figure, "liquidation_prices ETH/USDC:USDC": Figure, ...}"""
    rows = {f"{key} {symbol}": f for key, of in found.per_symbol.items() for symbol, f in of.items()}
    return {**found.figures, **rows}


def records():
    return {r["id"]: r for r in json.loads((shared_path("accounts") / "recorded.json").read_text(encoding="utf-8"))}


@pytest.mark.parametrize("path", SMALL, ids=lambda p: p.stem)
def test_an_account_of_the_project_matches_its_venue(path):
    data = json.loads(path.read_text(encoding="utf-8"))
    assert len(data["source"]) > 20
    found = judged(data["account"], **data.get("settings", {}))
    assert found.compared >= 1
    assert [name for name, f in figures(found).items() if not f.matched] == []


def test_every_recorded_account_matches_or_says_why():
    missed, matched, compared = {}, 0, 0
    for name, record in records().items():
        found = judged(version_2(record))
        assert found.compared >= 1, name
        matched, compared = matched + found.matched, compared + found.compared
        missed |= {(name, key): f for key, f in figures(found).items() if not f.matched}
    assert set(missed) == set(REASONS)
    assert (matched, compared) == (111, 122)


@pytest.mark.parametrize(("name", "fee"), [("by-06", 0.000649), ("by-09", 0.001), ("ok-09", 0.0003)])
def test_with_the_account_s_own_fee_it_matches(name, fee):
    found = judged(version_2(records()[name]), taker_fee=fee)
    assert found.matched == found.compared


def test_with_the_bracket_of_its_day_it_matches():
    account = version_2(records()["bn-04"])
    account["accounts"][0]["positions"][0]["maintenance_rate"] = 0.0065
    found = judged(account)
    assert found.matched == found.compared == 2
    assert any("wins over the table" in note for note in found.notes)


def test_one_amount_of_spot_dollars_explains_both_shorts_of_the_unified_account():
    """The amount that makes one short match makes the other match too, and the longs then never liquidate."""
    account = version_2(records()["hl-20"])
    (money,) = account["accounts"][0]["collateral"]

    def price(more):
        account["accounts"][0]["collateral"] = [{**money, "quantity": money["quantity"] + more}]
        return judged(account).per_symbol["liquidation_prices"]

    low, high = 0.0, 20_000.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if price(middle)["HYPE/USDC:USDC"].ours < 872.0148167352 else (low, middle)
    found = price(low)
    assert 6_000 < low < 7_000
    assert all(f.matched for f in found.values())


def test_a_reason_is_a_sentence_and_a_planted_fault_is_seen():
    assert all(len(why) > 20 for why in REASONS.values())
    record = records()["hl-05"]
    record["venue_says"]["withdrawable"] = 1.0
    assert [n for n, f in figures(judged(version_2(record))).items() if not f.matched] == ["withdrawable"]
