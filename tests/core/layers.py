"""The layering of docs/architecture.md, read from its table, and what breaks it, read from every import.

A room is a folder (or a single file) with a row in the table. Imports count wherever they stand: at the top, inside a
function, under TYPE_CHECKING, relative, or by name through `import_module("margin...")`.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HOUSES = ("margin", "data", "tools", "ui", "pages", "app")  # from below; benchmarks and tests may import everything
ROW = re.compile(r"^\| `([\w/.]+?)/?` \| (\d+) \|([^|]*)\|")
NAME = re.compile(r"`([\w/.]+?)/?`")


@dataclass(frozen=True)
class Room:
    """One row of the table: its house and floor in it, and the rooms it may import."""

    house: int
    floor: int
    allowed: frozenset[str]

    def above(self, other: "Room") -> bool:
        """Houses first, then floors."""
        return (self.house, self.floor) > (other.house, other.floor)


def dotted(path: str) -> str:
    """`margin/core` and `data/model.py` as modules."""
    return path.removesuffix(".py").replace("/", ".")


def read_table(text: str) -> dict[str, Room]:
    """Room by room, as modules; `margin/` in the third column stands for every room of margin but its commands."""
    rows = [m.groups() for m in map(ROW.match, text.splitlines()) if m]
    floors = {dotted(name): int(floor) for name, floor, _ in rows}
    assert len(floors) == len(rows), "a room has two rows"
    table = {}
    for name, floor, column in rows:
        allowed: set[str] = set()
        for found in map(dotted, NAME.findall(column)):
            whole = {r for r in floors if r.startswith(f"{found}.") and not r.endswith((".cli", "__main__"))}
            if dotted(name).startswith(f"{found}."):
                whole.discard(f"{found}.__init__")  # inside a house nobody goes through its face
            allowed |= {found} if found in floors else whole
            assert found in floors or whole, f"{name} may import {found}, which has no row"
        room = dotted(name)
        table[room] = Room(HOUSES.index(room.split(".")[0]), int(floor), frozenset(allowed - {room}))
    return table


def read_sources(root: Path) -> dict[str, str]:
    """Every module of the houses with its source; a package under its own name."""
    files = [root / "app.py", *(f for house in HOUSES for f in sorted((root / house).rglob("*.py")))]
    return {dotted(f.relative_to(root).as_posix()): f.read_text(encoding="utf-8") for f in files}


def room_of(module: str, rooms: Iterable[str]) -> str | None:
    """The room a module lies in: the longest that holds it. A face, e.g. `margin/__init__.py`, may be its own."""
    if f"{module}.__init__" in rooms:
        return f"{module}.__init__"
    held = [room for room in rooms if module == room or module.startswith(f"{room}.")]
    return max(held, key=len, default=None)


def imports(module: str, source: str, known: Iterable[str]) -> Iterator[tuple[int, str]]:
    """(line, imported module of ours) for every import of one source."""
    package = module.removesuffix(".__init__") if module.endswith("__init__") else module.rpartition(".")[0]
    for node in _nodes(source):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            names = [f"{base}.{a.name}" if _is_module(f"{base}.{a.name}", known) else base for a in node.names]
        elif isinstance(node, ast.Call) and _called(node.func) in ("import_module", "__import__") and node.args:
            names = [_beginning(node.args[0]).strip(".")]
        yield from ((node.lineno, name) for name in names if name.split(".")[0] in HOUSES)


@cache
def _nodes(source: str) -> tuple[ast.AST, ...]:
    """What may be an import; kept, for the tests look at the same sources many times."""
    kinds = (ast.Import, ast.ImportFrom, ast.Call)
    return tuple(node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds))


def _is_module(name: str, known: Iterable[str]) -> bool:
    return name in known or f"{name}.__init__" in known


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _beginning(argument: ast.expr) -> str:
    """The literal beginning of a module's name; empty where it is put together otherwise."""
    first = argument.values[0] if isinstance(argument, ast.JoinedStr) and argument.values else argument
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def breaches(sources: Mapping[str, str], table: Mapping[str, Room]) -> list[str]:
    """Every breach in words: unknown rooms, imports the table does not allow, upward ones, circles. None: empty."""
    found: list[str] = []
    between: dict[str, set[str]] = {}
    files: dict[str, set[str]] = {}
    for name, room in table.items():
        found += [
            f"the table lets {name} (floor {room.floor}) import {other} (floor {table[other].floor}): not downwards"
            for other in sorted(room.allowed)
            if not room.above(table[other])
        ]
        if not any(room_of(m.removesuffix(".__init__"), table) == name for m in sources):
            found.append(f"{name} has a row in docs/architecture.md and no file")
    for module, source in sources.items():
        own = module.removesuffix(".__init__")
        here = room_of(own, table)
        if here is None:
            found.append(f"{module} lies in no room: add a row to the table of docs/architecture.md")
            continue
        files[own] = set()
        for line, name in imports(module, source, sources):
            there = room_of(name, table)
            if name != own and _is_module(name, sources):
                files[own].add(name)
            if there is None:
                found.append(f"{module}:{line} imports {name}, which lies in no room")
            elif there != here:
                between.setdefault(here, set()).add(there)
                if there not in table[here].allowed:
                    up = "" if table[here].above(table[there]) else ", upward"
                    found.append(f"{module}:{line} imports {name}: {here} may not import {there}{up}")
    found += [f"circle of rooms: {' -> '.join(c)}" for c in circles(between)]
    found += [f"circle of files: {' -> '.join(c)}" for c in circles(files)]
    return found


def circles(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """One walk round every circle, found where a depth-first walk meets a node it is still inside of."""
    done: set[str] = set()
    found = []

    def walk(node: str, path: list[str]) -> None:
        if node in path:
            found.append([*path[path.index(node) :], node])
        elif node not in done:
            for other in sorted(arrows.get(node, ())):
                walk(other, [*path, node])
            done.add(node)

    for start in sorted(arrows):
        walk(start, [])
    return found
