"""The recorded accounts as version 2 accounts, mapped once: what a venue answered, in the words of docs/accounts.md."""

from datetime import datetime

SETTLED = {"hyperliquid": "USDC", "dydx": "USDC", "derive": "USDC"}


def version_2(record):
    """One record of `recorded.json` as portfolio JSON version 2 with one account."""
    says = _says(record)
    account = {
        "name": record["id"],
        "venue": record["venue"],
        "mode": "cross" if record["mode"] == "mixed" else record["mode"],
        "as_of": _day(record["when"]),
        "positions": [_position(record, p) for p in record["positions"]] + _priced(record),
        "collateral": _collateral(record),
        "venue_says": says,
    }
    return {"version": 2, "accounts": [{key: value for key, value in account.items() if value}]}


def _day(when):
    return when if len(when) == 10 else datetime.strptime(when + "-15", "%Y-%m-%d").strftime("%Y-%m-%d")


def symbol(record, p):
    coin = p["coin"].replace(":", "-")
    if p.get("inverse"):
        expiry = p.get("expiry") or ("180519" if record["id"] == "kr-01" else None)  # its notes name the contract
        return f"{coin}/USD:{coin}" + (f"-{expiry}" if expiry else "")
    dollar = SETTLED.get(record["venue"], "USDT")
    return f"{coin}/{dollar}:{dollar}"


def _position(record, p):
    quantity = next(p[key] for key in ("szi", "qty", "usd") if key in p)
    mark = p["mark"] if "mark" in p else p["value"] / abs(quantity)
    out = {"symbol": symbol(record, p), "quantity": quantity, "entry_price": p["entry"], "mark_price": mark}
    for key in ("leverage", "max_leverage"):
        if p.get(key):
            out[key] = p[key]
    if record["venue"] == "hyperliquid" and p["type"] == "isolated":
        out |= {"mode": "isolated", "margin": p["margin_used"] - p["upnl"]}
    elif record["mode"] == "isolated":
        out["mode"] = "isolated"
        said = record["venue_says"]
        if "margin" in said:
            out["margin"] = said["margin"]
        elif "margin_coin" in said:
            out["margin_coin"] = said["margin_coin"]
        elif "isolated_wallet" in said:
            out["margin"] = said["isolated_wallet"]
    if record.get("tiers"):
        (_, _, out["maintenance_rate"], out["max_leverage"]) = record["tiers"][0]
    return out


def _collateral(record):
    said = record["venue_says"]
    if "cross_raw_usd" in said:
        cross = [p for p in record["positions"] if p["type"] == "cross"]
        return [{"asset": "USDC", "quantity": said["cross_raw_usd"] + sum(p["szi"] * p["entry"] for p in cross)}]
    return [{"asset": asset, "quantity": size} for asset, size, price in record["collateral"] if price in (1.0, None)]


def _priced(record):
    """Dollars held at another price than 1 are owned spot with a mark, for collateral carries no price."""
    return [
        {"symbol": f"{asset}/USD", "quantity": size, "mark_price": price}
        for asset, size, price in record["collateral"]
        if price not in (1.0, None)
    ]


def _says(record):
    said, rows = record["venue_says"], record["positions"]
    out = {}
    for ours, theirs in (
        ("equity", "cross_account_value"), ("equity", "account_value"), ("initial", "cross_margin_used"),
        ("maintenance", "cross_maintenance"), ("withdrawable", "withdrawable"), ("free", "free"),
        ("initial_coin", "im_coin"), ("maintenance_coin", "mm_coin"), ("equity_coin", "equity_coin"),
        ("initial", "positions_im"), ("maintenance", "positions_mm"),
    ):  # fmt: skip
        if theirs in said:
            out[ours] = said[theirs]
    prices = said.get("liquidation_prices") or ({rows[0]["coin"]: said["liq"]} if "liq" in said else {})
    if prices:
        out["liquidation_prices"] = {symbol(record, p): prices[p["coin"]] for p in rows if p["coin"] in prices}
    one = symbol(record, rows[0])
    for ours, theirs in (("position_initial", "im"), ("position_maintenance", "mm"),
                         ("position_maintenance", "mm_without_fee")):  # fmt: skip
        if theirs in said:
            out[ours] = {one: said[theirs]}
    if record["venue"] == "hyperliquid":
        used = {symbol(record, p): p["margin_used"] for p in rows if p["type"] == "cross"}
        out |= {"position_initial": used} if used else {}
    if record["venue"] == "okx" and "mm_coin" in said:  # printed by position, without the closing fee
        out["position_maintenance_coin"] = {one: out.pop("maintenance_coin")}
    if record["venue"] == "okx" and "margin" in said:  # nothing was added to it: it is the initial margin at entry
        out["position_initial"] = {one: said["margin"]}
    if "isolated_wallet" in said:
        out["equity"] = said["isolated_wallet"] + said["upl"]
    if "rows" in said:
        for ours, theirs in (("position_initial_coin", "im_coin"), ("position_maintenance_coin", "mm_coin")):
            out[ours] = {symbol(record, p): row[theirs] for p, row in zip(rows, said["rows"], strict=True)}
    return out
