"""Each safeguard line against its definition, by hand."""

import numpy as np
import pandas as pd
import pytest

from margin import InputError, Market, Portfolio, Position, Safeguards, Settings, compare
from tests.ladder.books import market_frame

FRAME = market_frame()
VOLUMES = pd.DataFrame(5e7, index=FRAME.index, columns=FRAME.columns)
MARKET = Market(FRAME, VOLUMES)
PAIR = Portfolio((Position("BTC/USDC:USDC", 1), Position("ETH/USDC:USDC", -19)))
WEIGHTS = np.array([60_000.0, -57_000.0])
OFF = {
    "basis": False,
    "offset_cap": False,
    "stressed": False,
    "correlation_break": False,
    "liquidity": False,
    "cap_at_isolated": False,
}


def only(**switches):
    return Settings(safeguards=Safeguards(**{**OFF, "procyclicality": "off", **switches}))


def line(key, market=MARKET, **switches):
    c = compare(PAIR, market, settings=only(**switches))
    return next(x for x in c.safeguard_lines if x.key == key), c


def es(losses):
    tail = np.sort(losses)[::-1]
    mass = 0.025 * len(losses)
    whole = int(mass + 1e-9)
    return (tail[:whole].sum() + (mass - whole) * tail[whole]) / mass


def pair_losses():
    return -(FRAME[["BTC", "ETH"]].pct_change().dropna().to_numpy() @ WEIGHTS)


def test_the_reduction_is_capped_at_80_percent():
    found, c = line("offset_cap", offset_cap=True)
    assert c.safeguarded == pytest.approx(c.isolated - 0.8 * (c.isolated - c.portfolio))
    assert found.amount == pytest.approx(0.2 * c.saved)


def test_stressed_floor():
    found, c = line("stressed", stressed=True, stress_weight=1.5)
    losses = pair_losses()
    worst = max(es(losses[s : s + 500]) for s in range(len(losses) - 499))
    assert c.safeguarded == pytest.approx(max(c.portfolio, 1.5 * worst))
    assert found.amount > 0


def test_correlation_break():
    returns = FRAME[["BTC", "ETH"]].pct_change().dropna().to_numpy()
    seen = [np.corrcoef(returns[s : s + 60].T)[0, 1] for s in range(len(returns) - 59)]
    last = returns[-500:]
    now, vols = np.corrcoef(last.T)[0, 1], last.std(axis=0)
    a, b = np.abs(WEIGHTS) * vols
    ratio = np.sqrt((a * a + b * b - 2 * a * b * min(*seen, now)) / (a * a + b * b - 2 * a * b * now))
    found, c = line("correlation_break", correlation_break=True)
    assert found.amount == pytest.approx(min(0.25 * c.portfolio * (ratio - 1), c.saved))
    assert ratio > 1


def test_liquidity_is_the_square_root_law():
    found, c = line("liquidity", liquidity=True)
    vols = c.book.daily_vol
    expected = sum(w * v * np.sqrt(w / 5e7) for w, v in zip(np.abs(WEIGHTS), vols, strict=True))
    assert found.amount == pytest.approx(expected)


def test_liquidity_without_volumes_is_not_zero_but_not_computed():
    found, _ = line("liquidity", market=Market(FRAME), liquidity=True)
    assert found.amount is None
    assert "Not computed: no traded volume for BTC, ETH" in found.detail
    partly = VOLUMES.copy()
    partly["ETH"] = np.nan
    found, _ = line("liquidity", market=Market(FRAME, partly), liquidity=True)
    assert found.amount > 0
    assert "Not computed for ETH" in found.detail


def test_procyclicality_buffer_and_floor():
    _, buffered = line("procyclicality", procyclicality="buffer")
    assert buffered.safeguarded == pytest.approx(1.25 * buffered.portfolio)
    _, floored = line("procyclicality", procyclicality="floor")
    assert floored.safeguarded == pytest.approx(max(floored.portfolio, es(pair_losses())))


def test_never_more_than_isolated():
    long = Portfolio((Position("BTC/USDC:USDC", 1), Position("ETH/USDC:USDC", 19)))
    loose = compare(long, MARKET, settings=only(stressed=True, stress_weight=2.0))
    capped = compare(long, MARKET, settings=only(stressed=True, stress_weight=2.0, cap_at_isolated=True))
    assert loose.safeguarded > loose.isolated
    assert capped.safeguarded == pytest.approx(capped.isolated)
    assert capped.safeguard_lines[-1].amount < 0


def test_another_lookback_on_the_same_market_is_another_correlation_break():
    """What a market keeps between calls must not outlive the settings it was computed with."""
    short = only(correlation_break=True).with_(lookback=90)
    used = Market(FRAME, VOLUMES)
    compare(PAIR, used, settings=only(correlation_break=True))
    assert compare(PAIR, used, settings=short).safeguarded == compare(PAIR, Market(FRAME), settings=short).safeguarded


def test_the_stress_weight_is_a_quarter_of_the_way_to_the_worst_window():
    found, c = line("procyclicality", procyclicality="stress", stress_share=0.25)
    losses = pair_losses()
    worst = max(es(losses[s : s + 500]) for s in range(len(losses) - 499))
    assert found.amount == pytest.approx(0.25 * (worst - c.portfolio))
    assert found.label == "Anti-procyclical stress weight"


def test_volumes_beside_a_market_are_refused_not_dropped():
    with pytest.raises(InputError, match="cannot be added to a Market"):
        compare(PAIR, Market(FRAME), volumes=VOLUMES)
    assert compare(PAIR, FRAME, volumes=VOLUMES).safeguarded == compare(PAIR, MARKET).safeguarded
