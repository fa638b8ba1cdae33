"""Published Hyperliquid cases on to the rulebook's own functions."""

from margin.venues.families.tiers import liquidation_price, maintenance
from margin.venues.rules.hyperliquid import leverage_tiers, portfolio_ratio


def run(case):
    x = case["inputs"]
    if "liq_price" in case["expected"]:
        quantity = x["size"] * (1 if x["side"] == "long" else -1)
        tiers = leverage_tiers([[0.0, x["max_leverage"]]])
        return {"liq_price": liquidation_price(quantity, x["price"], x["isolated_margin"], tiers)}
    if "tiers" in x:
        return {"maintenance_margin": maintenance(leverage_tiers(x["tiers"]), x["notional"])}
    if "cross_maintenance_margin" in x:
        names = ("requirement", "liquidation_value", "liquidatable")
        borrowed = x["borrowed"] * x["borrow_price"]
        figures = portfolio_ratio(
            x["cross_maintenance_margin"], borrowed, x["portfolio_balance"], x["borrow_cap"], x["supply_cap"], x["ltv"]
        )
        return dict(zip(names, figures, strict=True))
    return {"mmr": leverage_tiers([[0.0, x["max_leverage"]]])[0].rate}
