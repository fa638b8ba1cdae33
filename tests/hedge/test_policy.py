"""The rules on past starts, against the closed form, a slow twin, and what must be so."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.position import Collateral, Position
from margin.hedge.costs import Costs
from margin.hedge.linear_book import book_of
from margin.hedge.outcomes import by_month
from margin.hedge.policy import policy_backtest
from margin.hedge.rule import NOTHING, RULES, Rule
from margin.hedge.simulation import LIQUIDATION_COST, keep_share
from tests.hedge.worlds import PRICES, market, stand

M = market()
LONG = (Position("SOL/USDC:USDC", 200.0), Position("ADA/USDC:USDC", 20_000.0))
THIN = (Collateral("USDC", 6_000.0),)


def run(rules=RULES, key="hyperliquid:cross", prices=M, positions=LONG, money=THIN, **more):
    sub, model, marks = stand(positions, prices, key, money=money)
    return policy_backtest(sub, model, prices, marks, rules, **more)


def test_the_closed_form_of_the_cut():
    equity, gross, maintenance, sigma, wanted, cost = 3_000.0, 40_000.0, 800.0, 900.0, 4.0, 5e-4
    f = float(keep_share(np.array([equity]), gross, maintenance, np.array([sigma]), wanted, cost)[0])
    assert 0 < f < 1
    assert equity - cost * (1 - f) * gross - f * maintenance == pytest.approx(wanted * f * sigma)
    assert keep_share(np.array([1e6]), gross, maintenance, np.array([sigma]), wanted, cost)[0] == 1.0
    assert keep_share(np.array([0.0]), gross, maintenance, np.array([sigma]), wanted, cost)[0] == 0.0


def twin(rule, prices, days=14):
    """One start at a time, in plain Python: the cut rule on a linear additive venue."""
    sub, model, marks = stand(LONG, prices, "hyperliquid:cross", money=THIN)
    b = book_of(sub, model, prices, marks, Costs(), "BTC", 0.0)
    returns = prices.returns(b.assets, marks.as_of).values
    cov = returns[:30].T @ returns[:30] / 30
    covs = [cov]
    for r in returns:
        cov = 0.94 * cov + 0.06 * np.outer(r, r)
        covs.append(cov)
    finals, gones = [], []
    for start in range(60, len(returns) - days + 1):
        v, g, e = b.values.copy(), b.gross.copy(), b.equity
        decided = gone = False
        for day in range(days + 1):
            if day:
                r = returns[start + day - 1]
                e += 0.0 if gone else float(v @ r)
                v, g = v * (1 + r), g * (1 + r)
            mm = b.maintenance / b.gross.sum() * g.sum()
            if not gone and e <= mm:
                gone, e = True, max(e - LIQUIDATION_COST * g.sum(), 0.0)
            if gone or day == days or rule.kind == "nothing":
                continue
            s = float(np.sqrt(v @ covs[start + day] @ v))
            if decided and e - mm < rule.back_to * s:
                size = g.sum()
                f = min(max((e - b.cost * size) / (rule.back_to * s + mm - b.cost * size), 0.0), 1.0)
                e -= b.cost * (1 - f) * size
                v, g, s, mm = v * f, g * f, s * f, mm * f
            decided = s > 0 and (e - mm) / s < rule.trigger
        finals.append(e)
        gones.append(gone)
    return np.array(finals), np.array(gones)


@pytest.mark.parametrize("rule", [NOTHING, Rule(kind="cut"), Rule(kind="cut", trigger=4.0, back_to=6.0)])
def test_a_slow_twin_gives_the_same_account(rule):
    found = next(o for o in run((NOTHING, rule)).outcomes if o.rule == rule)
    final, gone = twin(rule, M)
    assert found.final == pytest.approx(final, rel=1e-9, abs=1e-6)
    assert (found.gone == gone).all()
    assert found.liquidated == pytest.approx(gone.mean())


def test_acting_lowers_liquidations_and_costs_something():
    found = {o.rule.kind: o for o in run().outcomes}
    nothing = found["nothing"]
    assert nothing.cost_bp == nothing.turnover == nothing.acts == 0
    assert nothing.against_nothing.mean == 0
    for kind in ("cut", "mix"):
        assert found[kind].liquidated < nothing.liquidated
        assert found[kind].cost_bp > 0
        assert found[kind].liquidated_less.mean == pytest.approx(nothing.liquidated - found[kind].liquidated)
    for o in found.values():
        assert o.regret.mean <= 1e-12 and o.regret.low <= o.regret.mean <= o.regret.high
        assert o.worst_5 <= o.q05 <= o.mean
        assert (o.final >= 0).all()


def test_a_trigger_in_odds_is_one_in_distance_and_health_is_read_as_it_is():
    distance = 2.5
    odds = 2.0 * float(ndtr(-distance / 3.0**0.5))  # of a walk without drift, within 3 days
    plain = Rule(kind="cut", trigger=distance)
    (_, by_distance), (_, by_odds) = (
        run((NOTHING, rule)).outcomes for rule in (plain, Rule(kind="cut", trigger=odds, by="odds"))
    )  # fmt: skip
    assert by_odds.final == pytest.approx(by_distance.final)
    assert by_odds.rule.title == "cut at odds above 15%, back to 4"
    health = Rule(kind="cut", trigger=1.5, by="health")
    for equity, rings in ((149.0, True), (151.0, False)):
        assert health.rings(np.array([equity]), np.array([100.0]), np.array([1.0]))[0] == rings
    _, by_health = run((NOTHING, health)).outcomes
    assert by_health.acts > 0 and by_health.liquidated < run((NOTHING,)).outcomes[0].liquidated
    with pytest.raises(InputError, match="distance, health, odds"):
        Rule(kind="cut", by="mood")


def test_a_decision_never_sees_what_follows():
    """Prices after a window change nothing within it: the first starts of a longer history are those of a shorter."""
    closes = pd.DataFrame(M.closes, pd.DatetimeIndex(M.dates), list(PRICES))
    short = run(prices=Market(closes.iloc[:-100] / closes.iloc[-101] * np.array(list(PRICES.values()))))
    whole = run()
    assert len(short.outcomes) > 1
    for a, b in zip(short.outcomes, whole.outcomes, strict=True):
        assert 0 < len(a.final) < len(b.final)
        assert b.final[: len(a.final)] == pytest.approx(a.final, rel=1e-6)


def test_more_room_at_the_start_is_safer():
    shares = [run((NOTHING,), start_sigmas=s).outcomes[0].liquidated for s in (2.0, 4.0, 8.0)]
    assert shares[0] > shares[1] > shares[2]


def test_funding_is_charged_to_longs_and_said():
    dates = pd.DatetimeIndex(M.dates)
    rates = pd.DataFrame({"SOL": np.full(len(dates), 0.001), "ADA": np.full(len(dates), 0.001)}, dates)
    free, paid = run((NOTHING,)), run((NOTHING,), funding=rates)
    assert paid.outcomes[0].mean < free.outcomes[0].mean
    assert paid.funded == ("SOL", "ADA") or set(paid.funded) == {"SOL", "ADA"}
    assert any("not charged" in n for n in free.notes) and any("Funding charged" in n for n in paid.notes)
    short = tuple(Position(p.symbol, -p.quantity) for p in LONG)
    assert (
        run((NOTHING,), positions=short, funding=rates).outcomes[0].mean
        > run((NOTHING,), positions=short).outcomes[0].mean
    )


def test_days_without_a_price_are_charged_too():
    """Closes of working days: a rate a day is the same as a table of every day, weekends charged at the next close."""
    dates = pd.DatetimeIndex(M.dates)
    working = Market(pd.DataFrame(M.closes, dates, list(PRICES))[dates.day_of_week < 5])
    every = pd.DataFrame(0.0005, dates, ["SOL", "ADA"])

    def mean(funding):
        return run((NOTHING,), prices=working, funding=funding).outcomes[0].mean

    assert mean(every) == pytest.approx(mean(0.0005), rel=1e-12)
    assert mean(every) < mean(every[dates.day_of_week < 5]) < mean(None)


def test_regret_is_the_final_equity_less_that_of_the_best_rule_of_the_same_start():
    outcomes = run().outcomes
    final = np.array([o.final for o in outcomes])
    start = start_of(outcomes)
    for o, row in zip(outcomes, final, strict=True):
        assert o.regret.mean == pytest.approx(float(np.mean((row - final.max(axis=0)) / start)), abs=1e-12)
        assert o.against_nothing.mean == pytest.approx(float(np.mean((row - final[0]) / start)), abs=1e-12)


def start_of(outcomes):
    """(starts,) equity at each start: what makes the mean return of doing nothing."""
    equity = np.mean(outcomes[0].final) / (1 + outcomes[0].mean)
    return np.full(len(outcomes[0].final), equity)


def test_a_hedge_that_asks_for_margin_without_giving_room_is_not_done():
    found = {o.rule.title: o for o in run((NOTHING, Rule(kind="cut"), Rule(kind="hedge")), hedge_margin=5.0).outcomes}
    cut, hedge = list(found.values())[1:]
    assert hedge.final == pytest.approx(cut.final)


def test_independent_windows_and_months_are_counted():
    found = run()
    assert found.independent == found.starts // 14
    assert found.starts == len(M.dates) - 1 - 60 - 14 + 1
    assert 15 <= found.months <= 21


def test_intervals_draw_months():
    month = np.repeat([f"m{i}" for i in range(40)], 10)
    rng = np.random.default_rng(0)
    shocks = np.repeat(rng.normal(size=40), 10)
    wide, narrow = by_month(shocks, month), by_month(rng.permutation(shocks), month)
    assert wide.low < wide.mean < wide.high
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
    assert wide.high - wide.low == pytest.approx(2 * 1.96 * shocks[::10].std() / 40**0.5, rel=0.25)


def test_what_cannot_be_judged():
    closes = pd.DataFrame(M.closes[-110:], pd.DatetimeIndex(M.dates[-110:]), list(PRICES))
    with pytest.raises(InputError, match="too few to judge"):
        run(prices=Market(closes))
    with pytest.raises(InputError, match="not above the maintenance margin"):
        run(money=(Collateral("USDC", 1.0),))
    for bad in ({"trigger": 0.0}, {"back_to": 1.0}, {"unwind": 3.0}, {"kind": "pray"}):
        with pytest.raises(InputError):
            Rule(**{"kind": "cut", **bad})
