"""Which tests run which lines: one run of the tests, each with a context of coverage, before the first fault.

A line that one case of a test ran counts for all its cases, and one that a fixture ran for every test of that file; a
property (coverage follows none) is unknown here and is always asked. What runs when a module is imported (a constant, a default),
and what is compiled to machine code, is no test's line: there the lines that name it are asked instead.
"""

import ast
import difflib
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

WORKERS = 2
CLIMB = 4  # how far callers of callers are looked for
Lines = dict[int, frozenset[str]]


@dataclass(frozen=True)
class Covers:
    """The tests of each line, as they were when the map was made.

    lines : for a file, for a line, the tests that ran it
    seconds : CPU time of each test, its cases together
    files : every file of tests there was
    sources : the files' texts at that time, so that a line is found again in a file that has changed
    """

    lines: dict[str, Lines] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    files: frozenset[str] = frozenset()

    @cached_property
    def of_file(self) -> dict[str, list[str]]:
        """The tests of each file of tests, in their order there."""
        found: dict[str, list[str]] = defaultdict(list)
        for test in self.seconds:
            found[test.split("::", 1)[0]].append(test)
        return found

    def tests(self, root: Path, path: str, line: int) -> set[str]:
        """The tests that run a line of a file, or that run what names it; empty where none is known."""
        source = (root / path).read_text(encoding="utf-8")
        first, last, names = statement(source, line)
        found = self._ran(path, source, range(first, last + 1))
        seen: set[str] = set()
        for _ in range(CLIMB):
            if found or not names - seen:
                return found
            seen |= names
            found, names = self._naming(names)
        return found

    def _ran(self, path: str, source: str, numbers: range) -> set[str]:
        then = self._then(path, source)
        known = self.lines.get(path, {})
        return {test for number in numbers for test in known.get(then.get(number, 0), ())}

    def _then(self, path: str, source: str) -> dict[int, int]:
        """Of today's line numbers, those of the map."""
        was = self.sources.get(path, "")
        if was == source:
            return {i: i for i in range(1, source.count("\n") + 2)}
        blocks = difflib.SequenceMatcher(None, was.splitlines(), source.splitlines(), autojunk=False)
        return {b + i + 1: a + i + 1 for a, b, size in blocks.get_matching_blocks() for i in range(size)}

    def _naming(self, names: set[str]) -> tuple[set[str], set[str]]:
        """The tests that run a line naming one of these, and the functions such lines lie in."""
        word = re.compile(rf"\b({'|'.join(map(re.escape, sorted(names)))})\b")
        found: set[str] = set()
        inside: set[str] = set()
        for path, source in self.sources.items():
            if word.search(source):
                for number, text in enumerate(source.splitlines(), 1):
                    if word.search(text) and not text.startswith(("from ", "import ", "    from ")):
                        found |= self.lines.get(path, {}).get(number, frozenset())
                        inside |= statement(source, number)[2]
        return found, inside


def function(test: str) -> str:
    """A test without its parameters: coverage follows two cases of a test, and none of a property."""
    return test.partition("[")[0]


def statement(source: str, line: int) -> tuple[int, int, set[str]]:
    """The smallest statement a line lies in, and the names to look for where no test ran it.

    Of an `if` or a loop its head alone; of a function's head the whole function, for a default is used inside.
    """
    node: ast.AST = ast.parse(source)
    first, last, names = line, line, set[str]()
    while True:
        parts = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.stmt | ast.ExceptHandler | ast.match_case)]
        holds = [n for n in parts if _span(n)[0] <= line <= _span(n)[1]]
        if not holds:
            return first, last, names
        parent, node = node, holds[0]
        first, last = _span(node)
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            last = max(first, _span(body[0])[0] - 1)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = {node.name} if not node.name.startswith("__") else names
        elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(parent, ast.Module | ast.ClassDef):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = names | {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def _span(node: ast.AST) -> tuple[int, int]:
    if isinstance(node, ast.match_case):
        return node.pattern.lineno, node.body[-1].end_lineno or node.body[-1].lineno
    at: int = node.lineno  # type: ignore[attr-defined]
    return at, node.end_lineno or at  # type: ignore[attr-defined]


def taken(root: Path, folder: Path) -> Covers:
    """The map of this tree: read from the folder where it was made before, else made there by a run of the tests."""
    kept = folder / "covers.json"
    if not kept.exists():
        _run(root, folder)
        kept.write_text(json.dumps(_gathered(root, folder / "coverage", folder / "times")), encoding="utf-8")
    return _read(json.loads(kept.read_text(encoding="utf-8")))


def _run(root: Path, folder: Path, workers: int = WORKERS) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "pytest", "-q", "-n", str(workers), "--dist", "worksteal", "-m", "not browser"]
    words += ["-p", "tests.mutants.plugin", "-p", "no:cacheprovider", "tests"]
    own = {"MUTANTS_COVERAGE": str(folder / "coverage"), "MUTANTS_TIMES": str(folder / "times")}
    with (folder / "said").open("w", encoding="utf-8") as said:
        subprocess.run(words, cwd=root, env=os.environ | own, stdout=said, stderr=said, check=False)


def _gathered(root: Path, coverage: Path, times: Path) -> dict[str, object]:
    """What is kept, as JSON: sets of tests by number, each set once."""
    from coverage import CoverageData

    data = CoverageData(no_disk=True)
    for file in sorted(coverage.parent.glob(f"{coverage.name}*")):
        one = CoverageData(str(file))
        one.read()
        data.update(one)
    followed = sorted({function(context.rpartition("|")[0]) for context in data.measured_contexts() if context})
    number = {test: i for i, test in enumerate(followed)}
    seconds = dict.fromkeys(number, 0.0)
    files: dict[str, list[int]] = defaultdict(list)
    for line in times.read_text(encoding="utf-8").splitlines():
        test, _, spent = line.rpartition("\t")
        if function(test) in seconds:
            seconds[function(test)] += float(spent)
    for test, i in number.items():
        files[test.split("::", 1)[0]].append(i)
    sets: dict[tuple[int, ...], int] = {}
    lines: dict[str, dict[int, int]] = {}
    sources = {}
    for name in sorted(data.measured_files()):
        path = Path(name).relative_to(root.resolve()).as_posix()
        sources[path] = Path(name).read_text(encoding="utf-8")
        lines[path] = {}
        for at, contexts in data.contexts_by_lineno(name).items():
            who: set[int] = set()
            for test, _, phase in (context.rpartition("|") for context in contexts if context):
                who.update(files[test.split("::", 1)[0]] if phase == "setup" else [number[function(test)]])
            lines[path][at] = sets.setdefault(tuple(sorted(who)), len(sets))
    there = [file.relative_to(root).as_posix() for file in sorted((root / "tests").rglob("test_*.py"))]
    return {"seconds": seconds, "sets": list(sets), "lines": lines, "sources": sources, "files": there}


def _read(kept: dict[str, object]) -> Covers:
    seconds: dict[str, float] = kept["seconds"]  # type: ignore[assignment]
    tests = list(seconds)
    sets = [frozenset(tests[i] for i in each) for each in kept["sets"]]  # type: ignore[attr-defined]
    lines = {path: {int(at): sets[i] for at, i in each.items()} for path, each in kept["lines"].items()}  # type: ignore[attr-defined]
    return Covers(lines, seconds, kept["sources"], frozenset(kept["files"]))  # type: ignore[arg-type]
