"""Published Drift v2 cases on to the rulebook's own functions."""

from margin.core.portfolio import Position
from margin.venues.rules import drift_arithmetic as rules
from tests.venues.door import Account


def _either(x, *names, default=None):
    return next((x[n] for n in names if n in x), default)


def run(case):
    x, expected = case["inputs"], case["expected"]
    if "initial_weight" in x:
        initial, maintenance = x["initial_weight"], x["maintenance_weight"]
        kinds = ("initial", "fill", "maintenance")
        weights = [rules.at(k, initial, maintenance) for k in kinds]
        return {"weights": [rules.size_discount(x["size_1e9"], x["imf_factor_1e6"], w) for w in weights]}
    if "total_deposits_tokens" in x:
        value = x["total_deposits_tokens"] * x["oracle"]
        return {"scaled_weight": rules.deposit_scaled(x["initial_asset_weight_1e4"], value, x["scale_start_usd"])}
    if "initial_asset_weight_1e4" in x or "initial_liability_weight_1e4" in x:
        size, imf = x["size_1e9"], x["imf_factor_1e6"]
        return {
            "asset_weight": rules.size_discount(size, imf, x["initial_asset_weight_1e4"]),
            "liability_weight": rules.size_premium(size, imf, x["initial_liability_weight_1e4"]),
        }
    if "open_order_margin" in x:
        return _open_orders(x, case["description"])
    if any(key.startswith(("liability_transfer", "asset_transfer")) for key in (*x, *expected)):
        return _transfers(x)
    if "borrow_sol" in x and "perp_sol" in x:
        custom, ratio = x["custom_margin_ratio"], _either(x, "perp_imf", "imf", "perp_mmf")
        needed = rules.perpetual_margin(x["perp_sol"], x["sol_price"], ratio, 1.0, custom)
        owed = rules.balance(-x["borrow_sol"] * x["sol_price"], 1.0, _either(x, "liab_init", "liab_maint"), custom)[1]
        return {"margin_requirement": needed + owed}
    if "usdc_twap" in x:
        low, high = rules.strict(x["usdc_oracle"], x["usdc_twap"])
        held, owed = rules.balance(x["usdc"] * (low if x["usdc"] > 0 else high), 1.0, 1.0)
        needed = rules.perpetual_margin(x["perp_sol"], x["sol_price"], x["imf"], high)
        return {"margin_requirement": needed + owed, "total_collateral": held}
    if "deposit_sol" in x:
        value = x["deposit_sol"] * x["sol_price"]
        return {"total_collateral": rules.balance(value, x["asset_init"], 1.0, x["custom_margin_ratio"])[0]}
    if "isolated" in x:
        i, price = x["isolated"], x["sol_price"]
        liability = _either(x, "liab_init", "liab_maint")
        return {
            "cross_requirement": rules.balance(-x["borrow_sol"] * price, 1.0, liability)[1],
            "cross_collateral": rules.balance(x["cross_usdc"], 1.0, 1.0)[0],
            "isolated_requirement": rules.perpetual_margin(i["base"], price, _either(x, "imf", "mmf")),
            "isolated_collateral": i["deposit"] + i["base"] * price + i["quote"],
        }
    if "hl_imf" in x:
        text = case["description"].lower()
        kind = next(k for k in ("initial", "fill", "maintenance") if k in text)
        ratio = rules.margin_ratio(
            x["size_1e9"], x["imf_factor_1e6"], (x["normal_imf"], x["normal_mmf"]), kind, (x["hl_imf"], x["hl_mmf"])
        )
        return {"margin_ratio": ratio}
    if "margin_shortage_1e6" in x and "base_1e9" in x:
        fee = rules.insurance_fee(
            x["margin_shortage_1e6"], x["base_1e9"], x["margin_ratio_1e4"], x["liquidator_fee_1e6"], x["oracle_1e6"],
            x["max_if_fee_1e6"],
        )  # fmt: skip
        return {"if_fee_1e6": fee}
    if "margin_shortage_1e6" in x:
        base = rules.base_to_liquidate(
            x["margin_shortage_1e6"], x["margin_ratio_1e4"], x["liquidator_fee_1e6"], x["if_fee_1e6"],
            x["oracle_1e6"], x["quote_oracle_1e6"],
        )  # fmt: skip
        return {"base_1e9": 2**64 - 1 if base is None else base}
    if "imf" in x and "mmf" in x:
        size = _either(x, "size_1e9", default=0)
        imf = _either(x, "imf_factor", "imf_factor_1e6", default=0)
        found = {k: rules.margin_ratio(size, imf, (x["imf"], x["mmf"]), k) for k in ("initial", "fill", "maintenance")}
        return {**found, "margin_ratio": found["initial"]}
    if "imf" in x or "margin_ratio_1e4" in x:
        ratio = _either(x, "imf", "margin_ratio_1e4")
        found = rules.size_premium(x["size_1e9"], _either(x, "imf_factor", "imf_factor_1e6"), ratio)
        return dict.fromkeys(expected, found)
    return None


def _open_orders(x, text):
    kind = "maint" if "maintenance" in text.lower() else "init"
    amount = _either(x, "open_asks_sol", "open_bids_sol")
    cash = x["usdc"] - amount * x["sol_price"]
    collateral, needed = 0.0, x["open_order_margin"]
    weights = x["weights"]
    for value, asset, liability in (
        (cash, 1.0, 1.0),
        (amount * x["sol_price"], weights[f"asset_{kind}"], weights[f"liab_{kind}"]),
    ):
        plus, minus = rules.balance(value, asset, liability)
        collateral, needed = collateral + plus, needed + minus
    return {"margin_requirement": needed, "total_collateral": collateral}


def velocity(case):
    """Drift's successor: the same rules under another name."""
    x = case["inputs"]
    if "collateral" in x:
        held = Position("SOL/USDC:USDC", x["size"], x["entry"], maintenance_rate=x["mmr"])
        account = Account("drift", "cross", [held], {"USDC": x["collateral"]}, {"SOL": x["entry"]})
        return {"liq_price": account.liquidation_price()}
    size, imf = round(x["size"] * 1e9), round(x["imf"] * 1e6)
    discounted = rules.size_discount(size, imf, 11_000) / rules.ONE  # a weight above what the size allows
    weight = rules.size_discount(size, imf, round(x["weight"] * rules.ONE)) / rules.ONE
    return {"discounted": discounted, "weight": weight}


def _transfers(x):
    """A liquidator repays a borrow and takes dollars for it; 2^128 - 1 where no repayment helps."""
    price = round(x["liability_price"] * 1e6)
    asset, liability = (round(x[f"{side}_multiplier"] * 1e6) for side in ("asset", "liability"))
    if "margin_shortage_usd" in x:
        weights = [round(x[f"{side}_weight"] * rules.ONE) for side in ("asset", "liability")]
        found = rules.borrow_to_repay(
            round(x["margin_shortage_usd"] * 1e6), (weights[0], asset), (weights[1], liability),
            round(x["if_fee"] * 1e6), price, x["liability_decimals"],
        )  # fmt: skip
        return {"liability_transfer": 2**128 - 1 if found is None else found}
    if "asset_transfer_usdc" in x:
        amount = round(x["asset_transfer_usdc"] * 1e6)
        return {"liability_transfer": rules.borrow_repaid_by(amount, asset, liability, price)}
    borrow, held = round(x["liability_transfer_base"] * 1e9), round(x["asset_held_usdc"] * 1e6)
    return {"asset_transfer": rules.dollars_for(borrow, asset, liability, price, held)}
