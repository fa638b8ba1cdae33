"""Published Hyperliquid cases as accounts."""

from margin.core.portfolio import Position
from margin.venues.rules.hyperliquid import THRESHOLD, portfolio_ratio
from tests.venues.door import Account, isolated, with_facts

SIGN = {"long": 1.0, "short": -1.0}


def run(case):
    x = case["inputs"]
    if "liq_price" in case["expected"]:
        # The case prints margin used, which holds the profit: posted at the price it is marked at.
        held = Position(
            "X/USDC:USDC", x["size"] * SIGN[x["side"]], x["price"], x.get("user_leverage"),
            margin=x["isolated_margin"], max_leverage=x["max_leverage"],
        )  # fmt: skip
        return {"liq_price": isolated("hyperliquid", held).liquidation_price()}
    if "tiers" in x:
        rulebook = with_facts("hyperliquid", leverage_tiers={"X": x["tiers"]})
        one = Account(rulebook, "cross", [("X/USDC:USDC", x["notional"], 1.0)], {"USDC": 1.0}, {"X": 1.0})
        return {"maintenance_margin": one.state.maintenance}
    if "cross_maintenance_margin" in x:
        return _portfolio(x)
    if "borrowable" in case["expected"]:
        rulebook = with_facts("hyperliquid", portfolio_ltv={"X": x["ltv"]}, portfolio_caps={"X": 1e12, "borrow": 1e12})
        one = Account(rulebook, "portfolio", [], {"X": x["balance"]}, {"X": x["price"]})
        return {"borrowable": one.state.equity_initial}
    if "borrowed" in case["expected"]:
        one = Account(
            "hyperliquid", "portfolio", [("BTC/USDC:USDC", -x["short"], x["entry"])], {"BTC": x["spot"]},
            {"BTC": x["price"]},
        )  # fmt: skip
        return {"borrowed": next(line.amount for line in one.state.lines if line.label == "Borrowed")}
    if "cross_mm" in x:
        needed = sum(x["cross_mm"])
        one = Account(
            "hyperliquid", "cross", [Position("X/USDC:USDC", needed, 1.0, maintenance_rate=1.0)],
            {"USDC": x["spot_total"] - x["isolated"]}, {"X": 1.0},
        )  # fmt: skip
        return {"ratio": 1.0 / one.state.health}
    position = Position("X/USDC:USDC", 1.0, 1.0, max_leverage=x["max_leverage"])
    return {"mmr": Account("hyperliquid", "cross", [position], {}, {"X": 1.0}).state.positions[0].maintenance_rate}


def _portfolio(x):
    """A third party's test: one number is both the borrowed token's balance and what is lent on."""
    lent = min(x["portfolio_balance"], x["supply_cap"]) * (0.5 + 0.5 * x["ltv"])
    borrowed = x["borrowed"] * x["borrow_price"]
    needed, value = portfolio_ratio(
        x["cross_maintenance_margin"], borrowed, x["portfolio_balance"], lent, x["borrow_cap"]
    )
    return {"requirement": needed, "liquidation_value": value, "liquidatable": bool(needed / value > THRESHOLD)}
