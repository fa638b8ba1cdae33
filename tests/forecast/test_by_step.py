"""The loops by array are the compiled ones, number for number; a first page runs without a compiler."""

import subprocess
import sys

import numpy as np
import pytest

from margin.forecast import by_step, kernels
from margin.forecast.paths import draw
from tests.support import ROOT


@pytest.mark.parametrize("watched", ["continuous", "closes"])
@pytest.mark.parametrize("growth", [0.0, 40.0])
@pytest.mark.parametrize(("steps", "block", "sigma"), [(7, 1, 100.0), (23, 5, 3.0), (1, 1, 0.0)])
def test_the_lowest_points_are_the_same(watched, growth, steps, block, sigma):
    draws = draw(300, steps, block, 250, watched, seed=3)
    shocks = np.random.default_rng(4).standard_normal(300)
    marks = np.unique([1, max(steps // 2, 1), steps])
    out = [np.full((250, len(marks)), np.nan) for _ in range(2)]
    for loops, found in zip((kernels, by_step), out, strict=True):
        loops.lowest_points(shocks, draws.starts, block, sigma, -2.0, 0.94, growth, draws.clocks, marks, found)
    assert np.array_equal(*out)
    assert sigma == 0.0 or (out[0] < 0).any()


def test_the_smoothed_squares_are_the_same():
    squares = np.random.default_rng(5).standard_normal((400, 3)) ** 2
    out = [np.vstack([np.ones((1, 3)), np.full((400, 3), np.nan)]) for _ in range(2)]
    for loops, found in zip((kernels, by_step), out, strict=True):
        loops.smoothed(squares, 0.94, found)
    assert np.array_equal(*out)


def test_the_line_of_the_first_page_loads_neither_numba_nor_scipy():
    script = """
import sys
from data.sample import load_sample
from margin import Collateral, Market, Portfolio, Position, Settings
from margin.forecast.capital import first_screen
prices = load_sample()
book = Portfolio((Position("ETH/USDT:USDT", 41), Position("BTC/USDT:USDT", -1.3)), (Collateral("USDC", 25000),))
assert first_screen(book, Market(prices.closes, prices.volumes), Settings()) is not None
print([name for name in ("numba", "scipy.special", "scipy.stats", "scipy.optimize") if name in sys.modules])
"""
    out = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
