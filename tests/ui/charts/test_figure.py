"""A chart goes to the page as plain dicts: the same as plotly's own figure would send, and still a figure for the rest."""

import json

import numpy as np
import plotly.graph_objects as go
import plotly.io
import plotly.tools
import pytest

from data.sample import load_sample
from margin import Collateral, Market, Portfolio, Position, compare
from ui import charts
from ui.blocks.theme import LIGHT
from ui.charts import base
from ui.charts.base import drawn
from ui.charts.figure import PlainFigure

PRICES = load_sample()
BOOK = Portfolio(
    (Position("BTC/USDT:USDT", 1, 61000, 10), Position("ETH/USDT:USDT", -30)), (Collateral("USDC", 25000),)
)


@pytest.fixture(scope="module")
def comparison():
    return compare(BOOK, Market(PRICES.closes, PRICES.volumes))


def sent(figure: go.Figure) -> dict:
    """What Streamlit sends of it."""
    asked = plotly.tools.return_figure_from_figure_or_data(figure, True)
    return json.loads(plotly.io.to_json(asked, validate=False))


@pytest.mark.parametrize("draw", [charts.waterfall, charts.contributions, charts.loss_distribution])
def test_the_page_gets_what_plotlys_own_figure_sends(draw, comparison, monkeypatch):
    checked = sent(draw(comparison))
    monkeypatch.setattr(base, "CHECKED", False)
    plain = draw(comparison)
    assert isinstance(plain, PlainFigure)
    assert sent(plain) == checked
    assert sent(plain) == checked  # asked twice, as for the page and for a report
    assert "template" in checked["layout"]


def test_it_is_a_whole_figure_for_who_looks_at_it():
    spec = {"data": [{"type": "bar", "x": np.array([1.0, np.nan, 3.0]), "y": [1, 2, 3]}], "layout": {"height": 120}}
    plain, own = PlainFigure(spec), go.Figure(spec)
    assert sent(plain)["data"][0]["x"] == [1.0, None, 3.0]
    assert plain.layout.height == 120
    assert isinstance(plain.data[0], go.Bar)
    plain.update_layout(height=240)
    assert sent(plain)["layout"]["height"] == 240
    assert sent(own.update_layout(height=240)) == sent(plain)
    with pytest.raises(AttributeError, match="not_there"):
        _ = plain.not_there


def test_a_template_of_its_own_stays():
    spec = {"data": [], "layout": {"template": {"layout": {"height": 7}}}}
    assert sent(PlainFigure(spec))["layout"]["template"] == {"layout": {"height": 7}}


@pytest.mark.parametrize(
    ("form", "values", "ticks"),
    [
        ("$~s", [0.0, 0.1], "$,.2f"),  # was "$100m", a hundred million to a reader
        ("$~s", [-0.004, 0.003], "$,.3f"),
        ("$,.3~s", [0.04, 0.13], "$,.2f"),  # the price of a small coin
        ("$,.3~s", [1_500.0, 3_500.0], "$,.3~s"),
        ("$~s", [0.0, 20_000.0], "$~s"),
    ],
)
def test_small_dollars_are_written_out_on_an_axis(form, values, ticks):
    layer = {"type": "scatter", "x": values, "y": [0, 1]}
    figure = drawn(LIGHT, 300, [layer], xaxis={"tickformat": form, "title": "margin"}, yaxis={})
    assert figure.to_dict()["layout"]["xaxis"]["tickformat"] == ticks
