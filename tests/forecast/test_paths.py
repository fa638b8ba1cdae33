"""The simulation against the closed form and a slow twin."""

import os
import subprocess
import sys

import numpy as np
import pytest

from margin import InputError
from margin.forecast.first_passage import hit_probability
from margin.forecast.paths import draw, first_hits, lowest, share_reaching
from margin.forecast.volatility import ewma_variance, filter_profits
from tests.support import ROOT

NORMAL = np.random.default_rng(8).standard_normal(200_000)


@pytest.mark.parametrize(
    ("steps", "sigma", "bridged", "closes"),
    [(24, 0.1, 0.04143, 0.03192), (168, 0.05, 0.12296, 0.11268), (7, 0.2, 0.05928, 0.03866)],
)
def test_bridge_on_normal_steps_is_the_closed_form(steps, sigma, bridged, closes):
    paths = 60_000
    for watched, want in (("continuous", bridged), ("closes", closes)):
        draws = draw(len(NORMAL), steps, 1, paths, watched, seed=3)
        found = float((lowest(NORMAL, sigma, draws, np.array([steps]))[:, 0] <= -1.0).mean())
        error = np.sqrt(want * (1 - want) / paths)
        assert abs(found - want) < 3 * error, watched
        if watched == "continuous":
            exact = float(hit_probability(1.0, sigma, steps))
            assert abs(found - exact) < 3 * error
            assert abs(found - closes) > 3 * error


def slow_lowest(shocks, sigma, draws, marks, drift=0.0, growth=0.0, decay=0.94):
    out = np.empty((len(draws.starts), len(marks)))
    rows = draws.rows_of_steps
    for p in range(len(rows)):
        nodes, total, now = [0.0], 0.0, sigma**2
        dips = []
        for t in range(marks[-1]):
            x = sigma * shocks[rows[p, t]] + drift
            total += x
            now = decay * now + (1 - decay) * x * x
            nodes.append(total - growth * (np.sqrt(now) / sigma - 1.0))
            a, b = nodes[-2:]
            if draws.clocks.shape[1]:
                dips.append((a + b - np.sqrt((a - b) ** 2 + 2 * sigma**2 * draws.clocks[p, t])) / 2)
            else:
                dips.append(b)
        for h, mark in enumerate(marks):
            out[p, h] = min(0.0, min(dips[:mark]))
    return out


@pytest.mark.parametrize("watched", ["continuous", "closes"])
@pytest.mark.parametrize("growth", [0.0, 0.7])
def test_kernel_equals_a_slow_twin(watched, growth):
    shocks = np.random.default_rng(1).standard_t(4, 500)
    draws = draw(500, 50, 24, 300, watched, seed=9)
    marks = np.array([1, 24, 37, 50])
    found = lowest(shocks, 0.3, draws, marks, drift=-0.01, growth=growth)
    np.testing.assert_allclose(found, slow_lowest(shocks, 0.3, draws, marks, -0.01, growth), rtol=1e-12, atol=1e-12)


def test_blocks_are_successive_steps():
    shocks = np.arange(100.0)
    draws = draw(100, 12, 5, 50, "closes", seed=2)
    rows = draws.rows_of_steps
    assert rows.shape == (50, 12)
    assert (np.diff(rows, axis=1)[:, [0, 1, 2, 3, 5, 6, 7, 8]] == 1).all()
    assert rows.max() < 100
    assert shocks[rows].shape == rows.shape


def test_minima_fall_with_the_horizon_and_scale_with_sigma():
    draws = draw(5000, 72, 24, 2000)
    marks = np.arange(1, 73)
    one = lowest(NORMAL[:5000], 0.1, draws, marks)
    assert (np.diff(one, axis=1) <= 0).all()
    assert (one <= 0).all()
    np.testing.assert_allclose(lowest(NORMAL[:5000], 250.0, draws, marks), one * 2500.0, rtol=1e-9)


def test_odds_are_a_quantile_of_the_paths():
    draws = draw(5000, 24, 24, 2000)
    minima = lowest(NORMAL[:5000], 0.1, draws, np.array([24]))[:, 0]
    curve = share_reaching(minima, np.linspace(0, 2, 50))
    assert (np.diff(curve) <= 0).all()
    assert curve[0] == 1.0
    assert share_reaching(minima, 0.5) == (minima <= -0.5).mean()
    hits = first_hits(NORMAL[:5000], 0.1, draws, 0.5)
    assert (np.diff(hits) >= 0).all()
    assert hits[-1] == (minima <= -0.5).mean()


def test_same_seed_same_answer_whatever_the_threads():
    code = (
        "import numpy as np; from margin.forecast.paths import draw, lowest;"
        "z = np.random.default_rng(0).standard_normal(3000);"
        "m = lowest(z, .1, draw(3000, 48, 24, 500), np.array([24, 48])); print(repr(float(m.sum())), repr(m[7, 1].item()))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
            env={**os.environ, "NUMBA_NUM_THREADS": str(n), "OMP_NUM_THREADS": str(n)},
        ).stdout
        for n in (1, 2)
    }  # fmt: skip
    assert len(said) == 1
    first, second = (lowest(NORMAL[:3000], 0.1, draw(3000, 48, 24, 500, seed=s), np.array([48])) for s in (1, 2))
    assert not np.array_equal(first, second)


def test_ewma_is_known_before_each_step():
    x = np.random.default_rng(5).standard_normal(300) * 0.02
    want = [0.5]
    for value in x:
        want.append(0.9 * want[-1] + 0.1 * value**2)
    np.testing.assert_allclose(ewma_variance(x, 0.9, 0.5), want, rtol=1e-12)
    both = ewma_variance(np.column_stack([x, 2 * x]), 0.9, np.array([0.5, 2.0]))
    np.testing.assert_allclose(both[:, 1], 4 * np.array(want), rtol=1e-12)


def test_filtered_profits():
    rng = np.random.default_rng(6)
    vols = np.where(np.arange(900) // 150 % 2 == 0, 0.01, 0.04)
    x = rng.standard_normal(900) * vols
    found = filter_profits(x, 1)
    assert len(found.shocks) == 840
    assert found.burn_in == 60
    assert found.shocks.mean() == pytest.approx(0.0, abs=1e-12)
    assert 0.9 < found.shocks.std() < 1.2
    later = x.copy()
    later[-1] = 5.0
    again = filter_profits(later, 1)
    np.testing.assert_array_equal(again.path[:-1], found.path[:-1])
    twice = filter_profits(2 * x, 1)
    assert twice.sigma == pytest.approx(2 * found.sigma)
    np.testing.assert_allclose(twice.shocks, found.shocks)
    normal = filter_profits(NORMAL[:20_000], 1)
    assert normal.sigma_error == pytest.approx(np.sqrt(2 / (4 * 1.94 / 0.06)), rel=0.2)


def test_a_book_that_never_moves_has_no_shocks():
    found = filter_profits(np.zeros(300), 1)
    assert found.sigma == 0.0
    assert np.isfinite(found.shocks).all()
    assert not found.shocks.any()


def test_too_little_is_refused():
    with pytest.raises(InputError, match="too little history"):
        filter_profits(np.ones(119), 1)
    with pytest.raises(InputError, match="too little history"):
        draw(10, 48, 24)


def test_the_error_of_a_volatility_grows_with_the_tails_of_its_shocks():
    """root((kurtosis - 1) / (4 n)) with n effective steps, the kurtosis that of the shocks themselves."""
    for shocks in (np.random.default_rng(3).standard_normal(900), np.random.default_rng(3).standard_t(3, 900)):
        found = filter_profits(shocks, 1)
        kurtosis = float(np.mean(found.shocks**4) / np.mean(found.shocks**2) ** 2)
        effective = (1 + found.decay) / (1 - found.decay)
        assert found.sigma_error == pytest.approx(np.sqrt((kurtosis - 1) / (4 * effective)), rel=1e-9)
    assert kurtosis > 5


def test_a_line_that_is_touched_exactly_is_reached():
    draws = draw(50, 4, 1, 200, "closes", seed=1)
    hits = first_hits(np.full(50, -1.0), 0.5, draws, 1.0)  # every step falls by 0.5
    np.testing.assert_array_equal(hits, [0.0, 1.0, 1.0, 1.0])
