"""Which lines of `margin/` and `data/` the tests ran, printed after them; for `python -m tests`.

SlipCover takes a line's probe out again after the line has run, so all tests can be followed for little. Functions that
numba compiles cannot be followed, and are left out of the count. What a test starts as another process is not followed.
docs/testing.md.
"""

import json
import linecache
import re
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader
from types import CodeType

import pytest
from slipcover import Slipcover, merge_coverage
from slipcover.importer import SlipcoverLoader
from slipcover.slipcover import DEFAULT_EXCLUDE

from tests.support import ROOT

__all__ = ["LineCoverage"]

PACKAGES = ("margin", "data")
COMPILED = r"^@(compiled|compiled_lanes|njit)\b"


class _Probes(Slipcover):
    """Leaves functions alone that numba compiles: it cannot read a probe."""

    def instrument(self, co, parent=None):
        if re.match(COMPILED, linecache.getline(co.co_filename, co.co_firstlineno)):
            return co
        return super().instrument(co, parent)

    def deinstrument(self, co, lines):
        return co if isinstance(co, CodeType) and co not in self.code2index else super().deinstrument(co, lines)


class _Finder(MetaPathFinder):
    """Loads the modules of our packages with probes in them."""

    def __init__(self, probes):
        self.probes = probes

    def find_spec(self, fullname, path, target=None):
        if fullname.partition(".")[0] not in PACKAGES:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = SlipcoverLoader(self.probes, spec.loader, spec.origin)
        return spec


class LineCoverage:
    """A plugin of pytest: follows this process from now on, hands a worker's lines to the process that prints them."""

    def __init__(self):
        sources = [str(ROOT / name) for name in PACKAGES]
        self.probes = _Probes(source=sources, exclude_lines=[*DEFAULT_EXCLUDE, COMPILED])
        self.merged = None
        sys.meta_path.insert(0, _Finder(self.probes))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        worker_output = getattr(session.config, "workeroutput", None)
        if worker_output is not None:
            worker_output["lines"] = json.dumps(self.probes.get_coverage())

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        lines = json.loads(getattr(node, "workeroutput", {}).get("lines", "null"))
        if lines and self.merged:
            merge_coverage(self.merged, lines)
        self.merged = self.merged or lines

    def pytest_terminal_summary(self, terminalreporter):
        lines = self.merged or self.probes.get_coverage()
        files = lines["files"].items()
        part = [(name, row["summary"]) for name, row in sorted(files) if row["missing_lines"]]
        terminalreporter.section("lines that no test ran")
        for name, row in part:
            terminalreporter.write_line(_row(name, row))
        terminalreporter.write_line(_row("all", lines["summary"]))
        terminalreporter.write_line(f"{len(files) - len(part)} files whole")


def _row(name, summary):
    lines = summary["covered_lines"] + summary["missing_lines"]
    return f"{name:48}{lines:7}{summary['missing_lines']:7}{summary['percent_covered']:7.1f}%"
