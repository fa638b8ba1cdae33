"""`python -m tests.core.defaults`: writes down every default, limit and constant of the engine and the loaders.

What users get without asking for it is part of what they are promised. A line of defaults.txt that changes is seen in
review, and `test_defaults.py` holds the code to it.
"""

import argparse
import ast
import hashlib
import importlib
import inspect
import json
import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tests.support import ROOT

LISTED = Path(__file__).with_name("defaults.txt")
LONG = 120  # characters: of a longer value the digest is kept
DEPTH = 6
MOST_CELLS = 1000
NOT_READ = ("__main__.py", "parquet_child.py")  # they run when they are imported


def found() -> dict[str, str]:
    """The values by name, sorted."""
    rows: dict[str, str] = {}
    for house in ("margin", "data"):
        for path in sorted((ROOT / house).rglob("*.py")):
            if path.name not in NOT_READ:
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
                rows |= dict(_of_module(importlib.import_module(name), path))
    return dict(sorted((rows | dict(_of_commands())).items()))


def _of_module(module: types.ModuleType, path: Path) -> Iterator[tuple[str, str]]:
    for name in _assigned(path):
        value = getattr(module, name, "")
        if name.isupper() and not isinstance(value, str) and (said := plain(value)):
            yield f"{module.__name__}.{name}", said
    for name, thing in vars(module).items():
        if getattr(thing, "__module__", None) == module.__name__:
            if inspect.isclass(thing):
                yield from _of_class(thing, f"{module.__name__}.{name}")
            elif inspect.isfunction(inspect.unwrap(thing)) if callable(thing) else False:
                yield from _of_function(inspect.unwrap(thing), f"{module.__name__}.{name}")


def _of_class(kind: type, name: str) -> Iterator[tuple[str, str]]:
    if is_dataclass(kind):
        for field in fields(kind):
            if field.name in vars(kind).get("__annotations__", {}):
                given = field.default
                if (
                    given is MISSING
                    and field.default_factory is not MISSING
                    and not inspect.isclass(field.default_factory)
                ):
                    given = field.default_factory()
                if given is not MISSING and (said := plain(given)):
                    yield f"{name}.{field.name}", said
    for own, thing in vars(kind).items():
        if inspect.isfunction(thing):
            yield from _of_function(thing, f"{name}.{own}") if own != "__init__" or not is_dataclass(kind) else ()
        elif (
            not own.startswith("_") and isinstance(thing, bool | int | float | tuple | dict) and (said := plain(thing))
        ):
            yield f"{name}.{own}", said


def _of_function(function: Any, name: str) -> Iterator[tuple[str, str]]:
    for parameter in inspect.signature(function).parameters.values():
        if parameter.default is not parameter.empty and (said := plain(parameter.default)):
            yield f"{name}({parameter.name})", said


def _of_commands() -> Iterator[tuple[str, str]]:
    from data.cli import parser as loaders
    from margin.cli.main import parser as engine

    for house, top in (("margin", engine()), ("data", loaders())):
        for action in top._actions:
            for command, own in action.choices.items() if isinstance(action, argparse._SubParsersAction) else ():
                for option in own._actions:
                    if said := plain(option.default):
                        yield f"{house} {command} {(option.option_strings or [option.dest])[-1]}", said


def _assigned(path: Path) -> list[str]:
    """Names given a value at the top of a file."""
    names = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names += [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]
    return names


def plain(value: Any) -> str:
    """A value in words, the digest of a long one; empty where it holds no number and no switch."""
    said = _said(value, DEPTH)
    if not any(c.isdigit() for c in said) and "True" not in said and "False" not in said:
        return ""
    return said if len(said) <= LONG else f"digest {hashlib.sha256(said.encode()).hexdigest()[:16]}"


def _said(value: Any, depth: int) -> str:
    if isinstance(value, bool | int | float | str | None):
        return repr(value)
    if isinstance(value, np.ndarray | np.generic):
        return _said(value.tolist(), depth) if value.size <= MOST_CELLS else f"array {value.shape}"
    if isinstance(value, timedelta | date | np.datetime64):
        return str(value)
    if not depth or inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value):
        return getattr(value, "__qualname__", "...")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_said(k, 1)}: {_said(v, depth - 1)}" for k, v in value.items()) + "}"
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(_said(v, depth - 1) for v in value)) + "}"
    if isinstance(value, list | tuple | range):
        return "(" + ", ".join(_said(v, depth - 1) for v in value) + ")"
    own = type(value).__module__.split(".", 1)[0] in ("margin", "data")
    if is_dataclass(value):
        inside = {field.name: getattr(value, field.name, None) for field in fields(value)}
    else:
        inside = dict(vars(value)) if own and hasattr(value, "__dict__") else {}
    told = ", ".join(f"{k}={_said(v, depth - 1)}" for k, v in inside.items() if not k.startswith("_"))
    return f"{type(value).__name__}({told})"


def listed() -> dict[str, str]:
    """The list as it was last written."""
    lines = LISTED.read_text(encoding="utf-8").splitlines()
    return {name: said for name, _, said in (line.partition(" = ") for line in lines)}


def main(arguments: list[str]) -> None:
    """Write the list anew; with `--print` show it as JSON."""
    rows = found()
    if "--print" in arguments:
        sys.stdout.write(json.dumps(rows))
    else:
        LISTED.write_text("".join(f"{name} = {said}\n" for name, said in rows.items()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
