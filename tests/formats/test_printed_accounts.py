"""Answers as consoles print them, and the answers beside the usual ones: wallets, portfolio margin, debts."""

import json

import pytest

from margin.core.errors import InputError
from margin.formats.read import read_portfolio

PRINTED = "{'symbol': 'BTC/USDT:USDT', 'contracts': 0.5, 'contractSize': 1.0, 'side': 'short', 'info': None}"
SCRIPT = """[
  {
    info: { symbol: 'BTCUSDT', tiers: [Array], raw: [Object] }, symbol: `BTC/USDT:USDT`,
    contracts: 0.5, contractSize: 1, side: 'short', percentage: undefined, margin: -Infinity, id: null, hedged: false
  }, ... 1 more item
]"""


@pytest.mark.parametrize(
    "text",
    [
        f"positions: [{PRINTED}]", f"positions [{PRINTED}]", f"Out[3]: \n[{PRINTED}]", f">>> ex.fetch_positions()\n[{PRINTED}]\n>>> ",
        f"In [3]: ex.fetch_positions()\nOut[3]: [{PRINTED}]", f"mine = [{PRINTED}]  # today", SCRIPT, f"> await ex.fetchPositions()\n{SCRIPT}",
        "{'positions': {'BTC/USDT:USDT': " + PRINTED + "}}",
    ],
)  # fmt: skip
def test_what_a_console_prints_around_the_answer_is_left_out(text):
    found = read_portfolio(text)
    assert [(p.symbol, p.quantity) for p in found.portfolio.positions] == [("BTC/USDT:USDT", -0.5)]


def test_positions_and_balance_printed_with_their_labels_are_one_account():
    found = read_portfolio(f"positions: [{PRINTED}]\nbalance: {{'free': {{'USDT': 4.0}}, 'total': {{'USDT': 5.0}}}}\n")
    (account,) = found.portfolio.accounts
    assert (account.positions[0].quantity, account.collateral[0].quantity) == (-0.5, 5.0)


@pytest.mark.parametrize("text", [f"[{PRINTED}", "{a b c", "{'x': open('y')}", "[x: 1]]", "Out[1]: [}"])
def test_what_breaks_off_is_refused(text):
    with pytest.raises(InputError):
        read_portfolio(text)


def balances(document) -> dict[str, float]:
    (account,) = read_portfolio(json.dumps(document)).portfolio.accounts
    return {c.asset: pytest.approx(c.quantity) for c in account.collateral}


def test_the_totals_of_a_balance_alone():
    assert balances({"USDT": 1000.0, "BTC": 0.5, "ETH": None}) == {"USDT": 1000, "BTC": 0.5}
    assert balances({"total": {"USDT": 1000}}) == {"USDT": 1000}


def test_a_debt_is_taken_off_but_where_the_total_is_without_it():
    coins = {"BTC": {"free": 0, "used": 0, "total": 0.5, "debt": 0.7}, "USDT": {"free": 1, "used": 0, "total": 9}}
    assert balances({**coins, "info": {}}) == {"BTC": -0.2, "USDT": 9}
    bybit = {"result": {"list": [{"totalMarginBalance": "1", "coin": []}]}}
    assert balances({**coins, "info": bybit}) == {"BTC": 0.5, "USDT": 9}


def test_krakens_spot_balance():
    found = read_portfolio(
        json.dumps({"error": [], "result": {"ZUSD": "500.5", "XXBT": "0.2", "SOL.S": "10", "XETH": "0.0"}})
    )
    account = found.portfolio.account
    assert [(c.asset, c.quantity) for c in account.collateral] == [("USD", 500.5), ("BTC", 0.2)]
    assert account.venue == "kraken" and found.set_aside[0].symbol == "SOL.S"


POOL = [
    {"asset": "USDT", "totalWalletBalance": "1120", "crossMarginAsset": "100", "crossMarginBorrowed": "30", "crossMarginInterest": "1",
     "umWalletBalance": "1000", "cmWalletBalance": "20"},
    {"asset": "BTC", "totalWalletBalance": "0.5", "crossMarginAsset": "0", "crossMarginBorrowed": "0", "crossMarginInterest": "0",
     "umWalletBalance": "0", "cmWalletBalance": "0.5"},
]  # fmt: skip
FIGURES = {
    "uniMMR": "5.1",
    "accountEquity": "32000",
    "accountInitialMargin": "3400",
    "accountMaintMargin": "900",
    "updateTime": 1,
}
HELD = [
    {
        "symbol": "BTCUSDT",
        "positionAmt": "0.5",
        "entryPrice": "65000",
        "markPrice": "66000",
        "notional": "33000",
        "leverage": "10",
    }
]


def test_binances_portfolio_margin_is_one_pool_less_its_debts():
    found = read_portfolio("\n".join(json.dumps(d) for d in (FIGURES, POOL, HELD)))
    (account,) = found.portfolio.accounts
    assert (account.venue, account.mode) == ("binance", "portfolio")
    assert {c.asset: c.quantity for c in account.collateral} == {"USDT": 1089, "BTC": 0.5}
    assert account.venue_says.to_dict() == {"equity": 32_000, "initial": 3_400, "maintenance": 900}
    alone = read_portfolio(json.dumps(FIGURES))
    assert alone.speaks_of == ((),) and "paste its balance and its positions" in alone.portfolio.notes[0]


def test_binances_margin_and_spot_wallets():
    margin = {
        "userAssets": [
            {"asset": "BTC", "free": "1", "locked": "0.5", "borrowed": "2", "interest": "0.1", "netAsset": "-0.6"}
        ]
    }
    assert balances(margin) == {"BTC": -0.6}
    spot = {
        "makerCommission": 15,
        "balances": [{"asset": "BTC", "free": "1", "locked": "0.5"}, {"asset": "LTC", "free": "0", "locked": "0"}],
    }
    assert balances(spot) == {"BTC": 1.5}


def test_an_entry_and_a_mark_that_binance_leaves_out_follow_from_profit_and_notional():
    account = {
        "totalMarginBalance": "1500", "totalWalletBalance": "1000", "totalMaintMargin": "1",
        "assets": [{"asset": "USDT", "crossWalletBalance": "1000"}],
        "positions": [{"symbol": "BTCUSDT", "positionAmt": "-0.5", "unrealizedProfit": "500", "notional": "-30000"}],
    }  # fmt: skip
    read = read_portfolio(json.dumps(account)).portfolio.account
    assert (read.positions[0].entry_price, read.positions[0].mark_price) == (61_000, 60_000)
    coin = {"assets": [{"asset": "BTC", "crossWalletBalance": "1"}], "positions": [
        {"symbol": "BTCUSD_PERP", "positionAmt": "-600", "unrealizedProfit": "0.0163934426", "notionalValue": "-1"}]}  # fmt: skip
    (held,) = read_portfolio(json.dumps(coin)).portfolio.account.positions
    assert (held.quantity, held.mark_price) == (-60_000, 60_000)
    assert held.profit(60_000) / 60_000 == pytest.approx(0.0163934426)


def test_a_wallet_of_nothing_in_an_unknown_coin_is_no_fault():
    rows = [
        {"currency": "XBt", "walletBalance": 100_000_000, "marginBalance": 1},
        {"currency": "SOl", "walletBalance": 0, "marginBalance": 0},
    ]
    assert read_portfolio(json.dumps(rows)).set_aside == ()


def test_a_row_is_named_where_its_venue_wraps_it():
    state = {
        "crossMarginSummary": {"accountValue": "1", "totalMarginUsed": "0"},
        "assetPositions": [{"position": {"coin": "BTC", "szi": "x"}}],
    }
    assert read_portfolio(json.dumps(state)).set_aside[0].symbol == "BTC"
