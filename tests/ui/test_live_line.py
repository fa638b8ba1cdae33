"""The live line: which prices are marks, which last trades, and whose."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from data.exchange.tickers import LastPrice, held_as_contracts
from data.sample import load_sample
from margin import Portfolio, compare
from margin.core.account import Account
from margin.core.position import Collateral, Position
from ui.portfolio.live import at_last_prices, line, sources
from ui.portfolio.live_marks import by_venue, pool_prices, prices_at
from ui.state import prices

AT = datetime(2026, 3, 20, 9, 46, tzinfo=UTC)


def of(exchange: str, kind: str) -> LastPrice:
    return LastPrice(100.0, AT, exchange, "BTC/USDT:USDT", kind)


def test_prices_of_one_kind_are_named_once():
    assert sources({"BTC": (of("okx", "mark"),), "ETH": (of("okx", "mark"),)}) == "mark of OKX"
    two = (of("okx", "mark"), of("binanceusdm", "mark"))
    assert sources({"BTC": two}) == "mark of OKX and Binance USD-M futures"
    assert sources({"BTC": (two[0], of("kraken", "last trade"))}) == "mark of OKX, last trade of Kraken"


def test_marks_trades_and_venues_are_told_apart():
    last = {"BTC": of("binanceusdm", "mark"), "SOL": of("kraken", "last trade"), "ETH": of("okx", "mark")}
    last |= {"UNI": of("hyperliquid", "middle of the book"), "ADA": of("okx", "mark")}
    assert sources({asset: (seen,) for asset, seen in last.items()}) == (
        "BTC: mark of Binance USD-M futures; SOL: last trade of Kraken; ETH, ADA: mark of OKX; "
        "UNI: middle of the book of Hyperliquid"
    )
    many = {f"C{i}": (of("okx", "mark"),) for i in range(6)} | {"BTC": (of("kraken", "last trade"),)}
    assert sources(many) == "C0, C1, C2, C3 and 2 more: mark of OKX; BTC: last trade of Kraken"


def test_a_contract_is_asked_for_at_its_own_venues_and_what_is_owned_or_lent_at_none():
    okx = Account(venue="okx", mode="cross", positions=(Position("BTC/USDT:USDT", 1.0), Position("SOL/USDT", 2.0)))
    ours = Account(name="x", positions=(Position("BTC/USD:BTC", 1.0), Position("ETH/USDT:USDT", 1.0), Position("DAI", -9.0)),
                   collateral=(Collateral("USDC", 9.0),))  # fmt: skip
    binance = Account(name="y", venue="binance", mode="cross", positions=(Position("BTC/USDT:USDT", -1.0),))
    assert held_as_contracts(Portfolio(accounts=(okx, ours, binance))) == {"BTC": ["okx", "binance"], "ETH": []}


OKX = Account(
    name="a",
    venue="okx",
    mode="cross",
    positions=(Position("BTC/USDT:USDT", 3.0, 78_000.0),),
    collateral=(Collateral("USDT", 90_000.0),),
)
BINANCE = Account(name="b", venue="binance", mode="cross", positions=(Position("BTC/USDT:USDT", -1.0, 85_000.0), Position("ETH/USDT:USDT", 5.0)),
                  collateral=(Collateral("USDT", 90_000.0),))  # fmt: skip
COINS = Account(name="c", positions=(Position("BTC/USD:BTC", 80_000.0),), collateral=(Collateral("BTC", 2.0),))
BTC = LastPrice(80_000.0, AT, "okx", "BTC/USDT:USDT", "mark", marks={
    "okx": LastPrice(80_000.0, AT, "okx", "BTC/USDT:USDT", "mark"),
    "binance": LastPrice(84_000.0, AT, "binanceusdm", "BTC/USDT:USDT", "mark")})  # fmt: skip
LAST = {
    "BTC": BTC,
    "ETH": LastPrice(3_000.0, AT, "binanceusdm", "ETH/USDT:USDT", "mark"),
    "USDT": LastPrice(1.0, AT, "kraken", "USDT/USD"),
}


def test_an_account_stands_at_its_own_venues_marks_and_the_pool_at_their_mean_by_units():
    assert dict(prices_at(OKX, LAST)) == {"BTC": 80_000.0, "ETH": 3_000.0, "USDT": 1.0}
    assert dict(prices_at(BINANCE, LAST))["BTC"] == 84_000.0
    assert dict(prices_at(COINS, LAST))["BTC"] == 80_000.0
    book = Portfolio(accounts=(OKX, BINANCE, COINS))  # 3 and 1 units, and 80,000 dollars of face: 1 unit
    assert dict(pool_prices(book, LAST))["BTC"] == pytest.approx((3 * 80_000 + 84_000 + 80_000) / 5)
    assert {a: [s.exchange for s in seen] for a, seen in by_venue(book, LAST).items()} == {
        "BTC": ["okx", "binanceusdm"], "ETH": ["binanceusdm"], "USDT": ["kraken"],
    }  # fmt: skip


def test_the_line_asks_of_each_account_what_its_venue_asks_at_its_own_marks():
    active = prices.activate(load_sample(), "fetched")
    comparison = compare(Portfolio(accounts=(OKX, BINANCE)), active.market)
    answer = SimpleNamespace(portfolio=Portfolio(accounts=(OKX, BINANCE)))
    found = at_last_prices(answer, comparison, active, LAST)
    assert [row.equity for row in found.as_held.accounts] == [
        pytest.approx(90_000 + 3 * (80_000 - 78_000)), pytest.approx(90_000 - (84_000 - 85_000)),
    ]  # fmt: skip
    shown = line(answer, comparison, active, LAST)
    assert "BTC **$80,000** " in shown and " at OKX, **$84,000** " in shown and " at Binance USD-M futures" in shown
    assert "as held" in shown and "one pool" in shown and "mark of OKX and Binance USD-M futures" in shown
