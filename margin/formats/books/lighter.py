"""Lighter: an account. Source: Lighter API docs, `/api/v1/account`. The address and the index are not kept.

`sign` says which way; margin_mode 1 is isolated with allocated_margin its own. `collateral` is without open profit.
"""

import math
from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError
from margin.core.position import Position
from margin.formats.books import BookReader
from margin.formats.contract_names import unify
from margin.formats.found import Part
from margin.formats.plain import all_have, needed, number, optional, signed, text

VENUE = "lighter"


def _accounts(document: Any) -> list[Any]:
    if not isinstance(document, Mapping):
        return []
    rows = document.get("accounts")
    return rows if isinstance(rows, list) else [document]


def knows(document: Any) -> bool:
    """True where the document is this venue's own form."""
    accounts = _accounts(document)
    if not all_have(accounts, "collateral", "positions"):
        return False
    return all("account_index" in a or "available_balance" in a for a in accounts if isinstance(a, Mapping))


def read(document: Any) -> list[Part]:
    """The accounts in it, row by row; what cannot be read is set aside by name."""
    rows = [row for row in _accounts(document) if isinstance(row, Mapping)]
    parts = [_account(row, i if len(rows) > 1 else 0) for i, row in enumerate(rows, start=1)]
    return [part for part in parts if part.positions or part.balances or part.aside] or parts[:1]


def _account(row: Mapping[str, Any], index: int) -> Part:
    part = Part(venue=VENUE, mode="cross", name=f"Lighter {index}" if index else "", positions=[], balances=[])
    part.each(row["positions"], "positions", lambda item, place: _row(item, part))
    part.owes("USDC", needed(row, "collateral"))
    isolated = sum(p.margin or 0.0 for p in part.positions or ())
    if isolated and part.balances:
        part.notes.append("What isolated positions were given is taken to stand beside the collateral, not in it.")
    for key, name in (("equity", "cross_asset_value"), ("free", "available_balance")):
        if (figure := number(row, name)) is not None:
            part.says[key] = figure
    return part


def _row(row: Mapping[str, Any], part: Part) -> None:
    size = needed(row, "position")
    if not size:
        part.closed += 1
        return
    sign = needed(row, "sign")
    if sign not in (1.0, -1.0):
        raise InputError("sign", row.get("sign"), "must be 1 or -1")
    symbol = unify(text(row, "symbol"), VENUE)
    entry, value = optional(row, "avg_entry_price"), signed(row, "position_value")
    mark = abs(value) / abs(size) if value else None
    profit = signed(row, "unrealized_pnl")
    if entry and mark and profit is not None:
        expected = sign * abs(size) * (mark - entry)
        if not math.isclose(profit, expected, rel_tol=0.05, abs_tol=0.01 * abs(size) * mark):
            raise InputError("unrealized_pnl", profit, f"does not fit {sign * abs(size):g} from {entry:g} to {mark:g}")
    isolated = number(row, "margin_mode") == 1
    share = optional(row, "initial_margin_fraction")  # percent
    position = Position(
        symbol,
        sign * abs(size),
        entry,
        100.0 / share if share else None,
        mode="isolated" if isolated else None,
        margin=optional(row, "allocated_margin") if isolated else None,
        mark_price=mark,
    )
    liquidation = {"liquidation_prices": optional(row, "liquidation_price")} if "liquidation_price" in row else {}
    part.held(position, **liquidation)


READER = BookReader("lighter", "Lighter account", knows, read)
