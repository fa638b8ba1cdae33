"""What a file's volume counts: dollars, units of the asset, contracts. Where it cannot be told it is not used."""

import re

import numpy as np
import pandas as pd

from data.files.layout import Layout
from data.files.table import note
from data.model import Finding
from margin.core.price_table import LARGEST_VOLUME
from margin.formats.price_words import KNOWN, SHARES, fold

DOLLAR_VENDORS = {"coinmarketcap": "CoinMarketCap", "coingecko": "CoinGecko"}
UNIT_VENDORS = ("klines", "investing", "tradingview", "coinapi")
UNIT_EXCHANGES = {"BINANCE", "COINBASE", "KRAKEN", "BITSTAMP", "BITFINEX", "OKX", "BYBIT", "KUCOIN", "GEMINI"}
MOST_DAILY_USD = 5e11  # our own bound: volume x price above it is taken for dollars that were multiplied twice
AGREE = 0.05
USE = "Name the column volume_usd or volume_base to have it used."


def usd_volume(frame: pd.DataFrame, layout: Layout, asset: str, name: str) -> tuple[pd.Series | None, list[Finding]]:
    """USD traded per row of one asset from the columns `volume`, `volume base` and `volume usd`; None when not known.

    frame : closes and the volume columns there are, raw numbers
    """
    close = frame["close"]
    plain, base, usd = (frame.get(role) for role in ("volume", "volume base", "volume usd"))
    findings: list[Finding] = []
    if usd is not None:
        if plain is not None and layout.vendor == "klines" and _ratio(usd, plain, close) == "contracts":
            detail = "contracts of a coin-settled future; the coins of its quote volume at the close are used"
            return _bounded(usd * close, asset, [note("volume", 1, "converted", detail, asset)])
        return _bounded(usd, asset, findings)
    if base is not None and layout.volume_of in ("", asset):
        return _bounded(base * close, asset, findings)
    if plain is None and base is not None:
        detail = f"its volume counts {layout.volume_of}, not {asset}. {USE}"
        return None, [note("volume", 1, "not used", detail, asset)]
    if plain is not None and (plain < 0).any():
        detail = f"{int((plain < 0).sum())} volumes are below zero: the column is not used"
        return None, [note("volume", int((plain < 0).sum()), "not used", detail, asset)]
    if plain is None or not (plain > 0).any():
        return None, findings
    unit = _unit(layout, asset, name, plain, close)
    if unit == "usd":
        detail = "its volume is in US dollars already"
        return _bounded(plain, asset, [note("volume", 1, "taken as dollars", detail, asset)])
    if unit == "units":
        return _bounded(plain * close, asset, findings)
    detail = f"whether its volume counts dollars, coins or contracts cannot be told. {USE}"
    return None, [note("volume", 1, "not used", detail, asset)]


def _unit(layout: Layout, asset: str, name: str, plain: pd.Series, close: pd.Series) -> str:
    """'usd', 'units' or ''."""
    usual = float((plain * close).median())
    if layout.vendor in DOLLAR_VENDORS:
        return "usd"
    if layout.vendor == "yahoo":
        word = layout.words.get(asset, "") + name
        if "^" in word or "=" in word:
            return ""  # an index counts shares of its members, a future contracts
        return "units" if asset in SHARES or not _is_coin(asset, word) else "usd"
    words = set(re.split(r"[^A-Z0-9]+", name.upper()))
    if "PERP" in words or "CM" in words:
        return ""  # contracts, perhaps
    if usual > MOST_DAILY_USD:
        return "usd" if asset in KNOWN else ""
    if layout.kind == "long" and not layout.vendor and fold(layout.roles["asset"].name) == "asset":
        return "units"  # our own long form says so
    if asset in SHARES or layout.vendor in UNIT_VENDORS or words & UNIT_EXCHANGES:
        return "units"
    return ""


def _is_coin(asset: str, name: str) -> bool:
    """Yahoo's coins are called BTC-USD; its shares have no hyphen and dollar."""
    return "-USD" in name.upper() or (asset in KNOWN and asset not in SHARES)


def _ratio(usd: pd.Series, plain: pd.Series, close: pd.Series) -> str:
    """'contracts' where quote x close / volume is a round number of dollars: the quote column holds coins."""
    with np.errstate(divide="ignore", invalid="ignore"):
        dollars = float((usd * close / plain.where(plain > 0)).median())
        as_quote = float((usd / plain.where(plain > 0) / close).median())
    if abs(as_quote - 1.0) < AGREE:
        return "quote"
    return "contracts" if any(abs(dollars / size - 1.0) < AGREE for size in (1.0, 10.0, 100.0)) else "quote"


def _bounded(values: pd.Series, asset: str, findings: list[Finding]) -> tuple[pd.Series, list[Finding]]:
    wrong = (values < 0) | (values > LARGEST_VOLUME)
    if wrong.any():
        detail = f"volumes below zero or beyond {LARGEST_VOLUME:g} USD are left empty"
        findings = [*findings, note("volume", int(wrong.sum()), "left empty", detail, asset)]
        values = values.mask(wrong)
    return values, findings
