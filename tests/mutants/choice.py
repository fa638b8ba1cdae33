"""Which tests are asked about a fault, and in what order: those that run its line, the nearest files first; then the others."""

import ast
from dataclasses import dataclass, field
from pathlib import Path

from tests.mutants import nearest
from tests.mutants.covers import Covers
from tests.mutants.sites import Mutant

DEFAULTS = "tests/core/test_defaults.py"  # the list of what files define when they are imported
FIRST = 3  # files of tests that are run by themselves first: most faults need no more


@dataclass(frozen=True)
class Part:
    """Files of tests that one pytest runs, without some of their tests."""

    files: list[str]
    left_out: frozenset[str] = field(default=frozenset())


def chosen(covers: Covers, root: Path, mutant: Mutant) -> list[Part]:
    """Parts of tests, in the order in which they are asked; what the map does not know yet (a new test) is never left out."""
    near = nearest.ordered(root, mutant.path)
    defined = [Part([DEFAULTS])] if (root / DEFAULTS).exists() and at_import(root, mutant) else []
    running = covers.tests(root, mutant.path, mutant.line)
    if not running:
        return defined + _parts(near, frozenset())
    rank = {name: i for i, name in enumerate(near)}
    files = {test.split("::", 1)[0] for test in running}
    files |= {name for name in near if name not in covers.files}
    files = {name for name in files if (root / name).exists() and not name.startswith(nearest.HERE)}

    def first(name: str) -> tuple[bool, float, str]:
        """Cheap ones before dear ones, and of like cost the nearest."""
        cost = sum(covers.seconds[test] for test in covers.of_file.get(name, ()) if test in running)
        return name.startswith(nearest.SLOW), cost * (1.0 + rank.get(name, len(rank))), name

    known = frozenset(test for name in files for test in covers.of_file.get(name, ()))
    return defined + _parts(sorted(files, key=first), known - running) + _parts(near, frozenset(running))


def at_import(root: Path, mutant: Mutant) -> bool:
    """Whether the fault lies in what runs when its file is imported: no function's body, but its head."""
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    tree = ast.parse((root / mutant.path).read_text(encoding="utf-8"))
    bodies = ((n.body[0].lineno, n.end_lineno or 0) for n in ast.walk(tree) if isinstance(n, functions))
    return not any(begin <= mutant.line <= end for begin, end in bodies)


def _parts(files: list[str], left_out: frozenset[str]) -> list[Part]:
    slow = [name for name in files if name.startswith(nearest.SLOW)]
    quick = [name for name in files if not name.startswith(nearest.SLOW)]
    cut = [Part(quick[:FIRST], left_out), Part(quick[FIRST:], left_out), Part(slow, left_out)]
    return [part for part in cut if part.files]
