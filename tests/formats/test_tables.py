"""Pasted tables: what a trader writes and what venues' pages show, whichever way numbers are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin import Portfolio, Position
from margin.core.errors import InputError
from margin.formats.contract_names import unify
from margin.formats.read import read_portfolio
from margin.formats.table_numbers import decimal_comma, read_number
from margin.formats.table_words import column_of


def held(text, **how):
    found = read_portfolio(text, **how)
    assert found.set_aside == ()
    return {p.symbol: p for p in found.portfolio.positions}


TABLES = {
    "binance": (
        "Symbol\tSize\tEntry Price\tBreak Even Price\tMark Price\tLiq.Price\tMargin Ratio\tMargin\tPNL(ROI %)\n"
        "BTCUSDT Perp 20x\t-0.500 BTC\t61,000.0\t61,020\t60,000.0\t90,000\t1.2%\t1,500 USDT (Cross)\t+500.00 USDT (+33%)\n"
        "ETHUSDT Perp 10x\t3.000 ETH\t3,000.00\t3,000\t3,100.00\t--\t1.2%\t930 USDT (Isolated)\t+300.00 USDT"
    ),
    "binance, cells broken into lines": (
        "Symbol\tSize\tEntry Price\tMark Price\tLiq.Price\tMargin\tPNL(ROI %)\n"
        "BTCUSDT\nPerp 20x\n-0.500 BTC\t61,000.0\t60,000.0\t90,000\t1,500 USDT\t+500.00\n"
        "ETHUSDT\nPerp 10x\t3.000 ETH\t3,000.00\t3,100.00\t--\t930 USDT\t+300.00"
    ),
    "bybit": (
        "Contracts\tQty\tValue\tEntry Price\tMark Price\tLiq. Price\tUnrealized P&L\n"
        "BTCUSDT\t-0.5\t30,000.00 USDT\t61,000.0\t60,000.0\t90,000\t500\nETHUSDT\t3\t9,300\t3,000\t3,100\t--\t300"
    ),
    "okx": (
        "Instrument\tSize\tAvg. entry price\tMark price\tEst. liq. price\tFloating PnL\n"
        "BTC-USDT-SWAP\t-0.5 BTC\t61,000\t60,000\t--\t500\nETH-USDT-SWAP\t9,300 USDT\t3,000\t3,100\t--\t300"
    ),
    "own words": "pair;direction;qty;avg entry\nBTC-PERP;short;0.5;61,000.00\nETH-PERP;long;3;3,000.00",
    "german": "Symbol;Seite;Größe;Einstieg\nBTCUSDT;Short;0,5;61.000,00\nETHUSDT;Long;3;3.000,00",
    "dollars": "coin,side,size,entry\nBTC,short,0.5,\"$61,000\"\nETH,long,3,$3000",
    "no header": "BTCUSDT.P -0.5 61000\nETHUSDT.P 3 3000",
    "bars": "| symbol | side | size | entry |\n|---|---|---|---|\n| BTC-USDT perp | sell | 0.5 | 61000 |\n| ETH-USDT perp | buy | 3 | 3000 |",
    "contracts of a stated value": (
        "Symbol\tQty\tValue\tEntry Price\tMark Price\n"
        "BTCUSDT\t-50 Cont\t30,000 USDT\t61,000\t60,000\nETHUSDT\t30 Cont\t9,300 USDT\t3,000\t3,100"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_the_same_book_however_it_is_written(name):
    found = held(TABLES[name])
    assert {s: (p.quantity, p.entry_price) for s, p in found.items()} == {
        "BTC/USDT:USDT": (pytest.approx(-0.5), 61_000.0),
        "ETH/USDT:USDT": (pytest.approx(3.0), 3_000.0),
    }


def test_venue_mode_leverage_and_liquidation_price_come_along():
    found = read_portfolio(TABLES["binance"])
    account = found.portfolio.account
    btc, eth = account.positions
    assert (account.venue, btc.leverage, btc.mode, btc.mark_price) == ("binance", 20, None, 60_000)
    assert (eth.mode, eth.margin) == ("isolated", 930)
    assert account.venue_says.by_symbol("liquidation_prices") == {"BTC/USDT:USDT": 90_000}


def test_hyperliquids_page_shows_sides_by_colour_only():
    text = (
        "Coin\tSize\tPosition Value\tEntry Price\tMark Price\tPNL (ROE %)\tLiq. Price\tMargin\tFunding\n"
        "ETH 25x\t2.7 ETH\t$11,273.85\t2,332.2\t4,175.5\t+$4,976.91 (+1976%)\t1,665.1\t$450.95 (Cross)\t-$12\n"
        "BTC 10x\t0.1 BTC\t$6,000\t61,000\t60,000\t+$100 (+10%)\tN/A\t$600 (Cross)\t$0"
    )
    found = held(text)
    assert {s: p.quantity for s, p in found.items()} == {"ETH/USDC:USDC": 2.7, "BTC/USDC:USDC": -0.1}


def test_deribits_page_counts_dollars_and_coins():
    text = (
        "Instrument\tSize\tAvg price\tMark price\nBTC-PERPETUAL\t-60,000 USD\t61,000\t60,000\n"
        "BTC-25JUN27-100000-C\t2\t0.0500\t0.0450\nETH-PERPETUAL\t1 ETH\t3,000\t3,100"
    )
    found = held(text)
    assert found["BTC/USD:BTC"].quantity == -60_000
    assert found["ETH/USD:ETH"].quantity == 3_100
    option = found["BTC/USD:BTC-270625-100000-C"]
    assert (option.quantity, option.entry_price, option.mark_price) == (2, None, None)


def test_dollars_in_a_table_of_positions_are_collateral():
    found = read_portfolio("coin\tside\tsize\tentry\nBTC-PERP\tlong\t0.5\t65000\nUSDC\t\t12,000\t")
    assert [(c.asset, c.quantity) for c in found.portfolio.collateral] == [("USDC", 12_000)]
    found = read_portfolio("Asset\tBalance\nUSDC\t1,890.99\nETH\t2")
    assert found.speaks_of == (("collateral",),)


@pytest.mark.parametrize("text", ["symbol,quantity\nBTCUSDT,1.5", "symbol;size\nBTCUSDT;1,5"])
def test_what_a_pair_means_is_asked_where_nothing_says(text):
    with pytest.raises(InputError, match="may be the perpetual or coins"):
        read_portfolio(text)
    assert list(held(text, pairs=True)) == ["BTC/USDT:USDT"]
    assert list(held(text, pairs=False)) == ["BTC/USDT"]


def test_a_bare_coin_is_asked_too():
    found = read_portfolio("symbol;size\nETH;2\nBTC/USD;1")
    assert [row.symbol for row in found.set_aside] == ["ETH"]
    assert "coins you own" in found.set_aside[0].reason


def test_a_size_that_does_not_fit_its_value_is_set_aside():
    text = "Symbol\tQty\tValue\tEntry Price\tMark Price\nBTCUSDT\t5 BTC\t30,000 USDT\t61,000\t60,000\nETHUSDT\t1\t3000\t3000\t3000"
    found = read_portfolio(text)
    assert [p.symbol for p in found.portfolio.positions] == ["ETH/USDT:USDT"]
    assert found.set_aside[0].symbol == "BTCUSDT"


@pytest.mark.parametrize(
    "text", ["hello world\nnot a table", "date,BTC,ETH\n2026-01-01,1,2", "symbol\tsize", "a;b\n1;2", "\x00\x01;;;\t\n"]
)
def test_what_is_no_table_is_refused(text):
    with pytest.raises(InputError):
        read_portfolio(text)


@pytest.mark.parametrize(
    ("name", "venue", "symbol"),
    [
        ("BTCUSDT", "", "BTC/USDT:USDT"), ("ETHUSDC", "binance", "ETH/USDC:USDC"), ("BTCUSD_PERP", "binance", "BTC/USD:BTC"),
        ("BTCUSDT_261225", "binance", "BTC/USDT:USDT-261225"), ("BTC-261225-100000-C", "binance", "BTC/USDT:USDT-261225-100000-C"),
        ("1000PEPEUSDT", "binance", "1000PEPE/USDT:USDT"),
        ("BTC-PERPETUAL", "", "BTC/USD:BTC"), ("ETH_USDC-PERPETUAL", "deribit", "ETH/USDC:USDC"),
        ("BTC-25JUN27", "", "BTC/USD:BTC-270625"), ("BTC-25JUN27-100000-C", "", "BTC/USD:BTC-270625-100000-C"),
        ("XRP_USDC-30JUN27-0d625-P", "deribit", "XRP/USDC:USDC-270630-0.625-P"),
        ("BTC-USDT-SWAP", "okx", "BTC/USDT:USDT"), ("BTC-USD-261225", "okx", "BTC/USD:BTC-261225"),
        ("BTC-USD-261225-60000-P", "okx", "BTC/USD:BTC-261225-60000-P"), ("BTC-USDT-261225", "okx", "BTC/USDT:USDT-261225"),
        ("BTCPERP", "bybit", "BTC/USDC:USDC"), ("BTCUSD", "bybit", "BTC/USD:BTC"), ("BTCUSDZ26", "bybit", "BTC/USD:BTC-261225"),
        ("BTCUSDT-25DEC26", "bybit", "BTC/USDT:USDT-261225"), ("BTC-25DEC26-100000-C-USDT", "bybit", "BTC/USDT:USDT-261225-100000-C"),
        ("PF_XBTUSD", "kraken", "BTC/USD:USD"), ("PI_XBTUSD", "kraken", "BTC/USD:BTC"), ("FI_XBTUSD_261225", "kraken", "BTC/USD:BTC-261225"),
        ("XBTUSD", "bitmex", "BTC/USD:BTC"), ("XBTZ26", "bitmex", "BTC/USD:BTC-261225"), ("XBTUSDT", "bitmex", "BTC/USDT:USDT"),
        ("BTC-USD", "dydx", "BTC/USDC:USDC"), ("ETH", "hyperliquid", "ETH/USDC:USDC"), ("xyz:TSLA", "hyperliquid", "XYZ-TSLA/USDC:USDC"),
        ("BTC-PERP", "", "BTC/USDT:USDT"), ("ETHUSDT.P", "", "ETH/USDT:USDT"), ("BTC/USDT:USDT", "", "BTC/USDT:USDT"),
    ],
)  # fmt: skip
def test_names_of_contracts(name, venue, symbol):
    assert unify(name, venue) == symbol


@pytest.mark.parametrize(
    ("cell", "comma", "value", "unit"),
    [
        ("-12,5", True, -12.5, ""), ("1.234,56", True, 1234.56, ""), ("$65,000", False, 65_000, ""), ("0.500 BTC", False, 0.5, "BTC"),
        ("1\u202f234.5", False, 1234.5, ""), ("1'234", False, 1234, ""), ("30k", False, 30_000, ""), ("20x", False, 20, "X"),
        ("(1,500.00)", False, -1500, ""), ("\u2212\u20091.5".replace("\u2009", ""), False, -1.5, ""), ("-$1,200.5", False, -1200.5, ""),
        ("65%", False, 65, "%"), ("2.5e-3", False, 0.0025, ""), ("+500.00 USDT (+33%)", False, 500, "USDT"), ("1,5", True, 1.5, ""),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(cell, comma, value, unit):
    found = read_number(cell, comma)
    assert (found.value, found.unit) == (value, unit)


@pytest.mark.parametrize("cell", ["12,5", "1.2.3", "abc", "1,23,456"])
def test_a_number_that_may_mean_two_things_is_refused(cell):
    with pytest.raises(InputError):
        read_number(cell)


def test_one_table_writes_its_numbers_one_way():
    assert decimal_comma(["1.234", "0,5"]) is True
    assert decimal_comma(["1,234", "0.5"]) is False
    with pytest.raises(InputError, match="alike"):
        decimal_comma(["0,5", "0.5"])


@given(st.decimals(-(10**9), 10**9, allow_nan=False, places=2))
def test_both_ways_of_writing_read_the_same(number):
    english = f"{number:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert read_number(english).value == read_number(german, True).value == float(number)


def test_columns_in_a_traders_words():
    assert column_of("Avg. Entry Price") == ("entry_price", "")
    assert column_of("Size (BTC)") == ("size", "BTC")
    assert column_of("PNL(ROI %)") == ("pnl", "")
    assert column_of("Funding Countdown") == ("", "")


def test_sizes_below_one_are_long_where_the_table_has_signs():
    found = held("symbol,size,entry\nBTC/USDT:USDT,0.5,61000\nETH/USDT:USDT,-2,3000\n")
    assert {symbol: p.quantity for symbol, p in found.items()} == {"BTC/USDT:USDT": 0.5, "ETH/USDT:USDT": -2.0}


@pytest.mark.parametrize("name", ["plain", "=1+1", "'quoted"])
def test_a_name_comes_back_from_a_table_as_it_was(name):
    book = Portfolio((Position("BTC/USDT:USDT", 1.0),), name=name)
    assert Portfolio.from_csv(book.to_csv()).name == name
