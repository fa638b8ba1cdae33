"""Published cases of Synthetix, GMX, Aave and Euler on to the rulebooks' own functions."""

from margin.venues import rulebook
from margin.venues.families.lending import discount_factor
from margin.venues.rules.aave import average, close_factor, health_factor, seized
from margin.venues.rules.gmx import liquidatable, open_interest_factor
from margin.venues.rules.synthetix import fill_price, margins


def synthetix(case):
    x = case["inputs"]
    if "prices" not in x:
        both = [
            margins(
                p["size"], p["price"], p["skew_scale"], p["initial_fraction"], p["min_imr"], p["mm_scalar"],
                p["min_position_margin"],
            )
            for p in x["positions"]
        ]  # fmt: skip
        initial, maintenance = (sum(m[i] for m in both) for i in (0, 1))
        found = {"initial_margin": initial, "maintenance_margin": maintenance}
        found |= _available(x, initial)
        return found
    pnl = [
        p["size"] * (price - fill_price(p["entry_oracle"], p["size"], p["skew_scale"]))
        for p, price in zip(x["positions"], x["prices"], strict=True)
    ]
    return {"pnl": pnl, "available_margin": x["collateral"] + sum(pnl)}


def _available(x, initial):
    """Available margin right after opening at the oracle's prices (the fills' premium is lost), and what may be withdrawn."""
    lost = sum(p["size"] * (p["price"] - fill_price(p["price"], p["size"], p["skew_scale"])) for p in x["positions"])
    available = x["collateral"] + lost
    reward = sum(v for k, v in x.items() if "reward" in k)
    if not reward:
        ratio = rulebook("synthetix").parameters["liquidation_reward_ratio"]
        reward = ratio * sum(abs(p["size"]) * p["price"] for p in x["positions"])
    withdrawable = available - initial - reward
    names = ("withdrawable_margin", "withdrawable")
    return {"available_margin": available, "available": available, **dict.fromkeys(names, withdrawable)}


def gmx(case):
    x = case["inputs"]
    if "multiplier" in x:
        return {"min_collateral_factor": open_interest_factor(x["open_interest_usd"], x["multiplier"])}
    return {
        f"at_{price}": liquidatable(
            x["size_usd"], x["entry"], price, x["collateral_eth"], price, x["min_collateral_factor"]
        )
        for price in (int(k.removeprefix("at_")) for k in case["expected"])
    }


def aave(case):
    x = case["inputs"]
    if "health_factor" in x:
        return {"close_factor": close_factor(x["health_factor"], x["collateral_usd"], x["debt_usd"])}
    if "emode" in x and isinstance(x.get("collateral"), str):
        shares = x["emode"]
        return {"ltv": average([(1.0, shares["ltv"])]), "lt": average([(1.0, shares["lt"])])}
    if "emode" in x or "collateral" in x:
        held = x["collateral"]
        pairs = {key: [(c["value"], c[key]) for c in held] for key in ("ltv", "lt") if all(key in c for c in held)}
        found = {key: average(rows) for key, rows in pairs.items()}
        if "debt" in x:
            found["health_factor"] = health_factor(pairs["lt"], x["debt"])
        return found
    if "bonus" in x:
        return dict.fromkeys(case["expected"], seized(x["debt"], x["bonus"]))
    return None


def euler(case):
    x = case["inputs"]
    factor = discount_factor(x["adjusted_collateral"], x["liability"])
    return {"discount_factor": factor, "yield_value": x["liability"] / factor}
