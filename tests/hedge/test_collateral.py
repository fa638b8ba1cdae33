"""Moves of collateral: what helps, in which order, and that nothing is made out of nothing."""

import re

import pytest

from margin.core.account import Account
from margin.core.errors import InputError
from margin.core.portfolio import Portfolio
from margin.core.position import Collateral, Position
from margin.core.settings import Settings
from margin.forecast.first_passage import hit_probability
from margin.hedge.accounts import model_of
from margin.hedge.collateral import collateral_moves
from margin.hedge.collateral_plans import World, plans_of
from margin.hedge.costs import Costs
from margin.hedge.odds import gap_exposures, quick_any, quick_odds
from margin.models.marks import Marks
from tests.hedge.worlds import PRICES, market, stand

M = market()
MIXED = Portfolio(
    accounts=(
        Account(name="HL", venue="hyperliquid", mode="cross", collateral=(Collateral("USDC", 9_000.0), Collateral("ETH", 1.0)),
                positions=(Position("BTC/USDC:USDC", 1.0, leverage=10),
                           Position("ETH/USDC:USDC", 5.0, leverage=10, mode="isolated", margin=900.0))),
        Account(name="BN", venue="binance", mode="cross", positions=(Position("SOL/USDT:USDT", 50.0),),
                collateral=(Collateral("USDT", 20_000.0),)),
    )
)  # fmt: skip


def found(book=MIXED, **more):
    return collateral_moves(book, M, Marks.of_market(M, book), **more)


def test_the_quick_odds_are_the_closed_form_of_one_long():
    sub, model, marks = stand(
        (Position("BTC/USDC:USDC", 1.0),), M, "hyperliquid:cross", money=(Collateral("USDC", 9_000.0),)
    )
    state = model.state(sub, marks)
    assets, exposures = gap_exposures(sub, model, marks)
    rate = state.maintenance / PRICES["BTC"]
    assert assets == ("BTC",)
    assert exposures[0] == pytest.approx(PRICES["BTC"] * (1 - rate), rel=1e-6)  # equation (1) of one position
    returns = M.returns(["BTC"], marks.as_of).values[:, 0]
    variance = (returns[:30] ** 2).mean()
    for r in returns:
        variance = 0.94 * variance + 0.06 * r**2
    sigma = variance**0.5 * exposures[0]
    assert quick_odds(sub, model, marks, M, 7.0) == pytest.approx(
        float(hit_probability(state.gap, sigma, 7.0)), rel=1e-9
    )


def test_quick_any():
    assert quick_any([0.5, 0.5]) == 0.75
    assert quick_any([]) == 0.0


def test_the_list_is_ranked_and_every_move_helps():
    moves = found()
    assert moves.rows and moves.wanted == moves.before / 2
    keys = [(not r.reaches, -r.per_dollar) for r in moves.rows]
    assert keys == sorted(keys)
    assert all(r.odds < moves.before and r.cost >= 0 for r in moves.rows)
    assert all(r.odds <= moves.wanted * (1 + 1e-9) for r in moves.rows if r.reaches)
    for r in moves.rows:
        assert r.per_dollar == pytest.approx((moves.before - r.odds) / max(r.cost, 0.01))
    assert {"add", "transfer"} <= {r.kind for r in moves.rows}


def test_money_of_the_pool_saves_an_isolated_position_for_nothing():
    inside = [r for r in found().rows if r.kind == "transfer" and "isolated margin of ETH" in r.what]
    assert inside and inside[0].cost == 0


def test_adding_is_as_small_as_it_can_be():
    book = Portfolio([Position("SOL/USDT:USDT", 200.0)], [Collateral("USDC", 3_000.0)])
    moves = found(book)
    add = next(r for r in moves.rows if r.kind == "add")
    marks = Marks.of_market(M, book)
    world = World(M, marks, Settings(), None, 7.0, Costs())
    plan = next(p for p in plans_of(book, world) if p.kind == "add")
    assert world.odds(plan.book(add.usd)) <= moves.wanted
    assert world.odds(plan.book(0.95 * add.usd)) > moves.wanted


def test_a_sale_of_collateral_names_the_coins_that_its_dollars_are():
    (sale,) = [r for r in found().rows if r.kind == "swap"]
    coins = float(re.fullmatch(r"sell ([\d.,]+) ETH of the collateral in HL for USDC", sale.what)[1].replace(",", ""))
    assert coins * PRICES["ETH"] == pytest.approx(sale.usd, rel=1e-3)


def test_no_move_makes_money():
    """Equity over all accounts after a move is what it was, less the trading it paid, plus what was added."""
    marks = Marks.of_market(M, MIXED)
    world = World(M, marks, Settings(), None, 7.0, Costs())

    def equity(book):
        models = [(a, model_of(a, M, Settings())) for a in book.accounts]
        return sum(m.state(sub, marks).equity for a, m in models for sub in a.sub_accounts(m, marks))

    before = equity(MIXED)
    seen = set()
    for plan in plans_of(MIXED, world):
        if plan.kind in ("swap", "venue"):  # haircuts differ between coins and venues
            continue
        size = plan.most if plan.whole else 0.01 * plan.most
        gained = equity(plan.book(size)) - before
        traded = plan.cost(size) if plan.kind == "position" else 0.0
        expected = size if plan.kind == "add" else -traded
        assert gained == pytest.approx(expected, abs=1e-6 + 0.02 * abs(size) * (plan.kind == "add"))
        seen.add(plan.kind)
    assert {"add", "transfer", "position"} <= seen


def test_what_cannot_be_judged_is_named():
    book = Portfolio(accounts=(*MIXED.accounts, Account(name="odd", venue="dydx", mode="cross",
                     positions=(Position("ADA/USDT:USDT-251226", 10.0),), collateral=(Collateral("USDC", 10.0),))))  # fmt: skip
    moves = found(book)
    assert any(note.startswith("odd") for note in moves.notes)
    with pytest.raises(InputError, match="nothing here is margined"):
        found(Portfolio([Position("BTC/USD", 1.0)], []))
    with pytest.raises(InputError, match="cannot be judged"):
        found(Portfolio(accounts=book.accounts[-1:]))
