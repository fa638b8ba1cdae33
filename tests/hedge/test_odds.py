"""The odds on Hedge are those of the forecast: the same number for the same account, before and after."""

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from margin import models
from margin.core.account import Account
from margin.core.errors import InputError
from margin.core.portfolio import Portfolio
from margin.core.position import Collateral, Position
from margin.forecast.engine import forecast
from margin.forecast.results import printed
from margin.hedge.accounts import assets_of, judged
from margin.hedge.collateral import collateral_moves
from margin.hedge.menu import after
from margin.hedge.odds import forecast_odds
from margin.hedge.study import hedge
from margin.models.marks import Marks
from tests.hedge.worlds import market

M = market()
LEGS = (Position("BTC/USDT:USDT", 0.5), Position("SOL/USDT:USDT", 200.0), Position("ADA/USDT:USDT", -20_000.0))
ONE = Portfolio(LEGS, (Collateral("USDC", 6_000.0),))
SEVERAL = Portfolio(
    accounts=(
        Account(name="HL", venue="hyperliquid", mode="cross", collateral=(Collateral("USDC", 7_000.0),),
                positions=(Position("BTC/USDC:USDC", 1.0, leverage=10),
                           Position("ETH/USDC:USDC", 5.0, leverage=10, mode="isolated", margin=1_600.0))),
        Account(name="BN", venue="binance", mode="cross", positions=(Position("SOL/USDT:USDT", 50.0),),
                collateral=(Collateral("USDT", 1_200.0),)),
    )
)  # fmt: skip


def answers(portfolio, model=None, days=7.0, **more):
    """(sub-account's name, Hedge, SubForecast) of everything that is liquidated separately."""
    marks = Marks.of_market(M, portfolio)
    found = judged(portfolio, M, marks, model=model)
    whole = forecast(portfolio, M, model=model)
    out = []
    for j in found:
        answer = hedge(j.sub, j.model, M, marks, days=days, among=assets_of(found), odds_model=j.odds_model,
                       out_of_sample=False, **more)  # fmt: skip
        out.append((j.name, answer, whole))
    return out


@pytest.mark.parametrize("model", [None, "portfolio", "safeguarded", "netted", "isolated", "hyperliquid:cross"])
@pytest.mark.parametrize("days", [3.0, 7.0])
def test_one_account_before(model, days):
    ((_, answer, whole),) = answers(ONE, model, days)
    assert answer.before.odds == next(o.probability for o in whole.horizons if o.days == days)
    assert 0 < answer.before.odds < 1


def test_one_account_after():
    ((_, answer, _),) = answers(ONE, "hyperliquid:cross")
    best = answer.best
    held = after(answer.sub, answer.marks, answer.menu, best.usd.tolist(), best.cost)
    then = forecast(Portfolio(held.positions, held.collateral), M, model="hyperliquid:cross")
    assert best.after.odds == then.horizons[-1].probability < answer.before.odds


def test_each_of_several_accounts():
    pairs = answers(SEVERAL)
    assert len(pairs) == 3
    subs = {round(s.gap.usd, 6): s for s in pairs[0][2].subs}
    for _, answer, _ in pairs:
        own = subs[round(answer.before.equity - answer.before.maintenance, 6)]
        assert answer.before.odds == own.horizons[-1].probability


def test_a_book_without_money_gets_what_the_forecast_assumes():
    bare = Portfolio(LEGS)
    ((_, answer, whole),) = answers(bare)
    assert whole.assumed_capital is not None
    assert answer.before.odds == whole.horizons[-1].probability < 1
    assert any("No collateral is given" in note for note in answer.notes)


def test_too_little_history_has_no_odds_and_says_so():
    import pandas as pd

    from margin.core.market import Market

    short = Market(pd.DataFrame(M.closes[-119:], pd.DatetimeIndex(M.dates[-119:]), list(M.assets)))
    marks = Marks.of_market(short, ONE)
    (j,) = judged(ONE, short, marks)
    answer = hedge(j.sub, models.get("hyperliquid:cross"), short, marks)
    assert answer.before.odds is None
    assert any("120 days" in note for note in answer.notes)


WISHES = pytest.mark.parametrize("model", ["portfolio", "hyperliquid:cross"])


@WISHES
def test_wished_odds_are_met_by_the_forecast_in_every_way(model):
    ((_, before, whole),) = answers(ONE, model)
    wish = whole.horizons[-1].probability / 3.0
    ((_, then, _),) = answers(ONE, model, odds=wish)
    marks = Marks.of_market(M, ONE)
    reached = [w for w in then.ways if w.reached]
    assert {w.key for w in reached} >= {"pro_rata", "cut", "mix"}
    for way in reached:
        book = after(then.sub, marks, then.menu, way.usd.tolist(), way.cost)
        said = next(o for o in forecast(book, M, model=then.model, marks=marks).horizons if o.days == 7.0)
        assert way.after.odds == said.probability
        assert wish / 2 < way.after.odds <= wish  # met, and not much further than asked
    assert before.before.odds == then.before.odds
    assert then.best.cost == min(w.cost for w in reached if len(w.trades) <= 2)
    assert "odds of liquidation within 7 days from" in then.headline


@WISHES
def test_a_hedged_pair_is_cut_as_a_pair_as_a_brute_grid_finds(model):
    """Long BTC, short ETH and some SOL: either leg alone makes it worse, so a search order by order finds nothing."""
    pair = Portfolio(
        (Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", -18.0), Position("SOL/USDT:USDT", 20.0)),
        (Collateral("USDC", 3_600.0),),
    )
    ((_, found, _),) = answers(pair, model, days=3.0, hedges=[])
    wish = found.before.odds / 2.5
    ((_, found, _),) = answers(pair, model, days=3.0, hedges=[], odds=wish)
    assert {t.symbol[:3] for t in found.way("cut").trades} == {"BTC", "ETH"}
    brute = np.inf
    for first, second in product(np.linspace(0, 1, 16), repeat=2):
        usd = np.array([first * found.menu.choices[0].most, second * found.menu.choices[1].most, 0.0])
        cost = found.planner.cost(usd)
        if cost < brute:
            book = after(found.sub, found.marks, found.menu, usd.tolist(), cost)
            odds = found.backing.odds(book, found.model, M, found.marks, 3.0)
            brute = cost if odds <= wish else brute
    assert found.way("cut").cost <= 1.05 * brute


@WISHES
def test_lower_odds_cost_more_and_whole_lots_keep_them(model):
    ((_, now, _),) = answers(ONE, model)
    wishes = [now.before.odds * share for share in (0.7, 0.4, 0.1)]
    costs = [answers(ONE, model, odds=w)[0][1].best.cost for w in wishes]
    assert costs == sorted(costs) and costs[0] > 0
    lots = {p.symbol: abs(p.quantity) / 9.0 for p in ONE.positions}
    ((_, whole, _),) = answers(ONE, model, odds=wishes[1], lots=lots)
    assert whole.best.after.odds <= wishes[1]


def test_a_way_that_cannot_reach_them_says_how_far_it_goes():
    """A hedge alone, of what cannot be hedged whole: its lowest odds are the forecast's of the book after it."""
    ((_, found, _),) = answers(ONE, "portfolio", odds=0.001, orders=1, hedges=["ETH"], keep=["BTC"])
    for way in (w for w in found.ways if not w.reached):
        said = re.search(r"go down to (below 1%|[\d.]+%)|none of these trades lowers them", way.why)
        assert said, way.why
        if said[1]:
            cost = found.planner.cost(way.usd)
            then = after(found.sub, found.marks, found.menu, way.usd.tolist(), cost)
            assert printed(forecast_odds(then, found.model, M, found.marks, found.days)) == said[1]
    assert any(not w.reached for w in found.ways)


def test_wished_odds_that_cannot_be_aimed_at():
    with pytest.raises(InputError, match="met already"):
        answers(ONE, "portfolio", odds=0.99)
    with pytest.raises(InputError, match="stands beside"):
        answers(ONE, "portfolio", odds=0.01, target=100.0)
    kept = [p.symbol for p in ONE.positions]
    ((_, none, _),) = answers(ONE, "hyperliquid:cross", odds=1e-3, keep=kept, hedges=["BTC"], orders=1)
    assert none.best is None
    assert none.headline.startswith("No such trade brings the odds of liquidation")


def test_moves_are_judged_by_the_forecast_of_all_accounts():
    marks = Marks.of_market(M, SEVERAL)
    moves = collateral_moves(SEVERAL, M, marks)
    whole = forecast(SEVERAL, M)
    assert moves.before == whole.horizons[-1].probability
    add = next(r for r in moves.rows if r.kind == "add" and r.what.endswith("to HL"))
    richer = replace(
        SEVERAL.accounts[0], collateral=(Collateral("USDC", 7_000.0 + add.usd / M.price("USDC") if "USDC" in M else
                                                    7_000.0 + add.usd),)
    )  # fmt: skip
    then = forecast(replace(SEVERAL, accounts=(richer, SEVERAL.accounts[1])), M)
    assert add.odds == then.horizons[-1].probability


def test_a_pair_where_no_single_move_is_enough():
    """Two accounts, each in danger: money for one of them leaves the other."""
    thin = Portfolio(
        accounts=(
            Account(name="A", venue="hyperliquid", mode="cross", positions=(Position("ETH/USDC:USDC", 5.0),),
                    collateral=(Collateral("USDC", 1_000.0),)),
            Account(name="B", venue="binance", mode="cross", positions=(Position("SOL/USDT:USDT", -90.0),),
                    collateral=(Collateral("USDT", 900.0),)),
        )
    )  # fmt: skip
    moves = collateral_moves(thin, M, Marks.of_market(M, thin), wanted=0.03)
    singles = [r for r in moves.rows if r.kind in ("add", "transfer")]
    assert singles and not any(r.reaches for r in singles)
    pair = next(r for r in moves.rows if r.kind == "pair")
    assert pair.reaches and pair.odds <= 0.03 and ", then " in pair.what
    assert "to A" in pair.what and "to B" in pair.what
    assert pair.per_dollar == pytest.approx((moves.before - pair.odds) / pair.cost)
    assert pair.cost > 2.0  # both transfers
    assert moves.rows.index(pair) == min(i for i, r in enumerate(moves.rows) if r.kind in ("pair", "add"))
