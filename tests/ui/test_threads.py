"""A running app leaves matrix products to one thread, whichever library was loaded first."""

import os
import subprocess
import sys

import pytest

from tests.support import ROOT

LOOK = """
import scipy.linalg, threadpoolctl
print({i["num_threads"] for i in threadpoolctl.threadpool_info() if i["user_api"] == "blas"})
"""


@pytest.mark.parametrize(("first", "asked", "found"), [("", None, 1), ("import numpy", None, 1), ("", "2", 2)])
def test_matrix_products_take_one_thread_unless_the_operator_says_otherwise(first, asked, found):
    kept = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment = kept if asked is None else {**kept, "OPENBLAS_NUM_THREADS": asked}
    script = f"{first}\nimport ui\n{LOOK}"
    out = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == str({min(found, os.cpu_count() or 1)})
