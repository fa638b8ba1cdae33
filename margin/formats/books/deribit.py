"""Deribit: positions and account summary. Source: Deribit API docs, `private/get_positions`, `get_account_summary`.

`size` is US dollars of coin-settled perpetuals and futures, coins of everything else. Figures of an account are in its
currency. Equity holds the open profit; it is taken out again where the positions are known.
"""

import math
from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError
from margin.core.instruments import Instrument
from margin.core.position import Position
from margin.formats.books import BookReader
from margin.formats.books.ccxt_positions import premiums
from margin.formats.contract_names import unify
from margin.formats.found import Part
from margin.formats.plain import all_have, needed, number, optional, signed, text, when

VENUE = "deribit"


def _rows(document: Any) -> Any:
    result = document.get("result", document) if isinstance(document, Mapping) else document
    if isinstance(result, Mapping) and isinstance(result.get("summaries"), list):
        return result["summaries"]
    return [result] if isinstance(result, Mapping) else result


def knows(document: Any) -> bool:
    """True where the document is this venue's own form."""
    rows = _rows(document)
    return all_have(rows, "instrument_name", "size") or all_have(rows, "currency", "equity", "margin_balance")


def read(document: Any) -> list[Part]:
    """The accounts in it, row by row; what cannot be read is set aside by name."""
    rows = _rows(document)
    part = Part(venue=VENUE, mode="cross")
    if isinstance(document, Mapping):
        part.as_of = when(document.get("usOut"))
    if all_have(rows, "instrument_name", "size"):
        part.positions = []
        part.each(rows, "positions", lambda row, place: _row(row, part))
        return [part]
    part.balances = []
    part.each(rows, "summaries", lambda row, place: _summary(row, part, len(rows)))
    return [part]


def _row(row: Mapping[str, Any], part: Part) -> None:
    size = needed(row, "size")
    if not size:
        part.closed += 1
        return
    symbol = unify(text(row, "instrument_name"), VENUE)
    instrument = Position(symbol, 0.0).instrument
    direction = row.get("direction")
    if direction not in ("buy", "sell"):
        raise InputError("direction", direction, "must be buy or sell")
    if size < 0 and direction == "buy":
        raise InputError("size", size, "is below zero, but the direction is buy")
    quantity = abs(size) if direction == "buy" else -abs(size)
    entry, mark = optional(row, "average_price"), optional(row, "mark_price")
    _check(row, instrument, abs(size), mark)
    if instrument.is_option and instrument.settle == instrument.base:
        entry, mark = _premiums(row, symbol, entry, mark, part)
    position = Position(symbol, quantity, entry, optional(row, "leverage"), mark_price=mark)
    coin = "_coin" if instrument.settle == instrument.base else ""
    index = optional(row, "index_price")
    if instrument.is_option and index is not None:
        part.prices[instrument.base] = index
    said: dict[str, float | None] = {
        f"position_initial{coin}": optional(row, "initial_margin"),
        f"position_maintenance{coin}": optional(row, "maintenance_margin"),
    }
    if not instrument.is_option and "estimated_liquidation_price" in row:
        said["liquidation_prices"] = optional(row, "estimated_liquidation_price")
    part.held(position, **said)


def _premiums(
    row: Mapping[str, Any], symbol: str, entry: float | None, mark: float | None, part: Part
) -> tuple[float | None, float | None]:
    paid = optional(row, "average_price_usd")
    entry_usd, mark_usd, note = premiums(symbol, entry, mark, optional(row, "index_price", "underlying_price"))
    if paid is not None:
        return paid, mark_usd
    part.notes += [note] if note else []
    return entry_usd, mark_usd


def _check(row: Mapping[str, Any], instrument: Instrument, size: float, mark: float | None) -> None:
    coins = signed(row, "size_currency")
    if not coins or instrument.is_option:
        return
    expected = size / mark if instrument.is_inverse and mark else size
    if (mark or not instrument.is_inverse) and not math.isclose(abs(coins), expected, rel_tol=0.03):
        raise InputError("size_currency", coins, f"does not fit a size of {size:g} at {mark or 0:g}")


def _summary(row: Mapping[str, Any], part: Part, count: int) -> None:
    currency = text(row, "currency").upper()
    equity = needed(row, "equity")
    part.owes(currency, equity, with_profit=True)
    model = str(row.get("margin_model") or "")
    if row.get("portfolio_margining_enabled") is True or model.endswith("pm"):
        part.mode = "portfolio"
    if count > 1:
        return
    coin = "" if currency in ("USDC", "USDT", "USDE", "USD") else "_coin"
    for key, name in (
        ("equity", "margin_balance"),
        ("initial", "initial_margin"),
        ("maintenance", "maintenance_margin"),
        ("free", "available_funds"),
        ("withdrawable", "available_withdrawal_funds"),
    ):
        if (figure := number(row, name)) is not None:
            part.says[key + coin] = figure


READER = BookReader("deribit", "Deribit positions and account summary", knows, read)
