"""One fault in a copy of the tree, and its tests: do they see it?"""

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.mutants import nearest
from tests.mutants.choice import Part, chosen
from tests.mutants.covers import Covers
from tests.mutants.sites import Mutant, faulty
from tests.support import ROOT

CPU_SECONDS, WALL_SECONDS = 60, 900
MEMORY = 12 * 2**30  # bytes of addresses: a fault must not fill the machine
COPIED = ("app.py", "conftest.py", "pyproject.toml", "README.md", "CONTRIBUTING.md", "Dockerfile", "LICENSE", "margin", "data",
          "ui", "pages", "tests", "tools", "docs", "examples", "benchmarks", "notebooks", "requirements.txt",
          "requirements.lock")  # fmt: skip
ITSELF = "pytest itself"  # in the place of a test: a crash, or a conftest that cannot be imported
SEEN, SURVIVED, OUT_OF_TIME = "seen", "survived", "not seen in time"
NO_TESTS = 5  # pytest's exit status


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the tests said of one fault.

    verdict : seen; survived (every test ran and none failed); not seen in time (the bound came first: counts as survived)
    by, reason : the first test that failed and the first line of what it said; empty where none did
    cpu, wall : seconds
    """

    verdict: str
    by: str
    reason: str
    cpu: float
    wall: float


class Tree:
    """A copy of the project in which faults are put, with compiled code kept from one trial to the next."""

    def __init__(self, root: Path, folder: Path, covers: Covers | None = None) -> None:
        preload()
        self.covers, self.broken = covers or Covers(), set[str]()
        self.root, self.place, self.kept = root, folder / "tree", folder / "compiled"
        self.place.mkdir()
        self.kept.mkdir()
        names = [entry for entry in root.iterdir() if entry.name in _tracked(root)]
        for source in names:
            if source.is_dir():
                shutil.copytree(source, self.place / source.name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, self.place / source.name)
        if (root.parent / "shared").exists():
            (folder / "shared").symlink_to((root.parent / "shared").resolve())

    def run(
        self, tests: list[str] | list[Part], around: str = "", cpu: float = CPU_SECONDS, stale: set[str] | None = None
    ) -> Verdict:
        """These tests, part by part, until one fails or the CPU time is used up."""
        spent, begun = 0.0, time.monotonic()
        verdict, by, reason = SURVIVED, "", ""
        parts = [Part([name]) if isinstance(name, str) else name for name in tests]
        with tempfile.TemporaryDirectory() as own:
            compiled = self._compiled(Path(own), stale) if stale else self.kept
            for part in parts:
                if part.files and verdict == SURVIVED:
                    before = _used()
                    left = max(1, round(cpu - spent))
                    verdict, by, reason = self._part(part, around, left, Path(own), compiled)
                    spent += _used() - before
        wall = time.monotonic() - begun
        return Verdict(verdict=verdict, by=by, reason=reason, cpu=round(spent, 1), wall=round(wall, 1))

    def _part(self, part: Part, around: str, cpu: int, own: Path, compiled: Path) -> tuple[str, str, str]:
        failed, left_out = own / "failed", own / "left_out"
        left_out.write_text(json.dumps(sorted(part.left_out | self.broken)), encoding="utf-8")
        variables = {
            "NUMBA_CACHE_DIR": str(compiled), "MUTANTS_FAILED": str(failed), "MUTANTS_AROUND": around,
            "MUTANTS_LEFT_OUT": str(left_out),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(own / "hypothesis"),
        }  # fmt: skip
        options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:cov", "-p", "tests.mutants.plugin"]
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what is imported already
        status = _bounded([*options, "-m", "not browser", "--tb=short", *part.files], self.place, variables, cpu)
        if failed.exists():
            by, _, reason = failed.read_text(encoding="utf-8").splitlines()[0].partition("\t")
            return SEEN, by, reason
        if status not in (0, NO_TESTS, None):
            return SEEN, ITSELF, f"ended with status {status}"
        return (OUT_OF_TIME if status is None else SURVIVED), "", ""

    def trial(self, mutant: Mutant, cpu: int = CPU_SECONDS) -> Verdict:
        """The verdict on one fault; the tree is whole again after it."""
        place = self.place / mutant.path
        whole = place.read_text(encoding="utf-8")
        text = faulty(whole, mutant.operator, mutant.occurrence)
        if text is None:
            raise LookupError(f"{mutant.path}: no such place for {mutant.operator}")
        stamp = place.stat()
        try:
            place.write_text(text, encoding="utf-8")
            parts = chosen(self.covers, self.place, mutant)
            return self.run(parts, mutant.around, cpu, nearest.compiled_with(self.place, mutant.path))
        finally:
            place.write_text(whole, encoding="utf-8")
            os.utime(place, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
            Path(importlib.util.cache_from_source(str(place))).unlink(missing_ok=True)

    def _compiled(self, folder: Path, stale: set[str]) -> Path:
        """What was compiled before, without what holds the faulty file's code; thrown away after the trial."""
        place = folder / "compiled"
        shutil.copytree(self.kept, place, copy_function=os.link)
        for file in place.rglob("*.nb?"):
            if file.name.split(".", 1)[0] in stale:
                file.unlink()
        return place


def _tracked(root: Path) -> set[str]:
    """Names at the project's root that belong to it; what a run leaves there does not."""
    try:
        listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout
        return {line.split("/", 1)[0] for line in listed.splitlines()}
    except (OSError, subprocess.CalledProcessError):
        return set(COPIED)


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def preload() -> None:
    """What every test needs and no fault can be in: imported once here, so that a trial need not."""
    os.environ["OMP_NUM_THREADS"] = "1"
    for name in ("numpy", "scipy.stats", "scipy.optimize", "pandas", "numba", "hypothesis", "pytest", "pyarrow"):
        importlib.import_module(name)
    gc.freeze()


def _bounded(arguments: list[str], folder: Path, variables: dict[str, str], cpu: int) -> int | None:
    """pytest's exit status in a forked child; None where the CPU time, or the longer time by the clock, was used up."""
    if not (child := os.fork()):
        try:
            _become_pytest(arguments, folder, variables, cpu)
        finally:
            os._exit(3)  # pytest's status of an internal error
    until = time.monotonic() + WALL_SECONDS
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > until:
            _end(child)
        time.sleep(0.02)
    _end(child)
    if os.WIFSIGNALED(status):
        cut = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
        return None if cut else -os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def _become_pytest(arguments: list[str], folder: Path, variables: dict[str, str], cpu: int) -> None:
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    os.chdir(folder)
    os.environ.update(variables)
    sys.modules["numba"].config.reload_config()  # type: ignore[attr-defined]
    for name in [
        name for name in sys.modules if name.split(".", 1)[0] in ("tests", "margin", "data", "ui", "conftest")
    ]:
        del sys.modules[name]
    sys.path[:] = [str(folder), *(entry for entry in sys.path if Path(entry or ".").resolve() != ROOT)]
    os._exit(int(sys.modules["pytest"].main(arguments)))  # type: ignore[attr-defined]


def _end(child: int) -> None:
    """The child and what it started: servers of a test that was cut off."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)


def as_line(mutant: Mutant, verdict: Verdict) -> str:
    """One line of the log."""
    return json.dumps(vars(mutant) | vars(verdict))


def of_line(line: str) -> tuple[Mutant, Verdict]:
    """A line of the log, read back."""
    row = json.loads(line)
    return Mutant(**{k: row[k] for k in Mutant.__annotations__}), Verdict(
        **{k: row[k] for k in Verdict.__annotations__}
    )
