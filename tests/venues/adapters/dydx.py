"""Published dYdX v4 cases: accounts through the door; liquidations on to the functions that the rulebook runs."""

import math
from fractions import Fraction

from margin.core.portfolio import Position
from margin.venues.rules.dydx import bankruptcy_value, effective_imf_ppm, fillable_price, insurance_fund_delta
from tests.venues.door import Account, with_facts

PPM = 1_000_000


def quanta(usd):
    """Quote quanta, 10^-6 USDC, rounded up as the chain prints them; a millionth of one is rounding."""
    return math.ceil(usd * PPM - 1e-6)


def _market(base, fraction, notional, open_interest, lower, upper):
    """State of one long in a market with these parameters; USD."""
    rules = with_facts(
        "dydx", liquidity_tiers={"0": [base, fraction, lower, upper]}, markets={"X": "0"}, markets_2024={}
    )
    used = min(max((open_interest - lower) / (upper - lower), 0.0), 1.0) if upper else 0.0
    held = Position("X/USDC:USDC", notional, 1.0, 1.0 / base)
    return Account(rules, "cross", [held], {"USDC": 1.0}, {"X": 1.0}, open_interest=used).state


def run(case):
    x, expected = case["inputs"], case["expected"]
    if "imr" in expected and "size_base_quantums" in x:
        scale = x["price_exponent"] + x["atomic_resolution"] + 6
        notional = int(abs(x["size_base_quantums"]) * x["oracle_price_int"] * Fraction(10) ** scale) / PPM
        open_interest = int(x["open_interest_base_quantums"] * x["oracle_price_int"] * Fraction(10) ** scale)
        caps = x["oi_lower_cap_quote_quantums"], x["oi_upper_cap_quote_quantums"]
        rates = x["initial_margin_ppm"] / PPM, x["maintenance_fraction_ppm"] / PPM
        state = _market(*rates, notional, open_interest, *caps)
        return {"imr": quanta(state.initial), "mmr": quanta(state.maintenance)}
    if "base_imf_ppm" in x:
        imf = effective_imf_ppm(x["base_imf_ppm"], x["open_interest_notional"], x["lower_cap"], x["upper_cap"])
        if "notional_quote_quantums" in x:
            caps = x["lower_cap"], x["upper_cap"]
            notional = x["notional_quote_quantums"] / PPM
            state = _market(x["base_imf_ppm"] / PPM, 0.5, notional, x["open_interest_notional"], *caps)
            return {"initial_margin_quote_quantums": quanta(state.initial)}
        return {"effective_imf_ppm": imf}
    if "imf_mmf" in x:
        # The case's dollars hold what the positions cost: entered at the oracle's price, so that cash = all of it.
        prices = {m: x["oracle"][m] for m in x["positions"]}
        cash = x["usdc"] + sum(q * prices[m] for m, q in x["positions"].items())
        tiers = {m: [imf, mmf / imf, 0, 0] for m, (imf, mmf) in x["imf_mmf"].items()}
        rules = with_facts("dydx", liquidity_tiers=tiers, markets={m: m for m in tiers}, markets_2024={})
        held = [Position(f"{m}/USDC:USDC", q, prices[m], 1.0 / x["imf_mmf"][m][0]) for m, q in x["positions"].items()]
        state = Account(rules, "cross", held, {"USDC": cash}, prices).state
        return {"net_collateral": state.equity, "imr": state.initial, "mmr": state.maintenance}
    if "close_market" in x:
        price = x["oracle"][x["close_market"]]
        net = x["usdc"] + sum(q * x["oracle"][m] for m, q in x["positions"].items())
        needed = sum(abs(q) * x["oracle"][m] for m, q in x["positions"].items()) * x["mmf"]
        removed = -x["delta"] * price
        value = bankruptcy_value(net, removed, abs(x["delta"]) * price * x["mmf"], needed)
        return {"bankruptcy_quote_quantums": quanta(value)}
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
    if "other_mmr" in x:
        held = [
            Position("ETH/USDC:USDC", x["size"], x["price"], maintenance_rate=x["mmf"]),
            Position("STRK/USDC:USDC", x["other_mmr"], 1.0, maintenance_rate=1.0),
        ]
        account = Account("dydx", "cross", held, {"USDC": x["equity"]}, {"ETH": x["price"], "STRK": 1.0})
        return {"liq_price": account.liquidation_price("ETH")}
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
