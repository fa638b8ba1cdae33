"""Plain formulas, like `plain_formulas`, of venues that hold more than dollars beside contracts: chains and lending.

A book is [(coin, quantity, entry, leverage), ...] of contracts; `held` are balances by asset, owed below zero.
"""

from tests.venues.plain_formulas import call_or_put, facts, profit, table


class Drift:
    """5% of a perpetual; SOL deposited counts at its weight, borrowed at its own."""

    venue, mode, dollars, coins, coin = "drift", "cross", "USDC", ("BTC", "ETH", "SOL"), "SOL"
    largest = 1_000_000.0

    def __init__(self):
        found = facts("drift")
        self.rates = {c: row[1] / 10_000 for c, row in found["perpetuals"].items()}
        _, self.weights = found["token_weights"]["SOL"]

    def gap(self, held, book, price):
        owned = held[self.coin] * price[self.coin]
        kept = owned * self.weights[0] if owned >= 0 else owned * self.weights[1]
        needed = sum(abs(q) * price[c] * self.rates[c] for c, q, *_ in book)
        return held[self.dollars] + kept + profit(book, price) - needed


class Synthetix:
    """(|size| / skew scale x fraction + least) x scalar of the notional, a flat sum, and 5% for the liquidator."""

    venue, mode, dollars, coins, coin = "synthetix", "cross", "USDC", ("BTC", "ETH"), None
    largest = 300_000.0

    def __init__(self):
        found = facts("synthetix")
        self.markets, self.reward = found["markets"], found["liquidation_reward_ratio"]

    def needed(self, coin, q, price):
        m = self.markets[coin]
        rate = (abs(q) / m["skew_scale"] * m["fraction"] + m["least"]) * m["scalar"]
        return abs(q) * price * (rate + self.reward) + m["flat"]

    def gap(self, held, book, price):
        return held[self.dollars] + profit(book, price) - sum(self.needed(c, q, price[c]) for c, q, *_ in book)


class HyperliquidPortfolio:
    """(20 + cross maintenance + borrowed) / (dollars + min(cap, coins at 0.5 + 0.5 LTV)), liquidated above 0.95."""

    venue, mode, dollars, coins, coin = "hyperliquid", "portfolio", "USDC", ("BTC", "ETH"), "BTC"
    largest = 300_000.0

    def __init__(self):
        found = facts("hyperliquid")
        self.rows = {c: table(found, "leverage_tiers")[c] for c in self.coins}
        self.ltv, self.caps = found["portfolio_ltv"], found["portfolio_caps"]

    def needed(self, coin, q, price):
        rows, value = self.rows[coin], abs(q) * price
        total = 0.0
        for i, (low, leverage) in enumerate(rows):  # each slice at its own rate: the deductions do the same
            high = rows[i + 1][0] if i + 1 < len(rows) else float("inf")
            total += max(min(value, high) - low, 0.0) * 0.5 / leverage
        return total

    def gap(self, held, book, price):
        dollars = held[self.dollars] + profit(book, price)
        coin = self.coin
        lent = min(held[coin], self.caps[coin]) * price[coin] * (0.5 + 0.5 * self.ltv[coin])
        required = 20 + sum(self.needed(c, q, price[c]) for c, q, *_ in book) + max(-dollars, 0.0)
        return max(dollars, 0.0) + min(self.caps["borrow"], lent) - required / 0.95


class Lending:
    """Collateral at its threshold against the debt, in coins or dollars."""

    def __init__(self, venue, kept, owed=None):
        self.venue, self.kept, self.owed = venue, kept, owed or {}

    def gap(self, held, price):
        worth = [(asset, quantity * price[asset]) for asset, quantity in held.items()]
        return sum(usd * (self.kept[a] if usd > 0 else self.owed.get(a, 1.0)) for a, usd in worth)


def lending():
    """The five lenders by their parameter files."""
    aave = facts("aave")
    shares = {
        "BTC": aave["weights"]["BTC"][1],
        "ETH": aave["weights"]["ETH"][1],
        "USDC": aave["weights_live"]["USDC"][1],
    }
    yield Lending("aave", shares)
    four = facts("aave_v4")["weights"]
    yield Lending("aave_v4", {"BTC": four["BTC"], "ETH": four["ETH"], "USDC": four["USD"]})
    yield Lending("morpho", {"BTC": 0.86, "ETH": 0.86, "USDC": 0.86})
    mango = {"USDC" if a == "USD" else a: row[1] for a, row in facts("mango")["weights"].items()}
    yield Lending("mango", {a: w[0] for a, w in mango.items()}, {a: w[1] for a, w in mango.items()})


class DeriveOptions:
    """One expiry: each sold option alone, or the worst payoff at 0 and each strike; the lesser of the two."""

    venue, mode = "derive", "cross"

    def __init__(self):
        self.rules = facts("derive")["standard"]

    def gap(self, cash, legs, start, spot, years, vol):
        """legs : [(C or P, strike, quantity), ...]; what they cost or brought at `start` is in `cash` already."""
        r = self.rules
        cash = cash - sum(q * call_or_put(kind, start, strike, years, vol) for kind, strike, q in legs)
        alone = 0.0
        for kind, strike, q in legs:
            if q < 0:
                value = q * call_or_put(kind, spot, strike, years, vol)
                more = r["call_maintenance"] * spot * q
                if kind == "P":
                    more = min(r["put_maintenance"] * spot * q, r["put_maintenance_mtm"] * value)
                alone += value + more
        worst = 0.0
        for price in (0.0, *(strike for _, strike, _ in legs)):
            paid = sum(q * max(price - k if kind == "C" else k - price, 0.0) for kind, k, q in legs)
            worst = min(worst, paid)
        calls = sum(q for kind, _, q in legs if kind == "C")
        worst += r["unpaired_maintenance"] * spot * min(calls, 0.0)
        return cash + max(alone, worst)


CHAINS = (Drift, Synthetix, HyperliquidPortfolio)
