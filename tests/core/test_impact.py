"""The impact law, and that it is written down once."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin.core.errors import InputError
from margin.core.impact import closing_cost, square_root_impact, square_root_move

ENGINE = Path(__file__).parents[2] / "margin"


def test_a_hundredth_of_the_day_costs_a_tenth_of_the_volatility():
    assert float(square_root_impact(1e6, 1e8, 0.04)) == pytest.approx(0.004)
    assert closing_cost(-1e6, 1e8, 0.04, factor=2.0) == pytest.approx(8_000.0)


def test_nobody_loses_more_than_what_is_sold_but_a_push_may_be_larger():
    assert float(square_root_impact(1e12, 1.0, 0.5)) == 1.0
    assert float(square_root_move(1e12, 1.0, 0.5)) == pytest.approx(5e5)
    assert closing_cost(1e12, 1.0, 0.5) == 1e12


@given(st.floats(1, 1e12), st.floats(1, 1e12), st.floats(0.001, 1.0), st.floats(0.1, 10))
def test_four_times_the_size_moves_twice_as_far_and_sides_are_alike(size, volume, vol, factor):
    one, four = (float(square_root_move(s, volume, vol, factor)) for s in (size, -4 * size))
    assert four == pytest.approx(2 * one)


@pytest.mark.parametrize("volume", [0.0, -1.0, float("nan")])
def test_a_market_without_trades_is_refused_and_not_divided_by(volume):
    with pytest.raises(InputError, match="volume"):
        square_root_move(1.0, np.array([1.0, volume]), 0.1)


def test_the_law_stands_once():
    """A root of traded dollars over volume, in any spelling, is written in one file of the engine."""
    written = [
        path.relative_to(ENGINE).as_posix()
        for path in ENGINE.rglob("*.py")
        if any("sqrt" in line and "volume" in line.lower() for line in path.read_text(encoding="utf-8").splitlines())
    ]
    assert written == []
    assert "np.sqrt(np.abs(size_usd) / traded)" in (ENGINE / "core/impact.py").read_text(encoding="utf-8")
