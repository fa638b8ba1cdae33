"""How much a row of a table holds, and which way.

Sizes are in coins, dollars or contracts, and are checked against the value column.
"""

import math
from typing import Any

from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE, Instrument
from margin.formats.found import Part
from margin.formats.price_words import fold
from margin.formats.table_numbers import Number
from margin.formats.table_shape import Table, cell_of, number_of
from margin.formats.table_words import CONTRACT_UNITS, side_of


def quantity_of(instrument: Instrument, size: Number, mark: Number | None, value: Number | None) -> float:
    """Units (dollars of face) of the size as written, checked against the value column."""
    amount, unit = abs(size.value), size.unit
    if instrument.is_inverse and not unit and value is None and not float(amount).is_integer():
        problem = f"would be US dollars of {instrument.symbol}, which come whole"
        hint = f"Write {amount:g} {instrument.base}, or name a contract in dollars: {instrument.base}/USDC:USDC."
        raise InputError("size", amount, problem, hint)
    price = mark.value if mark is not None and mark.value > 0 else None
    if unit in CONTRACT_UNITS:
        if value is None or price is None:
            raise InputError("mark price", None, f"is missing, so what {amount:g} {unit.lower()} are is unknown")
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
        coins, dollars = (amount / price, amount) if instrument.is_inverse else (amount, amount * price)
        expected = coins if value.unit == instrument.base else dollars
        if not math.isclose(abs(value.value), expected, rel_tol=0.03):
            problem = f"does not fit a size of {size.value:g} at a mark price of {price:g} ({expected:,.2f})"
            raise InputError("value", value.value, problem, "Check size, mark price and value.")
    return amount


def counted(
    table: Table,
    cells: list[str],
    instrument: Instrument,
    size: Number,
    entry: Number | None,
    mark: Number | None,
    part: Part,
) -> Number:
    """A count of contracts in coins (dollars of face): what one is follows from the profit, or from the venue.

    Raises InputError where neither tells.
    """
    profit = number_of(table, cells, "pnl")
    start, now = (entry.value if entry else 0.0), (mark.value if mark else 0.0)
    each = 0.0
    if profit is not None and start > 0 and now > 0 and start != now:
        moved = now / start - 1.0 if instrument.is_inverse else now - start
        if instrument.is_inverse and profit.unit in ("", instrument.base):
            moved /= now
        found = abs(profit.value / (moved * size.value))
        power = 10.0 ** round(math.log10(found)) if found > 0 else 0.0
        each = power if power and math.isclose(power, found, rel_tol=0.05) else 0.0
    if not each and instrument.is_inverse and part.venue in ("binance", "okx"):
        each = 100.0 if instrument.base == "BTC" else 10.0
    if not each:
        hint = "Give the size in coins, or a value and a mark price beside it."
        raise InputError("size", f"{size.value:g} {size.unit.lower()}", "counts contracts of unknown size", hint)
    unit = "US dollars" if instrument.is_inverse else instrument.base
    part.notes.append(f"{instrument.symbol}: a contract is taken as {each:g} {unit}.")
    return Number(size.value * each, "USD" if instrument.is_inverse else instrument.base)


def premium_of(
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


def sign_of(
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
        if profit.unit == "%" or math.isclose(abs(moved), abs(profit.value), rel_tol=0.1):
            sign = math.copysign(1.0, moved * profit.value)
            word = "long" if sign > 0 else "short"
            part.notes.append(f"{instrument.symbol}: no side is given; by its profit it is {word}.")
            return sign
    liquidation = number_of(table, cells, "liquidation") if "liquidation" in table.columns else None
    if liquidation is not None and liquidation.value > 0 and mark and liquidation.value > mark:
        part.notes.append(f"{instrument.symbol}: no side is given; its liquidation price above the mark means short.")
        return -1.0
    return 1.0
