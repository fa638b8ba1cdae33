"""Published dYdX v4 cases on to the rulebook's own functions."""

from fractions import Fraction

from margin.venues.rules.dydx import (
    bankruptcy_value,
    ceil_share,
    effective_imf_ppm,
    fillable_price,
    insurance_fund_delta,
    quanta_up,
    requirements,
)


def run(case):
    x, expected = case["inputs"], case["expected"]
    if "imr" in expected and "size_base_quantums" in x:
        scale = x["price_exponent"] + x["atomic_resolution"] + 6
        notional = int(abs(x["size_base_quantums"]) * x["oracle_price_int"] * Fraction(10) ** scale)
        open_interest = int(x["open_interest_base_quantums"] * x["oracle_price_int"] * Fraction(10) ** scale)
        caps = x["oi_lower_cap_quote_quantums"], x["oi_upper_cap_quote_quantums"]
        imf = effective_imf_ppm(x["initial_margin_ppm"], open_interest, *caps)
        found = requirements(notional, x["initial_margin_ppm"], x["maintenance_fraction_ppm"], imf)
        return dict(zip(("imr", "mmr"), found, strict=True))
    if "base_imf_ppm" in x:
        imf = effective_imf_ppm(x["base_imf_ppm"], x["open_interest_notional"], x["lower_cap"], x["upper_cap"])
        if "notional_quote_quantums" in x:
            return {"initial_margin_quote_quantums": ceil_share(x["notional_quote_quantums"], imf)}
        return {"effective_imf_ppm": imf}
    if "imf_mmf" in x:
        value = {m: q * x["oracle"][m] for m, q in x["positions"].items()}
        rates = x["imf_mmf"]
        return {
            "net_collateral": x["usdc"] + sum(value.values()),
            "imr": sum(abs(v) * rates[m][0] for m, v in value.items()),
            "mmr": sum(abs(v) * rates[m][1] for m, v in value.items()),
        }
    if "close_market" in x:
        price = x["oracle"][x["close_market"]]
        net = x["usdc"] + sum(q * x["oracle"][m] for m, q in x["positions"].items())
        needed = sum(abs(q) * x["oracle"][m] for m, q in x["positions"].items()) * x["mmf"]
        removed = -x["delta"] * price
        value = bankruptcy_value(net, removed, abs(x["delta"]) * price * x["mmf"], needed)
        return {"bankruptcy_quote_quantums": quanta_up(value)}
    if "bankruptcy_adjustment" in x:
        price, quantity = x["oracle"][x["market"]], x["positions"][x["market"]]
        net = x["usdc"] + sum(q * x["oracle"][m] for m, q in x["positions"].items())
        needed = {m: abs(q) * x["oracle"][m] * x["mmf"] for m, q in x["positions"].items()}
        ratio = x["bankruptcy_adjustment"], x["spread_to_mmr_ratio"]
        return {
            "fillable_price_usd": fillable_price(
                price, quantity, net, sum(needed.values()), needed[x["market"]], *ratio
            )
        }
    if "max_liquidation_fee" in x:
        quantity, proceeds = x["position_btc"], x["position_btc"] * x["fill_price"]
        value = bankruptcy_value(x["usdc"] + quantity * 50_000, quantity * 50_000, 1.0, 1.0)
        return {"insurance_fund_delta_usd": insurance_fund_delta(proceeds, value, x["max_liquidation_fee"])}
    if "offsetting" in x:
        broke = x["liquidated"]
        net = broke["usdc"] + broke["btc"] * x["oracle"]
        paid = bankruptcy_value(net, broke["btc"] * x["oracle"], 1.0, 1.0)
        others = []
        left, total = broke["btc"], broke["btc"]
        for other in x["offsetting"]:
            part = -other["btc"] if abs(other["btc"]) <= abs(left) else left
            others.append(other["usdc"] - paid * part / total)
            left -= part
        return {"liquidated_usdc": broke["usdc"] + paid * (1 - left / total), "offsetting_usdc": others}
    return None
