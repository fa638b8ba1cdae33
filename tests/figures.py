"""`python -m tests.figures`: writes down the figures of a room's worked cases, in full, beside its tests.

The lists are no independent source: closed forms, slow twins and published cases stand in the other tests. They see to it
that no figure changes without somebody looking at it: a change of theirs is judged in review, line by line.
"""

import hashlib
import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from margin.core.errors import InputError
from tests.support import ROOT

DIGITS, SMALL = 7, 1e-9  # significant digits; what is smaller is rounding
NAME = 24  # characters of a key or a symbol
DEPTH, MOST, LONG = 6, 16, 300
LEFT_OUT = (
    "market",
    "model",
    "book",
    "judge",
    "closes",
    "marks",
    "planner",
    "settings",
    "past",
    "plain",
    "way",
    "sub",
    "comparison",
)
Cases = Mapping[str, Callable[[], Any]]


def lines(cases: Cases) -> dict[str, str]:
    """For each case and each part of its result: the figures, by name."""
    rows = {}
    for name, case in cases.items():
        result = case()
        parts = _parts(result) if is_dataclass(result) and not isinstance(result, type) else {"": result}
        for part, value in parts.items():
            said = _said(value, DEPTH)
            if len(said) > LONG:
                said = f"{said[:LONG]}... {hashlib.sha256(said.encode()).hexdigest()[:8]}"
            rows[f"{name}.{part}".removesuffix(".")] = said.replace("\n", " ")
    return rows


def _parts(value: Any) -> dict[str, Any]:
    """Fields and properties of a result; a property that has no figure says why."""
    found = {field.name: getattr(value, field.name) for field in fields(value)}
    for name in dir(type(value)):
        if not name.startswith("_") and hasattr(getattr(type(value), name), "__get__") and name not in found:
            if callable(getattr(type(value), name)):
                continue
            try:
                found[name] = getattr(value, name)
            except InputError as error:
                found[name] = f"error: {error}"
    return {name: inside for name, inside in found.items() if not name.startswith("_") and name not in LEFT_OUT}


def _said(value: Any, depth: int) -> str:
    if isinstance(value, str) and (" " in value or len(value) > NAME):
        return "words"  # sentences are no figures: they are free to change
    if value is None or isinstance(value, bool | str | Enum):
        return str(value)
    if isinstance(value, int | float | np.number):
        return _number(float(value))
    if isinstance(value, date | np.datetime64 | pd.Timestamp | pd.Timedelta | np.bool_):
        return str(value)
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, pd.DataFrame | pd.Series | pd.Index):
        return _array(value.to_numpy())
    if not depth or (callable(value) and not is_dataclass(value)):
        return "..."
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}: {_said(v, depth - 1)}" for k, v in list(value.items())[:MOST]) + "}"
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else list(value)
        return f"({', '.join(_said(each, depth - 1) for each in items[:MOST])})" + (
            f" of {len(items)}" if len(items) > MOST else ""
        )
    if is_dataclass(value) and type(value).__module__.startswith(("margin.", "data.")):
        inside = {k: v for k, v in _parts(value).items() if v is not None}
        return f"[{', '.join(f'{k} {_said(v, depth - 1)}' for k, v in inside.items())}]"
    return type(value).__name__


def _number(value: float) -> str:
    return "0" if abs(value) < SMALL else f"{value:.{DIGITS}g}"


def _array(values: np.ndarray) -> str:
    """Its shape, ends, extremes and sums; all of a short one."""
    if values.dtype.kind not in "fiub":
        return f"{values.shape} {' '.join(str(each)[:19] for each in values.ravel()[[0, -1]])}" if values.size else "()"
    flat = values.ravel().astype(float)
    if flat.size <= MOST:
        return f"({', '.join(_number(each) for each in flat.tolist())})"
    known = flat[np.isfinite(flat)]
    sums = (known.min(), known.max(), known.sum(), known @ np.arange(len(known))) if known.size else (math.nan,)
    return (
        f"{values.shape} {len(known)} known, {_number(flat[0])} to {_number(flat[-1])}, {' '.join(map(_number, sums))}"
    )


def held(file: str, cases: Cases) -> None:
    """Fails where a figure is not the one listed beside the room's tests; a case that is new or gone needs no line yet."""
    listed = Path(file).with_name("figures.txt").read_text(encoding="utf-8").splitlines()
    known = {name: said for name, _, said in (line.partition(" | ") for line in listed)}
    found = lines(cases)
    both = known.keys() & found.keys()
    other = {name: (known[name], said) for name, said in found.items() if name in both and known[name] != said}
    assert not other, f"if it was meant, run `python -m tests.figures` and judge the change: {list(other.items())[:3]}"
    assert len(both) > max(10, 0.9 * len(known)), "renew the list: `python -m tests.figures`"


def main() -> None:
    """Write every room's list anew."""
    for file in sorted((ROOT / "tests").rglob("test_figures.py")):
        cases: Cases = importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts)).CASES
        text = "".join(f"{name} | {said}\n" for name, said in lines(cases).items())
        file.with_name("figures.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
