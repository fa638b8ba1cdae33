"""Binance's wallets beside its futures: portfolio margin account and balance, cross margin account, spot account.

Source: Binance API docs, Portfolio Margin "Account Information" and "Account Balance", Margin "Cross Margin Account
Details", Spot "Account Information". Under portfolio margin an asset's wallets (margin, USD-M, COIN-M) are one pool,
less what is borrowed and its interest.
"""

from collections.abc import Mapping
from typing import Any

from margin.formats.books import BookReader
from margin.formats.found import Part
from margin.formats.plain import all_have, number, text, when

POOLED = ("crossMarginAsset", "umWalletBalance", "cmWalletBalance")
NEEDS = "Binance's portfolio margin account tells its figures alone: paste its balance and its positions with it."
SAID = (("equity", "accountEquity"), ("initial", "accountInitialMargin"), ("maintenance", "accountMaintMargin"))


def _rows(document: Any) -> Any:
    return [document] if isinstance(document, Mapping) and all(key in document for key in POOLED) else document


def _listed(document: Any, key: str, *fields: str) -> bool:
    return isinstance(document, Mapping) and all_have(document.get(key), "asset", "free", "locked", *fields)


def knows(document: Any) -> bool:
    """True where the document is this venue's own form."""
    if all_have(_rows(document), "asset", *POOLED) or _listed(document, "userAssets", "borrowed"):
        return True
    return _listed(document, "balances") or (isinstance(document, Mapping) and "uniMMR" in document)


def read(document: Any) -> list[Part]:
    """The account in it; what cannot be read is set aside by name."""
    if isinstance(document, Mapping) and "uniMMR" in document:
        said = {key: found for key, name in SAID if (found := number(document, name)) is not None}
        part = Part(venue="binance", mode="portfolio", as_of=when(document.get("updateTime")), says=said)
        part.notes.append(NEEDS)
        return [part]
    rows, where, mode = _rows(document), "balance", "portfolio"
    if isinstance(document, Mapping) and rows is document:
        where, mode = ("userAssets", "cross") if "userAssets" in document else ("balances", "cross")
        rows = document[where]
    part = Part(venue="binance" if where != "balances" else "", mode=mode if where != "balances" else None, balances=[])
    if where == "balances":
        part.name = "Binance spot"
    part.each(rows, where, lambda row, place: part.owes(text(row, "asset"), _held(row)))
    return [part]


def _held(row: Mapping[str, Any]) -> float:
    """What is there of an asset, less what is owed."""
    named = POOLED if "crossMarginAsset" in row else ("free", "locked")
    owed = ("crossMarginBorrowed", "crossMarginInterest") if "crossMarginAsset" in row else ("borrowed", "interest")
    return sum(number(row, key) or 0.0 for key in named) - sum(number(row, key) or 0.0 for key in owed)


READER = BookReader("binance wallets", "Binance portfolio margin, cross margin and spot accounts", knows, read)
