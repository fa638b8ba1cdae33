"""Which tests are asked first about a fault in a file: a cheap scan of what they import and name."""

import ast
import re
from functools import cache
from pathlib import Path

HERE = ("tests/browser", "tests/mutants")  # never asked: hours, and this tool itself
SLOW = ("tests/ui", "tests/cli")  # whole pages and commands: after the others
IMPORTED, ROOM, USED, STEM, LATE = 100, 60, 20, 20, 500  # points; STEM: the module's name in the test file's


def room(root: Path, path: str) -> str:
    """The tests of a file's room: the folder of the same name under tests/, and its house's where there is none."""
    house, *rest = Path(path).parent.parts
    base = Path("tests") if house == "margin" else Path("tests", house)
    for depth in range(len(rest), 0, -1):
        folder = base.joinpath(*rest[:depth])
        if (root / folder).is_dir():
            return folder.as_posix()
    return base.as_posix()


def ordered(root: Path, path: str) -> list[str]:
    """Test files, nearest first: those that import the module (of any room), its room's by what they name, its users'."""
    module = _module(root, root / path)
    names = frozenset(public_names((root / path).read_text(encoding="utf-8")))
    own, using = room(root, path), users(root, module)
    theirs = tuple({f"{room(root, each.replace('.', '/') + '.py')}/" for each in using if "." in each})
    ranked = []
    for test in sorted((root / "tests").rglob("test_*.py")):
        name = test.relative_to(root).as_posix()
        if name.startswith(HERE):
            continue
        text = _text(test)
        points = IMPORTED * (module in imported(text)) + ROOM * name.startswith(f"{own}/")
        points += USED * (name.startswith(theirs) or bool(using & imported(text)))
        if points:
            points += STEM * (test.stem.removeprefix("test_") in Path(path).stem) - LATE * name.startswith(SLOW)
            points += sum(min(5, len(re.findall(rf"\b{each}\b", text))) for each in names)
            ranked.append((-points, name))
    return [name for _, name in sorted(ranked)]


@cache
def users(root: Path, module: str) -> frozenset[str]:
    """Modules of the engine and the loaders that import this one."""
    files = (file for house in ("margin", "data") for file in (root / house).rglob("*.py"))
    return frozenset(_module(root, file) for file in files if module in imported(_text(file)))


def _module(root: Path, file: Path) -> str:
    return ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def public_names(source: str) -> list[str]:
    """What a file defines at its top for others."""
    kinds = ast.FunctionDef | ast.ClassDef
    return [n.name for n in ast.parse(source).body if isinstance(n, kinds) and not n.name.startswith("_")]


@cache
def imported(source: str) -> frozenset[str]:
    """Modules a source imports, each possible reading of `from a import b` (a, a.b)."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def compiled_with(root: Path, path: str) -> set[str]:
    """Stems of the compiled files whose kept machine code holds this file's; empty where it is not compiled."""
    kernels = {}
    for file in sorted((root / "margin").rglob("*.py")):
        uses = imported(_text(file))
        if any(
            name == "numba" or name.startswith(("numba.", "margin.rolling.pearson_kernels.compiled")) for name in uses
        ):
            kernels[_module(root, file)] = uses
    stale = {_module(root, root / path)} & set(kernels)
    while more := {name for name, uses in kernels.items() if name not in stale and uses & stale}:
        stale |= more
    return {name.rsplit(".", 1)[-1] for name in stale}


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
