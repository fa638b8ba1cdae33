"""Blocks and pages of the dashboard; a folder per page, and what pages share."""

import os
import sys

# One thread for each matrix product: a book's are small, and the helper threads of OpenBLAS wait for the next one by
# turning in a circle, which took two fifths of the processor with 50 visitors. What the operator has set stays. The
# audit divides its own work among threads.
if "OPENBLAS_NUM_THREADS" not in os.environ:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when a library is loaded
    if "numpy" in sys.modules:  # Streamlit has loaded it with the page's icon
        from threadpoolctl import threadpool_limits

        threadpool_limits(1, user_api="blas")

__all__ = [
    "backtest",
    "blocks",
    "charts",
    "correlations",
    "data",
    "haircuts",
    "learn",
    "liquidation",
    "portfolio",
    "shell",
    "state",
    "stress",
    "venues",
]
