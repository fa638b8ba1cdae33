"""Rules of venues where a small slip would hide: options in the money, a tier printed for one coin, orders of a closing."""

from dataclasses import replace

import pytest

from margin import models, venues
from margin.core.instruments import parse_symbol
from margin.core.position import Position
from tests.models.test_laws import MARKET, MARKS, pool

MARKED = replace(MARKS, vols={"BTC": 0.6, "ETH": 0.7})


@pytest.mark.parametrize("strike", [50_000, 59_990, 60_000])
@pytest.mark.parametrize("side", ["C", "P"])
def test_a_short_option_in_the_money_asks_15_per_cent_and_its_mark_at_deribit(strike, side):
    """Deribit: max(0.15 - out of the money / index, 0.1) + mark of a call; in the money the first is 0.15 of the index."""
    strike = strike if side == "C" else 120_000 - strike
    option = parse_symbol(f"BTC/USD:BTC-250328-{strike}-{side}")
    state = models.get("deribit:cross").state(pool(Position(option.symbol, -1.0), BTC=3.0), MARKED)
    mark = MARKED.mark(option)
    assert state.positions[0].initial == pytest.approx(0.15 * 60_000.0 + mark, abs=1e-6)


def test_what_derive_printed_of_one_perpetual_is_that_coins_alone():
    model = models.get("derive:cross")
    btc, eth = Position("BTC/USDC:USDC", 1.0, 60_000.0), Position("ETH/USDC:USDC", 10.0, 3_000.0)
    alone = model.state(pool(eth, USDC=50_000.0), MARKS)
    both = model.state(pool(replace(btc, maintenance_rate=0.2), eth, USDC=50_000.0), MARKS)
    assert both.maintenance - alone.maintenance == pytest.approx(0.2 * 60_000.0)


@pytest.mark.parametrize("key", models.keys())
def test_how_an_account_is_closed_can_be_done(key):
    """Each order closes something and at most all of it; a fee is a share; a buffer stops above maintenance, not below."""
    rules = models.get(key, market=MARKET).closing
    assert 0.0 < rules.step <= 1.0 and rules.least_step_usd >= 0.0
    assert 0.0 <= rules.fee < 0.2 and 0.0 <= rules.buffer < 10.0
    assert rules.source


@pytest.mark.parametrize("name", venues.names())
def test_a_cap_on_ones_own_leverage_is_none_until_it_is_set(name):
    for slider in venues.rulebook(name).sliders:
        assert slider.low <= slider.default <= slider.high and slider.step > 0
        if slider.key == "leverage_cap":
            assert slider.default == slider.high


def test_an_account_of_cents_is_asked_its_share_at_deribits_portfolio_margin():
    """Every size times 1e-6: every figure is, too."""
    large = pool(
        Position("BTC/USD:BTC-250328-60000-C", 2.0, 3_000.0),
        Position("ETH/USD:ETH-250328-3000-P", -20.0, 200.0),
        USDC=90_000.0,
    )
    small = replace(
        large,
        positions=tuple(replace(p, quantity=1e-6 * p.quantity) for p in large.positions),
        collateral=tuple(replace(c, quantity=1e-6 * c.quantity) for c in large.collateral),
    )
    model = models.get("deribit:portfolio")
    one, other = model.state(large, MARKED), model.state(small, MARKED)
    assert one.maintenance > 1_000.0
    for name in ("equity", "initial", "maintenance"):
        assert 1e6 * getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-9)
