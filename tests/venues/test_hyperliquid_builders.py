"""Hyperliquid's markets of builders (HIP-3): one tier each, one balance with the main dex, some isolated only."""

import pytest

from margin import Account as Book
from margin import InputError, Position, models, venues
from margin.models.marks import Marks
from tests.venues.door import TODAY, Account

PRICES = {"BTC": 80_000.0, "XYZ-TSLA": 400.0, "XYZ-SPCX": 150.0, "XYZ-EUR": 1.1, "USDC": 1.0}


def test_a_unified_account_backs_every_dex_with_one_balance():
    """1 BTC at 1/80 and 100 TSLA at 1/40 of their notional; the ratio of the documentation is 1 / health."""
    positions = [("BTC/USDC:USDC", 1.0, 80_000.0), ("XYZ-TSLA/USDC:USDC", -100.0, 400.0)]
    found = Account("hyperliquid", "cross", positions, {"USDC": 20_000.0}, PRICES).state
    kept = 80_000 / 80 + 40_000 / 40
    assert found.maintenance == pytest.approx(kept)
    assert 1 / found.health == pytest.approx(kept / 20_000)


def test_the_symbol_of_the_recorded_market_is_held():
    held = [Position("XYZ-SPCX/USDC:USDC", 10.0, 150.0, 20.0)]
    found = Account("hyperliquid", "cross", held, {"USDC": 500.0}, PRICES).state
    assert (found.initial, found.maintenance) == pytest.approx((75.0, 37.5))
    assert any("dex xyz" in line.source for line in found.lines if "SPCX" in line.label)


def test_a_market_without_cross_margin_is_refused_in_the_pool_and_held_isolated():
    position = Position("XYZ-EUR/USDC:USDC", 10_000.0, 1.1, 10.0)
    with pytest.raises(InputError, match="isolated only"):
        _ = Account("hyperliquid", "cross", [position], {"USDC": 5_000.0}, PRICES).state
    model = models.get("hyperliquid:cross")
    mixed = Book(
        positions=(
            Position("BTC/USDC:USDC", 0.1, 80_000.0),
            Position("XYZ-EUR/USDC:USDC", 1e4, 1.1, 10.0, mode="isolated"),
        )
    )
    assert not model.refuses(mixed)
    pool, alone = mixed.sub_accounts(model, Marks(PRICES, TODAY))
    assert model.state(alone, Marks(PRICES, TODAY)).maintenance == pytest.approx(11_000 / 100)
    assert model.state(pool, Marks(PRICES, TODAY)).maintenance == pytest.approx(8_000 / 80)


def test_the_same_ticker_of_two_dexes_is_two_markets():
    hyperliquid = venues.rulebook("hyperliquid")
    assert hyperliquid.tiers("XYZ-GOLD")[0].leverage == 25 and hyperliquid.tiers("MKTS-GOLD") is None
