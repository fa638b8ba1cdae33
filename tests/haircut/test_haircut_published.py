"""Published haircuts: every row has a source, tiers that join, and the figures as they were read."""

import json

import pytest

from margin.haircut.published import KINDS, not_found, published_haircuts, read_on
from tests.support import shared_path


def test_every_row_is_dated_or_says_why_not_and_has_a_source():
    rows = published_haircuts()
    assert len(rows) > 10
    for row in rows:
        assert row.kind in KINDS
        assert len(row.source) > 10
        assert row.date is None or row.date[:4] in ("2024", "2025", "2026")
        assert row.date is not None or row.kind != "published" or row.note
        assert all(0 <= rate <= 1 for rate in row.rates)
        for a, b in zip(row.tiers, row.tiers[1:], strict=False):
            assert a.end == b.start
            assert a.haircut <= b.haircut
    assert read_on().startswith("2026-")
    assert {row["venue"] for row in not_found()} == {"Kraken", "Binance"}


def test_bybits_example_by_hand():
    row = next(r for r in published_haircuts() if r.venue == "Bybit" and r.asset == "BTC" and r.date)
    price = 60_000.0
    assert row.at(0.0, price) == pytest.approx(0.02)
    assert row.at(25 * price, price) == pytest.approx(1 - (9.8 + 9.5 + 4.5) / 25)
    assert row.at(100 * price, price) == pytest.approx(1 - (9.8 + 9.5 + 9 + 8.5 + 8) / 100)


def test_the_figures_are_those_that_were_read():
    read = json.loads(shared_path("venues/collateral_haircuts_cex.json").read_text())
    bybit = next(r for r in published_haircuts() if r.venue == "Bybit" and r.asset == "BTC" and r.date)
    assert [1 - t.haircut for t in bybit.tiers] == pytest.approx(
        [t[2] for t in read["bybit_help_example_2025-09-18"]["BTC"]]
    )
    beth = next(r for r in published_haircuts() if r.asset == "BETH")
    assert [1 - t.haircut for t in beth.tiers] == pytest.approx([t[2] for t in read["okx_BETH_2024-07-18"]["after"]])
