"""Books to start from. Sizes follow the prices and expiries follow the as-of date, so they are never out of date."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from margin.core.instruments import USD_STABLECOINS
from margin.core.market import Market
from margin.core.portfolio import Account, Collateral, Portfolio, Position

SIZE = 100_000.0  # USD, the main leg of every preset


@dataclass(frozen=True)
class Preset:
    """`needs` lists the price columns without which the book makes no sense."""

    title: str
    idea: str
    needs: tuple[str, ...]
    legs: Callable[["Prices"], list[Position]]
    cash: float = 30_000.0
    accounts: Callable[["Prices"], list[Account]] | None = None  # of several venues, instead of `legs` and `cash`


@dataclass(frozen=True)
class Prices:
    """What a preset may look at: closes at `as_of` and which assets have any."""

    market: Market
    as_of: date

    def size(self, asset: str, usd: float) -> float:
        """Units of `asset` worth about `usd`, rounded to two digits so that the table stays readable."""
        return two_digits(usd / self.market.price(asset, self.as_of))

    def first_of(self, *assets: str) -> str:
        return next((a for a in assets if a in self.market), assets[-1])


def _pair(p: Prices) -> list[Position]:
    return [
        Position("ETH/USDT:USDT", p.size("ETH", SIZE)),
        Position("BTC/USDT:USDT", -p.size("BTC", SIZE)),
    ]


def _carry(p: Prices) -> list[Position]:
    amount = p.size("BTC", SIZE)
    expiry = quarterly_expiry(p.as_of)
    return [Position("BTC/USD", amount), Position(f"BTC/USDT:USDT-{expiry:%y%m%d}", -amount)]


def _majors(p: Prices) -> list[Position]:
    weights = {"BTC": 0.5, "ETH": 0.3, "SOL": 0.2}
    return [Position(f"{asset}/USDT:USDT", p.size(asset, SIZE * w)) for asset, w in weights.items()]


def _alts(p: Prices) -> list[Position]:
    held = [a for a in ("SOL", "AVAX", "LINK", "ADA", "DOT", "XRP") if a in p.market][:4]
    legs = [Position(f"{asset}/USDT:USDT", p.size(asset, SIZE / len(held))) for asset in held]
    return [*legs, Position("BTC/USDT:USDT", -p.size("BTC", 1.2 * SIZE))]


def _stable_short(p: Prices) -> list[Position]:
    stable = p.first_of("USDC", "DAI", *sorted(USD_STABLECOINS - {"USDT"}))
    return [Position("ETH/USDT:USDT", p.size("ETH", SIZE)), Position(f"{stable}/USDT:USDT", -SIZE / 2)]


def _covered_call(p: Prices) -> list[Position]:
    amount = p.size("BTC", SIZE)
    spot = p.market.price("BTC", p.as_of)
    strike = round(1.1 * spot / 1000) * 1000
    expiry = last_friday(p.as_of + timedelta(days=30))
    return [Position("BTC/USD", amount), Position(f"BTC/USD:BTC-{expiry:%y%m%d}-{strike}-C", -amount)]


def _balanced(p: Prices) -> list[Position]:
    bonds = p.first_of("TLT", "GLD")
    weights = {"SPY": 0.57, bonds: 0.38, "BTC": 0.05}
    return [Position(f"{asset}/USDC:USDC", p.size(asset, SIZE * w)) for asset, w in weights.items()]


def _scattered(p: Prices) -> list[Account]:
    def at(venue: str, symbol: str, usd: float, cash: str, amount: float) -> Account:
        leg = Position(symbol, p.size(symbol.split("/")[0], usd), leverage=10.0)
        return Account(venue=venue, mode="cross", positions=(leg,), collateral=(Collateral(cash, amount),))

    return [
        at("binance", "ETH/USDT:USDT", SIZE, "USDT", 15_000.0),
        at("bybit", "BTC/USDT:USDT", -SIZE, "USDT", 15_000.0),
        at("hyperliquid", "SOL/USDC:USDC", SIZE / 4, "USDC", 6_000.0),
    ]


def _carry_apart(p: Prices) -> list[Account]:
    amount = p.size("BTC", SIZE)
    coins = Account(name="Cold wallet", positions=(Position("BTC/USD", amount),))
    short = Account(
        venue="binance", mode="cross", positions=(Position("BTC/USDT:USDT", -amount, leverage=10.0),),
        collateral=(Collateral("USDT", 20_000.0),),
    )  # fmt: skip
    return [coins, short]


def _none(_: Prices) -> list[Position]:
    return []


PRESETS = (
    Preset("ETH/BTC pair", "Long ETH, short BTC: a bet on the difference.", ("BTC", "ETH"), _pair),
    Preset("Cash and carry", "Own BTC as collateral, sell it for a later date: earn the basis.", ("BTC",), _carry),
    Preset("Long-only majors", "BTC, ETH and SOL perpetuals, all long.", ("BTC", "ETH", "SOL"), _majors),
    Preset("Alts hedged with BTC", "A basket of altcoins, the market sold against it.", ("BTC", "SOL"), _alts),
    Preset(
        "Long ETH, short stablecoin", "Does a short in a dollar coin hedge anything?", ("ETH", "USDC"), _stable_short
    ),
    Preset("Covered call", "Own BTC, sell an upside call on it.", ("BTC",), _covered_call),
    Preset(
        "60/40 with BTC",
        "Shares and a defensive leg, 5% of it in BTC, as perpetuals on margin.",
        ("SPY", "BTC"),
        _balanced,
    ),
    Preset(
        "Three venues",
        "Long ETH at Binance, short BTC at Bybit, long SOL at Hyperliquid: collateral scattered over three accounts.",
        ("BTC", "ETH", "SOL"),
        _none,
        accounts=_scattered,
    ),
    Preset(
        "Carry over two accounts",
        "BTC in a wallet, sold as a perpetual at Binance: the coins do not help the account that is liquidated.",
        ("BTC",),
        _none,
        accounts=_carry_apart,
    ),
)
DEFAULT = PRESETS[0].title


def offered(market: Market) -> list[Preset]:
    """The presets whose prices are there."""
    return [preset for preset in PRESETS if all(asset in market for asset in preset.needs)]


def find(title: str | None, market: Market) -> Preset | None:
    return next((preset for preset in offered(market) if preset.title == title), None)


def build(preset: Preset, market: Market, as_of: date) -> Portfolio:
    """The preset's book at the prices of `as_of`. Raises InputError when one of them is missing."""
    prices = Prices(market, as_of)
    if preset.accounts is not None:
        return Portfolio(accounts=preset.accounts(prices), name=preset.title)
    positions = preset.legs(prices)
    return Portfolio(tuple(positions), (Collateral("USDC", preset.cash),), preset.title)


def two_digits(value: float) -> float:
    """`value` rounded to two significant digits."""
    if not value:
        return 0.0
    digits = 1 - math.floor(math.log10(abs(value)))
    return round(value, digits)


def last_friday(day: date) -> date:
    """The last Friday of the month of `day`, when exchanges' monthly contracts end."""
    first_of_next = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    last = first_of_next - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - 4) % 7)


def quarterly_expiry(as_of: date) -> date:
    """The last Friday of the quarter after the one `as_of` is in: at least three months of basis."""
    quarter = (as_of.month - 1) // 3 + 2
    year, quarter = as_of.year + (quarter - 1) // 4, (quarter - 1) % 4 + 1
    return last_friday(date(year, 3 * quarter, 1))
