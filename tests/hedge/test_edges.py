"""Accounts at the edge: called already, hedged already, short of history, options, coins, isolated, refused."""

import numpy as np
import pandas as pd
import pytest

from margin.core.account import Account
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.position import Collateral, Position
from margin.core.settings import Settings
from margin.hedge import Costs, hedge
from margin.hedge.accounts import choose, judged
from margin.hedge.frontier import frontier
from margin.hedge.menu import after, hedge_symbol
from margin.models.marks import Marks
from tests.hedge.worlds import MONEY, PRICES, market, stand

M = market()


def test_called_already_is_said_and_the_odds_are_one():
    sub, model, marks = stand((Position("BTC/USDT:USDT", 10.0),), M, money=(Collateral("USDC", 100.0),))
    found = hedge(sub, model, M, marks)
    assert found.before.odds == 1.0
    assert any("already been reached" in note for note in found.notes)
    assert found.best.after.margin <= 0.7 * found.before.margin * (1 + 1e-8)


def test_fully_hedged_has_nothing_to_free_in_one_pool():
    positions = (Position("BTC/USDT:USDT", 1.0), Position("BTC/USDC:USDC", -1.0))
    sub, model, marks = stand(positions, M)
    found = hedge(sub, model, M, marks)
    assert found.before.margin == 0
    assert found.best is None
    assert found.headline.startswith("Nothing is required")
    assert {way.why for way in found.ways} == {"Nothing to free."}
    safe = hedge(*_safeguarded(positions))  # the offset cap asks something of it
    assert safe.best is not None and safe.best.after.margin <= 0.7 * safe.before.margin * (1 + 1e-8)
    curve = frontier(safe.planner, 2)  # no programme sees that cap: the curve is that of cutting alike
    assert len(curve.points) > 5 and curve.floor == pytest.approx(0.0, abs=1e-6)
    at = next(p for p in curve.points if p.margin == pytest.approx(0.7 * safe.before.margin))
    assert at.cost == pytest.approx(safe.way("pro_rata").cost)


def _safeguarded(positions):
    sub, model, marks = stand(positions, M, "safeguarded")
    return sub, model, M, marks


def test_119_days_are_enough_for_a_trade():
    short = Market(pd.DataFrame(M.closes[-119:], pd.DatetimeIndex(M.dates[-119:]), list(PRICES)))
    sub, model, marks = stand((Position("BTC/USDT:USDT", 1.0), Position("SOL/USDT:USDT", 100.0)), short)
    found = hedge(sub, model, short, marks)
    assert found.best.after.margin == pytest.approx(0.7 * found.before.margin, rel=1e-6)


def test_a_hedge_without_history_on_the_books_days_is_left_out_by_name():
    closes = pd.DataFrame(M.closes, pd.DatetimeIndex(M.dates), list(PRICES))
    closes.loc[closes.index[:-50], "ETH"] = np.nan
    young = Market(closes)
    sub, model, marks = stand((Position("SOL/USDT:USDT", 100.0),), young)
    found = hedge(sub, model, young, marks, hedges=("BTC", "ETH", "NOPE"))
    assert dict(found.menu.left_out).keys() == {"ETH/USDT:USDT", "NOPE/USDT:USDT"}
    assert {c.asset for c in found.menu.choices} == {"SOL", "BTC"}
    whole = hedge(*stand_with(M, Position("SOL/USDT:USDT", 100.0)), hedges=("BTC",))
    assert found.before.margin == whole.before.margin  # the young coin did not shorten the book's own history


def stand_with(prices, position):
    sub, model, marks = stand((position,), prices)
    return sub, model, prices, marks


def test_options_only():
    positions = (Position("BTC/USD:BTC-251226-60000-P", -2.0), Position("BTC/USD:BTC-251226-90000-C", -2.0))
    sub, model, marks = stand(positions, M)
    found = hedge(sub, model, M, marks)
    assert found.best.after.margin == pytest.approx(0.7 * found.before.margin, rel=1e-6)
    assert all(t.side == "buy" for t in found.way("cut").trades)


def test_a_hundred_positions():
    rng = np.random.default_rng(1)
    quotes = ("USDT", "USDC", "USD", "FDUSD", "DAI", "TUSD", "USDS", "BUSD", "PYUSD", "GUSD")
    positions = tuple(
        Position(f"{a}/{q}:{q}", float(rng.normal() * 1e4 / PRICES[a]))
        for a in PRICES for q in quotes for _ in range(2)
    )  # fmt: skip
    assert len(positions) == 100
    sub, model, marks = stand(positions, M)
    found = hedge(sub, model, M, marks, orders=None, out_of_sample=False)
    assert found.best.after.margin == pytest.approx(0.7 * found.before.margin, rel=1e-6)
    assert found.way("mix").cost <= found.way("pro_rata").cost


def test_a_coin_settled_position_keeps_its_profit_when_it_is_cut():
    position = Position("BTC/USD:BTC", 60_000.0, entry_price=50_000.0)
    sub, model, marks = stand((position,), M, money=(Collateral("BTC", 0.3),))
    found = hedge(sub, model, M, marks, out_of_sample=False)
    cut = found.way("cut")
    assert cut.trades[0].amount == pytest.approx(60_000.0 * (cut.usd[0] / found.menu.choices[0].most))
    assert found.menu.choices[0].most == pytest.approx(60_000.0 * 60_000.0 / 50_000.0)  # exposure N P / E
    equity = model.state(after(sub, found.marks, found.menu, cut.usd), found.marks).equity
    assert equity == pytest.approx(model.state(sub, marks).equity, rel=1e-9)  # but for its cost nothing is lost
    assert cut.after.equity == pytest.approx(equity - cut.cost, rel=1e-9)


@pytest.mark.parametrize("key", ["portfolio", "hyperliquid:cross"])
@pytest.mark.parametrize("entry", [None, 100.0, 200.0])
def test_equity_changes_by_the_cost_alone(key, entry):
    positions = (Position("SOL/USDC:USDC", 200.0, entry_price=entry), Position("ETH/USDC:USDC", -3.0))
    sub, model, marks = stand(positions, M, key, money=(Collateral("USD", 25_000.0),))
    ways = [way for way in hedge(sub, model, M, marks).ways if way.after is not None]
    assert ways
    for way in ways:
        assert way.after.equity == pytest.approx(model.state(sub, marks).equity - way.cost, rel=1e-9)


def test_isolated_and_mixed_accounts():
    held = Account(
        name="HL", venue="hyperliquid", collateral=MONEY,
        positions=(Position("BTC/USDC:USDC", 1.0, leverage=10),
                   Position("ETH/USDC:USDC", 5.0, leverage=10, mode="isolated", margin=1_600.0)),
    )  # fmt: skip
    book = Portfolio(
        accounts=(held, Account(name="ours", positions=(Position("SOL/USDT:USDT", 10.0),), collateral=MONEY))
    )
    marks = Marks.of_market(M, book)
    found = judged(book, M, marks)
    assert [j.name for j in found] == ["HL: ETH/USDC:USDC", "HL", "ours"]  # the nearest to liquidation first
    assert [j.model.key for j in found] == ["hyperliquid:cross", "hyperliquid:cross", "safeguarded"]
    isolated = choose(found, "HL: ETH/USDC:USDC")
    answer = hedge(isolated.sub, isolated.model, M, marks)
    assert answer.credit.frees is False and "isolated" in answer.credit.why
    assert answer.best.trades[0].symbol == "ETH/USDC:USDC" and answer.best.trades[0].reduce_only
    assert {c.symbol for c in answer.menu.choices} == {"ETH/USDC:USDC"}
    with pytest.raises(InputError, match="HL: ETH"):
        choose(found, "HL: ETH/USDC")


def test_a_venue_that_refuses_part():
    class Refusing:
        def __init__(self, model, alone):
            self.model, self.alone = model, alone

        def __getattr__(self, name):
            return getattr(self.model, name)

        def refuses(self, book):
            from margin.models.base import Unsupported

            return tuple(
                Unsupported(symbol=p.symbol, reason="not reproduced here", alone=self.alone)
                for p in book.positions if p.underlying == "ADA"
            )  # fmt: skip

    positions = (Position("SOL/USDC:USDC", 100.0), Position("ADA/USDC:USDC", 100.0))
    sub, model, marks = stand(positions, M, "hyperliquid:cross")
    found = hedge(sub, Refusing(model, True), M, marks)
    assert any("Without ADA/USDC:USDC: not reproduced here" in note for note in found.notes)
    assert "ADA" not in {c.asset for c in found.menu.choices}
    with pytest.raises(InputError, match="not reproduced here"):
        hedge(sub, Refusing(model, False), M, marks)


def test_what_is_kept_is_not_touched():
    positions = (Position("SOL/USDT:USDT", 200.0), Position("BTC/USDT:USDT", 0.1), Position("ADA/USDT:USDT", 30_000.0))
    sub, model, marks = stand(positions, M)
    found = hedge(sub, model, M, marks, keep=["SOL", "BTC"])
    traded = {t.symbol: t for w in found.ways for t in w.trades}
    assert "SOL/USDT:USDT" not in traded
    assert not any(t.side == "sell" and t.symbol == "BTC/USDT:USDT" for t in traded.values())
    with pytest.raises(InputError, match="is not held"):
        hedge(sub, model, M, marks, keep=["DOGE"])


def test_a_flip_is_one_order_and_not_reduce_only():
    sub, model, marks = stand((Position("BTC/USDT:USDT", 0.05), Position("SOL/USDT:USDT", 300.0)), M)
    found = hedge(sub, model, M, marks, keep=["SOL"], hedges=("BTC",), target=0.85 * model.state(sub, marks).initial)
    order = found.best.trades[0]
    assert len(found.best.trades) == 1 and order.side == "sell" and order.amount > 0.05
    assert not order.reduce_only
    cut = 0.05 * marks.price("BTC")
    assert order.bill.fee == pytest.approx(order.usd * 4.5e-4)  # the fee once on each dollar
    assert order.bill.unwind == pytest.approx((order.usd - cut) * (4.5e-4 + 1e-5))


def test_lots_round_towards_less_risk():
    sub, model, marks = stand((Position("BTC/USDT:USDT", 1.0),), M)
    found = hedge(sub, model, M, marks, hedges=(), lots={"BTC/USDT:USDT": 0.07})
    amount = found.best.trades[0].amount
    assert amount == pytest.approx(0.35)  # 0.30 is needed: four lots are too few
    assert found.best.after.margin <= 0.7 * found.before.margin


def test_what_cannot_be_asked():
    sub, model, marks = stand((Position("BTC/USDT:USDT", 1.0),), M)
    now = model.state(sub, marks).initial
    for bad, name in (
        ({"target": now}, "target"), ({"target": -1.0}, "target"), ({"budget": 0.0}, "budget"),
        ({"target": 1.0, "budget": 1.0}, "budget"), ({"orders": 4}, "trades"), ({"figure": "health"}, "figure"),
        ({"days": 0.0}, "days"),
    ):  # fmt: skip
        with pytest.raises(InputError) as error:
            hedge(sub, model, M, marks, **bad)
        assert error.value.field == name
    with pytest.raises(InputError):
        Costs(fee_bp=-1.0)
    with pytest.raises(InputError):
        Costs(funding_bp_day={"BTC": float("nan")})
    with pytest.raises(InputError, match="nothing is left"):
        hedge(sub, model, M, marks, keep=["BTC"], hedges=())


def test_a_hedge_is_quoted_like_the_rest_of_the_account():
    sub, _, _ = stand((Position("SOL/USDC:USDC", 1.0),), M)
    assert hedge_symbol(sub, "BTC") == "BTC/USDC:USDC"
    assert hedge_symbol(sub, "BTC/USD:BTC") == "BTC/USD:BTC"
    coin, model, marks = stand((Position("ETH/USD:ETH", 9_000.0),), M, money=(Collateral("ETH", 5.0),))
    assert hedge_symbol(coin, "BTC") == "BTC/USD:BTC"
    found = hedge(coin, model, M, marks, hedges=("BTC",), keep=["ETH"], target=0.9 * model.state(coin, marks).initial)
    for trade in found.way("hedge").trades:
        assert trade.amount == pytest.approx(trade.usd)  # dollars of face


def test_settings_reach_the_model():
    loose = stand((Position("BTC/USDT:USDT", 1.0),), M, settings=Settings(level=0.9))
    tight = stand((Position("BTC/USDT:USDT", 1.0),), M, settings=Settings(level=0.99))
    a, b = (hedge(s, m, M, k).before.margin for s, m, k in (loose, tight))
    assert a < b


def test_loans_alone_are_no_matter_for_a_trade():
    sub, model, marks = stand((Position("USD", -8_000.0),), M, money=(Collateral("ETH", 5.0),))
    with pytest.raises(InputError, match="could be cut or hedged"):
        hedge(sub, model, M, marks)


@pytest.mark.parametrize("key", ["portfolio", "hyperliquid:cross"])
def test_a_position_in_several_rows_is_cut_by_one_order_at_the_same_cost(key):
    """Written in two rows it would take two orders of the two that are allowed, and two small orders pay less impact."""
    whole = (Position("SOL/USDT:USDT", 900.0, 150.0), Position("BTC/USDT:USDT", 1.0, 60_000.0))
    rows = tuple(Position(p.symbol, share * p.quantity, p.entry_price) for p in whole for share in (0.25, 0.75))
    one, other = (hedge(*_standing(positions, key)) for positions in (whole, rows))
    for way, same in zip(one.ways, other.ways, strict=True):
        assert (way.reached, way.why) == (same.reached, same.why)
        assert same.cost == pytest.approx(way.cost)
        assert [(t.symbol, pytest.approx(t.amount)) for t in way.trades] == [(t.symbol, t.amount) for t in same.trades]
    assert one.way("cut").reached


def _standing(positions, key):
    sub, model, marks = stand(positions, M, key)
    return sub, model, M, marks


def test_a_hedge_whose_days_are_as_many_but_not_the_same_is_left_out():
    """One close of BTC is missing: its 500 returns begin a day earlier, and the book's margin would be of other days."""
    closes = pd.DataFrame(M.closes, pd.DatetimeIndex(M.dates), list(PRICES))
    closes.iloc[-200, list(PRICES).index("BTC")] = np.nan
    holed = Market(closes)
    sub, model, marks = stand((Position("SOL/USDT:USDT", 200.0), Position("ADA/USDT:USDT", 3_000.0)), holed)
    found = hedge(sub, model, holed, marks)
    assert {c.asset for c in found.menu.choices} == {"SOL", "ADA", "ETH"}


def test_isolated_positions_of_one_contract_have_names_of_their_own():
    rows = [Position("BTC/USDT:USDT", q, PRICES["BTC"], mode="isolated", margin=9_000.0) for q in (0.5, -0.4, 0.3)]
    book = Portfolio(accounts=(Account(positions=rows, venue="binance", name="mine"),))
    found = judged(book, M, Marks.of_market(M, book), Settings())
    assert {j.name: j.sub.positions[0].quantity for j in found} == {
        "mine: BTC/USDT:USDT": 0.5, "mine: BTC/USDT:USDT (2)": -0.4, "mine: BTC/USDT:USDT (3)": 0.3,
    }  # fmt: skip
