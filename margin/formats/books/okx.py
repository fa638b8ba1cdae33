"""OKX v5: positions and balance. Source: OKX API docs, "Get positions", "Get balance".

`pos` counts contracts; how much one is does not stand in the answer, notionalUsd / markPx does: contracts are powers of
ten of a coin (or of a dollar), so the quotient is rounded to one. Option premiums are in coins.
"""

import math
from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError
from margin.core.position import Position
from margin.formats.books import BookReader
from margin.formats.books.ccxt_positions import premiums
from margin.formats.contract_names import unify
from margin.formats.found import Part
from margin.formats.plain import all_have, needed, number, optional, rows_in, text, when

VENUE = "okx"
WALLET = ("details", "totalEq")
DERIVATIVES = ("SWAP", "FUTURES", "OPTION")


def _rows(document: Any) -> list[Any] | None:
    rows = rows_in(document, "data")
    return rows if rows is not None else document if isinstance(document, list) else None


def knows(document: Any) -> bool:
    """True where the document is this venue's own form."""
    rows = _rows(document)
    return all_have(rows, "instId", "pos") or all_have(rows, *WALLET)


def read(document: Any) -> list[Part]:
    """The accounts in it, row by row; what cannot be read is set aside by name."""
    rows = _rows(document) or []
    part = Part(venue=VENUE, mode="cross")
    return part.wallets_or_positions(rows, "data", WALLET, _balance, _row)


def _row(row: Mapping[str, Any], part: Part) -> None:
    pos = needed(row, "pos")
    if not pos:
        part.closed += 1
        return
    name = text(row, "instId")
    kind = str(row.get("instType") or ("SWAP" if name.endswith("SWAP") else ""))
    symbol = unify(name, VENUE, derivative=kind in DERIVATIVES)
    instrument = Position(symbol, 0.0).instrument
    mark, entry = optional(row, "markPx"), optional(row, "avgPx")
    usd = optional(row, "notionalUsd")
    quantity = abs(pos)
    if instrument.kind == "spot":
        quantity = _on_margin(row, instrument.base, quantity, entry)
    else:
        index = optional(row, "idxPx")
        at = index if instrument.is_option else mark
        if usd is None or (at is None and not instrument.is_inverse):
            raise InputError("notionalUsd", row.get("notionalUsd"), "is missing, so the size of a contract is unknown")
        each = usd / quantity if instrument.is_inverse else usd / (quantity * (at or 1.0))
        quantity *= _power_of_ten(each)
        if instrument.is_option:
            entry, mark, note = premiums(symbol, entry, mark, index)
            part.notes += [note] if note else []
            if index is not None:
                part.prices[instrument.base] = index
    side = row.get("posSide")
    short = pos < 0 or side == "short"
    if instrument.kind == "spot":
        short = row.get("posCcy") not in (None, "", instrument.base)
    isolated = row.get("mgnMode") == "isolated" and instrument.kind in ("perpetual", "future")
    posted = optional(row, "margin") if isolated else None
    position = Position(
        symbol,
        -quantity if short else quantity,
        entry,
        optional(row, "lever"),
        mode="isolated" if isolated else None,
        margin=None if instrument.is_inverse else posted,
        margin_coin=posted if instrument.is_inverse else None,
        mark_price=mark,
        paid=not (instrument.kind == "spot" and not short),
    )
    coin = "_coin" if instrument.is_inverse else ""
    said: dict[str, float | None] = {f"position_maintenance{coin}": optional(row, "mmr")}
    said[f"position_initial{coin}"] = optional(row, "imr")
    if instrument.is_option or instrument.kind == "spot":
        said = {}
    if "liqPx" in row:
        said["liquidation_prices"] = optional(row, "liqPx")
    part.held(position, **said)
    part.as_of = max(filter(None, (part.as_of, when(row.get("uTime")))), default=None)


def _on_margin(row: Mapping[str, Any], base: str, quantity: float, entry: float | None) -> float:
    """A margin position counts its own currency: coins when long, the quote when short (the coins owed are `liab`)."""
    if row.get("posCcy") in (None, "", base):
        return quantity
    owed = number(row, "liab")
    if owed and row.get("liabCcy") == base:
        return abs(owed)
    if entry:
        return quantity / entry
    raise InputError("liab", row.get("liab"), "is missing, so the coins owed are unknown")


def _power_of_ten(each: float) -> float:
    """`each` as the power of ten near it (a contract of 0.01 BTC printed through a stablecoin at 0.9995)."""
    if not 1e-12 < each < 1e12:
        raise InputError("notionalUsd", each, "does not fit pos and markPx: no contract is of that size")
    whole = 10.0 ** round(math.log10(each))
    return whole if math.isclose(whole, each, rel_tol=0.03) else each


def _balance(row: Mapping[str, Any], part: Part) -> None:
    part.balances = part.balances or []

    def one(detail: Mapping[str, Any], place: str) -> None:
        worth = number(detail, "eqUsd"), number(detail, "eq")
        part.owes(text(detail, "ccy"), number(detail, "cashBal", "eq"), worth=worth)

    part.each(row.get("details"), "details", one, ("ccy",))
    for key, name in (("equity", "adjEq"), ("initial", "imr"), ("maintenance", "mmr")):
        if (figure := number(row, name)) is not None:
            part.says[key] = figure
    part.as_of = when(row.get("uTime"))


READER = BookReader("okx", "OKX positions and balance", knows, read)
