"""Venues' own answers, in the shapes their API documents print; figures checked by hand beside each."""

import json

import pytest

from margin.core.errors import InputError
from margin.formats.books import readers
from margin.formats.read import read_portfolio
from tests.support import shared_path

HYPERLIQUID = {  # the documents' own example (info endpoint), with a cross short and a builder's market beside it
    "assetPositions": [
        {"type": "oneWay", "position": {
            "coin": "ETH", "szi": "0.0335", "entryPx": "2986.3", "positionValue": "100.02765", "unrealizedPnl": "-0.0134",
            "liquidationPx": "2866.26936529", "marginUsed": "4.967826", "maxLeverage": 50,
            "leverage": {"type": "isolated", "value": 20, "rawUsd": "-95.059824"}}},
        {"type": "oneWay", "position": {
            "coin": "BTC", "szi": "-0.1", "entryPx": "61000", "positionValue": "6000", "unrealizedPnl": "100.0",
            "liquidationPx": None, "marginUsed": "600.0", "maxLeverage": 40, "leverage": {"type": "cross", "value": 10}}},
        {"type": "oneWay", "position": {
            "coin": "xyz:SPCX", "szi": "2", "entryPx": "400", "positionValue": "820", "unrealizedPnl": "20",
            "liquidationPx": None, "marginUsed": "82", "maxLeverage": 10, "leverage": {"type": "cross", "value": 10}}},
    ],
    "crossMaintenanceMarginUsed": "75.0",
    "crossMarginSummary": {"accountValue": "13104.51", "totalMarginUsed": "682.0"},
    "marginSummary": {"accountValue": "13109.48"}, "time": 1708622398623, "withdrawable": "12422.51",
}  # fmt: skip
BYBIT = {"retCode": 0, "result": {"category": "linear", "list": [
    {"symbol": "BTCUSDT", "side": "Sell", "size": "0.5", "avgPrice": "61000", "positionValue": "30500", "markPrice": "60000",
     "leverage": "10", "liqPrice": "", "positionIM": "3000", "positionMM": "150", "positionIdx": 0, "tradeMode": 0},
    {"symbol": "BTCUSDZ26", "side": "Buy", "size": "30000", "avgPrice": "60000", "positionValue": "0.5", "markPrice": "60000",
     "leverage": "10", "liqPrice": "50000", "positionIdx": 0, "tradeMode": 0},
    {"symbol": "ETHUSDT", "side": "", "size": "0", "avgPrice": "0", "positionValue": ""}]}, "time": 1764150000000}  # fmt: skip
BYBIT_WALLET = {
    "retCode": 0,
    "result": {
        "list": [
            {
                "accountType": "UNIFIED",
                "totalEquity": "10500",
                "totalMarginBalance": "10400",
                "totalInitialMargin": "3000",
                "totalMaintenanceMargin": "150",
                "totalAvailableBalance": "7400",
                "coin": [
                    {
                        "coin": "USDT",
                        "walletBalance": "9000",
                        "equity": "9500",
                        "collateralSwitch": True,
                        "marginCollateral": True,
                    },
                    {
                        "coin": "SOL",
                        "walletBalance": "5",
                        "equity": "5",
                        "collateralSwitch": False,
                        "marginCollateral": True,
                    },
                ],
            }
        ]
    },
}
# fmt: off
OKX = {"code": "0", "data": [
    {"instId": "BTC-USDT-SWAP", "instType": "SWAP", "pos": "-50", "posSide": "net", "mgnMode": "cross", "avgPx": "61000",
     "markPx": "60000", "notionalUsd": "29985", "lever": "10", "imr": "3000", "mmr": "120", "liqPx": "", "uTime": "1764150000000"},
    {"instId": "BTC-USD-SWAP", "instType": "SWAP", "pos": "300", "posSide": "long", "mgnMode": "isolated", "avgPx": "61000",
     "markPx": "60000", "notionalUsd": "30000", "lever": "10", "margin": "0.05", "liqPx": "55000"},
    {"instId": "BTC-USD-270625-100000-C", "instType": "OPTION", "pos": "10", "posSide": "net", "mgnMode": "cross",
     "avgPx": "0.05", "markPx": "0.045", "idxPx": "60000", "notionalUsd": "6000", "lever": ""},
    {"instId": "ETH-USDT", "instType": "MARGIN", "pos": "9000", "posCcy": "USDT", "posSide": "net", "mgnMode": "cross",
     "avgPx": "3000", "markPx": "3000", "notionalUsd": "9000", "liab": "-3", "liabCcy": "ETH", "lever": "3"}]}
OKX_BALANCE = {"code": "0", "data": [{"totalEq": "20000", "adjEq": "19500", "imr": "3000", "mmr": "120", "uTime": "1764150000000",
               "details": [{"ccy": "USDT", "cashBal": "12000", "eq": "12500"}, {"ccy": "BTC", "cashBal": "0.1", "eq": "0.1"}]}]}
DERIBIT = {"jsonrpc": "2.0", "result": [
    {"instrument_name": "BTC-PERPETUAL", "size": -60000.0, "size_currency": -1.0, "direction": "sell", "average_price": 61000,
     "mark_price": 60000, "initial_margin": 0.02, "maintenance_margin": 0.01, "estimated_liquidation_price": 90000,
     "leverage": 50, "kind": "future", "index_price": 60010},
    {"instrument_name": "SOL_USDC-PERPETUAL", "size": 200.0, "size_currency": 200.0, "direction": "buy",
     "average_price": 140, "mark_price": 150, "kind": "future", "leverage": 20},
    {"instrument_name": "BTC-25JUN27-100000-C", "size": 2.0, "direction": "buy", "average_price": 0.05, "mark_price": 0.045,
     "average_price_usd": 2900.0, "index_price": 60000, "kind": "option", "leverage": 0},
    {"instrument_name": "XRP_USDC-30JUN27-0d625-P", "size": 1000.0, "direction": "sell", "average_price": 0.03,
     "mark_price": 0.02, "kind": "option"}]}
DERIBIT_SUMMARY = {"result": {"currency": "BTC", "equity": 1.5, "balance": 1.48, "margin_balance": 1.5, "initial_margin": 0.02,
                   "maintenance_margin": 0.01, "available_funds": 1.48, "margin_model": "segregated_sm"}}
KRAKEN = {"result": "success", "openPositions": [
    {"side": "short", "symbol": "PF_XBTUSD", "price": 61000, "size": 0.5},
    {"side": "long", "symbol": "PI_XBTUSD", "price": 61000, "size": 10000, "maxFixedLeverage": 10.0}], "serverTime": "2026-11-26T10:00:00.000Z"}
KRAKEN_WALLETS = {"result": "success", "accounts": {"flex": {"currencies": {"USD": {"quantity": 5000}, "XBT": {"quantity": 0.1}},
                  "marginEquity": 10900, "initialMargin": 600, "maintenanceMargin": 300, "availableMargin": 10300}}}
BITMEX = [
    {"symbol": "XBTUSD", "currency": "XBt", "currentQty": -693, "avgEntryPrice": 5184.8395, "markPrice": 5101.0, "leverage": 100,
     "crossMargin": True, "homeNotional": -0.13586, "foreignNotional": 693, "isOpen": True, "initMargin": 0, "maintMargin": 76952,
     "liquidationPrice": 100000000},
    {"symbol": "XBTUSDT", "currency": "USDt", "currentQty": 1000, "avgEntryPrice": 61000, "markPrice": 60000, "crossMargin": False,
     "homeNotional": 0.001, "foreignNotional": -60, "posMargin": 6000000, "isOpen": True, "leverage": 10},
    {"symbol": "ETHUSD", "currency": "XBt", "currentQty": 10, "avgEntryPrice": 3000, "markPrice": 3000, "isOpen": True},
    {"symbol": "SOLUSDT", "currency": "USDt", "currentQty": 0, "isOpen": False}]
BITMEX_MARGIN = {"currency": "XBt", "walletBalance": 38276000, "marginBalance": 38496176, "maintMargin": 76952}
DYDX = {"subaccount": {"address": "dydx1secret", "subaccountNumber": 0, "equity": "161451.040416029", "freeCollateral": "152508.28819133577",
        "openPerpetualPositions": {
            "ETH-USD": {"market": "ETH-USD", "status": "OPEN", "side": "LONG", "size": "0.001", "entryPrice": "3894.7",
                        "unrealizedPnl": "-0.044675155"},
            "BTC-USD": {"market": "BTC-USD", "status": "OPEN", "side": "SHORT", "size": "-4.1368",
                        "entryPrice": "112196.87848803433", "unrealizedPnl": "17002.2857196"}},
        "assetPositions": {"USDC": {"size": "608584.5", "side": "LONG", "symbol": "USDC"}}}}
LIGHTER = {"code": 200, "accounts": [{"account_index": 5, "l1_address": "0xSECRET", "collateral": "1000.5", "available_balance": "800",
           "cross_asset_value": "1050.5", "positions": [
               {"market_id": 0, "symbol": "ETH", "sign": -1, "position": "2.0", "avg_entry_price": "3025", "position_value": "6000",
                "unrealized_pnl": "50", "initial_margin_fraction": "5.00", "liquidation_price": "3400", "margin_mode": 0,
                "allocated_margin": "0"},
               {"market_id": 1, "symbol": "BTC", "sign": 1, "position": "0.0", "avg_entry_price": "0", "position_value": "0"}]}]}
BINANCE_ACCOUNT = {
    "totalWalletBalance": "10000", "totalMarginBalance": "10500", "totalInitialMargin": "3000", "totalMaintMargin": "120",
    "availableBalance": "7500", "updateTime": 1764150000000,
    "assets": [{"asset": "USDT", "walletBalance": "10000", "crossWalletBalance": "10000"}, {"asset": "BNB", "walletBalance": "0"}],
    "positions": [{"symbol": "BTCUSDT", "positionAmt": "-0.5", "entryPrice": "61000", "notional": "-30000", "leverage": "10",
                   "isolated": False, "isolatedWallet": "0", "initialMargin": "3000", "maintMargin": "120"},
                  {"symbol": "ETHUSDT", "positionAmt": "0", "entryPrice": "0", "notional": "0"}]}
BINANCE_COIN = [{"symbol": "BTCUSD_PERP", "positionAmt": "-300", "entryPrice": "61000", "markPrice": "60000", "notionalValue": "-0.5",
                 "marginType": "isolated", "isolatedMargin": "0.06", "isolatedWallet": "0.05", "leverage": "10", "liquidationPrice": "70000",
                 "positionSide": "BOTH"}]
# fmt: on


def read(*documents):
    return read_portfolio("\n".join(json.dumps(document) for document in documents))


def positions(account):
    return {p.symbol: p for p in account.positions}


def test_hyperliquid():
    found = read(HYPERLIQUID)
    account = found.portfolio.account
    held = positions(account)
    assert (account.venue, account.mode, account.as_of) == ("hyperliquid", "cross", "2024-02-22T17:19:58Z")
    eth, btc, builders = (held[s] for s in ("ETH/USDC:USDC", "BTC/USDC:USDC", "XYZ-SPCX/USDC:USDC"))
    assert (eth.quantity, eth.mode, eth.leverage, eth.max_leverage) == (0.0335, "isolated", 20, 50)
    assert eth.margin == pytest.approx(4.981226)  # used less open profit = rawUsd + size x entry
    assert eth.margin == pytest.approx(-95.059824 + 0.0335 * 2986.3, abs=1e-6)
    assert (btc.quantity, btc.mark_price, btc.mode) == (-0.1, 60_000.0, None)
    assert builders.mark_price == 410.0
    assert [(c.asset, round(c.quantity, 9)) for c in account.collateral] == [("USDC", 13_104.51 - 120.0)]
    says = account.venue_says
    assert (says.get("equity"), says.get("initial"), says.get("maintenance")) == (13_104.51, 682.0, 75.0)
    assert says.get("withdrawable") == 12_422.51
    assert says.by_symbol("liquidation_prices")["BTC/USDC:USDC"] is None


def test_hyperliquids_spot_side_is_an_account_of_its_own():
    spot = {
        "balances": [
            {"coin": "UBTC", "total": "0.1", "hold": "0"},
            {"coin": "USDC", "total": "14.6"},
            {"coin": "HYPE", "total": "0"},
        ]
    }
    found = read(HYPERLIQUID, spot)
    perpetuals, coins = found.portfolio.accounts
    assert (perpetuals.venue, coins.name, coins.venue) == ("hyperliquid", "Hyperliquid spot", "")
    assert {c.asset: c.quantity for c in coins.collateral} == {"BTC": 0.1, "USDC": 14.6}
    assert found.speaks_of == (("positions", "collateral"), ("collateral",))


SPOT = {"balances": [{"coin": "USDC", "total": "5000"}, {"coin": "HYPE", "total": "30"}]}


def test_hyperliquids_unified_account_is_one_and_its_portfolio_margin_too():
    both = {"clearinghouseState": HYPERLIQUID, "spotClearinghouseState": SPOT}
    for named, mode in (("unifiedAccount", "cross"), ("portfolioMargin", "portfolio")):
        account = read({**both, "userAbstraction": named}).portfolio.account
        given = sum(p.margin or 0.0 for p in account.positions)
        assert given > 0
        assert account.mode == mode
        assert {c.asset: c.quantity for c in account.collateral} == {"USDC": pytest.approx(5_000 - given), "HYPE": 30.0}
        assert account.venue_says.figures == ()
        assert "ETH/USDC:USDC" in account.venue_says.by_symbol("liquidation_prices")
    by_dex = {"": HYPERLIQUID, "xyz": {**HYPERLIQUID, "assetPositions": HYPERLIQUID["assetPositions"][:1]}}
    found = read({**both, "clearinghouseState": by_dex, "userAbstraction": "unifiedAccount"}).portfolio.account
    assert len(found.positions) == len(read(HYPERLIQUID).portfolio.account.positions) + 1
    apart = read({**both, "userAbstraction": "default"}).portfolio.accounts
    assert [a.venue for a in apart] == ["hyperliquid", ""]
    alone = read({"clearinghouseState": HYPERLIQUID, "userAbstraction": "unifiedAccount"})
    assert any("spot balances are missing" in note for note in alone.portfolio.notes)


def test_bybit():
    found = read(BYBIT, BYBIT_WALLET)
    account = found.portfolio.account
    held = positions(account)
    assert (account.venue, found.closed) == ("bybit", 1)
    assert held["BTC/USDT:USDT"].quantity == -0.5
    assert held["BTC/USD:BTC-261225"].quantity == 30_000
    assert {c.asset: c.quantity for c in account.collateral} == {"USDT": 9000.0}
    assert any("SOL is switched off" in note for note in found.portfolio.notes)
    assert account.venue_says.get("maintenance") == 150


def test_okx():
    found = read(OKX, OKX_BALANCE)
    account = found.portfolio.account
    held = positions(account)
    assert held["BTC/USDT:USDT"].quantity == pytest.approx(
        -0.5
    )  # a contract is 0.01 BTC, printed at 0.9995 to the dollar
    inverse = held["BTC/USD:BTC"]
    assert (inverse.quantity, inverse.mode, inverse.margin_coin) == (30_000, "isolated", 0.05)
    option = held["BTC/USD:BTC-270625-100000-C"]
    assert (option.quantity, option.entry_price) == (pytest.approx(0.1), 3000)
    assert held["ETH/USDT"].quantity == -3
    assert {c.asset: c.quantity for c in account.collateral} == {"USDT": 12_000, "BTC": 0.1}
    assert account.venue_says.get("equity") == 19_500


def test_deribit():
    found = read(DERIBIT, DERIBIT_SUMMARY)
    account = found.portfolio.account
    held = positions(account)
    assert held["BTC/USD:BTC"].quantity == -60_000
    assert held["SOL/USDC:USDC"].quantity == 200
    option = held["BTC/USD:BTC-270625-100000-C"]
    assert (option.quantity, option.entry_price, option.mark_price) == (2, 2900, 2700)
    assert held["XRP/USDC:USDC-270630-0.625-P"].entry_price == 0.03  # a dollar premium
    # Equity less the open profit of the short, in coins: -60,000 (1/61,000 - 1/60,000).
    assert account.collateral[0].quantity == pytest.approx(1.5 - 60_000 * (1 / 60_000 - 1 / 61_000))
    assert account.venue_says.by_symbol("position_initial_coin") == {"BTC/USD:BTC": 0.02}
    assert account.venue_says.get("maintenance_coin") == 0.01


def test_kraken():
    found = read(KRAKEN, KRAKEN_WALLETS)
    account = found.portfolio.account
    held = positions(account)
    assert held["BTC/USD:USD"].quantity == -0.5
    assert (held["BTC/USD:BTC"].quantity, held["BTC/USD:BTC"].mode) == (10_000, "isolated")
    assert {c.asset: c.quantity for c in account.collateral} == {"USD": 5000, "BTC": 0.1}
    spot = {"error": [], "result": {"T1": {"pair": "XXBTZUSD", "type": "buy", "vol": "2", "vol_closed": "0.5", "cost": "120000",
            "margin": "24000"}, "T2": {"pair": "XETHXXBT", "type": "buy", "vol": "1", "cost": "1"}}}  # fmt: skip
    found = read(spot)
    (position,) = found.portfolio.positions
    assert (position.symbol, position.quantity, position.entry_price, position.leverage) == ("BTC/USD", 1.5, 60_000, 5)
    assert not position.owned
    assert found.set_aside[0].symbol == "XETHXXBT"


def test_bitmex():
    found = read(BITMEX, BITMEX_MARGIN)
    account = found.portfolio.account
    held = positions(account)
    assert held["BTC/USD:BTC"].quantity == -693
    linear = held["BTC/USDT:USDT"]
    assert (linear.quantity, linear.mode, linear.margin) == (0.001, "isolated", pytest.approx(6.0))
    assert [row.symbol for row in found.set_aside] == ["ETHUSD"]
    assert "neither in its own coin" in found.set_aside[0].reason
    assert account.collateral[0].quantity == pytest.approx(0.38276)
    assert account.venue_says.get("equity_coin") == pytest.approx(0.38496176)


def test_dydx_reproduces_its_own_equity():
    found = read(DYDX)
    account = found.portfolio.account
    held = positions(account)
    assert held["BTC/USDC:USDC"].mark_price == pytest.approx(108_086.869, abs=0.01)
    profit = sum(p.profit(p.mark_price) for p in account.positions)
    assert account.collateral[0].quantity + profit == pytest.approx(161_451.040416029)
    assert "dydx1" not in json.dumps(found.to_dict())


def test_lighter():
    found = read(LIGHTER)
    account = found.portfolio.account
    (position,) = account.positions
    assert (position.symbol, position.quantity, position.leverage) == ("ETH/USDC:USDC", -2.0, 20)
    assert account.collateral[0].quantity == 1000.5
    assert account.venue_says.get("equity") == 1050.5
    assert "0x" not in json.dumps(found.to_dict())


def test_binance():
    account = read(BINANCE_ACCOUNT).portfolio.account
    (position,) = account.positions
    assert (position.quantity, position.mark_price) == (-0.5, 60_000)
    assert account.collateral[0].quantity == 10_000
    assert account.venue_says.get("free") == 7500
    (coin,) = read(BINANCE_COIN).portfolio.positions
    assert (coin.symbol, coin.quantity, coin.margin_coin) == ("BTC/USD:BTC", -30_000, 0.05)


def test_positions_alone_do_not_speak_of_collateral():
    assert read(BYBIT).speaks_of == (("positions",),)
    assert read(BYBIT_WALLET).speaks_of == (("collateral",),)


def test_two_venues_become_two_accounts():
    found = read({"a": BYBIT, "b": OKX})
    assert [account.venue for account in found.portfolio.accounts] == ["bybit", "okx"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}, "error message"),
        ({"retCode": 10003, "retMsg": "API key is invalid.", "result": {}}, "error message"),
        ({"hello": "world"}, "nothing that is read here"),
        (3, "portfolio"),
    ],
)
def test_what_is_no_account_is_called_so(document, said):
    with pytest.raises(InputError) as error:
        read_portfolio([document] if isinstance(document, int) else document)
    assert said in str(error.value)


def test_readers_are_found_by_file_and_say_what_they_show():
    names = [reader.name for reader in readers()]
    assert names[:2] == ["ccxt positions", "ccxt balance"]
    assert {"hyperliquid", "binance", "bybit", "okx", "deribit", "kraken", "bitmex", "dydx", "lighter"} <= set(names)
    assert all(reader.shows for reader in readers())


RIGHT = {
    "02_contracts_none_open_position.json": {"BTC/USD:BTC": -60_000, "ETH/USDT:USDT": 15},
    "04_contracts_in_contractSize.json": {"BTC/USDT:USDT": -47},
    "05_contractSize_none.json": {"BTC/USDT:USDT": -0.5},
    "06_inverse_without_mark.json": {"BTC/USD:BTC": 30_000},
    "08_side_none_short.json": {"BTC/USDT:USDT": -0.5},
    "10_binance_positionRisk.json": {"BTC/USDT:USDT": -0.5},
    "11_nan_in_unused_field.json": {"BTC/USDT:USDT": 0.5},
    "ok_okx.json": {"BTC/USDT:USDT": -0.5, "BTC/USD:BTC": 30_000, "ETH/USDT": -3},
}


@pytest.mark.parametrize("name", RIGHT)
def test_files_that_people_have(name):
    found = read_portfolio(shared_path(f"files/{name}").read_bytes())
    assert found.set_aside == ()
    assert {p.symbol: p.quantity for p in found.portfolio.positions} == pytest.approx(RIGHT[name])


def test_the_inverse_position_is_worth_its_notional():
    (position,) = read_portfolio(shared_path("files/06_inverse_without_mark.json").read_bytes()).portfolio.positions
    assert position.quantity / position.mark_price == pytest.approx(0.5)
