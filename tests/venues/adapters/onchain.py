"""Published cases of Synthetix, GMX, Aave and Euler on to the rulebooks' own functions."""

from margin.core.portfolio import Position
from margin.venues.rules.aave import average, close_factor, health_factor, seized
from margin.venues.rules.aave_v4 import bonus, shared_bonus
from margin.venues.rules.gmx import open_interest_factor
from margin.venues.rules.lighter import zero_price
from margin.venues.rules.morpho import incentive
from margin.venues.rules.paradex import shocked
from margin.venues.rules.synthetix import fill_price
from tests.venues.door import Account, with_facts


def synthetix(case):
    """An account that has just been opened at the oracle's prices: each fill loses half its own premium."""
    x = case["inputs"]
    markets, positions, prices = {}, [], {}
    for i, p in enumerate(x["positions"]):
        name, opened = p.get("market", f"M{i}"), p.get("entry_oracle", p.get("price"))
        markets[name] = {
            "skew_scale": p["skew_scale"], "fraction": p.get("initial_fraction", 0.0), "least": p.get("min_imr", 0.01),
            "scalar": p.get("mm_scalar", 0.5), "flat": p.get("min_position_margin", 0.0),
        }  # fmt: skip
        positions.append((f"{name}/USD:USD", p["size"], fill_price(opened, p["size"], p["skew_scale"])))
        prices[name] = x["prices"][i] if "prices" in x else opened
    flat = sum(v for k, v in x.items() if "reward" in k)
    rules = with_facts(
        "synthetix", markets=markets, **({"liquidation_reward_ratio": 0.0} if flat or "note" in x else {})
    )
    account = Account(rules, "cross", positions, {"USD": x["collateral"]}, prices)
    state = account.state
    pnl = [account.marks.unrealised(p) for p in account.sub.positions]
    left = state.free - flat
    return {
        "initial_margin": sum(r.initial for r in state.positions),
        "maintenance_margin": sum(r.maintenance for r in state.positions),
        "pnl": pnl, "available_margin": max(state.equity, 0.0), "available": max(state.equity, 0.0),
        "withdrawable_margin": left, "withdrawable": left,
    }  # fmt: skip


def gmx(case):
    x = case["inputs"]
    if "multiplier" in x:
        return {"min_collateral_factor": open_interest_factor(x["open_interest_usd"], x["multiplier"])}
    held = Position(
        "ETH/USDT:USDT", x["size_usd"] / x["entry"], x["entry"], maintenance_rate=x["min_collateral_factor"]
    )
    coins = {"ETH": x["collateral_eth"]}
    return {
        name: Account("gmx", "isolated", [held], coins, {"ETH": float(name[3:])}, isolated=True).state.liquidated
        for name in case["expected"]
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
    # Its health, at most 1, is the price at which collateral is sold: an account of a lending venue.
    held = {"BTC": x["adjusted_collateral"], "USDC": -x["liability"]}
    rules = with_facts("aave", weights={"BTC": [1.0, 1.0], "USD": [1.0, 1.0]})
    factor = min(Account(rules, "cross", [], held, {"BTC": 1.0}).state.health, 1.0)
    return {"discount_factor": factor, "yield_value": x["liability"] / factor}


def aave_v4(case):
    x = case["inputs"]
    if "fee" in x:
        protocol, liquidator = shared_bonus(x["bonus"], x["fee"])
        return {"protocol": protocol, "liquidator": liquidator}
    if "health" not in x:
        return None
    rule = x["max_bonus"], x["factor"], x["full_at"]
    return {"bonus": bonus(x["health"], *rule), "min_bonus": bonus(1.0, *rule)}


def morpho(case):
    x = case["inputs"]
    return {"lif": incentive(x["lltv"], x["cursor"], x["cap"])}


def extended(case):
    """The case's tiers as the rulebook's own; a position of that value asks its tier's factor of all of it."""
    x = case["inputs"]
    factors = [f / 1_000 for f in x["factors"]]
    rules = with_facts("extended", risk_factors={"XYZ": [x["first"], x["tier_size"], factors]})
    held = [("XYZ/USDC:USDC", x["value"] / 10.0, 10.0)]
    (row,) = Account(rules, "cross", held, {"USDC": x["value"]}, {"XYZ": 10.0}).state.positions
    return {"index": factors.index(row.maintenance_rate), "risk": row.maintenance}


def paradex_volatility(case):
    x = case["inputs"]
    return {"shocked_iv": float(shocked(x["mark_iv"], x["shock"], x["days"], [x["power"], 0.0]))}


def paradex(case):
    x = case["inputs"]
    if "positions" in x:
        held = [(f"C{i}/USDC:USDC", p["size"], p["entry"]) for i, p in enumerate(x["positions"])]
        marks = {f"C{i}": p["mark"] for i, p in enumerate(x["positions"])}
        rules = with_facts("paradex", initial_fractions=dict.fromkeys(marks, 2 * x["mmf"]))
        state = Account(rules, "cross", held, {"USDC": x["cash"]}, marks).state
        return {"account_value": state.equity, "mmr": state.maintenance}
    if "kind" in x:
        held = [(f"BTC/USDC:USDC-261231-{x['strike']}-{x['kind'][0].upper()}", -1.0)]
        state = Account("paradex", "cross", held, {"USDC": 1e6}, {"BTC": x["spot"]}, vols={"BTC": 0.5}).state
        return {"imr": state.initial, "mmr": state.maintenance}
    if "usdc" not in x:
        return None
    rules = with_facts("paradex", initial_fractions={"XYZ": x["imf"]})
    held = [("XYZ/USDC:USDC", x["size"], x["entry"])]
    state = Account(rules, "cross", held, {"USDC": x["usdc"]}, {"XYZ": x["mark"]}).state
    return {"imr": state.initial, "account_value": state.equity}


def lighter(case):
    """The case's account value is cash: the positions were entered at their marks."""
    x = case["inputs"]
    held = [(f"C{i}/USDC:USDC", p["size"], p["mark"]) for i, p in enumerate(x["positions"])]
    marks = {f"C{i}": p["mark"] for i, p in enumerate(x["positions"])}
    rows = {f"C{i}": [200, 500, p["m"] * 10_000, 80] for i, p in enumerate(x["positions"])}
    state = Account(with_facts("lighter", fractions=rows), "cross", held, {"USDC": x["account_value"]}, marks).state
    prices = [zero_price(p["mark"], p["size"], p["m"], state.equity, state.maintenance) for p in x["positions"]]
    return {"mmr": state.maintenance, "zero_price": prices}
