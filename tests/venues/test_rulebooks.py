"""Every rulebook by hand where a small book can be reckoned, and by property on generated books."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import Collateral, InputError, Market, Portfolio, Position, venues
from margin.core import options
from margin.models.marks import Marks
from margin.venues import liquidation
from margin.venues.families.grids import scenario_pnl
from margin.venues.rules import deribit
from margin.venues.rules import drift_arithmetic as drift_rules
from margin.venues.survey import betas, recent_gain, survey
from tests.ladder.books import market_frame
from tests.venues.oracles import binance_price, gap_at, scalar_prices

MARKET = Market(market_frame())  # BTC 60,000, ETH 3,000, SOL 150, ADA 0.6 on 2024-12-31
WHEN = pd.Timestamp("2024-12-31")
MARKS = Marks({"BTC": 60_000.0, "ETH": 3_000.0, "SOL": 150.0, "ADA": 0.6, "USDC": 1.0, "USDT": 1.0}, WHEN, {"BTC": 0.5})
CALL = "BTC/USD:BTC-250328-65000-C"
PUT = "BTC/USD:BTC-250328-55000-P"


def book(*positions, **collateral):
    held = tuple(Collateral(asset, quantity) for asset, quantity in collateral.items())
    return Portfolio(tuple(Position(*p) for p in positions), held)


def ask(name, portfolio, mode, marks=MARKS, **chosen):
    return venues.rulebook(name).requirement(portfolio, marks, mode, chosen)


BOOKS = {
    "perpetuals": book(("BTC/USDT:USDT", 1.0, None, 10.0), ("ETH/USDT:USDT", -15.0, None, 10.0), USDC=20_000.0),
    "one coin": book(("BTC/USDT:USDT", -1.0, None, 5.0), ("BTC/USD", 1.0), USDC=90_000.0),
    "options": book((CALL, -1.0), (PUT, 2.0), ("BTC/USDT:USDT", 0.5), USDC=40_000.0),
    "inverse": book(("BTC/USD:BTC", 1.0, 58_000.0, 5.0), BTC=0.4),
    "lending": book(("ETH/USD", 2.0), ETH=3.0, USDC=3_000.0),
    "coin collateral": book(("BTC/USDT:USDT", 1.0, None, 5.0), BTC=0.4, USDC=500.0),
}


def held_by_someone():
    return [
        (name, mode, title)
        for title, portfolio in BOOKS.items()
        for name in venues.names()
        for mode in venues.rulebook(name).modes
        if not venues.rulebook(name).supports(portfolio, mode)
    ]


@pytest.mark.parametrize(("name", "mode", "title"), held_by_someone())
def test_what_every_margin_obeys(name, mode, title):
    rulebook, portfolio = venues.rulebook(name), BOOKS[title]
    found = rulebook.requirement(portfolio, MARKS, mode)
    numbers = [found.initial, found.maintenance, found.equity, found.equity_initial, found.account_value]
    assert np.isfinite(numbers).all()
    assert found.initial >= found.maintenance * (1 - 1e-12) >= 0
    assert found.lines
    assert all(len(line.source) > 10 for line in found.lines)
    assert found.gap == found.equity - found.maintenance
    turned = replace(portfolio, positions=portfolio.positions[::-1], collateral=portfolio.collateral[::-1])
    again = rulebook.requirement(turned, MARKS, mode)
    assert (again.initial, again.maintenance) == pytest.approx((found.initial, found.maintenance), rel=1e-12)
    for grid in found.grids:
        assert grid.values.shape == (len(grid.rows), len(grid.columns))
        if grid.binding is not None:
            assert np.isfinite(grid.values[grid.binding])


@pytest.mark.parametrize(("name", "mode", "title"), held_by_someone())
def test_at_a_liquidation_price_the_gap_is_nothing_and_on_the_near_side_the_account_is_safe(name, mode, title):
    rulebook, portfolio = venues.rulebook(name), BOOKS[title]
    edges = liquidation.prices(rulebook, portfolio, MARKS, mode)
    alone = dict(liquidation.sub_accounts(rulebook, portfolio, MARKS, mode, None))
    for what, edge in edges.items():
        asset = what.split("/")[0]
        now = MARKS.price(asset)
        left_at = gap_at(rulebook, alone.get(what, alone.get("")), MARKS, mode)
        for price in (edge.down, edge.up):
            if price is None or price == now:
                continue

            def left(at, asset=asset, now=now, left_at=left_at):
                return left_at({asset: at / now})

            scale = 1e-6 * max(abs(left(now)), 1.0)
            assert left(price) == pytest.approx(0.0, abs=scale) or left(price) * left(price - 1e-7 * (now - price)) <= 0
            assert left(price + 1e-4 * (now - price)) > -scale, "safe on the near side"
            assert left(price - 1e-4 * (now - price)) < scale, "and liquidated beyond it"


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([n for n in venues.names() if venues.rulebook(n).purpose == "venue"]),
    st.floats(0.01, 40),
    st.floats(1.0, 4.0),
    st.sampled_from([-1.0, 1.0]),
)
def test_a_larger_position_never_asks_less(name, size, factor, side):
    rulebook = venues.rulebook(name)
    for mode in rulebook.modes:
        for symbol in ("BTC/USDT:USDT", "BTC/USD:BTC"):
            one, more = (book((symbol, side * size * f, None, 5.0), USDC=1e7) for f in (1.0, factor))
            if rulebook.supports(one, mode) or rulebook.supports(more, mode):
                continue
            try:
                small, large = (rulebook.requirement(b, MARKS, mode) for b in (one, more))
            except InputError as error:
                assert "net delta above" in str(error)
                continue
            assert large.initial >= small.initial * (1 - 1e-9)
            assert large.maintenance >= small.maintenance * (1 - 1e-9)


def test_bybit_by_hand():
    """1 BTC at 40,000 x 50: fee to close 40,000 x 0.98 x 0.055% = 21.56; maintenance 200 + 21.56 (help centre)."""
    at = replace(MARKS, prices={**MARKS.prices, "BTC": 40_000.0})
    found = ask("bybit", book(("BTC/USDT:USDT", 1.0, 40_000.0, 50.0), USDT=5_000.0), "cross", at)
    assert found.maintenance == pytest.approx(221.56)
    assert found.initial == pytest.approx(800 + 21.56)
    coins = ask("bybit", book(("BTC/USDT:USDT", 1.0), BTC=25.0), "cross")
    assert coins.collateral_value == pytest.approx(60_000 * (10 * 0.98 + 10 * 0.95 + 5 * 0.90))


def test_kraken_nets_longs_and_shorts_of_one_coin_only():
    both = book(("BTC/USDT:USDT", 2.0, None, 10.0), ("BTC/USDT:USDT-250328", -1.0, None, 10.0), USDC=1e5)
    assert ask("kraken", both, "cross").maintenance == pytest.approx(120_000 * 0.005)
    two = book(("BTC/USDT:USDT", 2.0, None, 10.0), ("ETH/USDT:USDT", -20.0, None, 10.0), USDC=1e5)
    assert ask("kraken", two, "cross").maintenance == pytest.approx(120_000 * 0.005 + 60_000 * 0.01)


def test_bitmex_charges_the_whole_position_at_its_step():
    found = ask("bitmex", book(("BTC/USD:BTC", 230.0 * 60_000, None, 100.0), BTC=50.0), "cross")
    commission = 0.00075 * (1 + 1 / 100)  # of closing, in the maintenance margin
    assert found.maintenance == pytest.approx(230 * 60_000 * (0.01 + commission))
    assert found.initial == pytest.approx(230 * 60_000 * 0.015)


def test_an_inverse_position_is_worth_more_dollars_the_higher_the_coin():
    """60,000 contracts of $1 from 60,000 (1 BTC) with 0.1 BTC behind it: at p equity is 0.1 p + p - 60,000.

    Maintenance is of the cost: 0.005 BTC and the commission of closing 1.1 BTC at 0.075%, at p dollars each.
    """
    held = book(("BTC/USD:BTC", 60_000.0, 60_000.0, 10.0), BTC=0.1)
    found = liquidation.prices(venues.rulebook("bitmex"), held, MARKS, "cross")["BTC"]
    assert found.down == pytest.approx(60_000 / (1.1 - 0.005 - 1.1 * 0.00075))
    alone = liquidation.prices(venues.rulebook("bitmex"), held, MARKS, "isolated")["BTC/USD:BTC"]
    assert alone.down == pytest.approx(found.down), "a tenth of the position is just its initial margin"


def test_okx_jumps_at_the_edge_of_a_tier():
    rows = {"ETH": [(0, 200, 0.01, 75), (200, 400, 0.015, 50), (400, None, 0.02, 20)]}
    table = venues.rulebook("okx").with_tiers(rows, "October 2024")
    below, above = (
        table.requirement(book(("ETH/USDT:USDT", q, None, 10.0), USDT=1e6), MARKS, "cross").maintenance
        for q in (199.99, 200.01)
    )
    assert below == pytest.approx(199.99 * 3_000 * (0.01 + 0.0005))
    assert above == pytest.approx(200.01 * 3_000 * (0.015 + 0.0005))


def test_okx_portfolio_margin_is_the_worst_move_and_the_basis():
    found = ask("okx", book(("BTC/USDT:USDT", -0.1), USDT=5_000.0), "portfolio")
    assert found.maintenance == pytest.approx(6_000 * (0.12 + 0.002))
    assert found.initial == pytest.approx(1.3 * found.maintenance)
    flat = ask("okx", book(("BTC/USDT:USDT", -0.1), ("BTC/USD", 0.1), USDT=9_000.0), "portfolio")
    assert flat.maintenance == pytest.approx(0.0, abs=1e-9)


def test_deribit_s_grid_by_a_plain_loop():
    held = book((CALL, -2.0), ("BTC/USD:BTC", 60_000.0), BTC=3.0)
    found = ask("deribit", held, "portfolio")
    years = (pd.Timestamp("2025-03-28 08:00") - (WHEN + pd.Timedelta(days=1))) / pd.Timedelta(
        days=365
    )  # from the close
    multiple = (30.0 / (years * 365.0)) ** 0.13
    worst = 0.0
    for step in range(-4, 5):
        s = 1.0 + 0.16 * step / 4
        for shock in (-0.25, 0.0, 0.5):
            vol = 0.5 * (1.0 + shock * multiple)
            vol = max(vol, 0.5) if shock > 0 else vol
            now = float(options.black76(60_000.0, 65_000.0, years, 0.5, "C")) / 60_000.0
            then = float(options.black76(60_000.0 * s, 65_000.0, years, vol, "C")) / (60_000.0 * s)
            pnl = -2.0 * (then - now) + 1.0 * (1.0 - 1.0 / s)
            worst = min(worst, 60_000.0 * pnl)
    roll = 60_000.0 * 0.01
    assert found.initial == pytest.approx(-worst + roll, rel=1e-9)
    assert found.maintenance == pytest.approx(0.8 * found.initial)


def test_deribit_standard_margin_of_a_sold_call():
    """8.3% out of the money: (max(0.15 - 0.0833, 0.1) + mark) x 60,000; what was received is in the equity."""
    held = book((CALL, -1.0), USDC=30_000.0)
    mark = MARKS.mark(held.positions[0].instrument)
    found = ask("deribit", held, "cross")
    assert found.initial == pytest.approx(0.10 * 60_000 + mark)
    assert found.maintenance == pytest.approx(0.075 * 60_000 + mark)
    assert found.equity == pytest.approx(30_000 + mark)
    bought = ask("deribit", book((CALL, 1.0), USDC=30_000.0), "cross")
    assert bought.initial == 0
    assert bought.equity == pytest.approx(30_000 - mark)


def test_derive_asks_less_in_one_account_than_alone():
    """Spot against a short perpetual of the same coin: only contingencies are left under portfolio margin."""
    both = ask("derive", book(("BTC/USD", 1.0), ("BTC/USDT:USDT", -1.0), USDC=70_000.0), "portfolio")
    perp = ask("derive", book(("BTC/USDT:USDT", -1.0), USDC=70_000.0), "portfolio")
    assert both.initial == pytest.approx(60_000 * 0.04), "haircuts are in the equity, not in the requirement"
    assert both.equity_initial == pytest.approx(70_000 + 60_000 * (1 - 0.12))
    assert both.initial < 0.8 * perp.initial
    assert perp.initial == pytest.approx(60_000 * (0.18 + 0.04))
    assert perp.maintenance == pytest.approx(60_000 * (0.8 * 0.18 + 0.03))
    standard = ask("derive", book(("BTC/USDT:USDT", -1.0), USDC=70_000.0), "cross")
    assert standard.initial == pytest.approx(0.065 * 60_000), "the rate of 2024 and 2025"
    assert standard.maintenance == pytest.approx(0.05 * 60_000)


def test_derive_s_feeds_and_its_stablecoin():
    held = book(("BTC/USDT:USDT", -1.0), USDC=70_000.0)
    sure, unsure = ask("derive", held, "cross"), ask("derive", held, "cross", confidence=0.4)
    assert unsure.initial - sure.initial == pytest.approx(0.6 * 60_000)
    assert unsure.maintenance == sure.maintenance, "only opening is dearer"
    below = ask("derive", held, "cross", stablecoin=0.95)
    assert below.initial - sure.initial == pytest.approx((0.99 - 0.95) * 2 * 60_000)


def test_drift_and_synthetix_and_gmx_by_hand():
    drift = ask("drift", book(("SOL/USDT:USDT", 100.0), USDC=9_000.0, SOL=10.0), "cross")
    assert (drift.initial, drift.maintenance) == pytest.approx((1_500.0, 750.0))
    assert (drift.equity_initial, drift.equity) == pytest.approx((9_000 + 1_500 * 0.8, 9_000 + 1_500 * 0.9))
    synthetix = ask("synthetix", book(("BTC/USDT:USDT", -2.0), ("ETH/USDT:USDT", 20.0), USDC=1e5), "cross")
    assert synthetix.initial == pytest.approx(120_000 * 0.05 + 1_000 + 60_000 * 0.05 + 500 + 0.05 * 180_000)
    gmx = ask("gmx", book(("BTC/USDT:USDT", 1.0, None, 50.0), USDC=1e4), "isolated")
    assert gmx.maintenance == pytest.approx(60_000 * (0.005 + 0.002))
    crowded = ask("gmx", book(("BTC/USDT:USDT", 1.0, None, 200.0), USDC=1e4), "isolated", open_interest=200.0)
    assert crowded.initial == pytest.approx(60_000 * 200e6 * 6e-11)


def test_aave_s_health_factor_and_efficiency_mode():
    held = book(ETH=10.0, USDC=-20_000.0)
    found = ask("aave", replace(held, positions=(Position("ETH/USD", 1e-9),)), "cross")
    assert found.health == pytest.approx(30_000 * 0.86 / 20_000, rel=1e-6)
    assert found.equity_initial == pytest.approx(30_000 * 0.825, rel=1e-6)
    at = liquidation.prices(venues.rulebook("aave"), held, MARKS, "cross")["ETH"].down
    assert at == pytest.approx(20_000 / (10 * 0.86), rel=1e-6)
    coins = book(("ETH/USD", 1e-9), USDC=1_000.0)
    assert ask("aave", coins, "cross", emode=1.0).equity == pytest.approx(960, rel=1e-5)


def test_mango_weighs_what_is_held_and_what_is_owed():
    found = ask("mango", book(("ETH/USD", 1e-9), ETH=2.0, USDC=-1_000.0), "cross")
    assert (found.equity_initial, found.initial) == pytest.approx((3_000.0, 1_200.0), rel=1e-6)
    assert (found.equity, found.maintenance) == pytest.approx((4_200.0, 1_100.0), rel=1e-6)


def test_binance_portfolio_margin_nets_collateral_and_nothing_else():
    held = book(("BTC/USDT:USDT", 1.0, None, 10.0), BTC=1.0, USDT=-5_000.0)
    none, some = (ask("binance", held, "portfolio", coin_rate=rate) for rate in (0.0, 0.95))
    assert none.equity == pytest.approx(-5_000)
    assert some.equity == pytest.approx(0.95 * 60_000 - 5_000), "debts count in full"
    assert some.maintenance == pytest.approx(1.05 * 60_000 * 0.004)


def test_hyperliquid_portfolio_margin_lends_on_coins():
    held = book(("BTC/USDT:USDT", 1.0, None, 10.0), BTC=0.5, USDC=100.0)
    found = ask("hyperliquid", held, "portfolio")
    assert found.equity == pytest.approx(100 + 30_000 * 0.75)
    assert found.equity_initial == pytest.approx(100 + 30_000 * 0.5)
    assert found.maintenance == pytest.approx((20 + 60_000 / 80) / 0.95)


def test_clearing_rules_by_hand():
    held = book(("BTC/USDT:USDT", 1.0), ("ETH/USDT:USDT", -20.0), USDC=1e5)
    assert ask("span", held, "portfolio", scan_range=0.3).initial == pytest.approx(0.3 * 120_000)
    assert ask("tims", held, "portfolio").initial == pytest.approx(0.15 * 120_000)
    spread = book(("BTC/USDT:USDT", 1.0), ("BTC/USDT:USDT-250328", -1.0), USDC=1e5)
    assert ask("span", spread, "portfolio").initial == pytest.approx(0.0, abs=1e-6)
    capped = ask("emir", spread, "portfolio", scan_range=0.3).initial
    assert capped == pytest.approx(1.25 * (1 - 0.8) * 2 * 0.3 * 60_000), "at most 80% may be offset, 25% on top"


def test_emirs_lines_say_how_the_cap_the_stress_and_the_floor_make_the_margin():
    spread = book(("BTC/USDT:USDT", 1.0), ("BTC/USDT:USDT-250328", -1.0), USDC=1e5)
    cap = (1 - 0.8) * 2 * 0.3 * 60_000
    found = ask("emir", spread, "portfolio", scan_range=0.3, stressed=2.0, long_run=1.6)
    lines = {line.label: line for line in found.lines}
    assert lines["Article 28(1)(b)"].formula == f"75% x {cap:,.2f} + 25% x {2 * cap:,.2f}"
    assert lines["Article 28(1)(b)"].amount == pytest.approx(0.75 * cap + 0.25 * 2 * cap)
    assert lines["Floor (article 28(1)(c))"].amount == pytest.approx(1.6 * cap) == found.initial


def test_scenario_profits_of_linear_and_inverse_contracts_by_hand():
    """100,000 USD of an inverse future gain at a rise like coins bought at today's price; in the coin, 1 - 1 / (1 + r)."""
    marks = Marks({"BTC": 50_000.0}, pd.Timestamp("2025-01-01"))
    moves = np.array([-0.2, 0.1])
    linear, inverse = Position("BTC/USDT:USDT", -2.0), Position("BTC/USD:BTC", 2.0)
    held = [linear, inverse]
    one = scenario_pnl(held[:1], marks, 1 + moves, np.ones(2))
    np.testing.assert_allclose(one, -100_000 * moves)
    usd = inverse.exposure(50_000.0)
    np.testing.assert_allclose(scenario_pnl(held, marks, 1 + moves, np.ones(2)), (usd - 100_000) * moves)
    assert usd > 0


def test_spans_sixteen_scenarios_count_extremes_at_35_percent():
    found = ask("span", book(("BTC/USDT:USDT", 1.0), USDC=1e5), "portfolio", scan_range=0.3)
    values = found.grids[0].values[:, 0]
    assert len(values) == 16
    assert values[-1] == pytest.approx(-0.6 * 60_000 * 0.35)
    assert found.grids[0].binding == (12, 0)


def test_a_portfolio_margin_account_of_derive_holds_one_coin():
    two = BOOKS["perpetuals"]
    assert any("one coin" in u.reason for u in venues.rulebook("derive").supports(two, "portfolio"))
    assert any(
        "no options on ETH" in u.reason or "not reproduced" in u.reason
        for u in venues.rulebook("derive").supports(book(("ADA/USD", -5.0)), "cross")
    )


def test_deribit_shocks_a_calm_volatility_up_to_half_at_least_and_never_down_to_it():
    calm = Marks({"BTC": 60_000.0}, pd.Timestamp("2025-01-01"), {"BTC": 0.05})
    short = Portfolio((Position("BTC/USD:BTC-250627-60000-C", -1.0),), (Collateral("BTC", 10.0),))
    lower, same, higher = ask("deribit", short, "portfolio", calm).grids[0].values[4]  # at today's price
    years = calm.years(short.positions[0].instrument)
    now, least = (float(options.black76(60_000.0, 60_000.0, years, vol, "C")) for vol in (0.05, 0.5))
    assert (same, higher) == (0.0, pytest.approx(-(least - now), rel=1e-6))
    assert 0 < lower < now


def test_a_large_delta_at_deribit_is_refused_with_its_reason():
    with pytest.raises(InputError, match="net delta above"):
        ask("deribit", book(("BTC/USDT:USDT", 400.0), USDC=1e8), "portfolio")
    found = survey(book(("BTC/USDT:USDT", 400.0), USDC=1e8), MARKS, rulebooks=[venues.rulebook("deribit")])
    assert [r.mode for r in found.refused] == ["portfolio"]


def test_together_and_two_at_once_agree_with_one_alone():
    rulebook, held = venues.rulebook("hyperliquid"), BOOKS["perpetuals"]
    alone = liquidation.prices(rulebook, held, MARKS, "cross")
    only_btc = liquidation.together(rulebook, held, MARKS, "cross", {"BTC": 1.0, "ETH": 0.0})
    assert 60_000 * (1 + only_btc.down) == pytest.approx(alone["BTC"].down)
    opposite = liquidation.together(rulebook, held, MARKS, "cross", {"BTC": 1.0, "ETH": -1.0})
    assert abs(opposite.down) < abs(only_btc.down), "both legs lose"
    seen = liquidation.surface(rulebook, held, MARKS, "cross", "BTC", "ETH", steps=13)
    assert seen.gap[6, 6] == pytest.approx(rulebook.requirement(held, MARKS, "cross").gap)
    at_home = [b for a, b in seen.edge if a == pytest.approx(0.0)]
    assert at_home == pytest.approx([alone["ETH"].up / 3_000 - 1])
    gap = gap_at(rulebook, held, MARKS, "cross")
    for a, b in seen.edge:
        assert gap({"BTC": 1 + a, "ETH": 1 + b}) == pytest.approx(0.0, abs=1e-6)
    for wrong in ({"BTC": 1.0}, {}):
        with pytest.raises(InputError, match="beta"):
            liquidation.together(rulebook, held, MARKS, "cross", wrong)
    with pytest.raises(InputError, match="one by one"):
        liquidation.surface(rulebook, held, MARKS, "isolated", "BTC", "ETH")


def test_an_account_that_is_already_beyond_is_liquidated_now():
    found = survey(book(("BTC/USDT:USDT", 1.0, 90_000.0), USDC=1_000.0), MARKS, rulebooks=[venues.rulebook("dydx")])
    one = next(a for a in found.asked if a.margin.mode == "cross")
    assert one.margin.liquidated
    assert one.nearest == ("BTC", 0.0)


def test_the_survey_is_sorted_and_leaves_nobody_out():
    found = survey(BOOKS["perpetuals"], MARKS, gain=1_000.0)
    amounts = [a.margin.initial for a in found.asked]
    assert amounts == sorted(amounts)
    assert {a.rulebook.name for a in found.asked} | {r.rulebook.name for r in found.refused} == set(venues.names())
    for a in found.asked:
        if a.margin.initial:
            assert a.return_on_margin == pytest.approx(1_000.0 / a.margin.initial)


def test_betas_and_the_gain_of_the_last_month_know_no_future():
    frame = market_frame()
    cut = Market(frame.iloc[:-50])
    as_of = pd.Timestamp(frame.index[-51])
    assert betas(Market(frame), ["BTC", "ETH"], "BTC", as_of) == betas(cut, ["BTC", "ETH"], "BTC", as_of)
    daily = frame.iloc[-366:].pct_change().iloc[1:]
    slope = np.polyfit(daily["BTC"], daily["ETH"], 1)[0]
    assert betas(Market(frame), ["BTC", "ETH", "USDC"], "BTC", WHEN) == pytest.approx(
        {"BTC": 1.0, "ETH": slope, "USDC": 0.0}
    )
    held = book(("BTC/USDT:USDT", 2.0), ("ETH/USDT:USDT", -1.0))
    now = Marks.of_market(MARKET, held)
    gained = 2 * (frame["BTC"].iloc[-1] - frame["BTC"].iloc[-31]) - (frame["ETH"].iloc[-1] - frame["ETH"].iloc[-31])
    assert recent_gain(held, MARKET, now) == pytest.approx(gained)
    assert recent_gain(held, MARKET, Marks.of_market(MARKET, held, frame.index[10])) is None


def test_further_figures_that_venues_print():
    """Single published figures, from the sources named in the parameter files and modules."""
    needed, pnl = 3_683.979 * 1_335.18 * 0.1 - 135_365.0, 3_683.979 * (1_335.18 - 1_456.84)
    leg = (109.488, 32_481.98, 0.025, 16_300.0)
    assert binance_price(1_535_443.01, needed, pnl, [leg]) == pytest.approx(26_316.89, abs=0.01)
    held = Portfolio(
        tuple(
            Position(f"{coin}/USDT:USDT", q, entry, maintenance_rate=rate, maintenance_deduction=cum)
            for coin, q, entry, rate, cum in (("BTC", *leg), ("ETH", 3_683.979, 1_456.84, 0.10, 135_365.0))
        ),
        (Collateral("USDT", 1_535_443.01),),
    )
    then = replace(MARKS, prices={**MARKS.prices, "BTC": 31_967.27, "ETH": 1_335.18})
    found = liquidation.prices(venues.rulebook("binance"), held, then, "cross")
    assert found["BTC"].down == pytest.approx(26_316.89, abs=0.01)
    assert found["ETH"].down == pytest.approx(1_153.26, abs=0.01)
    assert drift_rules.margin_ratio(10**15, 50, (1000, 500), "initial") == 1300, "imf 50 of a million, 10% becomes 13%"
    high = [
        drift_rules.margin_ratio(3 * 10**12, 50, (1000, 500), kind, (100, 50)) for kind in ("initial", "maintenance")
    ]
    assert high == [221, 67]
    assert deribit.linear_rates(25.0, 0.02, 0.01, 0.00005)[0] == pytest.approx(0.02125)


def test_every_venue_says_whether_it_is_alive_with_date_and_source():
    for name in venues.names():
        status = venues.rulebook(name).parameters.status
        assert status is not None
        assert status.date[:2] == "20"
        assert len(status.source) > 10
    assert venues.rulebook("drift").status.startswith("historic (2026-04-01")
    assert venues.rulebook("mango").parameters.status.state == "wound down"


def test_dated_futures_of_deribit_ask_four_and_two_percent():
    found = ask("deribit", book(("BTC/USD:BTC-250328", 60_000.0, 60_000.0), BTC=1.0), "cross")
    assert found.initial == pytest.approx(60_000 * (0.04 + 0.00005))
    assert found.maintenance == pytest.approx(60_000 * (0.02 + 0.00005))
    eth = ask("deribit", book(("ETH/USD:ETH", 30_000.0, 3_000.0), ETH=1.0), "cross")
    assert eth.initial == pytest.approx(30_000 * (0.02 + 10 * 0.000004))


def test_okx_refuses_what_lies_above_the_tiers_that_are_known():
    okx = venues.rulebook("okx")
    assert not okx.supports(book(("ETH/USDT:USDT", 242_500.0)), "cross")
    found = okx.supports(book(("ETH/USDT:USDT", 242_500.1)), "cross")[0]
    assert "tiers above 242,500 ETH are not reproduced here" in found.reason
    assert found.alone, "the coin is refused, not the book"


def test_bybit_refuses_a_size_above_the_last_tier_at_the_mark_too():
    """XRP's last tier ends at $36M: without an entry the mark decides."""
    held = book(("XRP/USDT:USDT", 20e6), USDT=5e7)
    at = Marks({"XRP": 2.0, "USDT": 1.0}, pd.Timestamp("2026-11-01"))
    with pytest.raises(InputError, match="tiers above 36,000,000 USD"):
        venues.rulebook("bybit").requirement(held, at, "cross")
    assert venues.rulebook("bybit").requirement(held, at.moved({"XRP": 0.5}), "cross").maintenance > 0


@pytest.mark.parametrize(
    ("asset", "edges"),
    [
        ("BTC", {2_000_000: 1_200, 120_000_000: 9_382_000, 800_000_000: 226_382_000}),
        ("ETH", {900_000: 540, 22_000_000: 168_220, 600_000_000: 138_018_220}),
        ("XRP", {250_000: 625, 30_000_000: 3_246_625, 34_000_000: 16_446_625}),
        ("LTC", {200_000: 1_000, 2_800_000: 105_000, 6_400_000: 307_500, 9_400_000: 2_670_780}),
        ("BCH", {200_000: 1_000, 6_900_000: 521_400, 9_400_000: 2_670_780}),
        ("JUP", {250_000: 1_750, 9_500_000: 774_500, 12_000_000: 3_558_800}),
        ("SOL", {50_000: 30, 1_000_000: 3_535, 28_000_000: 612_135, 100_000_000: 15_914_135, 150_000_000: 30_869_135}),
    ],
)
def test_the_deductions_of_bybit_s_tiers_are_those_it_prints(asset, edges):
    """mmDeduction of the recorded answers; the rates are printed to four digits, so they agree to a dollar or two."""
    tiers = venues.rulebook("bybit").tiers(asset)
    for floor, deduction in edges.items():
        tier = next(t for t in tiers if t.floor == floor)
        assert tier.deduction == pytest.approx(deduction, abs=1.5)


def test_the_date_shown_is_that_of_what_was_used():
    """Kraken's bitcoin levels are of September 2026, whatever its inverse ladders are; aged pages say when read."""
    kraken = venues.rulebook("kraken")
    held = ask("kraken", book(("BTC/USDT:USDT", 0.1), USDT=50_000.0), "cross")
    assert kraken.dated(held) == "2026-09-25" and kraken.as_of == "2019-03"
    both = ask("bybit", book(("BTC/USDT:USDT", 0.1), ("ETH/USDT:USDT", 1.0), USDT=50_000.0), "cross")
    assert venues.rulebook("bybit").dated(both) == "2025-12-29"
    span = ask("span", book(("BTC/USDT:USDT", 0.1), USDT=50_000.0), "portfolio")
    assert venues.rulebook("span").dated(span).startswith("undated, read 2026")


def test_okx_s_tables_end_at_half_initial_margin_and_rise_by_equal_steps():
    """BTC's 23rd and ETH's 54th tier as recorded: 8.33x to 4,200 BTC at 10.75%, 3.63x to 130,000 ETH at 26.25%."""
    okx = venues.rulebook("okx")
    btc, eth, sol = (okx.tiers(a) for a in ("BTC", "ETH", "SOL"))
    assert (btc[22].cap, btc[22].rate, btc[22].leverage) == (4_200, pytest.approx(0.1075), 8.33)
    assert (eth[53].cap, eth[53].rate, eth[53].leverage) == (130_000, pytest.approx(0.2625), 3.63)
    assert (sol[21].cap, sol[21].rate, sol[21].leverage) == (400_000, pytest.approx(0.11), 6.89)
    assert [t[-1].leverage for t in (btc, eth, sol)] == [2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("asset", "number", "cap", "rate", "leverage"),
    [
        ("BNB", 33, 24_800, 0.165, 5.0),
        ("BNB", 93, 72_800, 0.465, 2.0),
        ("XRP", 14, 12_000_000, 0.07, 9.52),
        ("XRP", 87, 85_000_000, 0.435, 2.12),
        ("XRP", 93, 91_000_000, 0.465, 2.0),
        ("DOGE", 39, 222_000_000, 0.195, 4.34),
        ("DOGE", 81, 474_000_000, 0.405, 2.27),
    ],
)
def test_okx_s_tiers_as_recorded(asset, number, cap, rate, leverage):
    """Contracts of 0.01 BNB, 100 XRP and 1,000 DOGE; the answer of 2026-05-28."""
    tier = venues.rulebook("okx").tiers(asset)[number - 1]
    assert (tier.cap, tier.rate, tier.leverage) == (pytest.approx(cap), pytest.approx(rate), leverage)


def test_each_coin_s_tier_names_its_own_source():
    lines = ask("bybit", book(("BTC/USDT:USDT", 0.1), ("ETH/USDT:USDT", 1.0), USDT=50_000.0), "cross").lines
    dates = {line.label: line.source[-11:-1] for line in lines if line.part == "maintenance"}
    assert dates == {"BTC/USDT:USDT: maintenance": "2026-08-05", "ETH/USDT:USDT: maintenance": "2025-12-29"}


def test_kraken_counts_coins_after_their_haircut():
    found = ask("kraken", book(("BTC/USDT:USDT", 1.0, 60_000.0), BTC=1.0), "cross")
    assert found.equity == pytest.approx(0.97 * 60_000)
    alone = ask("kraken", book(("BTC/USD:BTC", 60_000.0, 60_000.0), BTC=1.0), "cross")
    assert alone.equity == pytest.approx(60_000), "a wallet of the coin that its contracts settle in has no haircut"
    assert alone.maintenance == pytest.approx(0.01 * 60_000)


def test_a_position_exactly_at_the_edge_lies_in_the_tier_that_the_venue_says():
    rows = {"ETH": [(0, 200, 0.01, 75), (200, 400, 0.015, 50), (400, None, 0.02, 20)]}
    okx = venues.rulebook("okx").with_tiers(rows, "October 2024")
    at = okx.requirement(book(("ETH/USDT:USDT", 200.0), USDT=1e6), MARKS, "cross").positions[0]
    assert at.maintenance_rate == pytest.approx(0.01)
    edge = ask("bitmex", book(("BTC/USD:BTC", 200.0 * 60_000), BTC=50.0), "cross").positions[0]
    assert edge.maintenance_rate == pytest.approx(0.005)
    at_40k = replace(MARKS, prices={**MARKS.prices, "BTC": 40_000.0})
    bybit_edge = ask("bybit", book(("BTC/USDT:USDT", 50.0, None, 100.0), USDT=1e6), "cross", at_40k).positions[0]
    assert (bybit_edge.maintenance_rate, bybit_edge.initial_rate) == pytest.approx((0.005, 0.01))


def test_derive_s_published_tails_bind_for_puts_far_below():
    """Short 20 puts at 45,000, two weeks, 67,503: $99,355 by the published tails, $30,804 by the tests' old ones."""
    held = book(("BTC/USD:BTC-250114-45000-P", -20.0), USDC=200_000.0)
    at = replace(MARKS, prices={**MARKS.prices, "BTC": 67_503.0})
    assert ask("derive", held, "portfolio", at).initial == pytest.approx(99_355.5, abs=1.0)


def test_two_isolated_positions_of_one_contract_are_liquidated_one_by_one():
    """At 100,000 in the bracket of 0.5% less 50: a long at 20x ends at -4.57%, a short at 3x at +32.7%."""
    tier = {"maintenance_rate": 0.005, "maintenance_deduction": 50.0}
    held = Portfolio(
        (
            Position("BTC/USDT:USDT", 1.0, 100_000.0, 20.0, **tier),
            Position("BTC/USDT:USDT", -1.0, 100_000.0, 3.0, **tier),
        ),
        (Collateral("USDT", 60_000.0),),
    )
    at = replace(MARKS, prices={**MARKS.prices, "BTC": 100_000.0})
    found = liquidation.prices(venues.rulebook("binance"), held, at, "isolated")
    assert found["BTC/USDT:USDT long 1"].down == pytest.approx((95_000 - 50) / 0.995)
    assert found["BTC/USDT:USDT short 1"].up == pytest.approx((100_000 + 100_000 / 3 + 50) / 1.005)


def test_isolated_margin_is_of_the_entry_and_does_not_move_with_the_mark():
    """2 BTC from 50,000 at 10x, marked at 67,503: 45,180.72; with 0.5% less 50: 45,201.0. BLUR: 0.54942 at every mark."""
    at = replace(MARKS, prices={**MARKS.prices, "BTC": 67_503.0})
    for more, price in (({}, 45_180.72), ({"maintenance_rate": 0.005, "maintenance_deduction": 50.0}, 45_201.01)):
        held = Portfolio((Position("BTC/USDT:USDT", 2.0, 50_000.0, 10.0, **more),), (Collateral("USDT", 20_000.0),))
        found = liquidation.prices(venues.rulebook("binance"), held, at, "isolated")
        assert found["BTC/USDT:USDT"].down == pytest.approx(price, abs=0.01)
    blur = Position("BLUR/USDT:USDT", 14.0, 0.721575, 4.0, maintenance_rate=0.015)
    for mark in (0.6, 0.721575, 3.0):
        marks = Marks({"BLUR": mark, "USDT": 1.0}, WHEN)
        held = Portfolio((blur,), (Collateral("USDT", 100.0),))
        found = liquidation.prices(venues.rulebook("binance"), held, marks, "isolated")
        assert found["BLUR/USDT:USDT"].down == pytest.approx(0.54942259, abs=2e-8)


def test_a_long_of_kraken_is_liquidated_below_today_and_an_end_beyond_a_hundredfold_is_found():
    at = replace(MARKS, prices={**MARKS.prices, "BTC": 67_503.0})
    long = liquidation.prices(venues.rulebook("kraken"), book(("BTC/USDT:USDT", 14.8), USDC=15_000.0), at, "cross")
    assert long["BTC"].up is None
    assert long["BTC"].down < 67_503
    small = book(("SOL/USDT:USDT", -1.0, 150.0), USDC=30_000.0)
    price = liquidation.prices(venues.rulebook("hyperliquid"), small, MARKS, "cross")["SOL"].up
    assert price == pytest.approx(30_150 / (1 + 1 / 40)), "196 times today's"


def test_the_scan_at_once_finds_what_the_scalar_scan_finds():
    for title, portfolio in BOOKS.items():
        for name in venues.names():
            rulebook = venues.rulebook(name)
            for mode in rulebook.modes:
                if rulebook.supports(portfolio, mode):
                    continue
                found = liquidation.prices(rulebook, portfolio, MARKS, mode)
                for key, want in scalar_prices(rulebook, portfolio, MARKS, mode).items():
                    for side in ("down", "up"):
                        one, other = getattr(found[key], side), getattr(want, side)
                        if other is not None:
                            assert one == pytest.approx(other, rel=1e-9), (title, name, mode, key, side)


def test_derive_s_perpetual_has_the_rate_of_its_day_and_what_the_venue_printed_wins():
    """6.5% in 2025 and 6.6% in 2026, 5.0% to stay; a printed rate is used instead, also of a coin that is not carried."""

    def margins(when, **printed):
        held = Portfolio([Position("BTC/USDC:USDC", 1.0, 60_000.0, **printed)], [Collateral("USDC", 20_000.0)])
        found = ask("derive", held, "cross", replace(MARKS, as_of=pd.Timestamp(when)))
        return found.initial / 60_000, found.maintenance / 60_000

    assert margins("2025-06-01") == pytest.approx((0.065, 0.05))
    assert margins("2026-06-01") == pytest.approx((0.066, 0.05))
    assert margins("2026-06-01", maintenance_rate=0.04, max_leverage=20.0) == pytest.approx((0.05, 0.04))
    odd = Portfolio([Position("NOSUCH/USDC:USDC", 100.0, 1.0, maintenance_rate=0.2)], [Collateral("USDC", 100.0)])
    at = replace(MARKS, prices={**MARKS.prices, "NOSUCH": 1.0})
    assert ask("derive", odd, "cross", at).maintenance == pytest.approx(20.0)


def test_deribit_s_dated_futures_have_their_own_rates_since_november_2024():
    """100,000 USD of face at 50,000: 2 BTC, 4.01% and 2.01%; before it the perpetual's 2.01% and 1.01%."""

    def rates(when):
        held = Portfolio([Position("BTC/USD:BTC-251226", 100_000.0, 50_000.0)], [Collateral("BTC", 1.0)])
        at = replace(MARKS, as_of=pd.Timestamp(when), prices={**MARKS.prices, "BTC": 50_000.0})
        found = ask("deribit", held, "cross", at)
        return found.initial / 100_000, found.maintenance / 100_000

    assert rates("2025-05-09") == pytest.approx((0.0401, 0.0201))
    assert rates("2024-03-01") == pytest.approx((0.0201, 0.0101))


def test_borrowed_spot_out_of_a_dollar_coin_is_scanned_at_derive():
    """Sold bitcoin that is owed, its proceeds in USDT, which Derive prices: it ended in an error of arrays."""
    held = Portfolio([Position("BTC/USD", -0.01, 60_000.0)], [Collateral("USDT", 900.0)])
    for mode in ("cross", "portfolio"):
        found = liquidation.prices(venues.rulebook("derive"), held, MARKS, mode)["BTC"]
        assert found.down is None
        gap = gap_at(venues.rulebook("derive"), held, MARKS, mode)
        assert gap({"BTC": found.up / 60_000 * (1 - 1e-9)}) >= 0 > gap({"BTC": found.up / 60_000 * (1 + 1e-6)})
