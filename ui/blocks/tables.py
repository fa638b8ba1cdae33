"""A table as every page shows it: figures written as in sentences, to the right, sorted by size and not by letters."""

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import pandas as pd
import streamlit as st

from ui.blocks.formats import MINUS, true_minus

Format = Callable[[Any], str]
DASH = "–"
_UNITS = {"": 1.0, "k": 1e3, "M": 1e6, "B": 1e9}
# What a page writes for a figure: a sign, dollars, thousands, a unit; words may follow ("12,510 (63%)", "5 of 8").
_FIGURE = re.compile(
    rf"(?P<sign>[+\-{MINUS}]?)\$?(?P<digits>\d[\d,]*(?:\.\d+)?)(?P<unit>[kMB]?)"
    r"(?P<of>%|×|x| ?σ| ?bp| ?pts| ?points|)(?: [(\[].*| of .*| to .*| · .*| → .*)?"
)


def data_table(
    frame: pd.DataFrame, key: str, alt: str, formats: Mapping[str, Format] | None = None, **more: Any
) -> None:
    """Draw `frame` without its index, and without columns in which no row says anything.

    formats : how the figures of a numeric column are written, by column name; a whole number has its thousands set
        apart anyhow. Columns of figures that were written already ("$1,234", "5%") are known by their look.
    more : as for `st.dataframe`
    """
    shown = frame[[name for name in frame.columns if not _empty(frame[name])]].copy()
    written = {name: form for name, form in (formats or {}).items() if name in shown}
    for name in shown.columns:
        if name in written:
            written[name] = _safely(written[name])
        elif pd.api.types.is_bool_dtype(frame[name]):
            continue
        elif pd.api.types.is_integer_dtype(frame[name]):
            written[name] = _safely("{:,}".format)
        elif pd.api.types.is_float_dtype(frame[name]):
            written[name] = _safely(_plain)
        elif (found := _read(frame[name])) is not None:
            shown[name], written[name] = found
        elif frame[name].map(lambda v: isinstance(v, str)).all():
            shown[name] = frame[name].map(true_minus)
    data: Any = shown
    if written and len(shown):
        data = shown.style.format(cast(Any, written))
    st.dataframe(data, hide_index=True, key=key, alt=alt, placeholder=DASH, **more)


def _empty(column: "pd.Series[Any]") -> bool:
    """Whether a column of a table with rows is blank from top to bottom."""
    cells = column.tolist()
    return bool(cells) and all(cell is None or cell != cell or cell == "" for cell in cells)


def _plain(value: float) -> str:
    text = f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return text.replace("-", MINUS)


def _safely(form: Format) -> Format:
    """`form`, and a dash where there is no figure."""
    return lambda value: DASH if value is None or value != value else true_minus(form(value))


def _read(column: "pd.Series[Any]") -> "tuple[pd.Series[float], Format] | None":
    """(sizes, how each is written) of a column of texts that are figures; None for any other column.

    All are of one kind (dollars, or percent, or plain). One word may stand in it besides ("–", "never"), sorted last.
    """
    texts = column.tolist()
    if not texts or not all(isinstance(text, str) for text in texts):
        return None
    sizes = [_size(text) for text in texts]
    known = {size: text for size, text in zip(sizes, texts, strict=True) if size is not None}
    words = {text for size, text in zip(sizes, texts, strict=True) if size is None}
    same = all(size is None or known[size] == text for size, text in zip(sizes, texts, strict=True))
    kinds = {_kind(text) for size, text in zip(sizes, texts, strict=True) if size is not None}
    worded = len(words) > 1 or any(character.isdigit() for word in words for character in word)
    if len(kinds) != 1 or worded or not same:
        return None
    word = next(iter(words), DASH)
    return pd.Series(sizes, column.index, float), lambda value: true_minus(known.get(value, word))


def _kind(text: str) -> tuple[bool, str]:
    found = _FIGURE.fullmatch(text.strip())
    return "$" in text.split()[0], found["of"].strip() if found else ""


def _size(text: str) -> float | None:
    found = _FIGURE.fullmatch(text.strip())
    if found is None:
        return None
    size = float(found["digits"].replace(",", "")) * _UNITS[found["unit"]]
    return size if found["sign"] in ("", "+") else -size
