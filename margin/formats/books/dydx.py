"""dYdX v4 indexer: one subaccount, an address's subaccounts, or the list of perpetual positions.

Source: dYdX docs, Indexer API, "Get Subaccount". The USDC balance holds the proceeds of shorts, so our dollars are the
equity less the open profit; the mark is the entry plus the open profit a coin. The address is not kept.
"""

from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError
from margin.core.position import Position
from margin.formats.books import BookReader
from margin.formats.contract_names import unify
from margin.formats.found import Part
from margin.formats.plain import all_have, needed, number, optional, text

VENUE = "dydx"


def _subaccounts(document: Any) -> list[Any]:
    if not isinstance(document, Mapping):
        return []
    if isinstance(document.get("subaccounts"), list):
        return list(document["subaccounts"])
    inner = document.get("subaccount", document)
    return [inner] if isinstance(inner, Mapping) else []


def knows(document: Any) -> bool:
    """True where the document is this venue's own form."""
    if all_have(_positions(document), "market", "side", "size", "entryPrice"):
        return True
    return all_have(_subaccounts(document), "openPerpetualPositions", "equity")


def _positions(document: Any) -> Any:
    return document.get("positions") if isinstance(document, Mapping) else document


def read(document: Any) -> list[Part]:
    """The accounts in it, row by row; what cannot be read is set aside by name."""
    rows = _positions(document)
    if all_have(rows, "market", "side", "size", "entryPrice"):
        part = Part(venue=VENUE, mode="cross", positions=[])
        part.each(rows, "positions", lambda row, place: _row(row, part))
        return [part]
    found = [_subaccount(item) for item in _subaccounts(document)]
    kept = [part for part in found if part.positions or part.balances or part.aside]
    return kept or found[:1]


def _subaccount(item: Mapping[str, Any]) -> Part:
    number_of = number(item, "subaccountNumber") or 0.0
    name = f"dYdX subaccount {number_of:.0f}" if number_of else ""
    part = Part(venue=VENUE, mode="cross", name=name, positions=[], balances=[])
    rows = item.get("openPerpetualPositions")
    listed = list(rows.values()) if isinstance(rows, Mapping) else rows
    part.each(listed if listed is not None else [], "openPerpetualPositions", lambda row, place: _row(row, part))
    equity = needed(item, "equity")
    part.owes("USDC", equity, with_profit=True)
    part.says["equity"] = equity
    if (free := number(item, "freeCollateral")) is not None:
        part.says["free"] = free
        part.says["initial"] = equity - free
    return part


def _row(row: Mapping[str, Any], part: Part) -> None:
    size = needed(row, "size")
    if not size or row.get("status") not in (None, "OPEN"):
        part.closed += 1
        return
    side = row.get("side")
    if side not in ("LONG", "SHORT"):
        raise InputError("side", side, "must be LONG or SHORT")
    quantity = abs(size) if side == "LONG" else -abs(size)
    entry, profit = optional(row, "entryPrice"), number(row, "unrealizedPnl")
    mark = entry + profit / quantity if entry is not None and profit is not None else None
    part.held(
        Position(
            unify(text(row, "market"), VENUE), quantity, entry, mark_price=mark if mark is None or mark > 0 else None
        )
    )


READER = BookReader("dydx", "dYdX subaccount", knows, read)
