"""The live line: which prices are marks, which last trades, and whose."""

from datetime import UTC, datetime

from data.exchange.tickers import LastPrice
from margin import Portfolio
from margin.core.account import Account
from margin.core.position import Collateral, Position
from ui.portfolio.live import contracts, sources

AT = datetime(2026, 3, 20, 9, 46, tzinfo=UTC)


def of(exchange: str, kind: str) -> LastPrice:
    return LastPrice(100.0, AT, exchange, "BTC/USDT:USDT", kind)


def test_prices_of_one_kind_are_named_once():
    assert sources({"BTC": of("okx", "mark"), "ETH": of("okx", "mark")}) == "mark of OKX"


def test_marks_trades_and_venues_are_told_apart():
    last = {"BTC": of("binanceusdm", "mark"), "SOL": of("kraken", "last trade"), "ETH": of("okx", "mark")}
    last |= {"UNI": of("hyperliquid", "middle of the book"), "ADA": of("okx", "mark")}
    assert sources(last) == (
        "BTC: mark of Binance USD-M futures; SOL: last trade of Kraken; ETH, ADA: mark of OKX; "
        "UNI: middle of the book of Hyperliquid"
    )
    many = {f"C{i}": of("okx", "mark") for i in range(6)} | {"BTC": of("kraken", "last trade")}
    assert sources(many) == "C0, C1, C2, C3 and 2 more: mark of OKX; BTC: last trade of Kraken"


def test_a_contract_is_asked_for_at_its_own_venues_and_what_is_owned_or_lent_at_none():
    okx = Account(venue="okx", mode="cross", positions=(Position("BTC/USDT:USDT", 1.0), Position("SOL/USDT", 2.0)))
    ours = Account(name="x", positions=(Position("BTC/USD:BTC", 1.0), Position("ETH/USDT:USDT", 1.0), Position("DAI", -9.0)),
                   collateral=(Collateral("USDC", 9.0),))  # fmt: skip
    binance = Account(name="y", venue="binance", mode="cross", positions=(Position("BTC/USDT:USDT", -1.0),))
    assert contracts(Portfolio(accounts=(okx, ours, binance))) == {"BTC": ["okx", "binance"], "ETH": []}
