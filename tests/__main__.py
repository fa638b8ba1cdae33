"""`python -m tests`: lint, format, types, then every test; two workers. Extra arguments go to pytest."""

import subprocess
import sys

from tests.support import ROOT

CHECKS = (
    ["ruff", "check", "."],
    ["ruff", "format", "--check", "."],
    ["mypy"],
)


def main() -> int:
    failed = []
    for check in CHECKS:
        print(f"$ {' '.join(check)}", flush=True)
        if subprocess.run([sys.executable, "-m", *check], cwd=ROOT, check=False).returncode:
            failed.append(check[0])
    tests = ["pytest", "-q", "-n", "2", "--dist", "loadgroup", "--durations", "15", *sys.argv[1:]]
    print(f"$ {' '.join(tests)}", flush=True)
    status = subprocess.run([sys.executable, "-m", *tests], cwd=ROOT, check=False).returncode
    if failed:
        print(f"failed before the tests: {', '.join(failed)}")
    return status or len(failed)


if __name__ == "__main__":
    sys.exit(main())
