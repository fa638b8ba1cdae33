"""The odds on Hedge are those of the forecast: the same number for the same account, before and after."""

from dataclasses import replace

import pytest

from margin import models
from margin.core.account import Account
from margin.core.portfolio import Portfolio
from margin.core.position import Collateral, Position
from margin.forecast.engine import forecast
from margin.hedge.accounts import assets_of, judged
from margin.hedge.collateral import collateral_moves
from margin.hedge.least_odds import target_for_odds
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
    after = answer.best.after
    from margin.hedge.menu import after as book_after

    best = answer.best
    held = book_after(answer.sub, answer.marks, answer.menu, best.usd.tolist(), best.cost)
    then = forecast(Portfolio(held.positions, held.collateral), M, model="hyperliquid:cross")
    assert after.odds == then.horizons[-1].probability < answer.before.odds


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


def test_wished_odds_are_met_by_the_forecast():
    ((_, answer, whole),) = answers(ONE, "portfolio")
    wish = whole.horizons[-1].probability / 3.0
    target = target_for_odds(wish, answer.planner, answer.sub, answer.model, answer.marks, M, 7.0, 2, answer.backing)
    ((_, then, _),) = answers(ONE, "portfolio", target=target)
    assert then.best.after.odds <= wish * (1 + 1e-6)
    assert then.best.after.odds > wish / 2  # and not much further than asked


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
