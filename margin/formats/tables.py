"""A pasted table of positions or balances, parted by tabs, semicolons, commas or bars; own words or a venue's.

A row that can't be read is set aside by name. Sizes are units, or what is written beside them (BTC, USDT, contracts);
with a mark price they are checked against a value column.
"""

import math
import re
from typing import Any

from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE, Instrument
from margin.core.position import Collateral, Position
from margin.formats.contract_names import unify
from margin.formats.found import Part
from margin.formats.price_words import fold
from margin.formats.table_numbers import Number
from margin.formats.table_shape import TIMES, Table, cell_of, number_of, parse_table
from margin.formats.table_words import CROSS, ISOLATED, side_of

CONTRACT_UNITS = frozenset(("CONT", "CONTS", "CONTRACT", "CONTRACTS", "LOT", "LOTS"))


def read_table(text: str, pairs: bool | None = None) -> Part:
    """The part of an account that a table tells. `pairs`: what BTCUSDT means where the table does not say.

    Raises InputError where it is no such table, or no row of it can be read.
    """
    table = parse_table(text)
    derivative = True if table.derivative else pairs
    part = Part(venue=table.venue)
    if table.venue:
        part.mode = "cross"
    for line, cells in table.rows:
        name = cell_of(table, cells, "symbol")
        try:
            _row(table, cells, part, derivative)
        except InputError as error:
            part.set_aside(f"line {line}", name[:60], error)
    return part


def _row(table: Table, cells: list[str], part: Part, derivative: bool | None) -> None:
    name, said = _name(cell_of(table, cells, "symbol"))
    if not name:
        raise InputError("symbol", "", "is missing")
    if ("balance" in table.columns and "size" not in table.columns) or _is_balance(table, cells, name):
        found = number_of(table, cells, "balance" if "size" not in table.columns else "size")
        if found is not None:
            part.owes(Collateral(name.upper(), found.value).asset, found.value)
        return
    venue = part.venue
    plain = name.upper()
    if re.fullmatch(r"[A-Z0-9.]{1,10}", plain) and _is_bare(plain):
        if not derivative:
            hint = f"Write {plain}/USD for coins you own, {plain}/USDT:USDT for the perpetual."
            raise InputError("symbol", name, "may be coins you own, coins lent, or a contract", hint)
        symbol = unify(plain, venue) if venue == "hyperliquid" else f"{plain}/USDT:USDT"
        if not venue:
            part.notes.append(f"{plain} in a table of derivatives is read as {symbol}.")
    else:
        symbol = unify(name, venue, True if said.get("perpetual") else derivative)
    instrument = Position(symbol, 0.0).instrument
    size = number_of(table, cells, "size")
    if size is None:
        raise InputError("size", cell_of(table, cells, "size"), "is missing")
    if not size.value:
        part.closed += 1
        return
    mark, entry = number_of(table, cells, "mark_price"), number_of(table, cells, "entry_price")
    value = number_of(table, cells, "value")
    quantity = _quantity(instrument, size, mark, value)
    entry_usd, mark_usd = _premium(instrument, entry, mark, part)
    sign = _sign(table, cells, said, size, quantity, entry_usd, mark_usd, instrument, part)
    leverage = number_of(table, cells, "leverage")
    mode = (
        _mode(fold(cell_of(table, cells, "mode"))) or _mode(fold(cell_of(table, cells, "leverage"))) or said.get("mode")
    )
    margin = number_of(table, cells, "margin")
    contract = instrument.kind in ("perpetual", "future")
    if contract and not mode:
        mode = _mode(fold(cell_of(table, cells, "margin")))
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


def _is_bare(name: str) -> bool:
    try:
        unify(name, "", False)
    except InputError:
        return True
    return False


def _is_balance(table: Table, cells: list[str], name: str) -> bool:
    kind = fold(cell_of(table, cells, "kind"))
    return name.upper() in USD_LIKE or kind in ("collateral", "balance", "cash")


def _name(cell: str) -> tuple[str, dict[str, Any]]:
    """The instrument's name, and what else pages write into the same cell: Perp, 20x, Cross, Long."""
    said: dict[str, Any] = {}
    kept: list[str] = []
    for word in cell.replace("\u00b7", " ").replace("(", " ").replace(")", " ").split():
        plain = fold(word)
        if times := TIMES.fullmatch(word):
            said["leverage"] = float(times[1])
        elif plain in ("perp", "perpetual", "perps", "swap"):
            said["perpetual"] = True
        elif mode := _mode(plain):
            said["mode"] = mode
        elif plain in ("long", "short", "buy", "sell"):
            said["side"] = side_of(word)
        elif plain in ("linear", "inverse", "usdsm", "coinm", "unified") and kept:
            continue
        else:
            kept.append(word)
    if len(kept) == 2 and fold(kept[0]) == fold(kept[1]):
        kept = kept[:1]
    return " ".join(kept), said


def _mode(word: str) -> str | None:
    for known, mode in ((ISOLATED, "isolated"), (CROSS, "cross")):
        if word in known or any(word.endswith(k) and not word.isalpha() for k in known):
            return mode
    return None


def _quantity(instrument: Instrument, size: Number, mark: Number | None, value: Number | None) -> float:
    """Units (dollars of face) of the size as written, checked against the value column."""
    amount, unit = abs(size.value), size.unit
    price = mark.value if mark is not None and mark.value > 0 else None
    if unit in CONTRACT_UNITS:
        if value is None or price is None:
            hint = "Give the size in coins, or a value and a mark price beside it."
            raise InputError("size", f"{amount:g} {unit.lower()}", "counts contracts of unknown size", hint)
        return abs(value.value) if instrument.is_inverse else abs(value.value) / price
    if instrument.is_inverse and unit == instrument.base:
        if price is None:
            raise InputError("mark price", None, f"is missing, so dollars of {amount:g} {unit} are unknown")
        amount *= price
    elif not instrument.is_inverse and unit in USD_LIKE:
        if price is None:
            raise InputError("mark price", None, f"is missing, so coins for {amount:g} {unit} are unknown")
        amount /= price
    elif unit and unit not in USD_LIKE and unit != instrument.base and not instrument.base.endswith(unit):
        raise InputError("size", f"{size.value:g} {unit}", f"is not counted in {instrument.base}")
    if value is not None and price is not None and not instrument.is_option and unit not in USD_LIKE and value.value:
        expected = amount / price if instrument.is_inverse and value.unit == instrument.base else amount
        expected = amount * price if not instrument.is_inverse else expected
        shown = abs(value.value)
        if not instrument.is_inverse and value.unit == instrument.base:
            expected = amount
        if not math.isclose(shown, expected, rel_tol=0.03):
            problem = f"does not fit a size of {size.value:g} at a mark price of {price:g} ({expected:,.2f})"
            raise InputError("value", value.value, problem, "Check size, mark price and value.")
    return amount


def _premium(
    instrument: Instrument, entry: Number | None, mark: Number | None, part: Part
) -> tuple[float | None, float | None]:
    """Entry and mark in dollars; an option's premium in coins is left out, with a note."""
    out = []
    for number in (entry, mark):
        price = number.value if number is not None and number.value > 0 else None
        coins = instrument.is_option and instrument.settle == instrument.base and price is not None
        if coins and number is not None and number.unit not in USD_LIKE:
            part.notes.append(f"{instrument.symbol}: its premium is in coins and is left out; write it in US dollars.")
            price = None
        out.append(price)
    return out[0], out[1]


def _sign(
    table: Table,
    cells: list[str],
    said: dict[str, Any],
    size: Number,
    quantity: float,
    entry: float | None,
    mark: float | None,
    instrument: Instrument,
    part: Part,
) -> float:
    """Long or short: by its column, its sign, or where neither says, by profit, entry and mark."""
    word = cell_of(table, cells, "side")
    side = side_of(word) or said.get("side", 0.0)
    if word and not side_of(word) and "type" not in fold(word) and fold(word) not in ("both", "net"):
        raise InputError("side", word, "is neither long nor short")
    if side:
        if size.value < 0 and side > 0:
            raise InputError("size", size.value, "is below zero, but the side is long")
        return float(side)
    if size.value < 0:
        return -1.0
    if table.signed:
        return 1.0
    profit = number_of(table, cells, "pnl")
    if profit is not None and entry and mark and entry != mark and profit.value:
        moved = quantity * (mark / entry - 1.0) if instrument.is_inverse else quantity * (mark - entry)
        if instrument.is_inverse and profit.unit == instrument.base:
            moved /= mark
        if math.isclose(abs(moved), abs(profit.value), rel_tol=0.1):
            sign = math.copysign(1.0, moved * profit.value)
            word = "long" if sign > 0 else "short"
            part.notes.append(f"{instrument.symbol}: no side is given; by its profit it is {word}.")
            return sign
    liquidation = number_of(table, cells, "liquidation") if "liquidation" in table.columns else None
    if liquidation is not None and liquidation.value > 0 and mark and liquidation.value > mark:
        part.notes.append(f"{instrument.symbol}: no side is given; its liquidation price above the mark means short.")
        return -1.0
    return 1.0


def _vol(number: Number | None) -> float | None:
    """65% and 65 and 0.65 are all 65% a year."""
    if number is None or number.value <= 0:
        return None
    return number.value / 100.0 if number.unit == "%" or number.value > 5.0 else number.value
