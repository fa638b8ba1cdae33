"""Rules of older days: Deribit before 2022 and its futures of November 2024, Derive's 6.5%, Bybit at entry and at mark."""

import pytest

from tests.venues.door import Account

BTC, ETH = {"BTC": 50_000.0}, {"ETH": 4_000.0}


@pytest.mark.parametrize(
    ("symbol", "size", "prices", "day", "initial", "kept"),
    [
        # 25 BTC: 1% + 25 x 0.005% and 0.525% + the same; from 11 January 2022 2% and 1%.
        ("BTC/USDC:USDC", 25.0, BTC, "2022-01-10", 0.01125, 0.0065),
        ("BTC/USDC:USDC", 25.0, BTC, "2022-01-11", 0.02125, 0.01125),
        # 1,000 ETH: 2% / 1% + 0.2%, then + 0.4%.
        ("ETH/USDC:USDC", 1_000.0, ETH, "2021-06-01", 0.022, 0.012),
        ("ETH/USDC:USDC", 1_000.0, ETH, "2023-06-01", 0.024, 0.014),
        # A dated future has the perpetual's rates until November 2024.
        ("BTC/USDC:USDC-241227", 1.0, BTC, "2024-10-31", 0.02005, 0.01005),
        ("BTC/USDC:USDC-241227", 1.0, BTC, "2024-11-12", 0.04005, 0.02005),
    ],
)
def test_deribit_on_its_day(symbol, size, prices, day, initial, kept):
    found = Account("deribit", "cross", [(symbol, size)], {"USDC": 1e6}, prices, day).state
    value = size * next(iter(prices.values()))
    assert (found.initial / value, found.maintenance / value) == pytest.approx((initial, kept))
    assert any("2024-11" in note for note in found.notes) == (day == "2024-11-12")


@pytest.mark.parametrize(("day", "share", "said"), [("2025-12-31", 0.065, False), ("2026-03-01", 0.066, True),
                                                    ("2026-10-01", 0.066, False)])  # fmt: skip
def test_derive_on_its_day(day, share, said):
    found = Account("derive", "cross", [("BTC/USDC:USDC", 1.0)], {"USDC": 1e5}, BTC, day).state
    assert found.initial / 50_000 == pytest.approx(share)
    assert any("is unknown" in note for note in found.notes) == said


def test_bybit_margins_are_of_the_entry_until_november_2025():
    book = [("BTC/USDT:USDT", 1.0, 40_000.0, 10.0)]
    at = {day: Account("bybit", "cross", book, {"USDT": 5e4}, BTC, day, taker_fee=0.0).state for day in
          ("2025-10-31", "2025-11-01")}  # fmt: skip
    assert [s.maintenance for s in at.values()] == pytest.approx([200.0, 250.0])
    assert [s.initial for s in at.values()] == pytest.approx([4_000.0, 5_000.0])
