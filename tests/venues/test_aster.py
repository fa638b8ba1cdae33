"""Aster: Binance's formula on what the venue printed of a position; nothing is guessed without it."""

import pytest

from margin import InputError, Position
from tests.venues.door import Account
from tests.venues.oracles import binance_price


def account(*, cash=2_000.0, **printed):
    held = Position("BTC/USDT:USDT", 0.5, 80_000.0, 20.0, **printed)
    return Account("aster", "cross", [held], {"USDT": cash}, {"BTC": 80_000.0})


def test_a_printed_tier_is_margined_and_liquidated_by_binance_s_formula():
    found = account(maintenance_rate=0.0065, maintenance_deduction=20.0, max_leverage=75.0)
    assert found.state.maintenance == pytest.approx(40_000 * 0.0065 - 20.0)
    assert found.state.initial == pytest.approx(2_000.0)
    expected = binance_price(2_000.0, 0.0, 0.0, ((0.5, 80_000.0, 0.0065, 20.0),))
    assert found.liquidation_price() == pytest.approx(expected)


def test_without_one_it_is_not_reproduced():
    with pytest.raises(InputError, match="no tiers of BTC are known here: not reproduced here"):
        _ = account().state
