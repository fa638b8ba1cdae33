"""Price files as vendors and exchanges of many countries write them: the right asset with its close, or one clear line."""

import datetime

import numpy as np
import pytest

from data.files.layout import AssetNotNamed
from data.files.read import read_prices
from margin.core.errors import InputError

DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(days=n) for n in range(40)]
RANDOM = np.random.default_rng(5)
CLOSES = 40_000 * np.exp(np.cumsum(0.02 * RANDOM.standard_normal(40)))
OPENS = np.concatenate(([40_000.0], CLOSES[:-1]))
HIGHS = np.maximum(OPENS, CLOSES) * np.exp(0.02 * RANDOM.random(40))
LOWS = np.minimum(OPENS, CLOSES) / np.exp(0.02 * RANDOM.random(40))
LAST = round(float(CLOSES[-1]), 2)


def epoch(day, scale=1):
    return int(datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC).timestamp()) * scale


def table(header, row, comma=False):
    """A file: the row's fields are day, o, h, l, c, t (epoch seconds), ms."""
    lines = [header] if header else []
    for n, day in enumerate(DAYS):
        prices = {k: f"{v[n]:.2f}" for k, v in zip("ohlc", (OPENS, HIGHS, LOWS, CLOSES), strict=True)}
        prices = {k: v.replace(".", ",") for k, v in prices.items()} if comma else prices
        lines.append(row.format(day=day, t=epoch(day), ms=epoch(day, 1000), **prices))
    return "\n".join(lines) + "\n"


def read(text, name, asset=None):
    return read_prices(text.encode(), name, asset=asset)


LANGUAGES = {
    "swedish": ("Datum;Köp;Sälj;Högst;Lägst;Stängningskurs;Volym", "{day};{o};{o};{h};{l};{c};12"),
    "norwegian": ("Dato;Åpning;Høy;Lav;Slutt", "{day:%d.%m.%Y};{o};{h};{l};{c}"),
    "danish": ("Dato;Seneste;Åbning;Højest;Lavest;Mængde", "{day:%d-%m-%Y};{c};{o};{h};{l};5"),
    "finnish": ("Päivämäärä;Avaus;Ylin;Alin;Päätös", "{day:%d.%m.%Y};{o};{h};{l};{c}"),
    "czech": ("Datum;Otevření;Maximum;Minimum;Zavření;Objem", "{day.day}. {day.month}. {day.year};{o};{h};{l};{c};1"),
    "hungarian": ("Dátum;Nyitó;Max;Min;Záró", "{day:%Y.%m.%d.};{o};{h};{l};{c}"),
    "romanian": ("Data;Deschidere;Maxim;Minim;Închidere", "{day:%d.%m.%Y};{o};{h};{l};{c}"),
    "greek": ("Ημερομηνία;Τελευταία;Άνοιγμα;Υψηλό;Χαμηλό", "{day:%d.%m.%Y};{c};{o};{h};{l}"),
    "ukrainian": ("Дата;Ціна;Відкр.;Макс.;Мін.", "{day:%d.%m.%Y};{c};{o};{h};{l}"),
    "french bank": ("date\touv\thaut\tbas\tclot\tvol\tdevise\t", "{day:%d/%m/%Y}\t{o}\t{h}\t{l}\t{c}\t12\tUSD\t"),
    "vietnamese": ("Ngày;Lần cuối;Mở;Cao;Thấp;KL", "{day:%d/%m/%Y};{c};{o};{h};{l};1"),
    "indonesian": ("Tanggal;Terakhir;Pembukaan;Tertinggi;Terendah", "{day:%d/%m/%Y};{c};{o};{h};{l}"),
    "korean": ("날짜;종가;시가;고가;저가", "{day.year}년 {day.month}월 {day.day}일;{c};{o};{h};{l}"),
    "japanese": ("日付け;終値;始値;高値;安値", "{day.year}年{day.month:02d}月{day.day:02d}日;{c};{o};{h};{l}"),
    "taiwan": ("日期;開盤價;最高價;最低價;收盤價", "{day};{o};{h};{l};{c}"),
    "arabic": ("التاريخ;السعر;الفتح;الأعلى;الأدنى", "{day:%d-%m-%Y};{c};{o};{h};{l}"),
    "hebrew": ("תאריך;סגירה;פתיחה;גבוה;נמוך", "{day:%d.%m.%Y};{c};{o};{h};{l}"),
    "thai": ("วันที่;ล่าสุด;เปิด;สูง;ต่ำ", "{day:%d/%m/%Y};{c};{o};{h};{l}"),
    "hindi": ("दिनांक;मूल्य;खुला;उच्च;निम्न", "{day:%d-%m-%Y};{c};{o};{h};{l}"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_asset_in_the_words_of_its_language(language):
    prices = read(table(*LANGUAGES[language], comma="\t" not in LANGUAGES[language][0]), "BTC-USD.csv")
    assert list(prices.closes) == ["BTC"] and len(prices.closes) == 40
    assert prices.closes["BTC"].iloc[-1] == LAST
    assert str(prices.closes.index[0].date()) == "2024-01-01"


VENDORS = {
    "stooq's text": ("b.txt", "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
                     "BTC.V,D,{day:%Y%m%d},000000,{o},{h},{l},{c},12,0"),
    "CoinMetrics": ("btc.csv", "time,AdrActCnt,BlkCnt,CapMrktCurUSD,PriceUSD,PriceBTC,ROI1yr", "{day},9,144,8e11,{c},1,55.1"),
    "CoinAPI": ("ohlcv_BITSTAMP_SPOT_BTC_USD.csv", "time_period_start;time_open;price_open;price_high;price_low;price_close",
                "{day}T00:00:00.0000000Z;{day}T00:00:01Z;{o};{h};{l};{c}"),
    "Kaiko": ("cbse_btc-usd_1d.csv", "timestamp,open,high,low,close", "{ms},{o},{h},{l},{c}"),
    "Bitfinex": ("bitfinex_tBTCUSD_1D.csv", "MTS,OPEN,CLOSE,HIGH,LOW", "{ms},{o},{c},{h},{l}"),
    "Kraken's archive": ("XBTUSD_1440.csv", "", "{t},{o},{h},{l},{c},12.5,99"),
    "Refinitiv": ("BTC.csv", "Date,Trade Close (USD),Trade Open (USD),Trade High (USD)", "{day:%d-%b-%Y},{c},{o},{h}"),
    "the St. Louis Fed": ("CBBTCUSD.csv", "observation_date,CBBTCUSD", "{day},{c}"),
    "its older files": ("CBBTCUSD.csv", "DATE,CBBTCUSD", "{day},{c}"),
    "a news site": ("HistoricalPrices-BTCUSD.csv", "Date, Open, High, Low, Close", "{day:%m/%d/%Y}, {o}, {h}, {l}, {c}"),
    "dollars in words": ("BTC.csv", "date,close,currency", "{day},{c},US Dollar"),
    "a Kraken perpetual": ("p.csv", "date,PF_XBTUSD", "{day},{c}"),
    "reference rates": ("p.csv", "time,BTC / ReferenceRateUSD", "{day},{c}"),
    "German months": ("BTC.csv", "Datum;Schluss", "{day.day}. MONTH {day.year};{c}"),
}  # fmt: skip


@pytest.mark.parametrize("vendor", VENDORS)
def test_files_of_vendors_are_the_right_asset(vendor):
    name, header, row = VENDORS[vendor]
    text = table(header, row)
    if "MONTH" in row:
        months = {1: "Januar", 2: "Februar"}
        lines = [
            line.replace("MONTH", months[day.month]) for line, day in zip(text.splitlines()[1:], DAYS, strict=True)
        ]
        text = "\n".join([header, *lines])
    prices = read(text, name)
    assert list(prices.closes) == ["BTC"] and prices.closes["BTC"].iloc[-1] == LAST
    assert len(prices.closes) == 40


@pytest.mark.parametrize(
    ("name", "asset"), [("AAPL.US", "AAPL"), ("tETHUST", "ETH"), ("PI_ETHUSD", "ETH"), ("tBTC", "TBTC")]
)
def test_names_of_columns_that_one_vendor_writes(name, asset):
    assert list(read(table(f"date,{name},SOL", "{day},{c},20"), "p.csv").closes) == [asset, "SOL"]


@pytest.mark.parametrize(
    "name",
    ["market-price.csv", "glassnode_price-usd-close_btc.csv", "wkn_btc_historic.csv", "HistoricalData_1700000000.csv"],
)
def test_a_file_whose_name_is_no_asset_is_asked_about_and_the_answer_counts(name):
    text = table("Timestamp,market-price", "{day} 00:00:00,{c}")
    with pytest.raises(AssetNotNamed):
        read(text, name)
    assert list(read(text, name, "BTC").closes) == ["BTC"]


@pytest.mark.parametrize(
    ("header", "money"),
    [
        ("close (C$)", "CAD"),
        ("Close R$", "BRL"),
        ("close (sats)", "BTC"),
        ("HK$ close", "HKD"),
        ("Schlusskurs (kr)", "SEK"),
    ],
)
def test_a_sign_of_money_in_a_header_is_no_dollar_and_no_asset(header, money):
    with pytest.raises(InputError, match=f"is in {money}, not in US dollars"):
        read(table(f"date,{header}", "{day},{c}"), "ETH.csv")


def test_opens_highs_lows_and_closes_in_unknown_words_are_no_four_assets():
    """Basque, in capitals: no list has them; the values say that they are one asset's."""
    with pytest.raises(InputError, match="one of an asset's open, high, low and close"):
        read(table("DATA,IREKI,GOREN,BEHE,ITXI", "{day},{o},{h},{l},{c}"), "BTC.csv")
    prices = read(table("date,BTC,GOREN,BEHE,ITXI", "{day},{c},{h},{l},{c}"), "p.csv")
    assert list(prices.closes) == ["BTC"]


def test_staked_coins_that_lie_in_one_order_every_day_are_assets():
    """Three claims on one coin, each a little dearer than the next and never crossing, are no open, high and low."""
    lines = [f"{day},{c / 15:.4f},{c / 14.3:.4f},{c / 13.9:.4f}" for day, c in zip(DAYS, CLOSES, strict=True)]
    prices = read("date,AAETH,BBETH,CCETH\n" + "\n".join(lines), "p.csv")
    assert len(prices.closes.columns) == 3


def test_a_word_alone_is_no_asset_and_a_code_beside_known_ones_is():
    with pytest.raises(InputError, match="may be a word"):
        read(table("date,Itxi", "{day},{c}"), "p.csv")
    assert list(read(table("date,BTC,hypo", "{day},{c},{o}"), "p.csv").closes) == ["BTC", "HYPO"]


def test_rows_without_a_header_whose_third_column_is_no_high_are_not_guessed():
    with pytest.raises(InputError, match="no line of column names"):
        read(table("", "{t},{o},{l},{h},{c},12.5,99"), "XBTUSD_1440.csv")


def test_epochs_as_a_spreadsheet_shows_them():
    lines = [f"{float(epoch(day)):.9E},{c:.2f}" for day, c in zip(DAYS, CLOSES, strict=True)]
    prices = read("date,BTC\n" + "\n".join(lines), "p.csv")
    assert [day.date() for day in prices.closes.index] == DAYS


@pytest.mark.parametrize("stamp", ["202401", "240101", "12345", "45292.5"])
def test_numbers_that_are_no_days_are_no_dates(stamp):
    with pytest.raises(InputError, match="dates cannot be read"):
        read(f"date,BTC\n{stamp},100\n{stamp},101\n", "p.csv")


def test_a_line_of_units_under_the_names_says_what_is_no_dollar_price():
    text = "date,BTC,ETH\n,USD,EUR\n" + "\n".join(
        f"{day},{c:.2f},{c / 15:.2f}" for day, c in zip(DAYS, CLOSES, strict=True)
    )
    prices = read(text, "p.csv")
    assert list(prices.closes) == ["BTC"]
    assert any("is quoted in EUR" in f.detail for f in prices.findings)
    with pytest.raises(InputError, match="is in EUR"):
        read("date,close\n,EUR\n2024-01-01,100\n2024-01-02,101\n", "BTC.csv")


@pytest.mark.parametrize("header", ["Close (USD thousands)", "Price in millions", "close (000)"])
def test_thousands_are_no_prices_and_no_asset(header):
    with pytest.raises(InputError, match="no column of US dollar prices"):
        read(table(f"date,{header}", "{day},{c}"), "BTC.csv")


def test_names_of_columns_in_quotes_and_blanks_and_with_capitals_inside():
    assert list(read(table('" Date " , " BTC "', "{day},{c}"), "p.csv").closes) == ["BTC"]
    assert list(read(table("date,kPEPE", "{day},{c}"), "p.csv").closes) == ["KPEPE"]
