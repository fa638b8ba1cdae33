"""What pytest does differently when it looks for a fault: few examples, no shrinking, and a bound on each test's own CPU time.

Where MUTANTS_COVERAGE names a file, the lines each test runs are kept there (tests/mutants/covers.py).
Loaded with `-p tests.mutants.plugin`. A test that goes on past the bound fails: that is how an endless loop is seen.
"""

import inspect
import json
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import hypothesis
import pytest

EXAMPLES = 12
FOLLOWED = 2  # cases of a test whose lines are kept; of a property none: to follow all takes much longer
TEST_SECONDS = float(os.environ.get("MUTANTS_TEST_SECONDS", "20"))
FAILED_FILE, AROUND = os.environ.get("MUTANTS_FAILED"), os.environ.get("MUTANTS_AROUND", "")
LEFT_OUT_FILE, TIMES_FILE = os.environ.get("MUTANTS_LEFT_OUT"), os.environ.get("MUTANTS_TIMES")
COVERAGE_FILE = os.environ.get("MUTANTS_COVERAGE")


class EndlessError(AssertionError):
    """A test took more CPU time than any test may."""


def pytest_configure(config: pytest.Config) -> None:
    if COVERAGE_FILE and (hasattr(config, "workerinput") or not config.getoption("numprocesses", None)):
        config.pluginmanager.register(Followed(COVERAGE_FILE))
    few = hypothesis.settings(
        max_examples=EXAMPLES, database=None, derandomize=True, deadline=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    hypothesis.settings.register_profile("mutants", few)
    hypothesis.settings.load_profile("mutants")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fewer examples also where a test asks for more; not those left out; of a file, first the ones that name the fault's place."""
    for item in items:
        function = getattr(item, "obj", None)
        function = getattr(function, "__func__", function)
        own = getattr(function, "_hypothesis_internal_use_settings", None)
        if own is not None:
            fewer = hypothesis.settings(
                own, max_examples=min(own.max_examples, EXAMPLES), database=None, derandomize=True, deadline=None,
                phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
                suppress_health_check=list(hypothesis.HealthCheck),
            )  # fmt: skip
            function._hypothesis_internal_use_settings = fewer  # type: ignore[union-attr]
    if LEFT_OUT_FILE:
        left_out = set(json.loads(Path(LEFT_OUT_FILE).read_text(encoding="utf-8")))
        items[:] = [item for item in items if item.nodeid.partition("[")[0] not in left_out]
    if AROUND:
        files = {path: i for i, path in enumerate(dict.fromkeys(item.path for item in items))}
        items.sort(key=lambda item: (files[item.path], not _names(item)))


def _names(item: pytest.Item) -> bool:
    try:
        return re.search(rf"\b{re.escape(AROUND)}\b", inspect.getsource(item.obj)) is not None  # type: ignore[attr-defined]
    except (OSError, TypeError, AttributeError):
        return False


class Followed:
    """Keeps which lines of the engine and the loaders each test runs, by phase: `test|run`."""

    def __init__(self, file: str) -> None:
        import coverage  # asked for by the map alone

        self.seen: Counter[str] = Counter()
        self.lines = coverage.Coverage(
            data_file=file, data_suffix=os.environ.get("PYTEST_XDIST_WORKER", "one"), source=["margin", "data"], config_file=False,
            messages=False,
        )  # fmt: skip

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.seen[item.nodeid.partition("[")[0]] += 1
        follow = self.seen[item.nodeid.partition("[")[0]] <= FOLLOWED
        if follow and not hypothesis.is_hypothesis_test(getattr(item, "obj", None)):
            self.lines.start()
        yield
        self.lines.stop()

    def _phase(self, item: pytest.Item, phase: str) -> None:
        if self.lines._started:
            self.lines.switch_context(f"{item.nodeid}|{phase}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._phase(item, "setup")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        self._phase(item, "run")

    def pytest_sessionfinish(self) -> None:
        self.lines.save()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """The bound, in CPU time of this process, so that a busy machine makes nothing fail."""
    before = time.process_time()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise EndlessError(f"{item.nodeid} took more than {time.process_time() - before:.0f} s of CPU time")

    kept = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, TEST_SECONDS, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, kept)
        if TIMES_FILE:
            with open(TIMES_FILE, "a", encoding="utf-8") as times:
                times.write(f"{item.nodeid}\t{time.process_time() - before:.3f}\n")


def pytest_runtest_logreport(report: Any) -> None:
    _note(report)


def pytest_collectreport(report: Any) -> None:
    _note(report)


def _note(report: Any) -> None:
    """The failing test's name and why, where the run that started this one can read it."""
    if report.failed and FAILED_FILE:
        with open(FAILED_FILE, "a", encoding="utf-8") as file:
            reason = str(report.longrepr).strip().splitlines() or [""]
            said = [line for line in reason if line.startswith("E ")] or reason[-1:]
            print(f"{report.nodeid}\t{said[0].removeprefix('E').strip()[:200]}", file=file)
