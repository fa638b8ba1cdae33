"""`python -m tests`: lint, format, types and every test; two workers. Extra arguments go to pytest.

The checks run beside the first tests and are shown after them. Tests are dealt to the workers in one piece each, what is
left over is shared: so tests that share a costly fixture mostly stay together.

The browser tests run on their own: Playwright keeps an event loop running in its process, where no other test could
start one.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.support import ROOT

NO_TESTS = 5  # pytest's exit status when a selection given on the command line holds none
CHECKS = (
    ["ruff", "check", "."],
    ["ruff", "format", "--check", "."],
    ["mypy"],
    ["interrogate", "margin", "data"],  # public functions and classes with a docstring; limit in pyproject.toml
)


def main() -> int:
    if sys.argv[1:2] == ["mutants"]:
        from tests.mutants import run  # cosmic-ray is asked for this alone

        return run.main(sys.argv[2:])
    failed = []
    with ThreadPoolExecutor(1) as beside:
        checked = [beside.submit(_checked, check) for check in CHECKS]
        first, last = _runs(sys.argv[1:])
        failed += _tested(first)
        for check, done in zip(CHECKS, checked, strict=True):
            print(f"$ {' '.join(check)}\n{done.result().stdout}", flush=True)
            failed += [check[0]] if done.result().returncode else []
        failed += _tested(last)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return len(failed)


def _checked(check: list[str]) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", *check]
    return subprocess.run(words, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _runs(words: list[str]) -> tuple[list[str], list[str]]:
    """The tests without a browser, and those with one."""
    common = ["pytest", "-q", "--durations", "10", "-n", "2", "--dist", "worksteal", *words]
    return [*common, "-m", "not browser", "--lines"], [*common, "-m", "browser"]


def _tested(tests: list[str]) -> list[str]:
    print(f"$ {' '.join(tests)}", flush=True)
    done = subprocess.run([sys.executable, "-m", *tests], cwd=ROOT, check=False)
    return [] if done.returncode in (0, NO_TESTS) else ["tests"]


if __name__ == "__main__":
    sys.exit(main())
