"""`python -m tests`: lint, format, types, then every test; two workers. Extra arguments go to pytest.

The browser tests run on their own: Playwright keeps an event loop running in its process, where no other test could
start one.
"""

import subprocess
import sys

from tests.support import ROOT

NO_TESTS = 5  # pytest's exit status when a selection given on the command line holds none
CHECKS = (
    ["ruff", "check", "."],
    ["ruff", "format", "--check", "."],
    ["mypy"],
    ["interrogate", "margin", "data"],  # public functions and classes with a docstring; limit in pyproject.toml
)

COVERAGE = ["--cov=margin", "--cov=data", "--cov-report=term:skip-covered"]


def main() -> int:
    if sys.argv[1:2] == ["mutants"]:
        from tests.mutants import run  # cosmic-ray is asked for this alone

        return run.main(sys.argv[2:])
    failed = []
    for check in CHECKS:
        print(f"$ {' '.join(check)}", flush=True)
        if subprocess.run([sys.executable, "-m", *check], cwd=ROOT, check=False).returncode:
            failed.append(check[0])
    common = ["pytest", "-q", "--durations", "10", *sys.argv[1:]]
    runs = (
        [*common, "-m", "not browser", "-n", "2", "--dist", "loadgroup", *COVERAGE],
        [*common, "-m", "browser", "-n", "2", "--dist", "loadgroup"],
    )
    for tests in runs:
        print(f"$ {' '.join(tests)}", flush=True)
        if subprocess.run([sys.executable, "-m", *tests], cwd=ROOT, check=False).returncode not in (0, NO_TESTS):
            failed.append("tests")
    if failed:
        print(f"failed: {', '.join(failed)}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
