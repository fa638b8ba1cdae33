"""The account along a path, booked to the cent; fatal moves in closed form; the population against a loop of accounts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import Collateral, InputError, Market, Portfolio, Position, compare
from margin.liquidation.account import Frictions, rules_of, simulate, venues
from margin.liquidation.adl_comparison import compare_policies
from margin.liquidation.moves import fatal_moves, path_of, simulated_path
from margin.liquidation.population import MODES, World, cascade, draw, maintenance_margin, outside_moves
from margin.stress.shocks import shock, stress_book
from tests.ladder.books import market_frame

MARKET = Market(market_frame())
PAIR = Portfolio((Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", -19.0)), (Collateral("USD", 9_000.0),))
LONG = Portfolio((Position("BTC/USDT:USDT", 1.0),), (Collateral("USD", 6_000.0),))
BOOK = stress_book(PAIR, MARKET)
paths = st.lists(st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)), min_size=2, max_size=12)


def as_path(steps):
    return np.vstack((np.zeros((1, 2)), np.cumprod(1 + np.array(steps), axis=0) - 1))


@settings(max_examples=80, deadline=None)
@given(paths, st.sampled_from([r.name for r in venues()]), st.sampled_from(["cross", "isolated"]), st.floats(0, 2e4))
def test_no_money_appears_or_vanishes(steps, venue, mode, fund):
    frictions = Frictions({"BTC": 1e7, "ETH": 1e7}, 1.0, fund)
    found = simulate(BOOK, as_path(steps), rules_of(venue), mode, frictions)
    for ledger in found.ledgers:
        assert ledger.error == pytest.approx(0.0, abs=1e-6)
        assert ledger.final >= -1e-6
    paid = sum(x.fund for x in found.ledgers)
    received = sum(x.fees + x.surrendered for x in found.ledgers)
    assert found.fund_left == pytest.approx(fund + received - paid, abs=1e-6)
    assert found.fund_left >= -1e-6
    assert sum(x.started for x in found.ledgers) == pytest.approx(BOOK.money)
    assert (np.diff(found.held, axis=0) <= 1e-12).all(), "nobody opens anything"
    if rules_of(venue).adl is None:
        assert all(x.adl == 0 for x in found.ledgers)
    else:
        assert all(x.shared == 0 for x in found.ledgers)


def test_an_account_that_is_never_short_of_money_is_left_alone():
    rich = stress_book(replace(PAIR, collateral=(Collateral("USD", 1e6),)), MARKET)
    moves = as_path([(-0.2, 0.1), (0.3, -0.1)])
    found = simulate(rich, moves, rules_of("dYdX v4"))
    assert not found.log
    gains = moves @ np.array([60_000.0, -57_000.0])
    np.testing.assert_allclose(found.equity[:, 0], 1e6 + gains)
    assert (found.held == 1).all()


def test_one_long_by_hand():
    """6,000 USD behind one coin of 60,000. A fall of 8% leaves 1,200: closed in one order, with no cost, 1,200 stay."""
    book = stress_book(LONG, MARKET)
    need = 0.5 * book.comparison.portfolio * 0.92
    assert need > 1_200
    moves = np.array([[0.0], [-0.08], [-0.5]])
    hyper = simulate(book, moves, replace(rules_of("Hyperliquid"), step=1.0))
    assert hyper.ledgers[0].final == pytest.approx(1_200)
    assert [line.kind for line in hyper.log] == ["margin call", "liquidation"]
    bitmex = simulate(book, moves, rules_of("BitMEX"))
    assert bitmex.ledgers[0].final == 0.0
    assert bitmex.ledgers[0].surrendered == pytest.approx(1_200)
    fee = simulate(book, moves, replace(rules_of("dYdX v4"), step=1.0))
    assert fee.ledgers[0].fees == pytest.approx(min(0.015 * 55_200, 1_200))


def test_a_gap_below_nothing_is_paid_by_the_fund_then_by_winners_or_by_all():
    book = stress_book(LONG, MARKET)
    moves = np.array([[0.0], [-0.3]])
    missing = 0.3 * 60_000 - 6_000
    full = simulate(book, moves, rules_of("BitMEX"), frictions=Frictions(fund=1e6)).ledgers[0]
    assert (full.fund, full.adl) == (pytest.approx(missing), 0.0)
    half = simulate(book, moves, rules_of("BitMEX"), frictions=Frictions(fund=5_000.0)).ledgers[0]
    assert (half.fund, half.adl, half.shared) == (pytest.approx(5_000), pytest.approx(missing - 5_000), 0.0)
    drift = simulate(book, moves, rules_of("Drift v2"), frictions=Frictions(fund=5_000.0)).ledgers[0]
    assert (drift.adl, drift.shared) == (0.0, pytest.approx(missing - 5_000))


def test_partial_liquidation_closes_only_what_it_must():
    book = stress_book(LONG, MARKET)
    need = 0.5 * book.comparison.portfolio
    moves = np.array([[0.0], [-(6_000 - 0.9 * need) / 60_000]])
    found = simulate(book, moves, replace(rules_of("Drift v2"), least_step_usd=0.0))
    assert 0 < found.held[-1, 0] < 1
    assert found.equity[-1, 0] >= found.required[-1, 0] * 1.02 - 1e-6
    whole = simulate(book, moves, rules_of("BitMEX"))
    assert whole.held[-1, 0] == 0


def test_the_pool_survives_what_a_silo_does_not():
    moves = np.array([[0.0, 0.0], [-0.3, -0.3]])
    cross = simulate(BOOK, moves, rules_of("Hyperliquid"))
    alone = simulate(BOOK, moves, rules_of("Hyperliquid"), "isolated")
    assert not cross.liquidated
    assert alone.liquidated
    assert {line.account for line in alone.log if line.kind == "liquidation"} == {"BTC/USDT:USDT"}
    assert cross.final == pytest.approx(9_000 - 18_000 + 17_100), "nobody else pays anything"
    assert sum(x.fund for x in alone.ledgers) > 10_000, "the silo's loss falls on the fund"


def test_fatal_moves_are_the_closed_form():
    c = BOOK.comparison
    room = BOOK.money - 0.5 * c.portfolio
    by_name = {m.name: m for m in fatal_moves(BOOK)}
    assert by_name["BTC"].fall == pytest.approx(-room / 60_000, abs=1e-8)
    assert by_name["BTC"].rise is None
    assert by_name["ETH"].rise == pytest.approx(room / 57_000, abs=1e-8)
    assert by_name["all together"].fall is None or by_name["all together"].fall < by_name["BTC"].fall
    silo = {m.name: m for m in fatal_moves(BOOK, position=0)}
    alone = [p.standalone for p in c.positions]
    mine = BOOK.money * alone[0] / sum(alone)
    assert silo["BTC"].fall == pytest.approx(-(mine - 0.5 * alone[0]) / 60_000, abs=1e-8)
    assert silo["ETH"].fall is silo["ETH"].rise is None
    for move in (by_name["BTC"].fall, by_name["ETH"].rise):
        asset = "BTC" if move < 0 else "ETH"
        assert shock(BOOK, {asset: move * 1.0001}).cross_liquidated
        assert not shock(BOOK, {asset: move * 0.9999}).cross_liquidated


def test_paths():
    closes = np.array([[10.0, 4.0], [5.0, 8.0]])
    np.testing.assert_allclose(path_of(closes), [[0, 0], [-0.5, 1.0]])
    path = simulated_path(BOOK, 500, (-0.1, -0.2), seed=3)
    np.testing.assert_allclose(path[1], [-0.1, -0.2])
    np.testing.assert_array_equal(path, simulated_path(BOOK, 500, (-0.1, -0.2), seed=3))
    steps = (1 + path[2:]) / (1 + path[1:-1]) - 1
    daily = np.cov(market_frame()[["BTC", "ETH"]].pct_change().dropna().to_numpy()[-500:].T)
    np.testing.assert_allclose(np.sqrt(np.diag(np.cov(steps.T))), np.sqrt(np.diag(daily)), rtol=0.15)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: simulate(BOOK, np.zeros((3, 1)), venues()[0]), "path"),
        (lambda: simulate(BOOK, np.full((3, 2), np.nan), venues()[0]), "path"),
        (lambda: simulate(BOOK, as_path([(0, 0), (0, 0)]), venues()[0], "both"), "mode"),
        (lambda: rules_of("Nowhere"), "venue"),
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
        silos = [[i] for i in range(2)] if mode == "isolated" else [[0, 1]]
        for legs in silos:
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


def test_the_books_money_is_the_accounts():
    assert BOOK.money == compare(PAIR, MARKET).account.equity
