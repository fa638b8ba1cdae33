"""Is the check of a book's own odds honest? Against slow loops, and on data whose truth is known."""

import numpy as np
import pandas as pd
import pytest

from margin import InputError, Market, Portfolio, Position
from margin.cli.main import main
from margin.core.position import Collateral
from margin.forecast.calibration import NONE, table
from margin.forecast.engine import forecast
from margin.forecast.first_passage import hit_probability
from margin.forecast.own_check import DISTANCES, ENOUGH, own_check
from margin.forecast.past import Past


def past_of(days=900, seed=1, scale=0.02, shocks=None):
    values = np.random.default_rng(seed).standard_normal((days, 2)) * scale if shocks is None else shocks
    ends = pd.date_range("2020-01-02", periods=len(values)).to_numpy()
    return Past(values=values, ends=ends, assets=("A", "B"), steps_per_day=1.0, block=1, step="day")


EXPOSURES = np.array([1000.0, -400.0])


def test_outcomes_and_baseline_are_those_of_a_slow_loop():
    past = past_of(400)
    found = own_check(past, EXPOSURES, ("A", "B"), 7, NONE)
    assert found.windows == (400 - 120) // 7
    x = past.values @ EXPOSURES
    for i in (0, 11, found.windows - 1):
        at = 120 + 7 * i
        assert found.origins[i] == past.ends[at - 1]
        for j, d in enumerate(DISTANCES):
            line = d * x[:at].std() * np.sqrt(7)
            worth, hit = np.ones(2), 0.0
            for row in past.values[at : at + 7]:
                worth = worth * (1 + row)
                hit = max(hit, float((worth - 1) @ EXPOSURES <= -line))
            assert found.outcomes[i, j] == hit
            want = float(hit_probability(line, float(x[at - 90 : at].std()), 7.0))
            assert found.baseline[i, j] == pytest.approx(want, rel=1e-6, abs=1e-12)


def test_a_forecast_knows_nothing_of_what_follows():
    one = past_of(600)
    changed = one.values.copy()
    changed[400:] *= 5.0
    first, other = (own_check(p, EXPOSURES, ("A", "B"), 7, NONE) for p in (one, past_of(shocks=changed)))
    before = (400 - 120) // 7 + 1
    np.testing.assert_array_equal(first.forecasts[:before], other.forecasts[:before])
    assert not np.allclose(first.forecasts[before + 1 :], other.forecasts[before + 1 :])


def test_odds_of_a_normal_walk_come_true():
    found = own_check(past_of(9000, seed=3), EXPOSURES, ("A", "B"), 3, NONE)
    inside = [b.low <= b.forecast <= b.high for b in found.reliability]
    assert np.mean(inside) >= 0.6
    assert max(abs(b.forecast - b.observed) for b in found.reliability) < 0.03
    a, b = found.fitted()
    assert abs(a) < 0.35
    assert 0.8 < b < 1.15
    m, c = found.murphy, found.corp
    assert m.brier == pytest.approx(m.miscalibration - m.discrimination + m.uncertainty)
    assert c.brier == pytest.approx(c.miscalibration - c.discrimination + c.uncertainty)
    skill = found.skills()["distance in sigmas"]["brier"]
    assert skill.low > 0  # the baseline watches all the time, the labels are at closes
    assert skill.clusters == found.windows


def test_too_few_windows_are_not_judged():
    found = own_check(past_of(120 + 7 * (ENOUGH - 1)), EXPOSURES, ("A", "B"), 7, NONE)
    assert found.windows == ENOUGH - 1
    assert not found.enough
    for judge in (lambda: found.reliability, lambda: found.murphy, found.skills, found.fitted):
        with pytest.raises(InputError, match="too few to judge"):
            judge()
    assert own_check(past_of(120 + 7 * ENOUGH), EXPOSURES, ("A", "B"), 7, NONE).enough


def test_nothing_moves_and_no_window_fits():
    with pytest.raises(InputError, match="nothing here moves"):
        own_check(past_of(shocks=np.zeros((300, 2))), EXPOSURES, ("A", "B"), 7, NONE)
    with pytest.raises(InputError, match="too short"):
        own_check(past_of(123), EXPOSURES, ("A", "B"), 7, NONE)


def test_scale_and_money_do_not_matter():
    one, other = (own_check(past_of(), scale * EXPOSURES, ("A", "B"), 3, table("day")) for scale in (1.0, 50.0))
    np.testing.assert_allclose(one.forecasts, other.forecasts, rtol=1e-9)
    np.testing.assert_array_equal(one.outcomes, other.outcomes)


def test_a_forecast_corrected_on_its_own_past_and_checked():
    shocks = np.random.default_rng(5).standard_t(4, (700, 1)) * 0.02
    closes = pd.DataFrame(
        100 * np.cumprod(1 + np.clip(shocks, -0.3, 0.3), axis=0), pd.date_range("2023-01-01", periods=700), ["AAA"]
    )
    book = Portfolio([Position("AAA/USDT:USDT", 10.0)], (Collateral("USD", 100.0),))
    found = forecast(book, Market(closes), calibration="own", horizons=(1, 3))
    assert found.calibration.source == "own"
    assert found.calibration.windows == found.first.check(3.0).windows
    plain = forecast(book, Market(closes), calibration=None, horizons=(1, 3))
    assert plain.main.probability == plain.main.raw == found.main.raw
    with pytest.raises(InputError, match="too few to judge"):
        forecast(book, Market(closes), calibration="own", horizons=(1, 30))


def test_the_command_says_too_few(tmp_path, capsys):
    closes = 100 * np.cumprod(1 + np.random.default_rng(2).standard_normal(260) * 0.02)
    frame = pd.DataFrame({"date": pd.date_range("2025-01-01", periods=260), "AAA": closes})
    frame.to_csv(tmp_path / "p.csv", index=False)
    (tmp_path / "b.json").write_text(
        Portfolio([Position("AAA/USDT:USDT", 10.0)], (Collateral("USD", 400.0),)).to_json()
    )
    told = ["forecast", "--portfolio", str(tmp_path / "b.json"), "--prices", str(tmp_path / "p.csv"), "--check"]
    assert main(told) == 0
    said = capsys.readouterr().out
    assert "over 7 days: 19 independent windows, too few to judge" in said
    assert "over 1 days: 139 independent windows.\n" in said
    assert main([*told, "--calibration", "own"]) == 2
    assert "too few to judge" in capsys.readouterr().err
