"""Cost against odds: each point is a book that the forecast judges, dearer and safer than the one before."""

import numpy as np
import pytest

from margin.core.position import Collateral
from margin.hedge.menu import after
from margin.hedge.odds import forecast_odds
from margin.hedge.odds_frontier import odds_frontier
from margin.hedge.study import hedge
from tests.hedge.worlds import book, market, stand

M = market()


@pytest.fixture(scope="module", params=["portfolio", "hyperliquid:cross"])
def planned(request):
    positions = tuple(p for p in book(4))
    sub, model, marks = stand(positions, M, request.param, (Collateral("USDC", 15_000.0),))
    now = hedge(sub, model, M, marks, out_of_sample=False).before.odds
    found = hedge(sub, model, M, marks, odds=now / 2, out_of_sample=False)
    return found, odds_frontier(found)


def test_it_falls_from_today(planned):
    found, curve = planned
    first = curve.points[0]
    assert (first.cost, first.odds, first.margin) == (0.0, found.before.odds, found.before.margin)
    costs, odds = [p.cost for p in curve.points], [p.odds for p in curve.points]
    assert len(odds) >= 5
    assert np.all(np.diff(costs) > 0)
    assert np.all(np.diff(odds) < 0)
    assert curve.lowest == odds[-1]
    assert curve.per_dollar == pytest.approx(100 * (odds[0] - odds[1]) / costs[1])


def test_no_way_lies_below_it(planned):
    """What reaches the wish with as many orders as allowed is on the curve, or costs more than its line says."""
    found, curve = planned
    for way in (w for w in found.ways if w.reached and len(w.trades) <= found.orders):
        least = np.interp(-way.after.odds, [-p.odds for p in curve.points], [p.cost for p in curve.points])
        assert way.cost >= least * (1 - 0.02)  # the bill's impact lies below its chords


def test_its_odds_are_the_forecasts(planned):
    """The last point again, from nothing but the planner's trades: the forecast of the book after them."""
    found, curve = planned
    usd = found.wish.steer.most_freed(None, found.orders)
    then = after(found.sub, found.marks, found.menu, usd.tolist(), found.planner.cost(usd))
    odds = forecast_odds(then, found.model, M, found.marks, found.days)
    assert curve.lowest <= odds
    assert found.wish.judged(usd) == odds


def test_a_second_order_reaches_lower_odds(planned):
    found, curve = planned
    one = odds_frontier(hedge(found.sub, found.model, M, found.marks, odds=found.odds, orders=1, out_of_sample=False))
    assert curve.lowest <= one.lowest < found.before.odds


def test_without_a_wish_there_is_none(planned):
    found, _ = planned
    assert odds_frontier(hedge(found.sub, found.model, M, found.marks, out_of_sample=False)) is None
