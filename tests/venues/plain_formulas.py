"""Each venue's equity and maintenance margin by its plain published formula, one number at a time: nothing of the engine.

Only the parameter tables are read. A book is [(coin, quantity, entry, leverage), ...] beside `cash` US dollars; of a
coin-settled venue quantities are US dollars of face beside `cash` coins.
"""

import json
import math
from pathlib import Path

import margin.venues.parameters

FOLDER = Path(margin.venues.parameters.__file__).parent


def facts(name):
    data = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return {key: fact["value"] for key, fact in data["facts"].items()}


def table(found, rule):
    """A table and its parts of other dates, one fact each (`levels`, `levels_2025`, ...); the first one that has a coin."""
    out = {}
    for key in sorted((k for k in found if k == rule or k.startswith(f"{rule}_")), key=lambda k: (k != rule, k)):
        out = {**found[key], **out}
    return out


def tier_of(rows, size, closed):
    """(rate, amount deducted so that the margin does not jump) of the tier a size lies in."""
    deducted = 0.0
    for i, (floor, cap, rate, *_) in enumerate(rows):
        if i:
            deducted += floor * (rate - rows[i - 1][2])
        if cap is None or i == len(rows) - 1 or size < cap or (closed and size == cap):
            return rate, deducted
    raise AssertionError("no tier")


def profit(book, price):
    return sum(q * (price[c] - e) for c, q, e, _ in book)


class Binance:
    """Maintenance = notional x rate - cumulated amount."""

    venue, dollars, coins = "binance", "USDT", ("BTC", "ETH", "SOL")
    closed, mode, most = True, "cross", 3  # most: coins in one book

    def __init__(self):
        self.rows = table(facts(self.venue), "brackets")

    def maintenance(self, coin, q, e, leverage, price):
        notional = abs(q) * price
        rate, deducted = tier_of(self.rows[coin], notional, self.closed)
        return notional * rate - deducted

    def gap(self, cash, book, price):
        needed = sum(self.maintenance(c, q, e, lev, price[c]) for c, q, e, lev in book)
        return cash + profit(book, price) - needed

    def opening(self, coin, q, e, leverage):
        return abs(q) * e / leverage


class Hyperliquid(Binance):
    """Half the initial margin at the tier's highest leverage; deductions keep it continuous."""

    venue, dollars, closed = "hyperliquid", "USDC", False

    def __init__(self):
        tables = table(facts("hyperliquid"), "leverage_tiers")
        self.rows = {
            coin: [(low, rows[i + 1][0] if i + 1 < len(rows) else None, 0.5 / lev) for i, (low, lev) in enumerate(rows)]
            for coin, rows in tables.items()
        }


class Bybit(Binance):
    """At mark since November 2025, with the fee of closing at the bankruptcy price of the position's leverage."""

    venue, coins = "bybit", ("BTC", "ETH")

    def __init__(self):
        found = facts("bybit")
        self.rows, self.fee = table(found, "risk_limits"), found["taker_fee"]

    def fee_of(self, q, e, leverage):
        side = 1 if q > 0 else -1
        return abs(q) * e * (1 - side / leverage) * self.fee

    def maintenance(self, coin, q, e, leverage, price):
        return super().maintenance(coin, q, e, leverage, price) + self.fee_of(q, e, leverage)

    def opening(self, coin, q, e, leverage):
        return super().opening(coin, q, e, leverage) + self.fee_of(q, e, leverage)


class Okx(Binance):
    """The tier's rate on the whole position, tiers count coins; the fee of closing at mark."""

    venue = "okx"

    def __init__(self):
        found = facts("okx")
        self.rows, self.fee = table(found, "position_tiers"), found["taker_fee"]

    def maintenance(self, coin, q, e, leverage, price):
        rate, _ = tier_of(self.rows[coin], abs(q), True)
        return abs(q) * price * (rate + self.fee)


class Kraken(Binance):
    """The level's rate on the whole value at entry; maintenance is half the initial rate."""

    venue, dollars, coins = "kraken", "USDC", ("BTC", "ETH")

    def __init__(self):
        self.levels = table(facts("kraken"), "levels")

    def maintenance(self, coin, q, e, leverage, price):
        value = abs(q) * e
        return value * [rate for floor, rate in self.levels[coin] if value >= floor][-1] / 2


class Deribit(Binance):
    """1% of a perpetual (SOL 2%) and a step more for every coin."""

    venue, dollars = "deribit", "USDC"

    def __init__(self):
        self.rates = table(facts("deribit"), "perpetual_rates")

    def maintenance(self, coin, q, e, leverage, price):
        _, base, step = self.rates[coin]
        return abs(q) * price * (base + step * abs(q))


class Dydx(Binance):
    """The tier's initial fraction x its maintenance fraction, of the oracle's value."""

    venue, dollars = "dydx", "USDC"

    def __init__(self):
        found = facts("dydx")
        tiers = {coin: found["liquidity_tiers"][number] for coin, number in found["markets"].items()}
        self.rates = {coin: row[0] * row[1] for coin, row in tiers.items()}

    def maintenance(self, coin, q, e, leverage, price):
        return abs(q) * price * self.rates[coin]


class Paradex(Dydx):
    """Half of the market's initial fraction."""

    venue = "paradex"

    def __init__(self):
        self.rates = {coin: rate / 2 for coin, rate in table(facts("paradex"), "initial_fractions").items()}


class Lighter(Dydx):
    """The market's maintenance fraction, in ten-thousandths."""

    venue = "lighter"

    def __init__(self):
        self.rates = {coin: row[2] / 10_000 for coin, row in table(facts("lighter"), "fractions").items()}


class Derive(Dydx):
    """5% of a BTC or ETH perpetual, more of others; USDC in full."""

    venue = "derive"

    def __init__(self):
        found = facts("derive")
        self.rates = {coin: row[1] for coin, row in {**found["perpetuals"], **found["alt_perpetuals"]}.items()}


class Gmx(Binance):
    """A share of the size at entry and the fee of liquidation, at least the least collateral; isolated only."""

    venue, dollars = "gmx", "USDC"

    def __init__(self):
        self.facts = facts("gmx")

    def maintenance(self, coin, q, e, leverage, price):
        size = abs(q) * e
        return (
            max(size * self.facts["factors"][coin], self.facts["least_collateral"])
            + size * self.facts["liquidation_fee"]
        )


class Bitmex:
    """Coin-settled: cost N / E, the step's rate of the whole, the commission of closing; equity in coins x price."""

    venue, coins = "bitmex", ("BTC",)

    def __init__(self):
        found = facts("bitmex")
        self.base, self.step, _, self.rate, self.rise = found["risk_limit"]
        self.fee = found["taker_fee"]

    def gap(self, cash, book, price):
        coins = cash
        for coin, face, entry, leverage in book:
            cost = abs(face) / entry
            steps = max(-((self.base - cost) // self.step), 0) if cost > self.base else 0
            coins += face * (1 / entry - 1 / price[coin]) - cost * (self.rate + steps * self.rise)
            coins -= cost * (1 + 1 / leverage) * self.fee
        return coins * price[book[0][0]]


class BinanceCoinM(Bitmex):
    """Coin-settled: |N| / P coins at the bracket's rate less its amount, in coins."""

    venue = "binance_coinm"

    def __init__(self):
        self.rows = facts("binance_coinm")["brackets"]

    def gap(self, cash, book, price):
        coins = cash
        for coin, face, entry, _ in book:
            size = abs(face) / price[coin]
            rate, deducted = tier_of(self.rows[coin], size, True)
            coins += face * (1 / entry - 1 / price[coin]) - (size * rate - deducted)
        return coins * price[book[0][0]]


def sliced(rows, amount):
    """What counts of an amount whose slices count at their own share."""
    return sum(share * max(min(amount, cap if cap is not None else amount) - floor, 0.0) for floor, cap, share in rows)


class BybitInverse(Bitmex):
    """|N| / P coins at their tier's rate less its amount, the fee at the bankruptcy price; coins count slice by slice."""

    venue = "bybit_inverse"

    def __init__(self):
        found = facts("bybit_inverse")
        self.rows, self.shares, self.fee = (
            found["risk_limits"]["BTC"],
            found["collateral_ratios"]["BTC"],
            found["taker_fee"],
        )

    def counted(self, coins):
        return sliced(self.shares, coins)

    def needed(self, face, entry, leverage, price, posted):
        size, side = abs(face) / price, 1 if face > 0 else -1
        rate, deducted = tier_of(self.rows, size, True)
        if posted is None:
            broke = entry / (1 + side / leverage) if side > 0 or leverage > 1 else float("inf")
        else:
            left = face / entry + posted
            broke = face * (1 + side * self.fee) / left if left * side > 0 else float("inf")
        return size * rate - deducted + abs(face) / broke * self.fee

    def gap(self, cash, book, price, posted=None):
        ((coin, face, entry, leverage),) = book
        p = price[coin]
        won = face * (1 / entry - 1 / p)
        held = cash if posted is not None else self.counted(cash)
        return (held + won - self.needed(face, entry, leverage, p, posted)) * p


class OkxInverse(BybitInverse):
    """The tier's rate and the fee on all of it, coins at the mark; up to 10 coins are known."""

    venue, most_face = "okx", 100_000.0

    def __init__(self):
        found = facts("okx")
        self.rate, self.fee = found["position_tiers_inverse"]["inverse BTC"][0][2], found["taker_fee"]
        self.shares = found["discount_tiers"]["BTC"]

    def needed(self, face, entry, leverage, price, posted):
        return abs(face) / price * (self.rate + self.fee)

    def gap(self, cash, book, price, posted=None):
        """In the pool a coin's equity, balance and profit together, counts slice by slice."""
        ((coin, face, entry, leverage),) = book
        p = price[coin]
        equity = cash + face * (1 / entry - 1 / p)
        counts = equity if posted is not None or equity < 0 else sliced(self.shares, equity)
        return (counts - self.needed(face, entry, leverage, p, posted)) * p


class BinanceCoinMAlone(BybitInverse):
    """One contract with coins of its own."""

    venue = "binance_coinm"

    def __init__(self):
        self.rows = facts("binance_coinm")["brackets"]["BTC"]

    def needed(self, face, entry, leverage, price, posted):
        size = abs(face) / price
        rate, deducted = tier_of(self.rows, size, True)
        return size * rate - deducted


class BitmexAlone(BybitInverse):
    """One contract with coins of its own: cost, step and commission as in the pool."""

    venue = "bitmex"

    def __init__(self):
        self.pool = Bitmex()

    def gap(self, cash, book, price, posted=None):
        return self.pool.gap(cash, book, price)


def call_or_put(kind, spot, strike, years, vol):
    """Black-76 with rate zero, by the error function."""
    if years <= 0 or spot <= 0:
        return max(spot - strike, 0.0) if kind == "C" else max(strike - spot, 0.0)
    spread = vol * years**0.5
    d1 = math.log(spot / strike) / spread + spread / 2

    def n(x):
        return 0.5 * math.erfc(-x / 2**0.5)

    call = spot * n(d1) - strike * n(d1 - spread)
    return call if kind == "C" else call - spot + strike


class DeribitOption:
    """A sold call asks 7.5% of the underlying and its mark, a sold put max(7.5%, 7.5% of the mark) and its mark."""

    venue, dollars = "deribit", "USDC"

    def __init__(self):
        *_, self.kept = facts("deribit")["short_options"]

    def needed(self, kind, spot, mark):
        more = self.kept * spot if kind == "C" else max(self.kept * spot, self.kept * mark)
        return more + mark

    def gap(self, cash, kind, quantity, strike, start, spot, years, vol):
        """`quantity` sold; what they brought at `start` is cash."""
        mark, first = (call_or_put(kind, at, strike, years, vol) for at in (spot, start))
        return cash + quantity * first - quantity * self.needed(kind, spot, mark)


class BybitOption(DeribitOption):
    """max(3% of the index, 3% of the mark), the mark and 0.2% of the index."""

    venue = "bybit"

    def __init__(self):
        self.rule = facts("bybit")["options"]["BTC"]

    def needed(self, kind, spot, mark):
        return self.rule["maintenance"] * max(spot, mark) + mark + self.rule["liquidation_fee"] * spot


class BinancePortfolio(Binance):
    """Liquidated at a uniMMR of 105%."""

    mode = "portfolio"

    def maintenance(self, coin, q, e, leverage, price):
        return 1.05 * super().maintenance(coin, q, e, leverage, price)


class OkxPortfolio(Binance):
    """A risk unit without options: max(worst move + basis, half the extreme move, least charge) of its value."""

    venue, mode = "okx", "portfolio"

    def __init__(self):
        self.units = {coin: unit for unit in facts("okx")["risk_units"] for coin in unit["assets"]}

    def maintenance(self, coin, q, e, leverage, price):
        unit = self.units[coin]
        share = max(max(unit["moves"]) + unit["basis"], unit["extreme"] / 2, unit["least"])
        return abs(q) * price * share


class ParadexPortfolio(Binance):
    """Paradex's portfolio margin of perpetuals: half of the worst move, tails dampened, or of the least delta charge."""

    venue, mode, dollars, coins = "paradex", "portfolio", "USDC", ("BTC", "ETH")

    def __init__(self):
        self.units = {coin: unit for unit in facts("paradex")["scenarios"] for coin in unit["assets"]}

    def maintenance(self, coin, q, e, leverage, price):
        unit = self.units[coin]
        moves = [side * move for move in unit["moves"] for side in (1, -1)]
        losses = [-q * price * move for move in moves] + [-q * price * move * share for move, share in unit["tails"]]
        return max(*losses, 0.0, unit["least_delta"][0] * abs(q) * price) / 2


class DeribitPortfolio(Binance):
    """One coin's perpetual: 80% of its loss at the edge of the price range and the least roll charge."""

    venue, mode, dollars, coins, most = "deribit", "portfolio", "USDC", ("BTC", "ETH"), 1

    def __init__(self):
        found = facts("deribit")
        self.rules, self.factor = found["portfolio"], found["maintenance_factor"]

    def maintenance(self, coin, q, e, leverage, price):
        rules = self.rules[coin]
        return self.factor * abs(q) * price * (rules["price_range"] + rules["least_move"])


PORTFOLIO = (BinancePortfolio, OkxPortfolio, ParadexPortfolio, DeribitPortfolio)
LINEAR = (Binance, Hyperliquid, Bybit, Okx, Kraken, Deribit, Dydx, Paradex, Lighter, Derive)
ISOLATED = (Binance, Hyperliquid, Bybit, Okx, Dydx, Lighter, Gmx)
INVERSE = (Bitmex, BinanceCoinM, BybitInverse, OkxInverse)
INVERSE_ALONE = (BinanceCoinMAlone, BybitInverse, BitmexAlone, OkxInverse)
OPTIONS = (DeribitOption, BybitOption)
