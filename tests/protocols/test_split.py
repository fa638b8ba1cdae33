"""Separate accounts at their best: what sharing must beat."""

import numpy as np
import pytest

from margin import Market
from margin.protocols.paths import recorded_paths
from margin.protocols.seizure import run
from margin.protocols.sharing import compare_rules, separate_least
from margin.protocols.wallet import Perp, Pledge, Wallet


def shape(notional, debt=1000.0, initial=0.15):
    coin = Pledge(asset="ETH", value=1000.0, ltv=0.805, threshold=0.83, weight=0.805)
    perps = (Perp(asset="BTC", notional=notional, maintenance=0.025, initial=initial),) if notional else ()
    return Wallet(collateral=(coin,), debt=debt, perps=perps)


@pytest.fixture(scope="module")
def paths(closes):
    return recorded_paths(Market(closes), ["BTC", "ETH"], 7, paths=2000)


@pytest.mark.parametrize("notional", [-1500.0, 300.0, 1500.0])
def test_it_reaches_the_odds_with_less_than_one_buffer_for_both(paths, notional):
    wallet = shape(notional)
    split = separate_least(wallet, paths, 0.05)
    one = compare_rules(wallet, paths, 0.05, rules=("separate",)).of("separate")
    assert split.capital <= one.capital * (1 + 1e-9)
    worth = split.lender * wallet.debt / 0.805
    coin = Pledge(asset="ETH", value=worth, ltv=0.805, threshold=0.83, weight=0.805)
    cash = split.capital - worth
    opened = Wallet(collateral=(coin,), debt=wallet.debt, perps=wallet.perps, cash=cash)
    called = run(opened, "separate", paths, delay=0).called.mean()  # followed step by step, by the other code
    assert called == pytest.approx(split.odds)
    assert called <= 0.05
    assert split.venue == pytest.approx(cash / (0.15 * abs(notional)))


def test_no_split_of_a_grid_is_cheaper(paths):
    wallet, best = shape(800.0), separate_least(shape(800.0), paths, 0.05)
    tried = 0
    for lender in np.linspace(1.0, 2.0, 21):
        for venue in np.linspace(1.0, 5.0, 41):
            worth, cash = lender * wallet.debt / 0.805, venue * 0.15 * 800.0
            if worth + cash >= best.capital * (1 - 1e-9):
                continue
            coin = Pledge(asset="ETH", value=worth, ltv=0.805, threshold=0.83, weight=0.805)
            opened = Wallet(collateral=(coin,), debt=wallet.debt, perps=wallet.perps, cash=cash)
            assert run(opened, "separate", paths, delay=0).called.mean() > 0.05
            tried += 1
    assert tried > 10


def test_one_side_alone_has_nothing_to_split(paths):
    assert separate_least(shape(0.0), paths[:, :, 1:], 0.05) is None
    assert separate_least(shape(500.0, debt=0.0), paths, 0.05) is None
