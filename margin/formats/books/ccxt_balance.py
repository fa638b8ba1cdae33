"""ccxt's balance structure, {"BTC": {"free", "used", "total"}, ..., "total": {...}}, or its totals alone, {"BTC": 1}.

Source: ccxt manual, "Balance Structure". `debt` is what is borrowed of an asset and is taken off its total; Bybit's
total (its wallet balance) is without it already.
"""

import re
from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError
from margin.core.position import Collateral
from margin.formats.books import BookReader
from margin.formats.found import Part
from margin.formats.plain import number, when

_CODE = re.compile(r"(?=[0-9]*[A-Z])[A-Z0-9]{2,15}")
_OURS = ("info", "timestamp", "datetime", "free", "used", "total", "debt")


def knows(document: Any) -> bool:
    """True where the document is this venue's own form."""
    if not isinstance(document, Mapping) or "version" in document:
        return False
    totals = document.get("total")
    if isinstance(totals, Mapping) and ("free" in document or "used" in document or len(document) == 1):
        return True
    if _are_totals(document):
        return True
    amounts = [v for k, v in document.items() if k not in _OURS]
    return bool(amounts) and all(isinstance(v, Mapping) and "total" in v and "free" in v for v in amounts)


def _are_totals(document: Mapping[str, Any]) -> bool:
    """Whether it is print(balance["total"]): codes of assets, and a number or nothing for each."""
    return bool(document) and all(
        isinstance(k, str) and _CODE.fullmatch(k) and (v is None or (isinstance(v, int | float) and v is not True))
        for k, v in document.items()
    )


def read(document: Any) -> list[Part]:
    """Totals as collateral; open profit that the venue's total holds is taken out again when positions are known."""
    part = Part(balances=[], as_of=when(document.get("timestamp")), venue=_venue(document.get("info")))
    totals = document if _are_totals(document) else document.get("total")
    if not isinstance(totals, Mapping):
        totals = {k: v.get("total") for k, v in document.items() if k not in _OURS and isinstance(v, Mapping)}
    own = _own_balances(document.get("info"))
    debts = document.get("debt") if isinstance(document.get("debt"), Mapping) else {}
    for asset in totals:
        try:
            quantity = number(totals, asset)
            entry = document.get(asset)
            debt = number(debts, asset) or (number(entry, "debt") if isinstance(entry, Mapping) else None)
            if debt and part.venue != "bybit":
                quantity = (quantity or 0.0) - abs(debt)
                part.notes.append(f"{asset}: its debt of {abs(debt):g} is taken off.")
            if quantity:
                plain = Collateral(str(asset).upper(), quantity)
                if plain.asset in own:
                    part.owes(plain.asset, own[plain.asset])
                else:
                    part.owes(plain.asset, quantity, with_profit=part.venue in ("deribit", "hyperliquid", "okx"))
        except InputError as error:
            part.set_aside(f"balance.{asset}", str(asset), error)
    return [part]


def _own_balances(info: Any) -> dict[str, float]:
    """Binance: ccxt's total is the margin balance; the wallet balance without open profit stands in `info`."""
    rows = info.get("assets") if isinstance(info, Mapping) else info if isinstance(info, list) else None
    out = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, Mapping) and isinstance(row.get("asset"), str) and "crossWalletBalance" in row:
            found = number(row, "crossWalletBalance")
            if found is not None:
                out[row["asset"].upper()] = found
    return out


def _venue(info: Any) -> str:
    if isinstance(info, list) and info and isinstance(info[0], Mapping) and "crossWalletBalance" in info[0]:
        return "binance"
    if not isinstance(info, Mapping):
        return ""
    if "marginSummary" in info or "crossMarginSummary" in info:
        return "hyperliquid"
    if "totalWalletBalance" in info:
        return "binance"
    result = info.get("result")
    if isinstance(result, Mapping) and ("summaries" in result or "margin_balance" in result):
        return "deribit"
    data = info.get("data")
    if isinstance(data, list) and data and isinstance(data[0], Mapping) and "details" in data[0]:
        return "okx"
    rows = result.get("list") if isinstance(result, Mapping) else None
    if isinstance(rows, list) and rows and isinstance(rows[0], Mapping) and "totalMarginBalance" in rows[0]:
        return "bybit"
    return ""


READER = BookReader("ccxt balance", "ccxt fetch_balance()", knows, read, order=1)
