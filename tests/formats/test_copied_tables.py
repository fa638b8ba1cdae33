"""Tables as a browser copies them: cells of several lines, one cell a line, cards; several tables, sides in odd places."""

import pytest

from margin.core.errors import InputError
from margin.formats.read import read_portfolio
from margin.formats.table_numbers import read_number
from margin.formats.table_words import column_of, side_of

HEADER = ("Symbol", "Size", "Entry Price", "Mark Price", "Liq.Price", "Margin Ratio", "Margin", "PNL(ROI %)", "Close")
ROWS = (
    ("BTCUSDT\nPerp\n20x", "-0.500 BTC", "61,000.0", "60,000.0", "90,000", "2.1%", "1,500 USDT\n(Cross)", "+500.00 USDT\n(+33%)", "Market\nLimit"),
    ("ETHUSDT\nPerp\n10x", "3.000 ETH", "3,000.00", "3,100.00", "--", "2.1%", "930 USDT\n(Isolated)", "+300.00 USDT\n(+32%)", "Market\nLimit"),
)  # fmt: skip


def lines(cells) -> str:
    return "\n".join(cells)


CARD = "{} Perp\n{}\nSize ({})\n{}\nEntry Price (USDT)\n{}\nMark Price (USDT)\n{}\nLeverage\n{}\nMargin Mode\n{}\nMargin (USDT)\n{}"
COPIED = {
    "a cell's lines, each with the break before its tab": lines(
        ["\t".join(HEADER), *("\t".join(f"{c}\n" if "\n" in c else c for c in row) for row in ROWS)]
    ),
    "a cell's lines": lines(["\t".join(HEADER), *("\t".join(row) for row in ROWS)]),
    "a header of two lines": lines(["\t".join(HEADER).replace("(ROI", "\n(ROI"), *("\t".join(row) for row in ROWS)]),
    "one cell a line": lines(["Positions(2)", "Open Orders(0)", *HEADER, *(lines(row) for row in ROWS)]),
    "cards": lines([
        CARD.format("BTCUSDT", "Short", "BTC", "0.5", "61,000", "60,000", "20x", "Cross", "1,500"),
        CARD.format("ETHUSDT", "Long", "ETH", "3", "3,000", "3,100", "10x", "Isolated", "930"),
    ]),
    "labels": "BTC-PERP\nSide: Short\nSize: 0.5 BTC\nEntry price: 61,000\nMark: 60,000\nLeverage: 20x\n\n"
    "ETH-PERP\nSide: Long\nSize: 3 ETH\nEntry price: 3,000\nMark: 3,100\nLeverage: x10\nMargin mode: Isolated\nMargin: 930",
    "a spreadsheet's quoted cells": lines(
        ["\t".join(HEADER), *("\t".join(f'"{c}"' if "\n" in c else c for c in row) for row in ROWS)]
    ),
}  # fmt: skip


def positions(text, **how):
    found = read_portfolio(text, **how)
    assert found.set_aside == ()
    return {p.symbol: p for account in found.portfolio.accounts for p in account.positions}


@pytest.mark.parametrize("form", COPIED)
def test_the_same_two_positions_however_the_page_is_copied(form):
    found = positions(COPIED[form])
    assert {s: (p.quantity, p.entry_price, p.mark_price, p.leverage, p.mode, p.margin) for s, p in found.items()} == {
        "BTC/USDT:USDT": (-0.5, 61_000, 60_000, 20, None, None),
        "ETH/USDT:USDT": (3, 3_000, 3_100, 10, "isolated", 930),
    }


def test_a_coin_alone_begins_a_row_where_the_page_has_no_tabs():
    head = [
        "Coin",
        "Size",
        "Position Value",
        "Entry Price",
        "Mark Price",
        "PNL (ROE %)",
        "Liq. Price",
        "Margin",
        "Funding",
    ]
    text = lines([
        *head, "ETH", "25x", "2.7 ETH", "11,273.85 USDC", "2,332.2", "4,175.5", "+$4,976.91 (+1976%)", "1,665.1", "$450.95 (Cross)", "-$12",
        "Limit", "BTC", "10x", "0.1", "BTC", "6,000.00 USDC", "61,000", "60,000", "+$100 (+10%)", "N/A", "$600 (Cross)", "$0", "Limit",
    ])  # fmt: skip
    assert {s: p.quantity for s, p in positions(text).items()} == {"ETH/USDC:USDC": 2.7, "BTC/USDC:USDC": -0.1}


def test_a_figure_that_is_missing_among_lines_sets_the_row_aside():
    row = ["BTCUSDT", "0.5 BTC", "61,000", "60,000", "58,000", "-500"]
    text = lines(["Symbol", "Size", "Entry Price", "Mark Price", "Liq. Price", "PNL", *row, *(["ETHUSDT", *row[2:]])])
    found = read_portfolio(text)
    assert [p.symbol for p in found.portfolio.positions] == ["BTC/USDT:USDT"]
    assert found.set_aside[0].symbol == "ETHUSDT" and "fewer figures" in found.set_aside[0].reason


def test_a_percentage_is_no_price():
    with pytest.raises(InputError, match="is a percentage, not a price"):
        read_portfolio("Symbol\tSize\tEntry\tMark\nBTC-PERP\t1\t61,000\t2.11%")


def test_tables_one_under_the_other_are_read_each_by_its_own_header():
    text = "Symbol\tSize\tEntry Price\tMark Price\nBTCUSDT Perp\t0.5 BTC\t65,000\t66,120\n\n"
    text += "Asset\tWallet Balance\nUSDT\nTetherUS\t12,000.5\nBTC\nBitcoin\t0.2\nFOO BAR\t1"
    found = read_portfolio(text)
    assert [(p.symbol, p.quantity) for p in found.portfolio.positions] == [("BTC/USDT:USDT", 0.5)]
    assert [(c.asset, c.quantity) for c in found.portfolio.collateral] == [("USDT", 12_000.5), ("BTC", 0.2)]
    assert found.set_aside[0].row == "line 9"


def test_rows_go_to_the_account_and_venue_they_name():
    text = "account\tvenue\tsymbol\tsize\nmain\tBinance Futures\tBTCUSDT.P\t1\nhedge\tOKX\tBTC-USDT-SWAP\t-1\n\tBackpack\tBTCUSDT.P\t2"
    accounts = read_portfolio(text).portfolio.accounts
    assert [(a.venue, a.name, a.positions[0].quantity) for a in accounts] == [
        ("binance", "main", 1.0), ("okx", "hedge", -1.0), ("", "Backpack", 2.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "rows",
    [
        "Symbol\tSize\nBTC-PERP\tShort 0.5\nETH-PERP\tLong 4", "Symbol\tSize\nBTC-PERP\t0.5 BTC (short)\nETH-PERP\t4 ETH long",
        "Symbol\tPosition\tMenge\nBTC-PERP\tShort\t0,5\nETH-PERP\tLong\t4", "Symbol;Seite;Stück\nBTC-PERP;Verkauf;0,5\nETH-PERP;Kauf 20x;4",
        "Paire;Côté;Taille\nBTC-PERP;Court;0,5\nETH-PERP;Achat / Long;4", "Símbolo;Dirección;Tamaño\nBTC-PERP;Corto;0,5\nETH-PERP;Compra;4",
        "Strumento;Lato;Quantità\nBTC-PERP;Vendita;0,5\nETH-PERP;Lungo;4", "Ativo;Direção;Tamanho\nBTC-PERP;Venda;0,5\nETH-PERP;Compra;4",
        "合约;方向;数量\nBTC-PERP;做空;0.5\nETH 永续;多;4", "short 0.5 BTC-PERP\nlong 4 ETH-PERP", "symbol,qty\nBTC-PERP,0.5-\nETH-PERP,4",
        "\u200esymbol\tsize\n\u200eBTC\u2011PERP\u200b\t\u20120.5\u200e\nETH-PERP\t4", "Name\tSize\nBTC Perp\nBitcoin\t-0.5\nETH Perp\nEthereum\t4",
        "name;side;size\nBitcoin;short;0,5\nEthereum perp;long;4",
    ],
)  # fmt: skip
def test_sides_and_names_in_odd_places(rows):
    assert {s: p.quantity for s, p in positions(rows, pairs=True).items()} == {
        "BTC/USDT:USDT": -0.5,
        "ETH/USDT:USDT": 4,
    }


@pytest.mark.parametrize(("pairs", "symbol"), [(True, "BTC/USDT:USDT"), (False, "BTC/USD")])
def test_the_answer_to_what_a_pair_means_holds_for_a_coin_too(pairs, symbol):
    text = "Name\tHoldings\tAvg Cost\nBitcoin BTC\t0.5\t$61,000"
    with pytest.raises(InputError, match="may be the perpetual or coins"):
        read_portfolio(text)
    assert list(positions(text, pairs=pairs)) == [symbol]


@pytest.mark.parametrize(
    ("row", "quantity"),
    [
        ("BTCUSD Perpetual\t-50 Cont\t65,000\t66,120.4\t-0.00130346 BTC", -5_000),
        ("ETHUSD Perpetual\t30 Cont\t3,000\t3,100\t0.00322581 ETH", 300),
        ("BTCUSDT Perp\t50 Cont\t65,000\t66,000\t+500 USDT", 0.5),
    ],
)
def test_what_a_contract_is_follows_from_its_profit(row, quantity):
    (found,) = positions(f"Symbol\tSize\tEntry Price\tMark Price\tPNL\n{row}").values()
    assert found.quantity == pytest.approx(quantity)


def test_contracts_of_unknown_size_are_set_aside():
    with pytest.raises(InputError, match="counts contracts of unknown size"):
        read_portfolio("Symbol\tSize\tEntry Price\tMark Price\tPNL\nBTCUSDT Perp\t50 Cont\t65,000\t66,000\t+377 USDT")


def test_a_quarter_without_its_year_is_set_aside_not_read_as_the_perpetual():
    with pytest.raises(InputError, match="not the name of a contract"):
        read_portfolio("Symbol\tSize\tEntry Price\tMark Price\nBTCUSD Quarterly 0626\t1\t65,000\t66,000")


@pytest.mark.parametrize(("text", "held"), [("Market;Size\nUSDT;10.000", 10_000), ("Market\tSize\nUSDT\t10.000", 10)])
def test_a_point_that_may_part_thousands_is_told(text, held):
    found = read_portfolio(text)
    assert found.portfolio.collateral[0].quantity == held
    assert f"10.000 is read as {held:,}" in found.portfolio.notes[0]


def test_a_date_is_no_number():
    with pytest.raises(InputError, match="is not one number"):
        read_number("2026-11-27")


def test_words_that_disagree_are_no_side():
    assert [side_of(word) for word in ("Buy / Sell", "Long (Kauf)", "Position", "S")] == [0, 1, 0, -1]
    assert column_of("Positions(2)") == ("", "")


def test_dydxs_page_counts_coins_of_dollar_contracts():
    text = "Market\tSize\tAvg. Entry\tOracle Price\tUnrealized P&L\nBTC-USD\t0.5\t$65,000\t$66,120\t+$560 (1.7%)"
    account = read_portfolio(text).portfolio.account
    assert (account.venue, account.positions[0].symbol, account.positions[0].quantity) == ("dydx", "BTC/USDC:USDC", 0.5)


def test_half_a_dollar_of_a_coin_settled_contract_is_a_misreading():
    with pytest.raises(InputError, match="come whole"):
        read_portfolio("Market\tSide\tSize\tEntry\nBTC-USD-PERP\tLong\t0.5\t65,000")


def test_bitmex_writes_its_bitcoin_as_xbt():
    text = "Symbol\tSize\tValue\tEntry Price\tMark Price\nXBTUSD\t-10,000\t0.1512 XBT\t65,000.0\t66,120.0"
    assert positions(text)["BTC/USD:BTC"].quantity == -10_000


@pytest.mark.parametrize("head", ["Cost Basis\tAvg Price", "Avg Price\tCost Basis"])
def test_a_cost_of_the_whole_position_is_no_entry_price(head):
    cells = "32,500.00\t65,000.00" if head.startswith("Cost") else "65,000.00\t32,500.00"
    found = positions(f"Symbol\tSize\t{head}\tMark\nBTC-PERP\t0.5\t{cells}\t66,120.00")
    assert found["BTC/USDT:USDT"].entry_price == 65_000


def test_a_last_price_or_a_profit_does_not_make_a_holding_a_contract():
    text = "Instrument\tPosition\tLast\tUnrealized P&L\nBTC\t0.5\t66,120.00\t560"
    with pytest.raises(InputError, match="may be the perpetual or coins"):
        read_portfolio(text)
    assert list(positions(text, pairs=False)) == ["BTC/USD"]


def test_a_profit_in_percent_tells_the_side_too():
    text = "Symbol\tSize\tEntry\tMark\tPnL%\nBTC-PERP\t0.5\t65,000\t66,120\t-1.7%\nETH-PERP\t4\t3,100\t3,050\t-1.6%"
    assert {s: p.quantity for s, p in positions(text).items()} == {"BTC/USDT:USDT": -0.5, "ETH/USDT:USDT": 4}


def test_an_account_is_never_called_by_an_address():
    wallets = ("0x" + "ab" * 20, "0x12...cd34", "0x" + "AB" * 20, "dydx1" + "q" * 38)
    rows = "\n".join(f"{wallet}\tBTC-PERP\t1" for wallet in wallets)
    accounts = read_portfolio(f"Wallet\tSymbol\tSize\n{rows}").portfolio.accounts
    assert [(a.name, len(a.positions)) for a in accounts] == [("Wallet 1", 2), ("Wallet 2", 1), ("Wallet 3", 1)]


def test_kucoins_names():
    assert list(positions("Contract\tSize\tEntry\nXBTUSDTM\t0.5\t65000")) == ["BTC/USDT:USDT"]
