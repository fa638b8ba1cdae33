"""Baskets, swaps, right-way and wrong-way collateral: by hand, by the ladder itself, by property."""

import numpy as np
import pytest

from margin import Collateral, InputError, Market, Portfolio, Position, Settings, compare
from margin.haircut.basket import JointMargin, right_and_wrong_way, risk_weighted, swap_values
from margin.haircut.model import haircut
from tests.ladder.books import market_frame

FRAME = market_frame()
MARKET = Market(FRAME, FRAME * 0 + 1e9)
HELD = (Collateral("BTC", 0.5), Collateral("ETH", 4.0), Collateral("USD", 5000.0))


def test_a_basket_by_hand():
    found = risk_weighted(HELD, MARKET)
    values = {"BTC": 30_000.0, "ETH": 12_000.0, "USD": 5000.0}
    lost = sum(v * haircut(MARKET, a, v).total for a, v in values.items())
    assert found.market_value == pytest.approx(47_000)
    assert found.counted == pytest.approx(47_000 - lost)
    assert found.capital_alone == pytest.approx(lost)
    assert found.risk_weighted == pytest.approx(12.5 * lost)
    losses = np.sort(-MARKET.returns(["BTC", "ETH"], None, 2, 500).values @ [30_000.0, 12_000.0])[::-1]
    assert found.capital_joint == pytest.approx(losses[:5].mean())
    assert found.capital_joint < found.capital_alone


def test_joint_margin_is_the_ladders_joint_treatment():
    positions = (Position("ETH/USDT:USDT", -10), Position("SOL/USDC:USDC", 50))
    book = Portfolio(positions, (Collateral("BTC", 0.5), Collateral("USD", 100.0)))
    ladder = compare(book, MARKET, settings=Settings(collateral_treatment="joint"))
    joint = JointMargin(positions, MARKET, ["BTC"], Settings())
    assert joint.margin({"BTC": 30_000.0}) == pytest.approx(ladder.account.requirement)
    assert joint.margin({}) == pytest.approx(compare(Portfolio(positions), MARKET).portfolio, rel=0.2)


def test_a_swap_is_the_difference_of_two_accounts():
    book = Portfolio((Position("ETH/USDT:USDT", -10),), HELD)
    (swap,) = [s for s in swap_values(book, MARKET, ["USD"], 2000.0) if s.sell == "BTC"]
    chosen = Settings(collateral_treatment="haircut")
    before = compare(book, MARKET, settings=chosen).account
    after = compare(
        Portfolio(book.positions, (Collateral("BTC", 28_000 / 60_000), HELD[1], Collateral("USD", 7000))),
        MARKET,
        settings=chosen,
    )
    assert swap.amount == 2000.0
    assert swap.haircut_gain == pytest.approx(after.account.equity - before.equity)
    assert swap.haircut_gain > 0, "dollars have no haircut"
    best_first = [s.haircut_gain for s in swap_values(book, MARKET, ["USD", "SOL", "ETH"])]
    assert best_first == sorted(best_first, reverse=True)


def test_swapping_into_the_coin_one_is_short_frees_joint_margin():
    book = Portfolio((Position("ETH/USDT:USDT", -10),), (Collateral("USD", 20_000.0),))
    (swap,) = swap_values(book, MARKET, ["ETH"], 5000.0)
    assert swap.haircut_gain < 0 < swap.joint_gain


def test_right_way_frees_and_wrong_way_binds():
    right, wrong = right_and_wrong_way("BTC", MARKET, 10_000.0, 10_000.0)
    assert (right.side, right.wrong_way, wrong.side, wrong.wrong_way) == ("short", False, "long", True)
    assert right.margin_joint == 0.0, "a short fully hedged by the same coin"
    assert wrong.margin_joint == pytest.approx(2 * wrong.margin_haircut), "twice the coin, twice the margin"
    assert right.counted == wrong.counted == pytest.approx(10_000 * (1 - haircut(MARKET, "BTC", 10_000.0).total))
    assert right.free_joint > right.free_haircut
    assert right.free_haircut == pytest.approx(right.counted - right.margin_haircut)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: risk_weighted([Collateral("BTC", -1)], MARKET), "debt"),
        (lambda: risk_weighted([Collateral("NOPE", 1)], MARKET), "NOPE"),
        (lambda: swap_values(Portfolio((), HELD), MARKET, ["USD"], 0.0), "amount"),
        (lambda: right_and_wrong_way("BTC", MARKET, 0.0, 1.0), "position_usd"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(InputError, match=said):
        call()
