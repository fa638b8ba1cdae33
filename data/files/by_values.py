"""What a column's values say of it where its name says too little: names, times, an indicator, prices of one asset."""

from collections.abc import Sequence

import numpy as np

from data.files.cells import MAX_CELL, PLAIN, numbers
from data.files.table import Column
from margin.formats.price_names import Meaning
from margin.formats.price_words import KNOWN

FAMILY_ROWS = 300  # looked at
FAMILY_NEAR = 0.25  # a day's prices of one asset lie no further apart, as a ratio in the median
FAMILY_SPREAD = 0.15  # how unlike the ranges of its days are, at least
AVERAGE_NEAR = 0.25  # a moving average keeps nearer to its price, as a ratio in the median

Columns = Sequence[tuple[Column, Meaning]]


def holds_names(column: Column) -> bool:
    """Whether the cells are words; a coin may be called what a column of names is called."""
    if column.cells.dtype.kind != "O":
        return False
    some = [str(cell).strip() for cell in column.cells[:200] if str(cell).strip()]
    return 2 * sum(PLAIN.fullmatch(cell[:MAX_CELL]) is None for cell in some) > len(some)


def is_time(column: Column) -> bool:
    """Whether a column of numbers is one of stamps: epoch seconds to nanoseconds that only go up (or only down)."""
    if column.cells.dtype.kind == "M":
        return True
    try:
        values = column.cells[:500].astype(np.float64)
    except (ValueError, TypeError):
        return False
    values = values[np.isfinite(values)]
    if len(values) < 3 or not any(low <= values.min() and values.max() < 7 * low for low in (1e9, 1e12, 1e15, 1e18)):
        return False
    steps = np.diff(values)
    return bool((steps > 0).all() or (steps < 0).all())


def unknown_family(columns: Columns) -> set[int]:
    """Ids of columns of one asset's open, high, low and close under names that no list knows.

    Of at least three columns within a quarter of each other one is the largest in every row and another the least, and
    how far they lie apart changes from row to row, or the two between them cross: prices of different assets do not.
    """
    held = []
    for column, found in columns:
        if found.role not in ("", "open", "high", "low") or found.quote or found.asset in KNOWN:
            continue
        read = min((numbers(column.cells[:FAMILY_ROWS], sign) for sign in ".,"), key=lambda n: n.refused)
        if read.refused == 0 and (read.values > 0).sum() >= 5:
            held.append((column, np.where(read.values > 0, read.values, np.nan)))
    for _, values in held:
        near = [(column, others) for column, others in held if _near(others, values)]
        table = np.array([others for _, others in near])
        table = table[:, np.isfinite(table).all(axis=0)]
        if len(near) < 3 or table.shape[1] < 5:
            continue
        top, bottom = (table == table.max(axis=0)).mean(axis=1), (table == table.min(axis=0)).mean(axis=1)
        if top.max() < 0.99 or bottom.max() < 0.99 or top.argmax() == bottom.argmax():
            continue
        apart = np.log(table.max(axis=0) / table.min(axis=0))
        between = [v for i, v in enumerate(table) if i not in (top.argmax(), bottom.argmax())]
        crossed = len(between) > 1 and 0.1 < (between[0] > between[1]).mean() < 0.9
        if crossed or apart.std() > FAMILY_SPREAD * apart.mean() > 0:
            return {id(column) for column, _ in near}
    return set()


def _near(values: np.ndarray, others: np.ndarray) -> bool:
    ratios = (values / others)[np.isfinite(values / others)]
    return bool(len(ratios)) and abs(float(np.median(ratios)) - 1.0) < FAMILY_NEAR


def is_indicator(raw: str, column: Column, columns: Columns) -> bool:
    """RSI between 0 and 100 and often on both sides of the middle; MA within a quarter of another column's values."""
    values = _numbers_of(column)
    if values is None or raw not in ("RSI", "MA"):
        return False
    if raw == "RSI":
        held = values[np.isfinite(values)]
        return bool(len(held) and held.min() >= 0 and held.max() <= 100 and (held < 45).any() and (held > 60).any())
    others = (_numbers_of(c) for c, m in columns if c is not column and (not m.role or m.role == "close"))
    with np.errstate(invalid="ignore", divide="ignore"):
        return any(other is not None and np.nanmedian(np.abs(values / other - 1.0)) < AVERAGE_NEAR for other in others)


def _numbers_of(column: Column) -> np.ndarray | None:
    try:
        values = column.cells.astype(np.float64)
    except (ValueError, TypeError):
        return None
    return values if np.isfinite(values).any() else None
