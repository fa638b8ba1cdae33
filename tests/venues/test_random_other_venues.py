"""Random books at venues that hold more than dollars: liquidation where equity meets maintenance by the plain formula."""

import numpy as np
import pandas as pd
import pytest

from margin.core.account import Account
from margin.core.portfolio import Collateral, Position
from margin.models import get
from margin.models.marks import Marks
from margin.venues.liquidation import of_sub_account
from tests.venues.door import TODAY
from tests.venues.plain_other_venues import CHAINS, DeriveOptions, lending
from tests.venues.test_random_books import PRICES, compare, random_book

BOOKS = 8


def judged(model, positions, held, marks):
    """Liquidation prices of the one pool that these positions and balances are."""
    account = Account(positions=positions, collateral=[Collateral(asset, q) for asset, q in held.items() if q])
    (pool,) = account.sub_accounts(model, marks)
    return of_sub_account(model, pool, marks)


@pytest.mark.parametrize("kind", CHAINS, ids=lambda k: k.venue)
def test_perpetuals_beside_a_coin(kind):
    rules, rng = kind(), np.random.default_rng(21)
    model, marks, seen = get(f"{kind.venue}:{kind.mode}"), Marks(PRICES, TODAY), 0
    for i in range(BOOKS):
        book = random_book(rng, kind.coins, kind.largest, 2)
        size = sum(abs(q) * PRICES[c] for c, q, *_ in book)
        held = {kind.dollars: size * float(rng.uniform(0.1, 0.5))}
        if kind.coin is not None:
            least = 0.0 if kind.mode == "portfolio" else -0.5  # a coin is borrowed too
            held[kind.coin] = size * float(rng.uniform(least, 1.0)) / PRICES[kind.coin]
            if i % 3 == 0 and kind.mode == "portfolio":
                held[kind.dollars] = -0.2 * held[kind.coin] * PRICES[kind.coin]  # dollars borrowed
        positions = [Position(f"{c}/{kind.dollars}:{kind.dollars}", q, e, lev) for c, q, e, lev in book]
        found = judged(model, positions, held, marks)
        for coin in found:

            def gap(factor, coin=coin, book=book, held=held):
                return rules.gap(held, book, {**PRICES, coin: PRICES[coin] * factor})

            wrong, sides = compare(found[coin], gap, PRICES[coin])
            assert wrong == 0, (kind.venue, book, held, coin, found[coin])
            seen += sides
    assert seen >= 2 * BOOKS


@pytest.mark.parametrize("rules", list(lending()), ids=lambda r: r.venue)
def test_lending(rules):
    rng = np.random.default_rng(22)
    model, marks = get(f"{rules.venue}:cross"), Marks(PRICES, TODAY)
    for i in range(BOOKS):
        supplied, owed = ("BTC", "USDC") if i % 2 else ("USDC", "ETH")
        value = float(np.exp(rng.uniform(np.log(1_000), np.log(1e6))))
        debt = value * float(rng.uniform(0.2, 0.7))
        held = {supplied: value / PRICES[supplied], owed: -debt / PRICES[owed]}
        if i % 4 == 3 and rules.venue != "morpho":  # whose markets have one collateral
            held["ETH"] = 0.3 * value / PRICES["ETH"]
        found = judged(model, (), held, marks)
        assert set(found) == set(held) - {"USDC"}
        for coin in found:

            def gap(factor, coin=coin, held=held):
                return rules.gap(held, {**PRICES, coin: PRICES[coin] * factor})

            assert compare(found[coin], gap, PRICES[coin])[0] == 0, (rules.venue, held, coin, found[coin])


def test_options_at_derive():
    rules, rng = DeriveOptions(), np.random.default_rng(23)
    marks = Marks(PRICES, pd.Timestamp("2026-11-26 08:00"), {"BTC": 0.6})
    model = get("derive:cross")
    for _ in range(BOOKS):
        legs = []
        for _ in range(int(rng.integers(1, 4))):
            strike = 60_000.0 + 1_000 * int(rng.integers(-10, 11))
            legs.append((str(rng.choice(["C", "P"])), strike, float(rng.uniform(-4.0, 2.0))))
        legs = list({(kind, strike): (kind, strike, q) for kind, strike, q in legs}.values())
        cash = sum(abs(q) for *_, q in legs) * 60_000 * float(rng.uniform(0.15, 0.7))
        positions = [Position(f"BTC/USDC:USDC-261226-{strike:g}-{kind}", q) for kind, strike, q in legs]
        found = judged(model, positions, {"USDC": cash}, marks)["BTC"]

        def gap(factor, legs=legs, cash=cash):
            return rules.gap(cash, legs, 60_000.0, 60_000.0 * factor, 30 / 365, 0.6)

        assert compare(found, gap, 60_000.0)[0] == 0, (legs, cash, found)
