"""BitMEX: positions and margin. Source: BitMEX API docs, `/position`, `/user/margin`.

currentQty counts contracts; the US dollars of a coin-settled contract are foreignNotional, the coins of a linear one
homeNotional. XBt is a hundred-millionth of a bitcoin, USDt a millionth of a dollar.
"""

from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError
from margin.core.position import Position
from margin.formats.books import BookReader
from margin.formats.contract_names import unify
from margin.formats.found import Part
from margin.formats.plain import all_have, needed, number, optional, signed, text, when

VENUE = "bitmex"
UNITS = {"XBt": ("BTC", 1e-8), "USDt": ("USDT", 1e-6), "USDc": ("USDC", 1e-6), "ETh": ("ETH", 1e-9)}


def _rows(document: Any) -> Any:
    return [document] if isinstance(document, Mapping) else document


def knows(document: Any) -> bool:
    """True where the document is this venue's own form."""
    rows = _rows(document)
    return all_have(rows, "symbol", "currentQty") or all_have(rows, "currency", "walletBalance", "marginBalance")


def read(document: Any) -> list[Part]:
    """The accounts in it, row by row; what cannot be read is set aside by name."""
    rows = _rows(document)
    part = Part(venue=VENUE, mode="cross")
    if all_have(rows, "symbol", "currentQty"):
        part.positions = []
        part.each(rows, "positions", lambda row, place: _row(row, part))
        return [part]
    part.balances = []
    part.each(rows, "margin", lambda row, place: _margin(row, part, len(rows)), ("currency",))
    return [part]


def _row(row: Mapping[str, Any], part: Part) -> None:
    size = needed(row, "currentQty")
    if not size or row.get("isOpen") is False:
        part.closed += 1
        return
    name = text(row, "symbol")
    symbol = unify(name, VENUE)
    instrument = Position(symbol, 0.0).instrument
    asset, unit = UNITS.get(str(row.get("currency", "XBt")), ("", 0.0))
    if not asset or instrument.settle != asset:
        problem = f"{name} pays in {asset or row.get('currency')}, neither in its own coin nor in its quote"
        raise InputError("currency", row.get("currency"), problem, "Such contracts are not reproduced here.")
    field = "foreignNotional" if instrument.is_inverse else "homeNotional"
    amount = signed(row, field)
    if amount is None:
        if not instrument.is_inverse:
            raise InputError(field, row.get(field), "is missing, so the coins of a contract are unknown")
        amount = size
    quantity = abs(amount) if size > 0 else -abs(amount)
    isolated = row.get("crossMargin") is False
    margin = signed(row, "posMargin") if isolated else None
    posted = max(margin, 0.0) * unit if margin is not None else None
    position = Position(
        symbol,
        quantity,
        optional(row, "avgEntryPrice", "avgCostPrice"),
        optional(row, "leverage"),
        mode="isolated" if isolated else None,
        margin=None if instrument.is_inverse else posted,
        margin_coin=posted if instrument.is_inverse else None,
        mark_price=optional(row, "markPrice"),
    )
    coin = "_coin" if instrument.is_inverse else ""
    said = {
        f"position_initial{coin}": (v * unit if (v := optional(row, "initMargin", "posInit")) else None),
        f"position_maintenance{coin}": (v * unit if (v := optional(row, "maintMargin", "posMaint")) else None),
    }
    if isolated:  # its maintMargin holds the open profit and what was posted
        said = {}
    if "liquidationPrice" in row:
        said["liquidation_prices"] = optional(row, "liquidationPrice")
    part.held(position, **said)
    part.as_of = max(filter(None, (part.as_of, when(row.get("timestamp")))), default=None)


def _margin(row: Mapping[str, Any], part: Part, count: int) -> None:
    currency = text(row, "currency")
    if currency not in UNITS and not needed(row, "walletBalance"):
        return
    if currency not in UNITS:
        raise InputError("currency", currency, "is not known", f"Known: {', '.join(UNITS)}.")
    asset, unit = UNITS[currency]
    part.owes(asset, needed(row, "walletBalance") * unit)
    if count > 1:
        return
    coin = "" if asset.startswith("USD") else "_coin"
    for key, name in (
        ("equity", "marginBalance"),
        ("initial", "initMargin"),
        ("maintenance", "maintMargin"),
        ("withdrawable", "withdrawableMargin"),
    ):
        if (figure := number(row, name)) is not None:
            part.says[key + coin] = figure * unit


READER = BookReader("bitmex", "BitMEX positions and margin", knows, read)
