"""Alarms against a slow reading of their definition."""

import numpy as np
import pytest

from margin import InputError
from margin.forecast.alarms import DISTANCES, LIFE_DAYS, alarms
from margin.forecast.calibration import NONE
from margin.forecast.first_passage import hit_probability
from margin.forecast.volatility import ewma_variance
from tests.forecast.test_own_check import EXPOSURES, past_of


def slow(past, days, line):
    """(false, right, leads, calls, days lived) by reading every step of every life."""
    x = past.values @ EXPOSURES
    variance = ewma_variance(x, 0.94, float(np.var(x[:60])))
    false = right = calls = 0
    leads, lived = [], 0
    for start in range(120, len(x) - LIFE_DAYS + 1, LIFE_DAYS):
        for d in DISTANCES:
            gap = d * x[:start].std() * np.sqrt(days)
            worth, rang, call = np.ones(2), [], None
            armed = True
            for t in range(LIFE_DAYS):
                worth = worth * (1 + past.values[start + t])
                now = gap + float((worth - 1) @ EXPOSURES)
                if now <= 0:
                    call = t
                    break
                p = float(hit_probability(now, float(np.sqrt(variance[start + 1 + t])), float(days), watched="closes"))
                if armed and p >= line:
                    rang.append(t)
                    armed = False
                elif not armed and p < line / 2:
                    armed = True
            lived += LIFE_DAYS if call is None else call
            calls += call is not None
            good = [t for t in rang if call is not None and call - t <= days]
            right, false = right + len(good), false + len(rang) - len(good)
            if good:
                leads.append(call - good[0])
            elif call is not None and not armed:
                leads.append(call - max(call - days, 0))
    return false, right, leads, calls, lived


@pytest.mark.parametrize("line", [0.05, 0.2])
def test_against_a_slow_twin(line):
    past = past_of(1500, seed=8)
    found = alarms(past, EXPOSURES, ("A", "B"), 3, NONE, (line,))
    false, right, leads, calls, lived = slow(past, 3, line)
    (row,) = found.rows
    assert found.calls == calls >= 10
    assert found.months == pytest.approx(lived / 30)
    assert row.false_a_month == pytest.approx(false / (lived / 30))
    assert row.caught == pytest.approx(len(leads) / calls)
    assert row.lead_hours == pytest.approx(24 * np.median(leads))
    assert row.precision == pytest.approx(right / (right + false))


def test_a_higher_line_wakes_less_and_catches_less():
    found = alarms(past_of(3000, seed=2), EXPOSURES, ("A", "B"), 3, NONE)
    false, caught = ([getattr(row, name) for row in found.rows] for name in ("false_a_month", "caught"))
    assert false[0] > false[-1]
    assert caught == sorted(caught, reverse=True)


def test_too_short_and_too_few_calls():
    with pytest.raises(InputError, match="too short"):
        alarms(past_of(140), EXPOSURES, ("A", "B"), 3, NONE)
    few = alarms(past_of(160), EXPOSURES, ("A", "B"), 3, NONE)
    assert few.calls < 10
    assert all(row.caught is None for row in few.rows)
