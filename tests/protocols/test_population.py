"""Crowds of shared wallets: each wallet as it would fare alone, who loses more by rule, and where a crowd tips over."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from margin import InputError
from margin.protocols.branching import cascade, liquidation_ladder, square_root_impact
from margin.protocols.paid import along_falls, paid
from margin.protocols.population import Crowd, by_double, closing_falls, draw, fund_need, shocked, tipping
from margin.protocols.wallet import Perp, Pledge, Wallet

MIXED = (("separate", 0.25), ("lien", 0.25), ("unified", 0.25), ("double", 0.25))


def falling(move, steps=24):
    return np.full((steps, 2), (1.0 + move) ** (1.0 / steps) - 1.0)


def one(crowd, people, i):
    """Wallet i as margin/protocols/wallet.py has it."""
    coin, perp = "AB"[people.coin[i]], "AB"[people.perp[i]]
    pledge = Pledge(asset=coin, value=people.value[i], ltv=crowd.ltv, threshold=crowd.threshold, weight=crowd.weight)
    position = Perp(asset=perp, notional=people.notional[i], maintenance=crowd.maintenance, initial=crowd.margin)
    return Wallet(collateral=(pledge,), debt=people.debt[i], perps=(position,), cash=people.cash[i], bonus=crowd.bonus)


def test_without_impact_every_wallet_fares_as_it_would_alone():
    crowd = Crowd(wallets=400, rules=MIXED, impact=0.0)
    people = draw(crowd)
    move = np.array([[-0.45, -0.6]])
    found = shocked(crowd, move, people)
    alone = [
        paid(one(crowd, people, i), people.rules[people.rule[i]], {"A": -0.45, "B": -0.6}, crowd.theta)
        for i in range(crowd.wallets)
    ]
    assert found.lender_short == pytest.approx(sum(p.lender_short for p in alone), rel=1e-12)
    assert found.venue_short == pytest.approx(sum(p.venue_short for p in alone), rel=1e-12)
    assert found.bonus == pytest.approx(sum(p.bonus for p in alone), rel=1e-12)
    assert found.called == sum(p.lender_called or p.venue_called for p in alone)
    assert found.lender_short > 0 and found.venue_short > 0
    assert sum(found.by_rule.values()) == pytest.approx(found.short)
    for p in alone:  # who is paid what adds up
        rest = p.collateral + p.cash + p.result - p.debt - p.bonus + p.lender_short + p.venue_short
        assert rest == pytest.approx(p.wallet, abs=1e-6)


def test_calls_in_closed_form_are_where_the_gaps_say():
    crowd = Crowd(wallets=300, rules=MIXED, seed=4)
    people = draw(crowd)
    falls, _ = closing_falls(crowd, people)
    seen = 0
    for i in range(300):
        wallet, rule = one(crowd, people, i), people.rules[people.rule[i]]
        along = along_falls(wallet, rule, crowd.theta, deepest=-1.0 + 1e-9, rows=4001)
        for ours, theirs in ((falls[i], along.lender_call), (falls[300 + i], along.venue_call)):
            if theirs is None:
                assert not ours < 0.999
            else:
                assert ours == pytest.approx(-theirs, abs=1e-3)
                seen += 1
    assert seen > 200


def test_more_counted_twice_leaves_more_unpaid():
    found = [s.short for _, s in by_double(Crowd(wallets=3000), falling(-0.4))]
    assert found[0] < found[-1]
    assert all(a <= b * (1 + 1e-9) for a, b in pairwise(found))


def test_sales_push_the_price_and_a_calm_market_sells_nothing():
    crowd = Crowd(wallets=3000, rules=MIXED)
    hit = shocked(crowd, falling(-0.4))
    assert (hit.prices[-1] < hit.outside[-1]).all()
    calm = shocked(crowd, np.zeros((10, 2)))
    looped_close = calm.called
    assert calm.lender_short == 0 and looped_close < hit.called
    free = shocked(replace(crowd, impact=0.0), falling(-0.4))
    np.testing.assert_allclose(free.prices, free.outside, rtol=1e-12)


def test_funds_pay_before_anybody_else():
    poor = Crowd(wallets=3000, rules=MIXED, lender_fund=0.0, venue_fund=0.0)
    found = shocked(poor, falling(-0.5))
    assert found.lender_left + found.venue_left == pytest.approx(found.short)
    rich = shocked(replace(poor, shared_fund=found.short), falling(-0.5))
    assert rich.lender_left == pytest.approx(0, abs=1e-6) and rich.venue_left == pytest.approx(0, abs=1e-6)
    half = shocked(replace(poor, shared_fund=found.short / 2), falling(-0.5))
    assert half.lender_left + half.venue_left == pytest.approx(found.short / 2)


def test_a_crowd_tips_sooner_in_a_thin_market():
    crowd = Crowd(wallets=5000)
    thin = tipping(crowd, square_root_impact(0.04, 3e7)).critical
    deep = tipping(crowd, square_root_impact(0.04, 3e12)).critical
    assert thin is not None
    assert deep is None or deep[0] > thin[0]


@pytest.mark.parametrize("traded", [2e8, 1e9, 1e10])
@pytest.mark.parametrize("shock", [0.1, 0.2, 0.3])
def test_the_crowd_falls_as_far_as_the_cascades_equation_says(traded, shock):
    """Longs on one coin, one shock and no noise: the steps end where x = shock + impact(Q(x)) has its least root."""
    crowd = Crowd(wallets=2000, long_share=1.0, volumes=(traded, 1e12))
    people = draw(crowd)
    people = replace(people, coin=np.zeros_like(people.coin), perp=np.zeros_like(people.perp))
    moves = np.zeros((60, 2))
    moves[0] = -shock
    fell = 1.0 - shocked(crowd, moves, people).prices[-1, 0]
    ladder = liquidation_ladder(*closing_falls(crowd, people))
    assert fell == pytest.approx(
        cascade(ladder, square_root_impact(crowd.volatilities[0], traded), shock).total, rel=0.1
    )
    assert fell > shock


def test_the_fund_keeps_its_level_whole():
    weeks = np.array([falling(-0.02 * i, 12) for i in range(40)])
    need = fund_need(Crowd(wallets=500, rules=MIXED), weeks, 0.9)
    both = need.losses.sum(axis=1)
    assert (both <= need.mutual.mutual + 1e-6).mean() >= 0.9
    assert (both <= need.mutual.mutual - 1.0).mean() < 0.9
    for i in range(2):
        assert (need.losses[:, i] <= need.mutual.separate[i]).mean() >= 0.9


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"wallets": 3}, "wallets"),
        ({"rules": (("separate", 0.5),)}, "rules"),
        ({"rules": (("borrowed", 1.0),)}, "rules"),
        ({"ltv": 0.9}, "ltv"),
        ({"depth": 51}, "depth"),
        ({"margin": 0.001}, "depth"),
        ({"volumes": (0.0, 1.0)}, "volumes"),
    ],
)
def test_what_cannot_be_is_named(change, field):
    with pytest.raises(InputError) as caught:
        Crowd(**change)
    assert caught.value.field.startswith(field)


def test_a_lender_may_lend_up_to_its_threshold():
    assert Crowd(wallets=300, ltv=0.8, threshold=0.8).ltv == 0.8
