"""Options: published Black-76 values, parity, finite differences, full revaluation against a loop, expiry rules."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from margin import InputError, Market, Portfolio, Position, Settings, compare
from margin.core.options import black76, greeks, shocked_vol, years_to_expiry
from margin.risk.history import ewma_vol_path
from tests.ladder.books import market_frame
from tests.support import shared_path

FRAME = market_frame()
MARKET = Market(FRAME)
CASES = st.tuples(st.floats(50, 200), st.floats(50, 200), st.floats(0.01, 3), st.floats(0.05, 2), st.sampled_from("CP"))


def test_published_value():
    """Haug (2007), section 1.1.3: F = 19, X = 19, T = 0.75, vol 28%, rate 10%: 1.7011 for call and put; bare."""
    discount = np.exp(-0.1 * 0.75)
    for kind in "CP":
        assert discount * black76(19.0, 19.0, 0.75, 0.28, kind) == pytest.approx(1.7011, abs=5e-5)


@given(CASES)
def test_value_is_the_expected_payoff(case):
    forward, strike, years, vol, kind = case
    sign = 1 if kind == "C" else -1
    s = vol * np.sqrt(years)

    def integrand(z):
        return max(sign * (forward * np.exp(s * z - s * s / 2) - strike), 0) * stats.norm.pdf(z)

    kink = (np.log(strike / forward) + s * s / 2) / s
    points = sorted({-10.0, float(np.clip(kink, -10, 10)), 10.0})
    expected = sum(integrate.quad(integrand, a, b)[0] for a, b in pairwise(points))
    assert black76(forward, strike, years, vol, kind) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(CASES)
def test_put_call_parity_and_bounds(case):
    forward, strike, years, vol, _ = case
    call, put = black76(forward, strike, years, vol, "C"), black76(forward, strike, years, vol, "P")
    assert call - put == pytest.approx(forward - strike, abs=1e-9)
    assert max(forward - strike, 0) - 1e-9 <= call <= forward
    assert max(strike - forward, 0) - 1e-9 <= put <= strike


@given(CASES)
def test_greeks_equal_finite_differences(case):
    forward, strike, years, vol, kind = case
    unit = greeks(*case)

    def value(df=0.0, dt=0.0, dv=0.0):
        return float(black76(forward + df, strike, years + dt, vol + dv, kind))

    bump = 1e-3 * forward * vol * np.sqrt(years)  # a thousandth of the width over which the value bends
    up, mid, down = value(bump), value(), value(-bump)
    assert unit.value == pytest.approx(mid)
    assert unit.delta == pytest.approx((up - down) / (2 * bump), abs=1e-5)
    assert unit.gamma == pytest.approx((up - 2 * mid + down) / bump**2, rel=1e-3, abs=1e-6 / bump)
    dv, dt = 1e-4 * vol, 1e-4 * years
    assert unit.vega == pytest.approx((value(dv=dv) - value(dv=-dv)) / (2 * dv) / 100, rel=1e-4, abs=1e-7)
    assert unit.theta == pytest.approx((value(dt=-dt) - value(dt=dt)) / (2 * dt) / 365, rel=1e-4, abs=1e-7)


def test_at_and_after_expiry_it_is_the_payoff():
    np.testing.assert_array_equal(black76(np.array([90.0, 100.0, 130.0]), 100, 0, 0.5, "C"), [0, 0, 30])
    np.testing.assert_array_equal(black76(np.array([90.0, 100.0, 130.0]), 100, -1, 0.5, "P"), [10, 0, 0])


def slow_losses(symbol, strike, kind, expiry, quantity, horizon):
    """Revaluation scenario by scenario, from the definitions in docs/models.md."""
    closes = FRAME["BTC"].to_numpy()
    daily = closes[1:] / closes[:-1] - 1
    ewma = ewma_vol_path(daily[:, None], 0.94)[-1, 0]
    vol, spot = ewma * np.sqrt(365), closes[-1]
    days = (pd.Timestamp(expiry) - FRAME.index[-1]).days - 16 / 24  # from 24:00 of the close to 08:00 of the expiry
    damped = min(1.0, (30 / days) ** 0.13)
    now = float(black76(spot, strike, days / 365, vol, kind))
    losses = []
    for end in range(len(closes) - 500, len(closes)):
        r = closes[end] / closes[end - horizon] - 1
        kept = 0.94**horizon
        then = vol * (1 + (np.sqrt(kept + (1 - kept) * r * r / (horizon * ewma**2)) - 1) * damped)
        value = float(black76(spot * (1 + r), strike, max(days - horizon, 0) / 365, then, kind))
        losses.append(quantity * (now - value))
    return np.array(losses)


@pytest.mark.parametrize("horizon", [1, 7])
@pytest.mark.parametrize(("kind", "quantity"), [("C", -2.0), ("P", 3.0), ("P", -1.0)])
def test_full_revaluation_equals_a_loop(kind, quantity, horizon):
    symbol = f"BTC/USD:BTC-250627-60000-{kind}"
    c = compare(Portfolio((Position(symbol, quantity),)), MARKET, horizon=horizon)
    expected = slow_losses(symbol, 60_000, kind, "2025-06-27", quantity, horizon)
    np.testing.assert_allclose(c.losses[:, 0], expected, rtol=1e-9, atol=1e-6)


def test_an_option_that_expires_inside_the_horizon_is_worth_its_payoff_not_nothing():
    deep = Position("BTC/USD:BTC-250102-30000-C", 1)
    c = compare(Portfolio((deep,)), MARKET, horizon=5)
    future = compare(Portfolio((Position("BTC/USD", 1, paid=False),)), MARKET, horizon=5)
    assert c.portfolio == pytest.approx(future.portfolio, rel=1e-3)


def test_an_expired_contract_is_refused_with_the_way_out():
    for symbol in ("BTC/USD:BTC-241227-60000-C", "BTC/USDT:USDT-241227"):
        with pytest.raises(InputError, match=r"expired on 2024-12-27.*Roll it"):
            compare(Portfolio((Position(symbol, 1),)), MARKET)


def test_options_settle_at_0800_utc_and_the_closes_are_those_of_2400():
    """ETH on 2025-10-01: the next day's 4,350 call has 8 hours left and is worth 30.48 at a volatility of 60%."""
    closes = pd.DataFrame({"ETH": np.linspace(4000, 4348.03, 60)}, pd.date_range(end="2025-10-01", periods=60))
    call = Position("ETH/USD:ETH-251002-4350-C", 1, implied_vol=0.6)
    c = compare(Portfolio((call,)), closes)
    assert c.positions[0].price == pytest.approx(30.48, abs=0.005)
    assert c.positions[0].implied_vol == 0.6
    assert not any("implied volatility" in note for note in c.notes)
    with pytest.raises(InputError, match=r"expired on 2025-10-01 at 08:00 UTC"):
        compare(Portfolio((Position("ETH/USD:ETH-251001-4350-C", -1),)), closes)  # settled: nothing is charged for it
    when = pd.Timestamp("2025-10-01 07:00")
    assert years_to_expiry(Position("ETH/USD:ETH-251001-4350-C", 1).instrument, when) == pytest.approx(1 / 24 / 365)


def test_a_volatility_shock_is_damped_beyond_thirty_days():
    """A put of 450 days sold on 2025-10-01: 8,430 where the undamped shock of a one-day estimate said 11,767."""
    market = Market(pd.read_csv(shared_path("market/daily_closes.csv"))[["date", "BTC", "ETH"]])
    put = Position("BTC/USD:BTC-261225-120000-P", -1, implied_vol=0.5)
    c = compare(Portfolio((put,)), market, as_of="2025-10-01")
    assert c.portfolio == pytest.approx(8_430, abs=15)
    worst = c.drawn.returns[np.argmax(c.losses[:, 0]), c.book.assets.index("BTC")]
    assert worst < 0, "a fall hurts it most, not the volatility of a rally"
    undamped = shocked_vol(0.5, np.array([0.1]), 0.02, 0.94, 1, years=30 / 365)
    assert undamped == pytest.approx(0.5 * np.sqrt(0.94 + 0.06 * 25))
    damped = shocked_vol(0.5, np.array([0.1]), 0.02, 0.94, 1, years=450 / 365)
    assert damped - 0.5 == pytest.approx((undamped - 0.5) * (30 / 450) ** 0.13)


@pytest.mark.parametrize("days", [31, 90, 365, 1000])
def test_a_longer_option_answers_a_shock_less_and_never_with_the_other_sign(days):
    moves = np.linspace(-0.3, 0.3, 61)
    short, longer = (shocked_vol(0.6, moves, 0.03, 0.94, 1, years=d / 365) - 0.6 for d in (days - 1, days))
    assert (np.abs(longer) <= np.abs(short)).all()
    assert (longer * short >= 0).all()


def test_own_implied_volatility_is_used():
    book = Portfolio((Position("BTC/USD:BTC-250627-60000-C", 1),))
    c = compare(book, MARKET, settings=Settings(implied_vol=(("BTC", 0.9),)))
    years = ((pd.Timestamp("2025-06-27") - FRAME.index[-1]).days - 16 / 24) / 365
    assert c.positions[0].price == pytest.approx(float(black76(60_000, 60_000, years, 0.9, "C")))
    assert c.positions[0].implied_vol == 0.9


def test_a_long_option_never_loses_more_than_its_premium():
    c = compare(Portfolio((Position("BTC/USD:BTC-250627-60000-C", 1),)), MARKET, estimator="stressed")
    assert 0 < c.portfolio <= c.positions[0].price


def test_the_books_greeks_add_up():
    book = Portfolio((Position("BTC/USD", 1, paid=False), Position("BTC/USD:BTC-250627-60000-C", -1)))
    c = compare(book, MARKET)
    (btc,) = c.underlyings
    assert btc.delta == pytest.approx(1 + c.positions[1].delta)
    assert -1 < c.positions[1].delta < 0
    assert btc.gamma < 0 and btc.vega < 0
    assert c.attribution.netting > 0


def test_volatility_rises_after_a_large_move_and_falls_after_a_quiet_day():
    after = shocked_vol(0.6, np.array([-0.1, 0.0, 0.1]), 0.6 / np.sqrt(365), 0.94, 1)
    assert after[0] == after[2] > 0.6 > after[1]
