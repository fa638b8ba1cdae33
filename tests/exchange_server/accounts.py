"""Made-up accounts by address, in the shapes the venues' documents print. Any other address holds nothing."""

from typing import Any

from tests.exchange_server.prices import price

WALLET = "0x" + "a1" * 20  # Hyperliquid with spot and a builder's market, and Lighter
COINS_ONLY = "0x" + "b2" * 20  # Hyperliquid's spot side only
DYDX = "dydx1" + "q2w3e4r5t6y7u8j9" * 2 + "q2w3e4"
EMPTY = "0x" + "00" * 20
UNIFIED = "0x" + "c3" * 20  # the first wallet's positions in a unified account
MODES = {UNIFIED: "unifiedAccount"}


def hyperliquid(user: str, dex: str, now_ms: int) -> dict[str, Any]:
    if user.lower() not in (WALLET, UNIFIED):
        rows, value = [], 0.0
    elif dex == "xyz":
        rows, value = [_position("xyz:TSLA", 10.0, 400.0, 410.0, 10)], 1_000.0
    elif dex:
        rows, value = [], 0.0
    else:
        eth, btc = price("ETH", now_ms), price("BTC", now_ms)
        isolated = _position("SOL", -20.0, 150.0, price("SOL", now_ms), 5, own=650.0)
        rows = [_position("ETH", 2.7, eth * 0.9, eth, 25), _position("BTC", -0.1, btc * 1.1, btc, 10), isolated]
        value = 6_867.9
    used = sum(float(row["position"]["marginUsed"]) for row in rows if row["position"]["leverage"]["type"] == "cross")
    summary = {"accountValue": str(value), "totalMarginUsed": str(used), "totalNtlPos": "0", "totalRawUsd": "0"}
    return {
        "assetPositions": rows, "crossMaintenanceMarginUsed": str(used / 2), "crossMarginSummary": summary,
        "marginSummary": summary, "time": now_ms, "withdrawable": str(max(value - used, 0.0)),
    }  # fmt: skip


def _position(
    coin: str, size: float, entry: float, mark: float, leverage: int, own: float | None = None
) -> dict[str, Any]:
    profit, value = size * (mark - entry), abs(size) * mark
    used = value / leverage if own is None else own + profit
    item = {
        "coin": coin, "szi": str(size), "entryPx": str(entry), "positionValue": str(value), "unrealizedPnl": str(profit),
        "liquidationPx": None, "marginUsed": str(used), "maxLeverage": 40,
        "leverage": {"type": "cross" if own is None else "isolated", "value": leverage},
    }  # fmt: skip
    return {"type": "oneWay", "position": item}


def hyperliquid_spot(user: str) -> dict[str, Any]:
    if user.lower() == UNIFIED:
        dollars = {"coin": "USDC", "token": 0, "total": "9000.0", "hold": "0.0", "entryNtl": "0"}
        return {"balances": [dollars, {"coin": "UBTC", "token": 1, "total": "0.25", "hold": "0.0", "entryNtl": "0"}]}
    if user.lower() not in (WALLET, COINS_ONLY):
        return {"balances": []}
    return {"balances": [{"coin": "UBTC", "token": 1, "total": "0.25", "hold": "0.0", "entryNtl": "0"}]}


def dydx(address: str) -> tuple[int, Any]:
    if address != DYDX:
        return 404, {"errors": [{"msg": f"No subaccounts found for address {address}"}]}
    positions = {
        "BTC-USD": {"market": "BTC-USD", "status": "OPEN", "side": "SHORT", "size": "-0.5", "entryPrice": "61000",
                    "unrealizedPnl": "500"},
    }  # fmt: skip
    accounts = [
        {"address": address, "subaccountNumber": 0, "equity": "10500", "freeCollateral": "9000",
         "openPerpetualPositions": positions, "assetPositions": {}},
        {"address": address, "subaccountNumber": 128, "equity": "0", "freeCollateral": "0",
         "openPerpetualPositions": {}, "assetPositions": {}},
    ]  # fmt: skip
    return 200, {"subaccounts": accounts, "totalTradingRewards": "0"}


def lighter(address: str) -> tuple[int, Any]:
    if address.lower() != WALLET:
        return 400, {"code": 21100, "message": f"account not found: {address}"}
    position = {
        "market_id": 0, "symbol": "ETH", "sign": -1, "position": "2.0", "avg_entry_price": "3025", "position_value": "6000",
        "unrealized_pnl": "50", "initial_margin_fraction": "5.00", "liquidation_price": "3400", "margin_mode": 0,
        "allocated_margin": "0",
    }  # fmt: skip
    account = {
        "account_index": 5, "l1_address": address, "collateral": "1000.5", "available_balance": "800",
        "cross_asset_value": "1050.5", "positions": [position],
    }  # fmt: skip
    return 200, {"code": 200, "total": 1, "accounts": [account]}
