"""`check` of venues' own files with odd features: hedge legs, options alone, wallets without positions, missing prices."""

import json

import pytest

from margin.core.account import Account
from margin.core.errors import InputError
from margin.core.portfolio import Collateral, Portfolio, Position
from margin.venues.check import check, check_all

OKX = {
    "instId": "BTC-USDT-SWAP", "instType": "SWAP", "mgnMode": "cross", "posSide": "long", "pos": "10", "avgPx": "60000",
    "markPx": "61000", "lever": "10", "notionalUsd": "6100", "imr": "610", "mmr": "24.4", "liqPx": "",
}  # fmt: skip
DERIBIT = {
    "instrument_name": "BTC-26NOV27-70000-C", "kind": "option", "direction": "sell", "size": -1.0, "average_price": 0.02,
    "mark_price": 0.03, "index_price": 61_000.0, "initial_margin": 0.13, "maintenance_margin": 0.105,
}  # fmt: skip


def judged(document, as_of=None):
    (found,) = check_all(Portfolio.from_json(json.dumps(document)), as_of)
    return found


def test_the_two_legs_of_hedge_mode_are_compared_by_what_they_are_asked_together():
    short = {
        **OKX,
        "posSide": "short",
        "pos": "5",
        "avgPx": "62000",
        "notionalUsd": "3050",
        "imr": "305",
        "mmr": "12.2",
    }
    found = judged({"code": "0", "data": [OKX, short]})
    symbol = "BTC/USDT:USDT"
    assert found.per_symbol["position_initial"][symbol].venue == 915.0
    assert found.per_symbol["position_maintenance"][symbol].venue == pytest.approx(36.6)
    assert found.matched == found.compared == 2


def test_an_option_alone_is_judged_at_the_index_that_its_row_names():
    """Sold 15% or 10% of the coin and the mark; 7.5% and the mark against liquidation; 61,000 is 14.8% below the strike."""
    found = judged({"usOut": 1_795_000_000_000_000, "result": [DERIBIT]})
    assert found.matched == found.compared == 2
    assert {key: row["BTC/USD:BTC-271126-70000-C"].ours for key, row in found.per_symbol.items()} == {
        "position_initial_coin": pytest.approx(0.13), "position_maintenance_coin": pytest.approx(0.105),
    }  # fmt: skip


def test_a_wallet_without_its_positions_is_compared_with_nothing():
    flex = {"currencies": {"XBT": {"quantity": 0.1, "value": 6_100}}, "marginEquity": 5_978, "initialMargin": 300}
    read = Portfolio.from_json({"result": "success", "accounts": {"flex": flex}})
    assert not read.account.venue_says and read.account.collateral == (Collateral("BTC", 0.1, 61_000.0),)
    with pytest.raises(InputError, match="its positions are not here"):
        check_all(read)


def test_coins_of_no_price_are_never_taken_for_nothing():
    own = Account(venue="kraken", mode="cross", collateral=[Collateral("ETH", 2.0)], venue_says={"equity": 6_000.0})
    found = check(own)
    assert found.figures == {} and any("no price in the account: ETH" in note for note in found.notes)


def test_a_position_without_any_price_is_left_out_by_name_and_the_rest_is_compared():
    held = (
        Position("ETH/USDT:USDT", 1.0, 3_000.0, 10, mark_price=3_100.0),
        Position("BTC/USDT:USDT-261226-60000-C", 1.0),
    )
    says = {"position_initial": {held[0].symbol: 310.0}, "equity": 1.0}
    own = Account(venue="okx", mode="cross", as_of="2026-11-01", positions=held, venue_says=says)
    found = check(own)
    assert (found.matched, found.compared) == (1, 1)
    assert any("no price of BTC is in the file" in note for note in found.notes)
    with pytest.raises(InputError, match="mark_price"):
        check(Account(venue="okx", as_of="2026-11-01", positions=held[1:], venue_says={"equity": 1.0}))


def test_an_option_s_printed_mark_wins_over_the_volatility_beside_it():
    held = (
        Position("BTC/USDC:USDC-261226-70000-C", -1.0, 1_000.0, mark_price=1_100.0, implied_vol=0.5),
        Position("BTC/USDC:USDC", 1.0, 60_000.0, mark_price=61_000.0),
    )
    own = Account(
        venue="derive", mode="cross", as_of="2026-11-26T10:00:00Z", positions=held,
        collateral=[Collateral("USDC", 20_000.0)], venue_says={"equity": 20_000.0 + 1_000 + 1_000 - 1_100},
    )  # fmt: skip
    assert check(own).matched == 1


def test_what_is_left_out_of_one_wallet_leaves_the_others_whole():
    odd = Position("SHIB/USD:USD", 1e6, 1e-5, mark_price=1.1e-5)
    coins = Position("BTC/USD:BTC", 30_000.0, 60_000.0, 10, mark_price=61_000.0)
    money = (Collateral("USD", 8_000.0), Collateral("BTC", 0.1))
    says = {"equity": 9_000.0, "equity_coin": 0.1 + 30_000 * (1 / 60_000 - 1 / 61_000)}
    found = check(Account(venue="kraken", mode="cross", positions=(odd, coins), collateral=money, venue_says=says))
    assert set(found.figures) == {"equity_coin"} and found.matched == 1
    linear = Position("ETH/USDT:USDT", 1.0, 3_000.0, mark_price=3_100.0)  # not reproduced, and in another wallet
    own = Account(
        venue="bitmex", positions=(linear, coins), collateral=money[1:], venue_says={"equity_coin": says["equity_coin"]}
    )
    assert check(own).matched == 1


def test_a_number_in_quotes_says_how_to_mend_it():
    with pytest.raises(InputError, match="without quotes"):
        Position("BTC/USDT:USDT", "0.5")
