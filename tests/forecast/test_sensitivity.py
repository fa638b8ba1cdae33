"""What is held fixed along the paths: implied volatilities and the basis."""

import pytest

from margin import Collateral, Portfolio, Position
from margin.forecast.engine import forecast
from margin.forecast.sensitivity import basis_usd, with_vols
from tests.forecast.pinned import pinned_market

SHORT_PUT = Position("BTC/USD:BTC-271231-60000-P", -1.0)


def sub_of(*positions, money=30_000.0, model="portfolio", coins=()):
    held = (Collateral("USD", money), *(Collateral(a, q) for a, q in coins))
    return forecast(Portfolio(positions, held), pinned_market(), model=model, paths=400).first


def test_a_short_option_loses_vega_times_the_rise_and_its_odds_rise():
    sub = sub_of(SHORT_PUT, model="deribit:portfolio", money=18_000.0)
    other = with_vols(sub.gap, 1.25)
    mark = sub.gap.marks.mark(SHORT_PUT.instrument)
    dearer = other.marks.mark(SHORT_PUT.instrument)
    assert dearer > mark
    assert other.equity - sub.gap.equity == pytest.approx(mark - dearer, rel=1e-9)  # one option short
    up, down = sub.sensitivities(7.0)
    assert "+25%" in up.name and "-25%" in down.name
    assert up.odds >= sub.walk.odds(sub.gap.usd, 7.0) >= down.odds
    assert up.odds > down.odds
    assert up.change == pytest.approx(up.odds - float(sub.walk.odds(sub.gap.usd, 7.0)))


def test_the_basis_is_the_smaller_side_at_the_recorded_hour():
    price = pinned_market().price("BTC")
    both = (Position("BTC/USDT:USDT", -1.0), Position("BTC/USD:BTC", 0.4 * price, entry_price=price))
    sub = sub_of(*both, Position("ETH/USDT:USDT", 3.0))
    assert basis_usd(sub.gap) == pytest.approx(0.4 * price * 0.0025, rel=1e-6)
    (only,) = sub.sensitivities(3.0)
    assert only.odds == pytest.approx(float(sub.odds_with(-basis_usd(sub.gap), 3.0)))
    assert only.change >= 0


def test_a_coin_of_the_collateral_offsets_and_a_dated_future_carries():
    market = pinned_market()
    coin = sub_of(Position("SOL/USDT:USDT", -100.0), coins=(("SOL", 60.0),))
    assert basis_usd(coin.gap) == pytest.approx(60.0 * market.price("SOL") * 0.014, rel=1e-6)
    dated = sub_of(Position("BTC/USDT:USDT", 1.0), Position("BTC/USDT:USDT-270331", -1.0))
    assert basis_usd(dated.gap) > market.price("BTC") * 0.0025 * 1.5  # a year of carry at 2%, beside 25 bp


def test_nothing_is_said_where_nothing_is_held_fixed_or_it_is_called():
    assert sub_of(Position("BTC/USDT:USDT", 1.0)).sensitivities(3.0) == ()
    from margin.forecast.engine import judge

    broke = Portfolio((SHORT_PUT,), (Collateral("USD", 1.0),))
    assert judge(broke, pinned_market(), model="deribit:portfolio", paths=400).first.sensitivities(3.0) == ()
