"""A pasted table of positions or balances, parted by tabs, semicolons, commas or bars; own words or a venue's.

A row that can't be read is set aside by name. Sizes are units, or what is written beside them (BTC, USDT, contracts);
with a mark price they are checked against a value column.
"""

import re
from typing import Any

from margin.core.checks import MAX_NAME
from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE
from margin.core.position import Collateral, Position
from margin.formats.contract_names import ASKS, unify
from margin.formats.found import Part
from margin.formats.price_words import fold
from margin.formats.table_names import coin_in, mode_of, name_in, venue_named
from margin.formats.table_numbers import Number
from margin.formats.table_shape import Table, cell_of, number_of, parse_table
from margin.formats.table_sizes import counted, premium_of, quantity_of, sign_of
from margin.formats.table_words import CONTRACT_UNITS, side_of

_WALLET = re.compile(  # whole, or cut as pages cut it: 0x12...ab
    r"0x[0-9a-fA-F]{8,}|0x[0-9a-fA-F]{2,}(?:\u2026|\.{2,3})|\b(?:dydx1|bc1|cosmos1)\w{10,}|\b[1-9A-HJ-NP-Za-km-z]{43,44}\b"
)


def read_table(text: str, pairs: bool | None = None) -> list[Part]:
    """The accounts that a table tells of. `pairs`: what BTCUSDT means where the table does not say.

    Raises InputError where it is no such table.
    """
    table = parse_table(text)
    derivative = True if table.derivative else pairs
    parts: dict[tuple[str, str], Part] = {}
    wallets: dict[str, str] = {}
    for line, cells in table.rows:
        name = cell_of(table, cells, "symbol")
        whose = _account(table, cells, wallets)
        part = parts.setdefault(whose, Part(venue=whose[0], name=whose[1], mode="cross" if whose[0] else None))
        try:
            _row(table, cells, part, derivative)
        except InputError as error:
            part.set_aside(f"line {line}", name[:60], error)
    if table.unsure and parts:
        shown = f"{float(table.unsure.replace('.', '') if table.comma else table.unsure):,g}"
        note = f"{table.unsure} is read as {shown}: nothing in the table says what its point means."
        next(iter(parts.values())).notes.append(note)
    return list(parts.values())


def _account(table: Table, cells: list[str], wallets: dict[str, str]) -> tuple[str, str]:
    """(venue, name) of the account that a row belongs to, by its columns or by whose page the table is.

    An account is never called by an address: Wallet 1, Wallet 2, as `wallets` counts them.
    """
    said, name = cell_of(table, cells, "venue"), cell_of(table, cells, "account")
    if _WALLET.search(name):
        name = wallets.setdefault(name.lower(), f"Wallet {len(wallets) + 1}")
    venue = venue_named(said) or venue_named(name)
    if said and not venue:
        name = f"{said} {name}".strip()
    return venue or (table.venue if not said else ""), "" if venue_named(name) else name[:MAX_NAME]


def _row(table: Table, cells: list[str], part: Part, derivative: bool | None) -> None:
    if len(cells) < table.cells:
        problem = f"has fewer figures than the {table.cells} columns above it, so which is which can't be told"
        raise InputError("row", " ".join(cells)[:60], problem, "Paste what the venue's API answers, or type it.")
    name, said = name_in(cell_of(table, cells, "symbol"))
    for column in ("side", "leverage"):
        said = name_in(cell_of(table, cells, column))[1] | said
    if not name:
        raise InputError("symbol", "", "is missing")
    if ("balance" in table.columns and "size" not in table.columns) or _is_balance(table, cells, name):
        found = number_of(table, cells, "balance" if "size" not in table.columns else "size")
        if found is not None:
            part.owes(Collateral(coin_in(name), found.value).asset, found.value)
        return
    venue = part.venue
    plain = name.upper()
    if re.fullmatch(r"[A-Z0-9.]{1,10}", plain) and _is_bare(plain):
        if derivative is None:
            hint = f"Write {plain}/USD for coins you own, {plain}/USDT:USDT for the perpetual."
            raise InputError("symbol", name, ASKS, hint)
        symbol = unify(plain, venue) if venue == "hyperliquid" else f"{plain}/USDT:USDT"
        if not derivative:
            symbol = f"{plain}/USD"
        elif not venue:
            part.notes.append(f"{plain} in a table of derivatives is read as {symbol}.")
    else:
        symbol = unify(name, venue, True if said.get("perpetual") else derivative)
    instrument = Position(symbol, 0.0).instrument
    size = _size(table, cells, said)
    if size is None:
        raise InputError("size", cell_of(table, cells, "size"), "is missing")
    if not size.value:
        part.closed += 1
        return
    mark, entry = number_of(table, cells, "mark_price"), number_of(table, cells, "entry_price")
    for field, price in (("mark price", mark), ("entry price", entry)):
        if price is not None and price.unit == "%":
            raise InputError(field, f"{price.value:g}%", "is a percentage, not a price", "Check the columns.")
    value = number_of(table, cells, "value")
    if size.unit in CONTRACT_UNITS and value is None:
        size = counted(table, cells, instrument, size, entry, mark, part)
    quantity = quantity_of(instrument, size, mark, value)
    entry_usd, mark_usd = premium_of(instrument, entry, mark, part)
    sign = sign_of(table, cells, said, size, quantity, entry_usd, mark_usd, instrument, part)
    leverage = None if "leverage" in said else number_of(table, cells, "leverage")
    mode = (
        mode_of(fold(cell_of(table, cells, "mode")))
        or mode_of(fold(cell_of(table, cells, "leverage")))
        or said.get("mode")
    )
    margin = number_of(table, cells, "margin")
    contract = instrument.kind in ("perpetual", "future")
    if contract and not mode:
        mode = mode_of(fold(cell_of(table, cells, "margin")))
    isolated = contract and mode == "isolated"
    posted = margin.value if isolated and margin is not None and margin.value > 0 else None
    if posted is not None:
        part.notes.append(f"{symbol}: the margin column is taken as what was posted to the isolated position.")
    vol = number_of(table, cells, "implied_vol")
    coin = instrument.is_inverse and margin is not None and margin.unit == instrument.base
    position = Position(
        symbol,
        sign * quantity,
        entry_usd,
        leverage.value if leverage is not None and leverage.value > 0 else said.get("leverage"),
        mode="isolated" if isolated else None,
        margin=None if coin else posted,
        margin_coin=posted if coin else None,
        mark_price=mark_usd,
        implied_vol=_vol(vol) if instrument.is_option else None,
    )
    liquidation = number_of(table, cells, "liquidation") if "liquidation" in table.columns and contract else None
    if liquidation is not None and liquidation.value > 0:
        part.held(position, liquidation_prices=liquidation.value)
    else:
        part.held(position)


def _size(table: Table, cells: list[str], said: dict[str, Any]) -> Number | None:
    """The size of a row; its cell may say the side too: Long 0.5, 0.5 BTC (short)."""
    plain = table.columns["size"][0] if "size" in table.columns else -1
    words = cells[plain].split() if 0 <= plain < len(cells) else []
    sides = [word for word in words if len(fold(word)) > 1 and side_of(word)]
    if not sides:
        return number_of(table, cells, "size")
    said.setdefault("side", side_of(sides[0]))
    kept = [*cells[:plain], " ".join(word for word in words if word not in sides), *cells[plain + 1 :]]
    return number_of(table, kept, "size")


def _is_bare(name: str) -> bool:
    try:
        unify(name, "", False)
    except InputError:
        return True
    return False


def _is_balance(table: Table, cells: list[str], name: str) -> bool:
    kind = fold(cell_of(table, cells, "kind"))
    return name.upper() in USD_LIKE or kind in ("collateral", "balance", "cash")


def _vol(number: Number | None) -> float | None:
    """65% and 65 and 0.65 are all 65% a year."""
    if number is None or number.value <= 0:
        return None
    return number.value / 100.0 if number.unit == "%" or number.value > 5.0 else number.value
