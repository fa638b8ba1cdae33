"""The forecast of whole accounts, through the public door."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from margin import InputError, Market, Portfolio, Position, models
from margin.core.account import Account
from margin.core.position import Collateral
from margin.forecast.engine import forecast
from margin.forecast.gap import gap_of
from margin.forecast.interpolated import gaps
from margin.forecast.past import past_returns
from margin.forecast.results import any_odds
from margin.forecast.walking import walk_of
from margin.models.base import pinned
from margin.models.marks import Marks
from margin.sample.ready import sample_portfolio
from tests.forecast.pinned import pinned_market

MARKET = pinned_market()
BOOK = sample_portfolio()


def thin(money=4000.0):
    """The sample's book with less behind it."""
    return Portfolio(BOOK.positions, (Collateral("USD", money),))


def at(f):
    return [o.probability for o in f.horizons]


def test_exposures_are_the_formula_of_a_flat_rate_venue():
    account = Account(
        venue="hyperliquid", mode="cross", collateral=(Collateral("USDC", 9000),),
        positions=(Position("BTC/USDC:USDC", 0.5, 60_000.0), Position("ETH/USDC:USDC", -9.0, 2300.0)),
    )  # fmt: skip
    model = models.for_account(account)
    marks = Marks({"BTC": 61_000.0, "ETH": 2_250.0, "USDC": 1.0}, pd.Timestamp("2026-03-01"))
    (sub,) = account.sub_accounts(model, marks)
    found = gap_of(model, sub, marks, "liquidation", np.array([[0.02, -0.01, 0.0]]))
    assert sub.assets == ("BTC", "ETH", "USDC")
    rates = [row.maintenance / row.notional for row in model.state(sub, marks).positions]
    want = [(0.5 - 0.5 * rates[0]) * 61_000.0, (-9.0 - 9.0 * rates[1]) * 2_250.0, 9000.0]
    np.testing.assert_allclose(found.exposures, want, rtol=1e-9)
    assert found.straight
    moved = np.array([[0.9, 1.2, 1.0], [1.05, 0.97, 1.0]])
    states = model.states(sub, marks, moved)
    np.testing.assert_allclose(states.gap / found.usd, 1 + (moved - 1) @ found.exposures / found.usd, rtol=1e-9)


def test_money_and_size_do_what_they_say():
    before = forecast(thin(), MARKET)
    assert before.main.probability > 0.05
    money, size = before.money_for(0.05), before.first.size_for(0.05)
    assert forecast(thin(4000.0 + money), MARKET).main.probability == pytest.approx(0.05, abs=0.002)
    smaller = Portfolio([replace(p, quantity=p.quantity * size) for p in BOOK.positions], (Collateral("USD", 4000.0),))
    assert forecast(smaller, MARKET).main.probability == pytest.approx(0.05, abs=0.002)
    assert before.capital_for(0.05) == pytest.approx(4000.0 + money)
    again = forecast(thin(4000.0 + money), MARKET)
    assert again.money_for(0.05) == pytest.approx(0.0, abs=20.0)


def test_size_with_coins_behind_it_is_simulated_again():
    coins = Portfolio(BOOK.positions, (Collateral("BTC", 0.05),))
    found = forecast(coins, MARKET, model="okx:cross")
    size = found.first.size_for(0.12, 7.0)
    smaller = Portfolio([replace(p, quantity=p.quantity * size) for p in BOOK.positions], (Collateral("BTC", 0.05),))
    assert forecast(smaller, MARKET, model="okx:cross").horizons[2].probability == pytest.approx(0.12, abs=0.02)


def test_odds_fall_in_money_and_rise_with_the_horizon():
    found = forecast(thin(), MARKET, horizons=(1, 2, 3, 5, 7, 10))
    assert (np.diff(at(found)) >= 0).all()
    money, odds = found.first.money_curve(3.0)
    assert (np.diff(money) > 0).all()
    assert (np.diff(odds) <= 1e-12).all()
    _, at_size = found.first.size_curve(3.0)
    assert (np.diff(at_size) >= 0).all()
    assert (np.diff(found.survival) <= 0).all()
    assert found.survival[2] == pytest.approx(1 - found.horizons[2].probability)
    for o in found.horizons:
        assert 0 <= o.low <= o.probability <= o.high <= 1


def test_doubling_and_permuting_change_nothing_and_a_seed_repeats():
    one = forecast(thin(), MARKET)
    double = Portfolio([replace(p, quantity=2 * p.quantity) for p in BOOK.positions], (Collateral("USD", 8000.0),))
    twisted = Portfolio(BOOK.positions[::-1], (Collateral("USD", 4000.0),))
    np.testing.assert_allclose(at(forecast(double, MARKET)), at(one), rtol=1e-9)
    np.testing.assert_allclose(at(forecast(twisted, MARKET)), at(one), rtol=1e-9)
    assert at(forecast(thin(), MARKET)) == at(one)
    assert at(forecast(thin(), MARKET, seed=5)) != at(one)


def test_nothing_after_as_of_is_looked_at():
    when = "2025-06-30"
    closes = pd.DataFrame(MARKET.closes, pd.DatetimeIndex(MARKET.dates), list(MARKET.assets))
    later = closes.copy()
    later.loc[later.index > when] *= 3.0
    assert at(forecast(thin(), Market(closes), as_of=when)) == at(forecast(thin(), Market(later), as_of=when))
    assert forecast(thin(), Market(closes), as_of=when).as_of == when


def test_isolated_accounts_together_are_likelier_than_each():
    found = forecast(thin(9000.0), MARKET, model="isolated")
    assert len(found.subs) == 3
    for i, together in enumerate(found.horizons):
        each = [s.horizons[i].probability for s in found.subs]
        assert max(each) <= together.probability <= min(sum(each) + 1e-9, 1.0)
    assert sum(s.gap.equity for s in found.subs) == pytest.approx(9000.0)
    assert found.subs[0].main.probability == max(s.main.probability for s in found.subs)
    pooled = forecast(thin(9000.0), MARKET, model="portfolio")
    assert found.main.probability > pooled.main.probability
    assert found.capital_for(0.05) > pooled.capital_for(0.05)


def test_money_for_several_accounts_brings_any_call_to_the_line():
    found = forecast(BOOK, MARKET, model="hyperliquid:isolated")
    assert len(found.subs) == 3
    days = found.main.days
    lines = found._lines(0.05, days)
    assert any_odds(found.subs, lines, days)[0] <= 0.05
    assert any_odds(found.subs, [0.98 * x for x in lines], days)[0] > 0.05
    assert found.money_for(0.05) == pytest.approx(
        sum(max(x - s.gap.usd, 0) for x, s in zip(lines, found.subs, strict=True))
    )


def test_a_straight_book_asked_at_every_node_is_the_linear_walk():
    account = Account(
        venue="hyperliquid", mode="cross", collateral=(Collateral("USDC", 9000),),
        positions=(Position("BTC/USDC:USDC", 0.5), Position("ETH/USDC:USDC", -9.0)),
    )  # fmt: skip
    for watched, tolerance in (("closes", 1e-9), ("continuous", 0.03)):
        found = forecast(account, MARKET, horizons=(1,), watched=watched).first
        nodes = walk_of(replace(found.gap, straight=False), found.past, found.way)
        one, other = np.sort(found.walk.lowest_of[0]), np.sort(nodes.lowest_of[0])
        if watched == "closes":
            np.testing.assert_allclose(other, one, rtol=1e-6, atol=1e-6)
        line = 2.0 * found.walk.sigma
        assert nodes.odds(line, 1.0) == pytest.approx(float(found.walk.odds(line, 1.0)), abs=tolerance)


def test_target_call_is_likelier_than_liquidation():
    liquidation = forecast(thin(5000.0), MARKET)
    call = forecast(thin(5000.0), MARKET, target="call")
    assert call.first.gap.requirement == pytest.approx(2 * liquidation.first.gap.requirement)
    assert call.main.probability > liquidation.main.probability


def test_watching_all_the_time_is_likelier_than_at_closes():
    assert forecast(thin(), MARKET).main.raw > forecast(thin(), MARKET, watched="closes").main.raw


def test_funding_and_a_requirement_that_reacts_raise_the_odds():
    plain = forecast(thin(), MARKET).main.raw
    assert forecast(thin(), MARKET, carry=100.0).main.raw > plain
    assert forecast(thin(), MARKET, reacts=True).main.raw > plain


def test_called_already_is_refused_with_what_is_missing():
    with pytest.raises(InputError, match=r"liquidated already.*Add at least"):
        forecast(thin(1000.0), MARKET)
    several = Portfolio(accounts=(
        Account(name="A", positions=BOOK.positions, collateral=(Collateral("USD", 1000.0),)),
        Account(name="B", positions=BOOK.positions, collateral=(Collateral("USD", 90_000.0),)),
    ))  # fmt: skip
    found = forecast(several, MARKET)
    assert found.main.probability == 1.0
    assert any("A is at or below" in note for note in found.notes)
    assert found.first.called


def test_each_of_several_accounts_is_called_by_its_venue_and_its_parts_after_it():
    """Three pools called "the pool" could not be told apart."""
    posted, usdt = Position("ETH/USDT:USDT", -5.0, mode="isolated", margin=2_000.0, leverage=10.0), "USDT"
    btc = Position("BTC/USDT:USDT", 0.5, leverage=5.0)
    accounts = [
        Account(venue="binance", mode="cross", positions=(btc, posted), collateral=(Collateral(usdt, 20_000.0),)),
        Account(venue="binance", mode="cross", positions=(btc,), collateral=(Collateral(usdt, 20_000.0),)),
        Account(positions=(btc,), collateral=(Collateral("USD", 20_000.0),)),
    ]
    found = forecast(Portfolio(accounts=accounts), MARKET)
    names = {"binance", "binance: ETH/USDT:USDT", "binance (2)", "account 3"}
    assert {sub.name for sub in found.subs} == names and found.first.name in names


def test_too_little_history_and_too_long_horizons_are_refused():
    closes = pd.DataFrame(MARKET.closes, pd.DatetimeIndex(MARKET.dates), list(MARKET.assets))
    with pytest.raises(InputError, match="too little history"):
        forecast(thin(), Market(closes.iloc[-120:]))
    assert forecast(thin(), Market(closes.iloc[-130:])).history_days == 129
    with pytest.raises(InputError, match="longer than a quarter"):
        forecast(thin(), Market(closes.iloc[-130:]), horizons=(40,))


@pytest.mark.parametrize(
    ("named", "value"),
    [("horizons", ()), ("horizons", (0,)), ("horizons", ("x",)), ("target", "x"), ("watched", "x"), ("paths", 5),
     ("calibration", "x"), ("model", "x")],
)  # fmt: skip
def test_bad_arguments_are_refused(named, value):
    with pytest.raises(InputError):
        forecast(thin(), MARKET, **{named: value})


def test_a_hedge_that_is_exact_is_never_called():
    book = Portfolio([Position("BTC/USDT:USDT", 1.0), Position("BTC/USDC:USDC", -1.0)], (Collateral("USD", 100.0),))
    found = forecast(book, MARKET, model="portfolio")
    assert at(found) == [0.0, 0.0, 0.0]
    assert any("no move of the last" in note for note in found.first.notes)
    assert np.isfinite(found.survival).all()


def test_capital_is_assumed_where_none_is_given_and_said():
    found = forecast(Portfolio(BOOK.positions), MARKET)
    margin = models.get("portfolio", market=MARKET).state(
        Account(positions=BOOK.positions).sub_accounts(models.get("portfolio", market=MARKET))[0],
        Marks.of_market(MARKET, BOOK),
    )
    assert found.assumed_capital == pytest.approx(1.5 * margin.initial)
    assert any("assumed" in note for note in found.notes)


def test_inverse_options_and_a_venue_that_refuses_part():
    inverse = Account(
        venue="deribit", mode="cross", positions=(Position("BTC/USD:BTC", -30_000.0, 68_000.0),),
        collateral=(Collateral("BTC", 0.1),),
    )  # fmt: skip
    found = forecast(inverse, MARKET)
    assert 0 < found.horizons[-1].probability < 1
    options = Portfolio(
        [Position("BTC/USD:BTC-260424-80000-C", -1.0), Position("BTC/USD:BTC-260403-60000-P", -1.0)],
        (Collateral("USD", 14_000.0),),
    )
    written = forecast(options, MARKET, model="deribit:portfolio", paths=400)
    assert written.first.walk.only_paths
    assert written.horizons[0].probability <= written.horizons[-1].probability
    assert len(written.first.drivers()) == 2
    part = Portfolio((*thin().positions, Position("MADEUP/USDT:USDT", 1.0)), thin().collateral)
    with pytest.raises(InputError, match="MADEUP"):
        forecast(part, MARKET)


def test_an_option_that_expires_leaves_its_payoff():
    bought = Portfolio([Position("BTC/USD:BTC-260402-60000-C", 1.0)], (Collateral("USD", 20_000.0),))
    found = forecast(bought, MARKET, model="deribit:portfolio", horizons=(1, 7), paths=400)
    # Bought and paid for by profit since entry: after its expiry nothing is required and nothing changes.
    lows = found.first.walk.lowest_of
    np.testing.assert_allclose(lows[-1], lows[3])


def test_what_an_option_was_worth_at_its_expiry_stays_in_cash():
    """A call far in the money, paid for and expiring within the forecast, is as good as the coin: it loses a part."""
    spot = MARKET.price("BTC")
    call = Position(f"BTC/USDC:USDC-260402-{spot / 4:.0f}-C", 1.0)
    for interval_model in ("deribit:cross", "portfolio"):
        found = forecast(
            Portfolio([call], (Collateral("USDC", spot),)), MARKET, model=interval_model, horizons=(1, 7), paths=300
        )
        lows = found.first.walk.lowest_of
        assert (lows[-1] <= 0).all() and lows[-1].min() > -0.6 * spot


def test_hourly_prices_are_used_where_they_are():
    rng = np.random.default_rng(4)
    hours = pd.date_range("2025-01-01 01:00", periods=24 * 200, freq="h")
    frame = pd.DataFrame(
        100 * np.exp(np.cumsum(rng.standard_normal((len(hours), 2)) * 0.006, axis=0)), hours, ["AAA", "BBB"]
    )
    market = Market(frame)
    book = Portfolio([Position("AAA/USDT:USDT", 10.0), Position("BBB/USDT:USDT", -5.0)], (Collateral("USD", 200.0),))
    found = forecast(book, market)
    assert found.step == "hour"
    assert found.first.walk.steps == 168
    assert found.calibration.days == (1.0, 3.0, 7.0)
    earlier = forecast(book, market, as_of="2025-06-10")
    past = past_returns(market, ["AAA", "BBB"], "2025-06-10")
    assert past.ends[-1] <= np.datetime64("2025-06-10T23:00")
    assert earlier.first.past.steps_per_day == 24
    mixed = frame.copy()
    mixed.loc[mixed.index < hours[-24 * 50], "BBB"] = np.nan
    with pytest.raises(InputError, match="too little history"):
        past_returns(Market(mixed), ["AAA", "BBB"])


def test_closes_on_business_days_make_longer_steps_and_say_so():
    days = pd.date_range("2023-01-01", periods=400, freq="B")
    closes = 100.0 * np.exp(np.cumsum(np.random.default_rng(1).normal(0.0, 0.02, (400, 1)), axis=0))
    past = past_returns(Market(pd.DataFrame(closes, days, ["AAA"])), ["AAA"])
    assert past.steps_per_day == pytest.approx(5 / 7, rel=0.01)
    assert "common closes on 72% of days: a step is one such day" in past.notes


def test_drivers_end_at_the_odds_and_legs_name_the_one_that_matters():
    found = forecast(thin(), MARKET)
    steps = found.first.drivers()
    assert len(steps) == 5
    assert steps[-1].odds == pytest.approx(found.main.probability)
    assert sum(step.change for step in steps) == pytest.approx(found.main.probability)
    legs = found.first.legs()
    assert {leg.symbol for leg in legs} == {p.symbol for p in BOOK.positions}
    first = legs[0]
    cut = [replace(p, quantity=0.9 * p.quantity) if p.symbol == first.symbol else p for p in BOOK.positions]
    after = forecast(Portfolio(cut, (Collateral("USD", 4000.0),)), MARKET).main.probability
    assert after - found.main.probability == pytest.approx(first.change, abs=0.02)


def test_a_hundred_positions():
    names = [a for a in MARKET.assets if a not in ("USDC", "USDT", "SPY", "QQQ", "GLD", "HYPE", "PEPE")][:8]
    book = Portfolio(
        [Position(f"{names[i % len(names)]}/USDT:USDT", (-1) ** i * 1000.0 / MARKET.price(names[i % len(names)]))
         for i in range(100)],
        (Collateral("USD", 9000.0),),
    )  # fmt: skip
    found = forecast(book, MARKET)
    assert 0 <= found.main.probability <= 1
    assert len(found.first.legs()) == 100


def test_interpolated_gaps_are_those_of_the_model():
    book = Portfolio(
        [Position("BTC/USD:BTC-260424-80000-C", -2.0), Position("BTC/USD:BTC-260424-55000-P", -2.0),
         Position("ETH/USDT:USDT", 10.0)],
        (Collateral("USD", 40_000.0),),
    )  # fmt: skip
    found = forecast(book, MARKET, model="portfolio", paths=300).first
    rng = np.random.default_rng(3)
    times = [found.gap.marks.as_of + pd.Timedelta(days=d, hours=5) for d in (1, 4, 7)]
    factors = [np.exp(rng.standard_normal((40, 2)) * 0.04 * np.sqrt(d)) for d in (1, 4, 7)]
    sub = pinned(found.sub, found.gap.marks)
    assert sub.assets == ("BTC", "ETH")
    ours = gaps(found.gap, sub, factors, times)
    for i, when in enumerate(times):
        for j in range(0, 40, 7):
            marks = replace(
                found.gap.marks.moved(dict(zip(sub.assets, factors[i][j].tolist(), strict=True))), as_of=when
            )
            assert ours[i, j] == pytest.approx(found.gap.model.state(sub, marks).gap, abs=0.01 * found.gap.usd)


def test_the_room_gives_its_functions_by_name():
    import margin.forecast as room

    assert room.forecast is forecast
    assert set(room.__all__) <= {name for name in room.__all__ if getattr(room, name) is not None}
    with pytest.raises(AttributeError, match="nosuch"):
        room.nosuch  # noqa: B018


def test_longer_horizons_never_have_lower_odds():
    for money in (6000.0, 12_000.0, 60_000.0):
        found = forecast(thin(money), MARKET, horizons=(1, 2, 3, 5, 7, 14))
        assert (np.diff(found.probability) >= -1e-12).all()
        for o in found.horizons:
            assert found.survival[round(o.days) - 1] == pytest.approx(1 - o.probability)


def test_cash_and_carry_and_what_a_smaller_leg_does():
    book = Portfolio([Position("BTC/USD", 1.0), Position("BTC/USDT:USDT", -1.0)])
    found = forecast(book, MARKET, model="portfolio").first
    assert any("basis" in note for note in found.notes)
    (leg,) = found.legs()
    assert 0.0 <= leg.change < 0.5  # a tenth of the hedge away leaves a tenth of a bitcoin, and all the money


def test_what_no_path_of_options_did_is_not_impossible():
    written = Portfolio([Position("BTC/USD:BTC-260424-120000-C", -0.1)], (Collateral("USD", 60_000.0),))
    found = forecast(written, MARKET, model="deribit:portfolio", paths=400)
    assert 0 < found.horizons[0].probability < 0.01


def test_arrays_are_the_horizons():
    found = forecast(thin(), MARKET, horizons=(7, 1))
    np.testing.assert_array_equal(found.days, [1.0, 7.0])
    np.testing.assert_array_equal(found.probability, at(found))
    assert (found.band[:, 0] <= found.probability).all()
    assert (found.probability <= found.band[:, 1]).all()
    assert found.sigma_day == pytest.approx(found.first.walk.sigma)
    assert found.size_for(0.05) == found.first.size_for(0.05, 7.0)
    assert forecast(thin(9000.0), MARKET, model="isolated").size_for(0.05) is None


def test_an_account_of_cents_has_the_odds_of_one_of_thousands():
    """Every money and size times 1e-4: the same odds, and less than a dollar above the line is still above it."""
    small = Portfolio([replace(p, quantity=1e-4 * p.quantity) for p in BOOK.positions], (Collateral("USD", 0.4),))
    large, found = forecast(thin(4000.0), MARKET), forecast(small, MARKET)
    assert 0 < found.subs[0].gap.usd < 1.0
    assert [h.probability for h in found.horizons] == pytest.approx([h.probability for h in large.horizons], rel=1e-6)
    assert not any("at or below" in note for note in (*found.notes, *found.first.notes))
