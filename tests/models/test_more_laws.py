"""Further laws of every margin model: what is written in two lines, or holds nothing, changes nothing; lines add up."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from margin import models
from margin.core.position import Collateral, Position
from margin.venues.families.perpetuals import PerpetualVenue
from tests.models.test_laws import BOOKS, FIGURES, MARKET, MARKS, figures, pool

MARKED = replace(MARKS, vols={"BTC": 0.6, "ETH": 0.7})
WORLD = BOOKS | {
    "short option": pool(Position("BTC/USD:BTC-250328-50000-P", -2.0, 1_500.0), BTC=1.0, USDC=50_000.0),
    "dollar option": pool(
        Position("BTC/USDC:USDC-250328-70000-C", -2.0, 1_500.0), Position("BTC/USDT:USDT", 1.0, 60_000.0), USDC=80_000.0
    ),
    "borrowed spot": pool(Position("BTC/USD", -0.5, 62_000.0, paid=False), USDC=60_000.0),
}
KEYS = pytest.mark.parametrize("key", models.keys())


def answered(key):
    """(model, book) for each book that the model takes."""
    model = models.get(key, market=MARKET)
    return [(model, sub) for sub in WORLD.values() if not model.refuses(sub)]


def divided(sub):
    """The same holdings in more lines, with a position and a balance of nothing."""
    first, *rest = sub.positions
    nothing = Position("ETH/USDT:USDT", 0.0, 3_000.0)
    positions = (
        nothing,
        replace(first, quantity=0.25 * first.quantity),
        *rest,
        replace(first, quantity=0.75 * first.quantity),
    )
    balances = [Collateral(c.asset, share * c.quantity) for share in (0.3, 0.7) for c in sub.collateral]
    return replace(sub, positions=positions, collateral=(*balances, Collateral("ETH", 0.0)))


@KEYS
def test_what_is_written_in_more_lines_or_holds_nothing_changes_nothing(key):
    for model, sub in answered(key):
        other = divided(sub)
        if model.refuses(other):  # a venue without that market: only the lines are divided
            other = replace(other, positions=other.positions[1:])
        here, there = figures(model.state(sub, MARKED)), figures(model.state(other, MARKED))
        np.testing.assert_allclose(there, here, rtol=1e-9, atol=1e-6)


@KEYS
def test_no_figure_is_lost_at_a_tiny_or_a_huge_price_or_size(key):
    for model, sub in answered(key):
        found = model.states(sub, MARKED, np.array([[scale] * len(sub.assets) for scale in (1e-4, 1.0, 1e4)]))
        assert all(np.isfinite(getattr(found, figure)).all() for figure in FIGURES)
        tiny = replace(sub, positions=tuple(replace(p, quantity=1e-9 * p.quantity) for p in sub.positions))
        assert np.isfinite(figures(model.state(tiny, MARKED))).all()


@pytest.mark.parametrize("key", [k for k in models.keys() if ":" in k and not k.endswith(":portfolio")])  # noqa: SIM118
def test_the_lines_of_perpetual_venues_add_up_to_equity(key):
    """Collateral and profit, line by line, are the equity that stands above them; an option's value has its own line."""
    for model, sub in answered(key):
        if not isinstance(model.rulebook, PerpetualVenue) or any(p.instrument.is_option for p in sub.positions):
            continue
        state = model.state(sub, MARKED)
        parts = Counter()
        for line in state.lines:
            if line.amount is not None:
                parts[line.part] += float(line.amount)
        assert parts["collateral"] + parts["pnl"] == pytest.approx(state.equity)


def test_a_wallet_of_one_coin_counts_in_full_at_kraken_and_its_line_says_so():
    state = models.get("kraken:cross").state(pool(Position("BTC/USD:BTC", 50_000.0, 60_000.0), BTC=0.6), MARKS)
    assert state.equity == pytest.approx(0.6 * 60_000.0)
    assert [line.formula for line in state.lines if line.part == "collateral"] == ["0.6 x 60,000"]


def test_a_position_of_nothing_does_not_choose_the_coin_of_a_portfolio_account():
    sub = WORLD["borrowed spot"]
    nothing = replace(sub, positions=(Position("ETH/USDT:USDT", 0.0), *sub.positions))
    model = models.get("derive:portfolio", market=MARKET)
    assert figures(model.state(nothing, MARKS)) == figures(model.state(sub, MARKS))
    perpetual = pool(Position("ETH/USDT:USDT", 0.0), Position("BTC/USDT:USDT", 1.0, 60_000.0), USDC=50_000.0)
    assert not model.refuses(perpetual)  # one coin's contracts
    assert model.state(sub, MARKS).maintenance == pytest.approx(0.5 * 60_000.0 * 0.18 * 0.8)
