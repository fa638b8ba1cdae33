"""A whole market of accounts against a loop of single ones; every policy of loss allocation moves the same money."""

from dataclasses import replace

import numpy as np
import pytest

from margin import InputError
from margin.liquidation.adl_comparison import compare_policies
from margin.liquidation.population import MODES, World, cascade, draw, maintenance_margin, outside_moves


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: World(accounts=1), "accounts"),
        (lambda: World(leverage_median=0.5), "leverage_median"),
        (lambda: World(shock=(-1.0, 0.0)), "shock"),
        (lambda: World(shock_steps=300, steps=200), "shock_steps"),
        (lambda: cascade(World(accounts=100), "both"), "mode"),
        (lambda: compare_policies(World(accounts=1000, shock=(0.0001, 0.0))), "nobody"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(InputError, match=said):
        call()


SMALL = World(accounts=60, steps=30, shock_steps=3, fund=2_000.0, volume=3e6, shock=(-0.25, -0.3), noise=0.3)


def loop(world, mode):
    """Every account by itself, step by step, from the sentences of docs/liquidation.md."""
    people, price, push = draw(world), np.ones(2), np.zeros(2)
    accounts = []
    for q, equity in zip(people.quantities, people.equity, strict=True):
        gross = np.abs(q).sum()
        isolated = [[i] for i in range(2)] if mode == "isolated" else [[0, 1]]
        for legs in isolated:
            share = np.abs(q[legs]).sum() / gross if mode == "isolated" else 1.0
            held = np.zeros(2)
            held[legs] = q[legs]
            accounts.append({"q": held, "money": equity * share, "in": equity * share})
    fund, used, gone, taken_all, unpaid, closed, volume = world.fund, 0.0, 0.0, 0.0, 0.0, 0, 0.0
    for move in outside_moves(world):
        new = np.maximum(price * (1 + move) * (1 + push), 1e-6)
        for a in accounts:
            a["money"] += a["q"] @ (new - price)
        price, sold, dying = new, np.zeros(2), []
        for a in accounts:
            values = a["q"] * price
            m = world.maintenance
            need = m * np.abs(values).sum()
            if mode == "portfolio":
                joint = values[0] ** 2 + values[1] ** 2 + 2 * world.correlation * values[0] * values[1]
                need = m * max(np.sqrt(max(joint, 0)), 0.2 * np.abs(values).sum())
            if need > 0 and a["money"] < need:
                dying.append((a, values))
                sold += values
        push = -np.sign(sold) * np.minimum(
            world.impact * np.array(world.volatilities) * np.sqrt(np.abs(sold) / world.volume), 0.9
        )
        missing = 0.0
        for a, values in dying:
            closed += int((values != 0).sum())
            a["money"] -= np.maximum(-values * push, 0).sum() * 2 / 3
            missing += max(-a["money"], 0.0)
            a["money"], a["q"] = max(a["money"], 0.0), np.zeros(2)
        volume += np.abs(sold).sum()
        gone += missing
        paid = min(fund, missing)
        fund, used = fund - paid, used + paid
        rest = missing - paid
        if rest > 0:
            won = [max(a["money"] - a["in"], 0.0) for a in accounts]
            taken = min(rest, sum(won))
            for a, w in zip(accounts, won, strict=True):
                a["money"] -= w * taken / sum(won) if sum(won) > 0 else 0.0
            taken_all, unpaid = taken_all + taken, unpaid + rest - taken
    return price, closed, volume, gone, used, taken_all, unpaid


def test_the_outside_world_moves_as_its_volatilities_and_correlation_say():
    world = World(steps=20_000, shock=(0.0, 0.0), noise=1.0, correlation=0.6)
    moves = outside_moves(world) * np.sqrt(world.steps)
    np.testing.assert_allclose(moves.std(axis=0), world.volatilities, rtol=0.03)
    assert np.corrcoef(moves.T)[0, 1] == pytest.approx(0.6, abs=0.02)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_population_equals_a_loop_of_accounts(mode, seed):
    world = replace(SMALL, seed=seed)
    found = cascade(world, mode)
    price, closed, volume, gone, used, taken, unpaid = loop(world, mode)
    np.testing.assert_allclose(found.prices[-1], price, rtol=1e-9)
    assert found.liquidated_legs == closed
    got = (found.volume.sum(), found.default_loss, found.fund_used, found.deleveraged, found.unpaid)
    assert got == pytest.approx((volume, gone, used, taken, unpaid), rel=1e-9, abs=1e-6)
    assert found.money_error == pytest.approx(0, abs=1e-6)
    assert found.default_loss == pytest.approx(found.fund_used + found.deleveraged + found.unpaid)


@pytest.mark.parametrize("mode", MODES)
def test_larger_shocks_liquidate_more_and_no_impact_means_no_cascade(mode):
    world = World(accounts=3000, noise=0.0)
    closed = [cascade(replace(world, shock=(s, s)), mode).liquidated_legs for s in (-0.02, -0.1, -0.2, -0.4)]
    assert closed == sorted(closed)
    calm = cascade(replace(world, impact=0.0), mode)
    np.testing.assert_array_equal(calm.prices, calm.outside)
    assert calm.branching == 0.0
    wild = cascade(replace(world, volume=1e8), mode)
    assert wild.branching > 0
    assert wild.overshoot[0] > 0
    assert wild.liquidated_legs >= calm.liquidated_legs
    np.testing.assert_array_equal(wild.prices, cascade(replace(world, volume=1e8), mode).prices)


def test_pooling_asks_less_and_never_less_than_a_fifth():
    world = World(accounts=500)
    values = draw(world).quantities.T
    isolated, cross, portfolio = (maintenance_margin(values, m, world).sum(axis=0) for m in MODES)
    np.testing.assert_allclose(isolated, cross)
    assert (portfolio <= cross * (1 + 1e-12)).all()
    assert (portfolio >= 0.2 * cross * (1 - 1e-12)).all()
    single = values[1] == 0
    np.testing.assert_allclose(portfolio[single], cross[single])


def test_every_adl_policy_restores_the_same_money_from_different_people():
    deficit, found = compare_policies(World(accounts=5000, long_share=0.35, shock=(-0.3, -0.3)))
    assert {p.policy for p in found} >= {"BitMEX queue", "Binance queue", "pro rata", "least harm"}
    _, crowded = compare_policies(World(accounts=5000, long_share=0.9, shock=(-0.3, -0.3)))
    assert all(p.restored < 1.0 for p in crowded), "too few on the other side"
    for p in found:
        assert p.restored == 1.0
        assert p.forgone == pytest.approx(deficit, rel=1e-9), "nothing appears, nothing vanishes"
        assert p.overshoot == pytest.approx(0.0, abs=1e-9)
        assert p.paid_by.sum() == pytest.approx(1.0)
    by_name = {p.policy: p for p in found}
    assert by_name["least harm"].largest < 0.999 * min(p.largest for p in found if p.policy != "least harm")
    assert by_name["pro rata"].touched == 1.0
    assert by_name["BitMEX queue"].paid_by[-1] > by_name["pro rata"].paid_by[-1], "queues start at the top"
