"""Bybit v5: position list and wallet balance. Source: Bybit API docs, "Get Position Info", "Get Wallet Balance".

`size` counts coins, of coin-settled contracts US dollars; positionValue is at the entry price.
"""

from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError
from margin.core.position import Position
from margin.formats.books import BookReader
from margin.formats.contract_names import unify
from margin.formats.found import Part
from margin.formats.plain import all_have, needed, number, optional, rows_in, text, when
from margin.formats.sizes import settle_size

VENUE = "bybit"
WALLET = ("coin", "totalEquity")


def _rows(document: Any) -> list[Any] | None:
    rows = rows_in(document, "result", "list") or rows_in(document, "list")
    return rows if rows is not None else document if isinstance(document, list) else None


def knows(document: Any) -> bool:
    """True where the document is this venue's own form."""
    rows = _rows(document)
    return all_have(rows, "symbol", "side", "size", "avgPrice") or all_have(rows, *WALLET)


def read(document: Any) -> list[Part]:
    """The accounts in it, row by row; what cannot be read is set aside by name."""
    rows = _rows(document) or []
    part = Part(venue=VENUE, mode="cross")
    if isinstance(document, Mapping):
        part.as_of = when(document.get("time"))
    return part.wallets_or_positions(rows, "list", WALLET, _wallet, _row)


def _row(row: Mapping[str, Any], part: Part) -> None:
    size = needed(row, "size")
    if not size:
        part.closed += 1
        return
    side = str(row.get("side", "")).lower()
    if side not in ("buy", "sell"):
        raise InputError("side", row.get("side"), "must be Buy or Sell")
    symbol = unify(text(row, "symbol"), VENUE)
    instrument = Position(symbol, 0.0).instrument
    mark, entry = optional(row, "markPrice"), optional(row, "avgPrice")
    value = optional(row, "positionValue") if not instrument.is_option else None
    found = settle_size(
        instrument, contracts=abs(size), contract_size=1.0, notional=value, mark=mark, entry=entry, in_units=True
    )
    isolated = str(row.get("tradeMode")) == "1"
    posted = optional(row, "positionBalance", "positionIM") if isolated else None
    position = Position(
        symbol,
        found.quantity if side == "buy" else -found.quantity,
        entry,
        optional(row, "leverage"),
        mode="isolated" if isolated else None,
        margin=None if instrument.is_inverse else posted,
        margin_coin=posted if instrument.is_inverse else None,
        mark_price=mark,
    )
    coin = "_coin" if instrument.is_inverse else ""
    said = {
        f"position_initial{coin}": optional(row, "positionIM"),
        f"position_maintenance{coin}": optional(row, "positionMM"),
    }
    if "liqPrice" in row:
        said["liquidation_prices"] = optional(row, "liqPrice")
    part.held(position, **said)


def _wallet(row: Mapping[str, Any], part: Part) -> None:
    part.balances = part.balances or []

    def one(coin: Mapping[str, Any], place: str) -> None:
        quantity = number(coin, "walletBalance", "equity")
        if coin.get("collateralSwitch") is False and coin.get("marginCollateral") is not False and quantity:
            part.notes.append(f"{text(coin, 'coin')} is switched off as collateral at Bybit and left out.")
            return
        part.owes(text(coin, "coin"), quantity, worth=(number(coin, "usdValue"), number(coin, "equity")))

    part.each(row.get("coin"), "coin", one, ("coin",))
    for key, names in (
        ("equity", ("totalMarginBalance",)),
        ("initial", ("totalInitialMargin",)),
        ("maintenance", ("totalMaintenanceMargin",)),
        ("free", ("totalAvailableBalance",)),
    ):
        if (figure := number(row, *names)) is not None:
            part.says[key] = figure


READER = BookReader("bybit", "Bybit position list and wallet balance", knows, read)
