"""Axes of odds: whole percents, none twice, and no figure below 1%."""

import numpy as np
import pytest

from margin.forecast.drivers import Driver, Leg
from margin.forecast.scores import Bin
from ui.charts import base, forecast
from ui.charts.base import odds_axis


@pytest.fixture(autouse=True)
def checked(monkeypatch):
    monkeypatch.setattr(base, "CHECKED", True)


@pytest.mark.parametrize("top", [0.0, 1e-5, 0.004, 0.012, 0.03, 0.07, 0.2, 0.49, 0.9, 1.0])
def test_ticks_are_different_and_reach_over_the_axis(top):
    axis = odds_axis(top, "odds")
    texts, ticks = axis["ticktext"], np.array(axis["tickvals"])
    assert len(set(texts)) == len(texts) and 3 <= len(texts) <= 7
    assert [float(t.rstrip("%")) for t in texts] == pytest.approx((100 * ticks).tolist())
    assert ticks[1] >= 0.01
    assert axis["range"][0] == 0 and axis["range"][1] >= max(top, ticks[-1])


def _texts(figure):
    shown = [str(t) for d in figure.to_dict()["data"] for t in np.ravel(d.get("customdata", []))]
    shown += [a["text"] for a in figure.to_dict()["layout"].get("annotations", [])]
    for axis in ("xaxis", "yaxis"):
        shown += list(figure.to_dict()["layout"][axis].get("ticktext", []) or [])
    return shown


def _drivers(*odds):
    before = [0.0, *odds]
    return [Driver(name=f"step {i}", odds=o, change=o - b) for i, (o, b) in enumerate(zip(odds, before, strict=False))]


@pytest.mark.parametrize(
    "figure",
    [
        lambda: forecast.drivers(_drivers(1e-6, 2e-4, 3e-4, 4e-3)),
        lambda: forecast.survival({"pool": (np.linspace(1, 0.996, 20), 1.0)}),
        lambda: forecast.money(np.linspace(-10, 10, 9), np.full(9, 0.002), 0.002, 0.01),
        lambda: forecast.size(np.linspace(0.1, 1.5, 9), np.full(9, 0.002), 0.01),
        lambda: forecast.reliability([Bin(forecast=0.002, observed=0.0, low=0.0, high=0.004, count=50)]),
    ],
)
def test_tiny_odds_have_no_figure(figure):
    made = figure()
    shown = _texts(made)
    assert "below 1%" in shown
    assert shown.count("0%") <= 2  # the origin of either axis
    layout = made.to_dict()["layout"]
    assert "tickformat" not in layout["yaxis"] or layout["yaxis"]["tickformat"] != ".0%"


def test_small_changes_of_odds_are_not_printed_as_nothing():
    shown = _texts(forecast.legs([Leg(symbol="BTC/USDT:USDT", change=-2e-5, exposure=1.0)]))
    assert "below 0.1 pts" in shown and not any("0.0" in t for t in shown)
    for change in (-0.0004, -0.003, 0.02, 0.3):
        axis = forecast.legs([Leg(symbol="A/USDT:USDT", change=change, exposure=1.0)]).to_dict()["layout"]["xaxis"]
        assert len(set(axis["ticktext"])) == len(axis["ticktext"]) >= 2
        assert axis["range"][0] <= change <= axis["range"][1]
    assert forecast.points(-0.012) == "-1.2 pts"
