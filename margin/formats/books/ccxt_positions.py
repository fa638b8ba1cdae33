"""ccxt's position structures: a list, or {"positions": [...]} with balances beside it.

Source: ccxt manual, "Position Structure".
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError
from margin.core.instruments import Instrument
from margin.core.position import Position
from margin.formats.books import BookReader, ccxt_balance
from margin.formats.found import MAX_ROWS, Part, named
from margin.formats.plain import number, optional, signed, when
from margin.formats.sizes import Size, settle_size

OWN_SIZES = ("size", "positionAmt", "szi", "pos", "currentQty", "qty", "position", "quantity")
# Keys of the venue's own answer (`info`) that together are that venue's alone.
VENUES = (
    ("deribit", ("instrument_name", "direction")),
    ("okx", ("instId", "mgnMode")),
    ("binance", ("positionAmt", "isolatedWallet", "positionSide")),
    ("binance", ("positionAmt", "breakEvenPrice", "positionSide")),
    ("bybit", ("positionIdx", "positionValue")),
    ("bitmex", ("currentQty", "homeNotional")),
    ("dydx", ("market", "subaccountNumber")),
    ("lighter", ("market_id", "position_value")),
)


def knows(document: Any) -> bool:
    """True where the document is this venue's own form."""
    return _rows(document) is not None


def _rows(document: Any) -> list[Any] | None:
    if isinstance(document, Mapping):
        if "version" in document:
            return None
        inner = document.get("positions")
        by_name = isinstance(inner, Mapping) and bool(inner) and all(isinstance(v, Mapping) for v in inner.values())
        return _rows(list(inner.values()) if isinstance(inner, Mapping) and by_name else inner)
    if not isinstance(document, list):
        return None
    rows = [row for row in document if isinstance(row, Mapping)]
    known = any("contracts" in row or ("contractSize" in row and "symbol" in row) for row in rows)
    return document if known else None


def read(document: Any) -> list[Part]:
    """The accounts in it, row by row; what cannot be read is set aside by name."""
    rows = _rows(document) or []
    if len(rows) > MAX_ROWS:
        raise InputError("positions", f"{len(rows)} entries", "has too many entries", f"At most {MAX_ROWS}.")
    parts: dict[str, Part] = defaultdict(lambda: Part(positions=[]))
    for i, row in enumerate(rows):
        venue = venue_of(row)
        part = parts[venue]
        part.venue = venue
        place = f"positions[{i}]"
        try:
            read_row(row, place, part)
        except InputError as error:
            part.set_aside(place, named(row), error)
    if isinstance(document, Mapping):
        for key in ("balance", "balances", "collateral"):
            balance = document.get(key)
            if isinstance(balance, Mapping) and ccxt_balance.knows(balance):
                (said,) = ccxt_balance.read(balance)
                target = next(iter(parts.values())) if len(parts) == 1 else parts[said.venue]
                target.balances = said.balances
                target.notes += said.notes
                target.aside += said.aside
    return list(parts.values()) or [Part(positions=[])]


def venue_of(row: Any) -> str:
    """The venue whose own answer stands in `info`, "" where it can't be told."""
    info = row.get("info") if isinstance(row, Mapping) else None
    if not isinstance(info, Mapping):
        return ""
    inner = info.get("position")
    if isinstance(inner, Mapping) and "szi" in inner:
        return "hyperliquid"
    if str(info.get("symbol", ""))[:3].upper() in ("PF_", "PI_", "FI_", "FF_"):
        return "kraken"
    return next((venue for venue, keys in VENUES if all(key in info for key in keys)), "")


def read_row(row: Any, place: str, part: Part) -> None:
    """One structure into `part`, or counted as closed. Raises InputError."""
    if not isinstance(row, Mapping):
        raise InputError(place, row, "must be a ccxt position (an object)")
    if "contracts" not in row and "notional" not in row:
        hint = 'For Margin Lab\'s own format wrap the list: {"version": 2, "accounts": [{"positions": [...]}]}.'
        raise InputError(place, list(row)[:6], "has no 'contracts', so it is not a ccxt position", hint)
    info = row.get("info")
    info = info if isinstance(info, Mapping) else {}
    contracts, notional = number(row, "contracts"), number(row, "notional")
    own = next((found for key in OWN_SIZES if (found := signed(info, key))), None) if contracts is None else None
    direction = next(
        (found for key in ("positionAmt", "szi", "size", "currentQty") if (found := signed(info, key))), own
    )
    if not contracts and not notional and (contracts is not None or not own):
        if contracts is None and any(row.get(key) for key in ("entryPrice", "unrealizedPnl", "liquidationPrice")):
            raise InputError("contracts", None, "is missing, and so is the notional", "Give one of them.")
        part.closed += 1
        return
    if contracts == 0 and notional:
        raise InputError("contracts", contracts, f"is zero beside a notional of {notional:g}", "Check the row.")
    symbol = row.get("symbol")
    instrument = Position(symbol if symbol is not None else "", 0.0).instrument
    sign, said = _sign(row.get("side"), contracts, notional, direction)
    mark = optional(row, "markPrice")
    size = settle_size(
        instrument,
        contracts=_unsigned(contracts),
        contract_size=_unsigned(number(row, "contractSize")),
        notional=_unsigned(notional),
        mark=mark,
        entry=optional(row, "entryPrice"),
        own=_unsigned(own),
        in_units="instrument_name" in info,
    )
    position = _position(row, info, instrument, sign * size.quantity, size)
    if position.as_premium_note:
        part.notes.append(position.as_premium_note)
    for note in filter(None, (size.note, said)):
        part.notes.append(f"{instrument.symbol}: {note}.")
    part.as_of = max(filter(None, (part.as_of, when(row.get("timestamp")))), default=None)
    coin = "_coin" if instrument.is_inverse else ""
    figures: dict[str, float | None] = {}
    if "liquidationPrice" in row:
        figures["liquidation_prices"] = optional(row, "liquidationPrice")
    if not instrument.is_option:
        figures[f"position_initial{coin}"] = optional(row, "initialMargin")
        figures[f"position_maintenance{coin}"] = optional(row, "maintenanceMargin")
    part.held(position.position, **figures)


class _Read:
    def __init__(self, position: Position, as_premium_note: str = ""):
        self.position = position
        self.as_premium_note = as_premium_note


def _position(
    row: Mapping[str, Any], info: Mapping[str, Any], instrument: Instrument, quantity: float, size: Size
) -> _Read:
    entry, mark = optional(row, "entryPrice"), size.mark
    note = ""
    if instrument.is_option and instrument.settle == instrument.base:
        index = optional(info, "index_price", "underlying_price", "idxPx", "underlyingPrice")
        entry, mark, note = premiums(instrument.symbol, entry, mark, index)
    isolated = row.get("marginMode") == "isolated" and instrument.kind in ("perpetual", "future")
    posted = number(row, "collateral") if isolated else None  # in the settlement currency
    inner = info.get("position")
    if isinstance(inner, Mapping) and "szi" in inner and posted is not None:
        posted -= signed(row, "unrealizedPnl") or 0.0  # Hyperliquid's figure holds the open profit
    posted = posted if posted is not None and posted >= 0 else None
    position = Position(
        instrument.symbol,
        quantity,
        entry,
        optional(row, "leverage"),
        mode="isolated" if isolated else None,
        margin=None if instrument.is_inverse else posted,
        margin_coin=posted if instrument.is_inverse else None,
        mark_price=mark,
        max_leverage=optional(inner, "maxLeverage") if isinstance(inner, Mapping) else None,
        paid=not (instrument.kind == "spot" and quantity > 0),  # ccxt lists spot as a position where it is on margin
    )
    return _Read(position, note)


def premiums(
    symbol: str, entry: float | None, mark: float | None, index: float | None
) -> tuple[float | None, float | None, str]:
    """Option premiums printed in coins, in dollars at the price of the coin; left out, with a note, without one."""
    if entry is None and mark is None:
        return None, None, ""
    if index is None:
        note = f"{symbol}: its premium is in coins and no price of the coin stands beside it, so it is left out."
        return None, None, note
    note = f"{symbol}: its premium in coins is counted at {index:,.2f} US dollars a coin."
    return entry * index if entry else None, mark * index if mark else None, note


SIDES = {"long": "long", "short": "short", "both": "", "net": ""}


def _sign(side: Any, contracts: float | None, notional: float | None, own: float | None) -> tuple[float, str]:
    """Which way, and what was assumed. Raises InputError where the fields contradict each other."""
    side = SIDES.get(side.strip().lower(), side) if isinstance(side, str) else side
    if side not in ("long", "short", None, ""):
        raise InputError("side", side, "must be 'long' or 'short'")
    signs = {math.copysign(1.0, v) for v in (contracts, notional, own) if v is not None and v < 0}
    if side == "long" and notional is not None and notional < 0:
        raise InputError("side", side, f"is long, but the notional is {notional:g}", "Check side and notional.")
    if side:
        return (1.0 if side == "long" else -1.0), ""
    if signs:
        return -1.0, ""
    return 1.0, "no side is given and nothing is below zero, so it is read as long"


def _unsigned(value: float | None) -> float | None:
    return None if value is None else abs(value)


READER = BookReader("ccxt positions", "ccxt fetch_positions()", knows, read, order=0)
