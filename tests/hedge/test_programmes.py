"""The programmes against closed forms, the ladder itself, one trade by hand, and an independent solver."""

import itertools

import numpy as np
import pandas as pd
import pytest

from margin import Portfolio, compare
from margin.core.market import Market
from margin.core.position import Position
from margin.core.settings import Settings
from margin.hedge import Costs, hedge
from margin.hedge.frontier import frontier
from margin.hedge.hedge_prices import with_hedges
from margin.hedge.menu import after
from margin.hedge.one_trade import one_trade
from margin.hedge.programme import ScenarioProgramme
from margin.models.marks import Marks
from margin.risk.tail import expected_shortfall
from tests.hedge.worlds import MONEY, PRICES, book, correlated, market, of, planner, stand

M = market()


def zeros(p):
    return np.zeros(len(p.menu.choices))


@pytest.mark.parametrize(("rho", "ratio", "freed"), [(0.6, 0.8, 20), (0.8, 0.6, 40), (0.9, 0.4359, 56)])
def test_gaussian_hedge_of_one_dollar_is_minus_rho(rho, ratio, freed):
    # Minimum variance: h = -rho for unit volatilities, and the margin left is root(1 - rho^2) of it.
    prices = correlated(rho)
    p = planner(
        (Position("AAA/USDT:USDT", 1.0),),
        prices,
        hedges=("BBB",),
        settings=Settings(estimator="gaussian", lookback=500),
    )
    hedges = [c.is_hedge for c in p.menu.choices]
    found = p.programme.most_freed(None, None, hedges)
    value = prices.price("AAA")
    bought = sum(c.side * usd for c, usd in zip(p.menu.choices, found.usd, strict=True)) / value
    assert bought == pytest.approx(-rho, abs=2e-4)
    assert found.figure / p.figure(zeros(p)) == pytest.approx(ratio, abs=1e-4)
    assert round(100 * (1 - found.figure / p.figure(zeros(p)))) == freed


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("key", ["portfolio", "netted", "isolated"])
def test_the_margin_after_is_what_compare_says_of_the_new_book(seed, key):
    p = planner(book(seed), M, key)
    target = 0.7 * p.figure(zeros(p))
    usd = p.least_cost(target)
    traded = after(p.sub, p.marks, p.menu, usd)
    assert p.programme.figure(usd) == pytest.approx(getattr(compare(of(traded), M), key), rel=1e-8)
    assert p.figure(usd) == pytest.approx(target, rel=1e-8)


@pytest.mark.parametrize("seed", range(8))
def test_no_dearer_than_cutting_everything_alike(seed):
    p = planner(book(seed), M)
    cuts = np.array([0.0 if c.is_hedge else 0.3 * c.most for c in p.menu.choices])
    now = p.figure(zeros(p))
    assert p.figure(cuts) == pytest.approx(0.7 * now, rel=1e-9)  # margin is homogeneous
    assert p.cost(p.least_cost(0.7 * now)) <= p.cost(cuts) * (1 + 1e-9)


def test_a_book_twice_as_large_trades_twice_as_much_for_twice_the_cost():
    once = planner(book(3), M)
    twice = planner(tuple(Position(x.symbol, 2 * x.quantity) for x in book(3)), M)
    a = once.programme.least_cost(0.7 * once.figure(zeros(once)))
    b = twice.programme.least_cost(0.7 * twice.figure(zeros(twice)))
    assert b.usd == pytest.approx(2 * a.usd, rel=1e-6, abs=1e-3)
    assert b.cost == pytest.approx(2 * a.cost, rel=1e-9)


def test_impact_makes_twice_the_book_dearer_than_twice():
    traded = market(volumes=True)
    once, twice = (planner(tuple(Position(x.symbol, k * x.quantity) for x in book(3)), traded) for k in (1, 2))
    a, b = (p.programme.least_cost(0.7 * p.figure(zeros(p))) for p in (once, twice))
    assert b.cost > 2 * a.cost


@pytest.mark.parametrize("seed", range(6))
def test_one_trade_by_hand_is_the_programme_of_one_order(seed):
    p = planner(book(seed, most=4), M)
    target = 0.85 * p.figure(zeros(p))
    by_hand, whole = one_trade(p.programme, target), p.programme.least_cost(target, 1)
    assert (by_hand is None) == (whole is None)
    if by_hand is not None:
        assert by_hand.cost == pytest.approx(whole.cost, rel=1e-6)
        assert by_hand.figure == pytest.approx(target, rel=1e-9)


def test_more_orders_and_more_instruments_never_cost_more():
    p = planner(book(1), M)
    target = 0.75 * p.figure(zeros(p))
    costs = [p.programme.least_cost(target, k) for k in (1, 2, 3, None)]
    paid = [c.cost for c in costs if c is not None]
    assert len(paid) >= 3
    assert all(b <= a * (1 + 1e-7) for a, b in itertools.pairwise(paid))
    narrow = planner(book(1), M, hedges=("BTC",)).programme.least_cost(target).cost
    assert p.programme.least_cost(target).cost <= narrow * (1 + 1e-9)


def test_an_independent_solver_finds_the_same_cost_and_trades():
    cvxpy = pytest.importorskip("cvxpy")
    p = planner(book(2), M)
    prog: ScenarioProgramme = p.programme
    target = 0.7 * p.figure(zeros(p))
    y, t = cvxpy.Variable(prog.count, nonneg=True), cvxpy.Variable()
    loss = prog.losses[0] - prog.relief.T @ y
    es = t + cvxpy.sum(cvxpy.pos(loss - t)) / (len(prog.losses[0]) * (1 - prog.level))
    rates = np.array([c.tariff.rate for c in p.menu.choices])
    problem = cvxpy.Problem(cvxpy.Minimize(rates @ y), [es <= target, y <= prog.most])
    problem.solve(solver="CLARABEL")
    ours = prog.least_cost(target)
    assert ours.cost == pytest.approx(problem.value, rel=1e-5)
    assert ours.usd == pytest.approx(y.value, abs=1e-3 * prog.most.max())


def test_the_dual_is_what_the_next_dollar_of_margin_costs():
    p = planner(book(2), M)
    now = p.figure(zeros(p))
    here, further = p.programme.least_cost(0.7 * now), p.programme.least_cost(0.7 * now - 1.0)
    assert further.cost - here.cost == pytest.approx(here.price, rel=0.02)


def test_a_budget_and_its_target_are_two_views_of_one_curve():
    p = planner(book(4), M)
    found = p.programme.least_cost(0.6 * p.figure(zeros(p)))
    back = p.programme.most_freed(found.cost)
    assert back.figure == pytest.approx(found.figure, rel=1e-7)


def test_the_frontier_begins_with_the_book_as_it_is_at_no_cost():
    p = planner(book(4), M)
    first, second = frontier(p).points[:2]
    assert (first.cost, first.margin) == (0.0, p.figure(zeros(p)))
    assert second.cost > 0 and second.margin < first.margin
    assert first.per_dollar == pytest.approx((first.margin - second.margin) / second.cost)


def test_what_cannot_be_reached_says_how_far_it_goes():
    sub, model, marks = stand((Position("ADA/USDT:USDT", 20_000.0),), M)
    found = hedge(sub, model, M, marks, target=0.05 * model.state(sub, marks).initial, keep=["ADA"])
    assert found.best is None
    way = found.way("hedge")
    assert not way.reached
    assert 0.05 * found.before.margin < way.floor < found.before.margin
    assert "lowest that these trades can reach" in found.headline


def test_funding_is_charged_and_never_credited():
    positions = (Position("SOL/USDT:USDT", 200.0),)
    sub, model, marks = stand(positions, M)
    priced = {}
    for rate in (-50.0, 0.0, 50.0):  # basis points a day that a long pays
        found = hedge(sub, model, M, marks, target=0.8 * model.state(sub, marks).initial, keep=["SOL"],
                      costs=Costs(funding_bp_day={"BTC": rate, "ETH": rate}))  # fmt: skip
        priced[rate] = found.way("hedge")
    assert all(w.reached for w in priced.values())
    free, paid, received = priced[0.0], priced[-50.0], priced[50.0]  # the hedge is short: it pays below zero
    assert received.cost == pytest.approx(free.cost, rel=1e-9)
    assert sum(t.bill.receipt for t in received.trades) > 0
    assert paid.cost > free.cost
    assert all(t.bill.total >= 0 and t.bill.funding >= 0 for w in priced.values() for t in w.trades)


def test_a_hedge_is_unwound_and_a_cut_is_not():
    sub, model, marks = stand((Position("SOL/USDT:USDT", 200.0),), M)
    found = hedge(sub, model, M, marks, target=0.8 * model.state(sub, marks).initial)
    cut, hedged = found.way("cut").trades[0].bill, found.way("hedge").trades[0].bill
    assert cut.unwind == 0
    assert cut.fee == pytest.approx(found.way("cut").trades[0].usd * 4.5e-4)
    assert hedged.unwind == pytest.approx(hedged.fee + hedged.spread)


def test_safeguards_are_judged_at_the_safeguarded_figure():
    sub, model, marks = stand(book(0), market(volumes=True), "safeguarded")
    prices = model.market
    found = hedge(sub, model, prices, marks)
    assert found.best.after.margin <= 0.7 * found.before.margin * (1 + 1e-8)
    assert found.best.after.safeguarded == found.best.after.margin > found.best.after.portfolio
    traded = after(sub, found.marks, found.menu, found.best.usd)
    assert compare(of(traded), prices).safeguarded == pytest.approx(found.best.after.margin, rel=1e-6)


def test_value_at_risk_is_judged_by_the_model():
    settings = Settings(measure="var")
    sub, model, marks = stand(book(0), M, settings=settings)
    found = hedge(sub, model, M, marks)
    assert found.best.after.margin <= 0.7 * found.before.margin * (1 + 1e-8)


def test_fit_on_odd_days_judged_on_even_ones():
    sub, model, marks = stand(book(0), M)
    found = hedge(sub, model, M, marks)
    held = found.way("pro_rata").held
    marks, _ = with_hedges(marks, M, sub, ("BTC", "ETH"), model)
    book_, _, drawn = model.scenario_book(sub, marks)
    losses = book_.losses(drawn.returns).sum(axis=1)
    plain = expected_shortfall(losses[1::2], 0.975) / expected_shortfall(losses[::2], 0.975)
    assert held.before == pytest.approx(plain, rel=1e-9)


def test_prices_after_the_valuation_date_change_nothing():
    closes = M.closes.copy()
    closes[M.dates > np.datetime64("2025-05-01")] *= 3.0
    other = Market(pd.DataFrame(closes, index=pd.DatetimeIndex(M.dates), columns=list(PRICES)))
    out = []
    for prices in (M, other):
        sub, model, _ = stand(book(0), prices, settings=Settings(as_of="2025-05-01"))
        marks = Marks.of_market(prices, Portfolio(book(0), MONEY), "2025-05-01")
        out.append(hedge(sub, model, prices, marks).to_dict())
    assert out[0] == out[1]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("orders", [None, 2])
def test_holding_few_scenarios_gives_the_answer_of_all(seed, orders):
    p = planner(book(seed), M)
    few, every = p.programme, planner(book(seed), M).programme
    every.active[:] = True
    for share in (0.9, 0.5, 0.1):
        a, b = (q.least_cost(share * p.figure(zeros(p)), orders) for q in (few, every))
        assert (a is None) == (b is None)
        if a is not None:
            assert a.cost == pytest.approx(b.cost, rel=1e-7)
            assert a.figure == pytest.approx(b.figure, rel=1e-7)
    assert few.active.sum() < len(few.active)
