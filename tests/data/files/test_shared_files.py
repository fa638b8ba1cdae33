"""Every small file of the kinds people have, through `python -m data read`, as its README says; and others of each kind."""

import json
from datetime import date

import numpy as np
import pytest

from data.cli import main
from margin.cli.main import main as margin_main
from margin.core.errors import InputError
from margin.formats.prices import read_market
from tests.support import shared_path

READ = {
    "ETH_BTC.csv": {"BTC": 70006.86, "ETH": 2753.41},
    "BINANCE_BTCUSDT, 1D.csv": {"BTC": 70006.86},
    "Bitcoin_11_1_2024-1_31_2025_historical_data_coinmarketcap.csv": {"BTC": 70006.86},
    "UNI7083-USD.csv": {"UNI": 70006.86},
    "BTC_USD Historische Daten.csv": {"BTC": 70006.9},
    "ZIL_cmc_new.csv": {"ZIL": 0.07000686},
    "vol_wide.csv": {"BTC": 70006.86, "ETH": 2753.41},
    "BTC-USD.csv": {"BTC": 70006.86},
    "BTCUSD_PERP-1d-2025-01.csv": {"BTC": 70006.86},
    "tz_berlin.parquet": {"BTC": 70006.86, "ETH": 2753.41},
    "wide_btceur.csv": {"BTC": 70006.86},
    "BTC_dup.csv": {"BTC": 70006.86},
    "BTCUSD_Daily_MT5.csv": {"BTC": 70006.86},
    "BTC_quote_col.csv": {"BTC": 70006.86},
}
REFUSED = {
    "BTC-EUR.csv": "EUR",
    "btc-eur-max.csv": "EUR",
    "returns.csv": "returns",
    "far_year3000.parquet": "1970 to 2200",
    "far_year_20000.parquet": "1970 to 2200",
    "memory_0.parquet": "1970 to 2200",
    "negall.csv": "below zero",
}


def read(path, capsys, *options):
    status = main(["read", str(path), "--json", *options])
    out, err = capsys.readouterr()
    return status, json.loads(out) if status == 0 else {}, err


@pytest.mark.parametrize("name", READ)
def test_each_file_is_read_as_its_readme_says(name, capsys):
    status, found, err = read(shared_path("files") / name, capsys)
    assert status == 0, err
    assert {a: line["last_close"] for a, line in found["assets"].items()} == pytest.approx(READ[name])
    assert all(line["last"] == "2025-01-13" and line["rows"] == 60 for line in found["assets"].values())


@pytest.mark.parametrize("name", REFUSED)
def test_each_refused_file_has_one_clear_line(name, capsys):
    status, _, err = read(shared_path("files") / name, capsys)
    assert status == 2
    assert err.startswith("error: ") and err.count("\n") == 1 and REFUSED[name] in err


@pytest.mark.parametrize(
    "name",
    ["BTC-USD.csv", "BTCUSD_PERP-1d-2025-01.csv", "BINANCE_BTCUSDT, 1D.csv", "ETH_BTC.csv", "UNI7083-USD.csv"],
)
def test_the_volume_is_dollars_once(name, capsys):
    _, found, _ = read(shared_path("files") / name, capsys)
    first = next(iter(found["assets"].values()))
    assert first["last_volume_usd"] == pytest.approx(1.98e9, rel=0.01)


def test_midnights_of_frankfurt_keep_their_days(capsys):
    _, found, _ = read(shared_path("files") / "long_dax_utc.csv", capsys)
    assert {line["first"] for line in found["assets"].values()} == {"2025-03-03"}


def test_a_split_is_a_finding(capsys):
    _, found, _ = read(shared_path("files") / "split.csv", capsys)
    assert [f["asset"] for f in found["findings"] if f["kind"] == "jump"] == ["NVDA"]


def test_an_empty_row_of_the_same_date_costs_no_price(capsys):
    assert read(shared_path("files") / "SPY.csv", capsys)[1]["assets"]["SPY"]["rows"] == 6
    assert read(shared_path("files") / "BTC_dup.csv", capsys)[1]["assets"]["BTC"]["rows"] == 60


def test_findings_are_in_the_text_too(capsys):
    assert main(["read", str(shared_path("files") / "split.csv")]) == 0
    assert "note: NVDA: jump" in capsys.readouterr().out


# Others of each kind ----------------------------------------------------------------------------------------------


def written(tmp_path, name, header, row, days=30):
    lines = [header, *(row(n, f"2024-01-{n + 1:02d}") for n in range(days))]
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("money", ["EUR", "GBP", "JPY", "KRW", "TRY", "BRL", "INR", "CHF", "BTC", "ETH", "BNB"])
@pytest.mark.parametrize(
    "form", ["{a}-{m}.csv", "{a}{m}.csv", "{a}_{m}.csv", "binance_{a}{m}_d.csv", "{a} {m} history.csv"]
)
def test_a_file_named_by_another_currency_is_refused(form, money, tmp_path, capsys):
    path = written(tmp_path, form.format(a="SOL", m=money), "Date,Close", lambda n, d: f"{d},{100 + n}")
    status, _, err = read(path, capsys)
    assert status == 2 and money in err


@pytest.mark.parametrize(
    "column", ["BTCEUR", "BTC-EUR", "BTC/EUR", "BTC_EUR", "btc-gbp", "ETHBTC", "ETH/BTC", "BTC (EUR)"]
)
def test_a_column_in_another_currency_is_no_dollar_price(column, tmp_path, capsys):
    path = written(tmp_path, "p.csv", f"date,{column},SPY", lambda n, d: f"{d},{100 + n},{500 + n}")
    status, found, err = read(path, capsys)
    assert status == 0, err
    assert list(found["assets"]) == ["SPY"]


@pytest.mark.parametrize("header", ["Close (EUR)", "close_eur", "Price EUR", "price_gbp", "Preis in €"])
def test_closes_in_another_currency_are_refused(header, tmp_path, capsys):
    path = written(tmp_path, "BTC.csv", f"Date,{header}", lambda n, d: f"{d},{100 + n}")
    assert read(path, capsys)[0] == 2


@pytest.mark.parametrize("column", ["quote", "currency", "quote_currency", "Quote Asset"])
def test_rows_in_another_currency_are_left_out(column, tmp_path, capsys):
    path = written(
        tmp_path, "p.csv", f"date,asset,{column},close", lambda n, d: f"{d},ETH,EUR,{n + 9}\n{d},BTC,USD,{n + 5}"
    )
    assert list(read(path, capsys)[1]["assets"]) == ["BTC"]


FAMILIES = {
    "german": "Datum,Zuletzt,Eröffn.,Hoch,Tief,Vol.,+/- %",
    "french": "Date,Dernier,Ouv., Plus Haut,Plus Bas,Vol.,Variation %",
    "spanish": "Fecha,Último,Apertura,Máximo,Mínimo,Vol.,% var.",
    "italian": "Data,Ultimo,Apertura,Massimo,Minimo,Vol.,Var. %",
    "portuguese": "Data,Último,Abertura,Máxima,Mínima,Vol.,Var%",
    "english": "Date,Price,Open,High,Low,Vol.,Change %",
    "tradingview": "time,close,open,high,low,Volume,MA",
    "finnhub": "t,c,o,h,l,v,s",
    "polish": "Data,Zamkniecie,Otwarcie,Najwyzszy,Najnizszy,Wolumen,Zmiana",
}


@pytest.mark.parametrize("language", FAMILIES)
def test_families_of_every_language_are_one_asset_with_its_close(language, tmp_path, capsys):
    path = written(tmp_path, "BTC.csv", FAMILIES[language], lambda n, d: f"{d},{100 + n},99,{103 + n},98,1000,0.5")
    status, found, err = read(path, capsys)
    assert status == 0, err
    assert list(found["assets"]) == ["BTC"] and found["assets"]["BTC"]["last_close"] == 129


@pytest.mark.parametrize(
    ("name", "asset"),
    [
        ("Bitcoin Historical Data.csv", "BTC"), ("Ethereum Historical Data.csv", "ETH"), ("coinbase_BTC-USD.csv", "BTC"),
        ("BINANCE_ETHUSDT, 1D.csv", "ETH"), ("Bitcoin Cash Historical Data.csv", "BCH"), ("SUI20947-USD.csv", "SUI"),
        ("Binance_SOLUSDT_d.csv", "SOL"), ("XBTUSD_1440.csv", "BTC"), ("KRAKEN_DOTUSD, 1D.csv", "DOT"),
        ("coin_Dogecoin.csv", "DOGE"), ("AAPL.csv", "AAPL"), ("BTC-USD (1).csv", "BTC"),
    ],
)  # fmt: skip
def test_file_names_of_vendors_name_the_right_asset(name, asset, tmp_path, capsys):
    path = written(tmp_path, name, "Date,Close", lambda n, d: f"{d},{100 + n}")
    assert list(read(path, capsys)[1]["assets"]) == [asset]


def test_an_asset_that_no_name_says_is_asked_for(tmp_path, capsys):
    path = written(tmp_path, "prices.csv", "Date,Close", lambda n, d: f"{d},{100 + n}")
    status, _, err = read(path, capsys)
    assert status == 2 and "--asset" in err
    assert list(read(path, capsys, "--asset", "BTC")[1]["assets"]) == ["BTC"]


@pytest.mark.parametrize(
    "word", ["marketcap", "TIMECLOSE", "Dominance", "total_supply", "rank", "vwap", "ZULETZT", "rsi"]
)
def test_unknown_columns_are_no_assets(word, tmp_path, capsys):
    path = written(tmp_path, "p.csv", f"date,BTC,{word}", lambda n, d: f"{d},{100 + n},{17 + n}")
    assert list(read(path, capsys)[1]["assets"]) == ["BTC"]


def test_one_ticker_group_of_a_two_line_header_gives_closes_not_opens(tmp_path, capsys):
    header = "Ticker,BTC-USD,BTC-USD,ETH-USD,ETH-USD\nPrice,Open,Close,Open,Close\nDate,,,,"
    path = written(tmp_path, "p.csv", header, lambda n, d: f"{d},1,{100 + n},2,{10 + n}")
    found = read(path, capsys)[1]["assets"]
    assert {a: line["last_close"] for a, line in found.items()} == {"BTC": 129, "ETH": 39}


def test_repeated_names_without_a_line_of_tickers_are_refused(tmp_path, capsys):
    path = written(tmp_path, "ETH_BTC.csv", "Date,Close,Close", lambda n, d: f"{d},{100 + n},{10 + n}")
    assert read(path, capsys)[0] == 2


def test_a_volume_that_does_not_say_its_unit_is_not_used_and_says_so(tmp_path, capsys):
    path = written(
        tmp_path, "SOL.csv", "date,open,high,low,close,volume", lambda n, d: f"{d},100,101,99,{100 + n / 9},5e6"
    )
    found = read(path, capsys)[1]
    assert found["assets"]["SOL"]["last_volume_usd"] is None
    assert any(f["kind"] == "volume" and "cannot be told" in f["detail"] for f in found["findings"])


def test_log_returns_and_per_cents_are_refused(tmp_path, capsys):
    path = written(tmp_path, "p.csv", "date,BTC,ETH", lambda n, d: f"{d},{(-1) ** n * 1.5},{(-1) ** n * 0.7}")
    assert "returns" in read(path, capsys)[2]


def test_growth_factors_are_refused_and_a_pegged_coin_is_not(tmp_path, capsys):
    draws = np.random.default_rng(4).normal(0.0, 1.0, (90, 3))
    factors = written(tmp_path, "f.csv", "date,BTC,ETH", lambda n, d: f"{d},{1 + 0.02 * draws[n, 0]},{2000 + n}")
    status, _, err = read(factors, capsys)
    assert status == 2 and "growth factors" in err and "BTC" in err
    paths = np.exp(np.cumsum(0.02 * draws, axis=0))
    coins = written(
        tmp_path, "c.csv", "date,XRP,USDC,DAI",
        lambda n, d: f"{d},{paths[n, 0]},{1 + 0.001 * draws[n, 1]},{1 + 0.003 * draws[n, 2]}",
    )  # fmt: skip
    assert set(read(coins, capsys)[1]["assets"]) == {"XRP", "USDC", "DAI"}


def test_an_indicator_with_a_shares_ticker_is_told_by_its_values(tmp_path, capsys):
    waves = 50 + 25 * np.sin(np.arange(90))
    path = written(tmp_path, "i.csv", "date,BTC,RSI,MA", lambda n, d: f"{d},{60000 + n},{waves[n]},{59000 + n}")
    assert list(read(path, capsys)[1]["assets"]) == ["BTC"]
    path = written(tmp_path, "s.csv", "date,BTC,RSI,MA", lambda n, d: f"{d},{60000 + n},{15 + n / 50},{500 + n}")
    assert list(read(path, capsys)[1]["assets"]) == ["BTC", "RSI", "MA"]


@pytest.mark.parametrize(
    ("name", "asset"), [("XXBTZUSD", "BTC"), ("XETHZUSD", "ETH"), ("XXRPZUSD", "XRP"), ("XXBTZEUR", None)]
)
def test_krakens_own_names_of_pairs(name, asset, tmp_path, capsys):
    path = written(tmp_path, "k.csv", f"date,{name}", lambda n, d: f"{d},{100 + n}")
    status, found, err = read(path, capsys)
    assert (list(found["assets"]) == [asset]) if asset else (status == 2 and "EUR" in err)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/", "/no/such/file.csv"])
def test_what_is_no_file_is_one_line(path, capsys):
    status, _, err = read(path, capsys)
    assert status == 2 and err.count("\n") == 1


def test_two_lives_of_one_ticker_are_not_joined(tmp_path, capsys):
    old = "".join(f"2022-04-{d:02d},{80 + d / 10}\n" for d in range(1, 31))
    new = "".join(f"2022-05-{d:02d},{0.0001 * (1 + d / 100)}\n" for d in range(10, 31))
    path = tmp_path / "p.csv"
    path.write_text("date,LUNA\n" + old + new)
    found = read(path, capsys)[1]
    assert found["assets"]["LUNA"]["rows"] == 21
    assert any(f["kind"] == "two lives" for f in found["findings"])


def test_a_wide_file_with_a_column_of_another_currency_gives_no_dollars(tmp_path, capsys):
    path = written(tmp_path, "p.csv", "date,BTC,currency", lambda n, d: f"{d},{100 + n},EUR")
    assert read(path, capsys)[0] == 2


def test_contracts_of_a_coin_settled_future_are_never_multiplied_by_the_price(tmp_path, capsys):
    path = written(
        tmp_path, "BTCUSD_PERP.csv", "date,open,high,low,close,volume", lambda n, d: f"{d},6e4,6e4,6e4,6e4,2e7"
    )
    assert read(path, capsys)[1]["assets"]["BTC"]["last_volume_usd"] is None


def test_kaggles_coins_print_dollars(tmp_path, capsys):
    header = "SNo,Name,Symbol,Date,High,Low,Open,Close,Volume,Marketcap"
    path = written(tmp_path, "k.csv", header, lambda n, d: f"{n},Bitcoin,BTC,{d} 23:59:59,9,7,8,8,30000000000,2e11")
    assert read(path, capsys)[1]["assets"]["BTC"]["last_volume_usd"] == 3e10


# Neighbours of each kind, found by trying ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "header", "row"),
    [
        ("BTC.csv", "Date,Close €", "{d},{p}"),
        ("p.csv", "date,BTC,Währung", "{d},{p},EUR"),
        ("p.csv", "date,asset,close,priced in", "{d},BTC,{p},GBP"),
        ("p.csv", "date,asset,close,col5", "{d},BTC,{p},CHF"),
    ],
)
def test_money_is_seen_whatever_its_column_is_called(name, header, row, tmp_path, capsys):
    path = written(tmp_path, name, header, lambda n, d: row.format(d=d, p=100 + n))
    status, _, err = read(path, capsys)
    assert status == 2 and "US dollars" in err
    assert margin_main(["correlation", "--prices", str(path)]) == 2


@pytest.mark.parametrize("word", ["RSI14", "SMA200", "EMA_50", "YEAR", "PNL", "WEIGHT", "MVRV", "TOTAL3", "NULL"])
def test_indicators_and_calendars_are_no_assets(word, tmp_path, capsys):
    path = written(tmp_path, "p.csv", f"date,BTC,{word}", lambda n, d: f"{d},{100 + n},{17 + n}")
    assert list(read(path, capsys)[1]["assets"]) == ["BTC"]


def test_a_share_of_the_market_is_no_price(tmp_path, capsys):
    path = written(tmp_path, "CRYPTOCAP_BTC.D, 1D.csv", "time,open,high,low,close", lambda n, d: f"{d},50,51,49,50")
    assert read(path, capsys)[0] == 2


@pytest.mark.parametrize(
    ("name", "header", "row", "traded"),
    [
        ("BTC.csv", "date,close,volume (contracts)", "{d},60000,330000", None),
        ("BTC.csv", "date,close,volume (ETH)", "{d},60000,330000", None),
        ("BTC.csv", "date,close,volume (BTC)", "{d},60000,33000", 1.98e9),
        ("BITSTAMP_BTCUSD, 60.csv", "time,open,high,low,close,Volume MA,Volume", "{d},60000,60000,60000,60000,5,33000", 1.98e9),
        ("^GSPC.csv", "Date,Close,Adj Close,Volume", "{d},5000,5000,4000000000", None),
        ("p.csv", "Date,Close,Volume\nTicker,XYZ-USD,XYZ-USD", "{d},2,5000000", 5e6),
        ("p.csv", "Date,Close,Volume\nTicker,AAPL,AAPL", "{d},200,50000000", 1e10),
        ("p.csv", "date,BTC/USD,BTC/USD volume", "{d},60000,33000", None),
        ("p.csv", "date,symbol,close,adj close,volume", "{d},XYZ-USD,2,2,5000000", 5e6),
        ("BTC.csv", "date,close,volume", "{d},60000,-5", None),
    ],
)  # fmt: skip
def test_a_volume_counts_what_its_column_says_or_nothing(name, header, row, traded, tmp_path, capsys):
    path = written(tmp_path, name, header, lambda n, d: row.format(d=d))
    found = next(iter(read(path, capsys)[1]["assets"].values()))
    assert found["last_volume_usd"] == (None if traded is None else pytest.approx(traded))


@pytest.mark.parametrize(
    "stamp",
    [
        "{0:%d.%m.%Y} 00:00:00.000", "{0:%d.%m.%Y} 00:00:00.000 GMT+0100", "{0:%m/%d/%Y} 12:00:00 AM",
        "{0:%m/%d/%Y} 11:59:59 PM", "{0:%d/%m/%Y}, 00:00:00",
    ],
)  # fmt: skip
def test_dates_with_times_of_day_keep_their_day(stamp, tmp_path, capsys):
    path = written(tmp_path, "p.csv", "date,BTC", lambda n, d: f'"{stamp.format(date.fromisoformat(d))}",{100 + n}')
    status, found, err = read(path, capsys)
    assert status == 0, err
    assert (found["assets"]["BTC"]["first"], found["assets"]["BTC"]["last"]) == ("2024-01-01", "2024-01-30")


def test_a_row_of_zero_of_the_same_date_removes_no_good_close(tmp_path, capsys):
    path = written(tmp_path, "p.csv", "date,BTC", lambda n, d: f"{d},{100 + n}\n{d},0")
    assert read(path, capsys)[1]["assets"]["BTC"]["rows"] == 30


@pytest.mark.parametrize("at", [1, 15, 28, 29])
def test_a_split_is_a_finding_wherever_it_stands(at, tmp_path, capsys):
    path = written(tmp_path, "p.csv", "date,NVDA", lambda n, d: f"{d},{(100 + n % 2) * (0.1 if n >= at else 1)}")
    assert [f["kind"] for f in read(path, capsys)[1]["findings"]] == ["jump"]


def test_a_long_file_for_the_command_line_is_the_asset_its_rows_name(tmp_path, capsys):
    path = written(tmp_path, "BTC.csv", "date,asset,close", lambda n, d: f"{d},ETH,{100 + n}")
    assert read_market(str(path)).assets == ("ETH",)
    path = written(tmp_path, "BTC.csv", "date,asset,close", lambda n, d: f"{d},ETH,{n + 9}\n{d},BTC,{n + 5}")
    with pytest.raises(InputError, match="a row per asset"):
        read_market(str(path))
