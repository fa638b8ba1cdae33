"""Instant moves under any margin model: by hand, against the model's own `state`, and the accounts nobody should trust."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import Collateral, InputError, Market, Portfolio, Position, Settings, compare, models
from margin.core.account import Account
from margin.core.options import black76
from margin.models.marks import Marks
from margin.stress.held import stress_book
from margin.stress.shocks import depeg, dried_up, everything, shock, shock_grid
from tests.stress.books import CALL, FRAME, MARKET, PAIR, VENUE_MODELS, tail

HAIRCUT = Settings(collateral_treatment="haircut")


def test_a_shock_by_hand_with_maintenance_measured_again_at_the_moved_prices():
    found = shock(stress_book(PAIR, MARKET), {"BTC": -0.2, "ETH": -0.1})
    assert found.by_position == pytest.approx((-12_000.0, 4_500.0))
    assert found.collateral_change == pytest.approx(-1_200.0), "joint: 0.1 BTC moves in full"
    assert found.equity == pytest.approx(10_000 - 12_000 + 4_500 - 1_200)
    assert found.change == pytest.approx(found.pnl + found.collateral_change)
    need = 0.5 * tail(["BTC", "ETH"], [1.1 * 48_000, -15 * 2_700])
    assert found.maintenance == pytest.approx(need, rel=1e-9)
    assert found.health == pytest.approx(1_300 / need, rel=1e-9), "health = equity / maintenance"
    assert found.liquidated == (need > 1_300)
    assert sum(s.equity for s in found.alone) == pytest.approx(10_000 - 7_500), "the same money, collateral in dollars"


def test_health_before_a_move_is_that_of_compare():
    for chosen in (Settings(), HAIRCUT, Settings(maintenance=0.8), Settings(estimator="student")):
        account = compare(PAIR, MARKET, settings=chosen).account
        book = stress_book(PAIR, MARKET, chosen)
        assert book.held[0].health == pytest.approx(account.health, rel=1e-9)
        assert book.money == pytest.approx(account.equity, rel=1e-9)


def test_the_requirement_is_that_of_the_joint_treatment_where_it_applies():
    """Issue 10, line 17: a short behind the coin itself needs nothing but what is left open."""
    hedged = Portfolio((Position("BTC/USDT:USDT", -1.0),), (Collateral("BTC", 1.0),))
    joint, apart = stress_book(hedged, MARKET), stress_book(hedged, MARKET, HAIRCUT)
    assert joint.maintenance == pytest.approx(0.0, abs=1e-6)
    assert apart.maintenance == pytest.approx(0.5 * tail(["BTC"], [-60_000.0]), rel=1e-9)
    moved = shock(joint, {"BTC": 0.5})
    assert moved.change == pytest.approx(0.0, abs=1e-6)
    assert not moved.liquidated


@pytest.mark.parametrize("key", VENUE_MODELS)
def test_a_venues_verdict_is_its_own_state_at_the_moved_prices(key):
    book = stress_book(PAIR, MARKET, model=key)
    found = shock(book, {"BTC": -0.05, "ETH": -0.02})
    model = models.get(key)
    held = PAIR.account
    entered = replace(
        held, positions=(replace(held.positions[0], entry_price=60_000), replace(held.positions[1], entry_price=3_000))
    )
    marks = Marks({"BTC": 57_000.0, "ETH": 2_940.0}, book.as_of)
    (sub,) = entered.sub_accounts(model, marks)
    state = model.state(sub, marks)
    assert found.equity == pytest.approx(state.equity, rel=1e-9)
    assert found.maintenance == pytest.approx(state.maintenance, rel=1e-9)
    assert found.liquidated == (state.gap < 0)


def test_each_account_is_judged_by_its_own_venue_and_isolated_positions_by_themselves():
    book = stress_book(
        Portfolio(
            accounts=(
                Account(
                    name="HL",
                    venue="hyperliquid",
                    positions=(
                        Position("BTC/USDC:USDC", 0.5),
                        Position("ETH/USDC:USDC", -5, 3_000, mode="isolated", margin=400.0),
                    ),
                    collateral=(Collateral("USDC", 9_000.0),),
                ),
                Account(
                    name="ours", positions=(Position("SOL/USDC:USDC", 10.0),), collateral=(Collateral("USD", 900),)
                ),
            )
        ),
        MARKET,
    )
    assert book.models == ("hyperliquid:cross", "portfolio")
    assert [h.name for h in book.held] == ["HL", "HL: ETH/USDC:USDC", "ours"]
    assert book.held[1].equity == pytest.approx(400.0), "what was posted"
    found = shock(book, {"BTC": 0.0, "ETH": 0.05, "SOL": 0.0})
    assert found.liquidated_held == ("HL: ETH/USDC:USDC",)
    assert book.money == pytest.approx(9_000 + 400 + 900)
    per_account = {}
    for h in book.alone:
        per_account[h.account] = per_account.get(h.account, 0.0) + h.equity
    assert per_account == pytest.approx({"HL": 9_400.0, "ours": 900.0}), "money stays in its account"


def test_a_model_asked_for_by_name_judges_in_its_own_mode():
    alone = stress_book(PAIR, MARKET, model="binance:isolated")
    assert [h.name for h in alone.held if h.sub.positions] == ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    with pytest.raises(InputError, match="not a margin model"):
        stress_book(PAIR, MARKET, model="binnance:cross")
    with pytest.raises(InputError, match="Aave"):
        stress_book(PAIR, MARKET, model=next(k for k in models.keys() if k.startswith("aave")))  # noqa: SIM118


def test_a_deposit_is_assumed_only_where_nothing_is_posted_and_nothing_lost():
    bare = Portfolio(PAIR.positions)
    book = stress_book(bare, MARKET)
    assert book.assumed_money
    assert book.money == pytest.approx(compare(bare, MARKET).isolated)
    assert any("deposit" in note for note in book.notes)
    standalone = [p.standalone for p in compare(bare, MARKET).positions]
    assert [h.equity for h in book.alone] == pytest.approx(standalone)
    winning = Portfolio((Position("BTC/USDT:USDT", 1.0, 50_000.0),))
    assert stress_book(winning, MARKET).money == pytest.approx(10_000 + compare(winning, MARKET).isolated)


@pytest.mark.parametrize(
    ("portfolio", "equity"),
    [
        (Portfolio((Position("BTC/USDT:USDT", 10, 130_000.0),), (Collateral("USD", 10_000),)), -690_000.0),
        (Portfolio((Position("BTC/USDT:USDT", 1, 70_000.0),)), -10_000.0),
        (Portfolio((Position("BTC/USDT:USDT", 1),), (Collateral("USD", -5_000),)), -5_000.0),
        (Portfolio((Position("BTC/USDT:USDT", 1), Position("ETH", -1.0))), -3_000.0),
    ],
    ids=["lost more than it had", "lost, nothing posted", "debt-only collateral", "a loan balance"],
)
def test_a_dead_account_is_dead_and_no_deposit_revives_it(portfolio, equity):
    """Issue 10, line 11."""
    book = stress_book(portfolio, MARKET)
    assert book.money == pytest.approx(equity)
    assert not book.assumed_money
    assert book.dead == ("the pool",)
    assert shock(book, {"BTC": 0.0, "ETH": 0.0}).liquidated


def test_an_account_below_maintenance_is_dead_though_it_has_money_left():
    book = stress_book(Portfolio(PAIR.positions[:1], (Collateral("USD", 100.0),)), MARKET)
    assert book.money == 100.0
    assert book.dead == ("the pool",)


def test_options_are_revalued_in_full():
    book = stress_book(CALL, MARKET)
    years, vol = book.marks.years(book.positions[1].instrument), book.marks.vol("BTC")
    price = black76(np.array([60_000.0, 75_000.0]), 70_000, years, np.array([vol, 1.5 * vol]), "C")
    found = shock(book, {"BTC": 0.25}, vol_change=0.5)
    assert found.by_position[1] == pytest.approx(-(price[1] - price[0]))
    assert found.change == pytest.approx(15_000 - (price[1] - price[0])), "what equity gains is what positions earn"
    grid = shock_grid(book, [-0.3, 0.0, 0.3], [-0.5, 0.0, 0.5])
    assert grid.change[1, 1] == pytest.approx(0.0, abs=1e-6)
    assert (np.diff(grid.change, axis=1) < 0).all(), "short volatility loses when it rises"
    assert grid.equity == pytest.approx(grid.change + book.money)
    assert grid.liquidated[0, 2] == shock(book, everything(book, -0.3), 0.5).liquidated


@settings(max_examples=50, deadline=None)
@given(st.floats(-1, 2), st.floats(-1, 2), st.floats(0, 1))
def test_linear_books_add_up(first, second, part):
    book = stress_book(PAIR, MARKET)
    whole = shock(book, {"BTC": first, "ETH": second})
    partly = shock(book, {"BTC": part * first, "ETH": part * second})
    assert partly.change == pytest.approx(part * whole.change, rel=1e-9, abs=1e-6)
    assert whole.only_alone == 0 or whole.dragged_down == 0


def test_an_isolated_account_dies_while_the_pool_lives_and_the_other_way_round():
    hedged = Portfolio((Position("BTC/USDT:USDT", 1), Position("ETH/USDT:USDT", -20)), (Collateral("USD", 8000),))
    crash = shock(stress_book(hedged, MARKET), {"BTC": -0.3, "ETH": -0.3})
    assert crash.liquidated_alone == (True, False)
    assert not crash.liquidated
    assert (crash.only_alone, crash.dragged_down) == (1, 0)
    apart = shock(stress_book(hedged, MARKET), {"BTC": -0.4, "ETH": 0.0})
    assert apart.liquidated
    assert apart.liquidated_alone == (True, False)
    assert (apart.only_alone, apart.dragged_down) == (0, 1), "the ETH short is taken down by its neighbour"


def test_collateral_coins_that_are_no_position_move_too():
    """Issue 10, line 14: short 1 BTC, 10 ETH posted."""
    book = stress_book(Portfolio((Position("BTC/USDT:USDT", -1.0),), (Collateral("ETH", 10.0),)), MARKET)
    assert book.assets == ("BTC", "ETH")
    found = shock(book, {"BTC": 0.0, "ETH": -0.4})
    assert found.collateral_change == pytest.approx(-12_000.0)
    assert shock(book, {"BTC": 0.0}).missing == ("ETH",)
    assert everything(book, -0.1) == {"BTC": -0.1, "ETH": -0.1}


def test_a_stablecoin_depeg_reaches_the_collateral():
    held = Portfolio((Position("BTC/USDT:USDT", 0.1),), (Collateral("USDC", 10_000.0),))
    book = stress_book(held, Market(FRAME.assign(USDC=1.0)))
    found = depeg(book, 0.12)
    assert found.pnl == 0.0
    assert found.collateral_change == pytest.approx(-0.12 * book.money)
    assert "USDC" not in everything(book, -0.5)


def test_a_stablecoin_without_a_close_is_taken_at_par_and_does_not_move():
    """Issue 10, line 16, the stress part: each asset at its own last close, and said."""
    frame = FRAME.assign(USDC=0.97)
    frame.loc[frame.index[-50:], "USDC"] = np.nan
    book = stress_book(Portfolio(PAIR.positions, (Collateral("USDC", 10_000.0),)), Market(frame))
    assert book.marks.price("USDC") == 1.0
    assert any("USDC is taken at 1" in note for note in book.notes)
    assert book.marks.price("BTC") == 60_000.0


def test_a_market_that_dries_up_costs_more_to_leave():
    thin = Market(FRAME, FRAME * 0 + 1e8)
    found = dried_up(PAIR, thin, Settings(), (1.0, 4.0, 16.0))
    costs = [d.closing_cost for d in found]
    assert costs[1] == pytest.approx(2 * costs[0]), "the square-root law"
    assert costs[2] == pytest.approx(4 * costs[0])
    assert found[0].safeguarded == compare(PAIR, thin).safeguarded
    values = [d.collateral_value for d in found]
    assert values == sorted(values, reverse=True)
    with pytest.raises(InputError, match="no traded volume"):
        dried_up(PAIR, MARKET, Settings(), (1.0,))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: shock(stress_book(PAIR, MARKET), {"BTC": -1.5}), "moves BTC"),
        (lambda: shock(stress_book(PAIR, MARKET), {"BTC": float("nan")}), "moves BTC"),
        (lambda: shock(stress_book(PAIR, MARKET), {}, -1.0), "vol_change"),
        (lambda: stress_book(Portfolio(), MARKET), "empty"),
        (lambda: stress_book(Portfolio((Position("XYZ/USDC:USDC", 1.0),)), MARKET), "XYZ"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(InputError, match=said):
        call()


def test_accounts_without_a_name_are_numbered_and_one_alone_is_the_pool():
    accounts = [
        Account(positions=(Position("BTC/USDT:USDT", q),), collateral=(Collateral("USD", 2e4),)) for q in (1, -1)
    ]
    assert [h.name for h in stress_book(Portfolio(accounts=accounts), MARKET).held] == ["account 1", "account 2"]
    assert [h.name for h in stress_book(Portfolio(accounts=accounts[:1]), MARKET).held] == ["the pool"]


def test_an_account_is_called_by_its_venue_else_by_its_place_among_the_accounts():
    apart = [Position(f"{a}/USDT:USDT", 1, mode="isolated", margin=5e3, leverage=5.0) for a in ("BTC", "ETH")]
    accounts = [
        Account(venue="binance", positions=tuple(apart), collateral=(Collateral("USDT", 2e4),)),
        Account(positions=(Position("BTC/USDT:USDT", 1),), collateral=(Collateral("USD", 2e4),)),
    ]
    names = [h.name for h in stress_book(Portfolio(accounts=accounts), MARKET).held]
    assert [n.split(":")[0] for n in names[:2]] == ["binance", "binance"] and names[-1] == "account 2"
