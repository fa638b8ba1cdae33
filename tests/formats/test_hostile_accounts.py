"""Damaged and hostile answers of venues, and noise for tables: read, set aside or refused in one line, never a crash."""

import json
import random

import pytest

from margin.core.errors import InputError
from margin.core.portfolio import Portfolio
from margin.formats.read import read_portfolio
from tests.core.test_hostile_portfolios import mutated_bytes, swapped
from tests.formats import test_tables, test_venues

DOCUMENTS = {
    name: getattr(test_venues, name)
    for name in (
        "HYPERLIQUID", "BYBIT", "BYBIT_WALLET", "OKX", "OKX_BALANCE", "DERIBIT", "DERIBIT_SUMMARY", "KRAKEN",
        "KRAKEN_WALLETS", "BITMEX", "BITMEX_MARGIN", "DYDX", "LIGHTER", "BINANCE_ACCOUNT", "BINANCE_COIN",
    )
}  # fmt: skip
TRIES = 300


def check(source) -> bool:
    """Whether it was read; a refusal is one printable line. What was read can be written and read back."""
    try:
        found = read_portfolio(source)
    except InputError as error:
        assert str(error).isprintable() and 10 < len(str(error)) < 1_000, str(error)
        return False
    assert Portfolio.from_json(found.portfolio.to_json()) == found.portfolio
    for row in found.set_aside:
        assert row.reason.isprintable() and row.row
    return True


@pytest.mark.parametrize("name", DOCUMENTS)
def test_hostile_values_in_a_venues_answer(name):
    rng = random.Random(name)
    read = [check(swapped(rng, DOCUMENTS[name])) for _ in range(TRIES)]
    assert any(read)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_damaged_bytes_of_a_venues_answer(name):
    rng = random.Random(name)
    text = json.dumps(DOCUMENTS[name])
    for _ in range(TRIES):
        check(mutated_bytes(rng, text))


@pytest.mark.parametrize("name", test_tables.TABLES)
def test_damaged_tables(name):
    rng = random.Random(name)
    text = test_tables.TABLES[name]
    for _ in range(TRIES):
        check(mutated_bytes(rng, text))


def test_noise_is_refused():
    rng = random.Random(5)
    for _ in range(1_500):
        check("".join(rng.choices("BTC/USDT:-+.,;\t\n 0123456789xlongshrt|'\"()%$eE_", k=rng.randint(0, 200))))
        check(rng.randbytes(rng.randint(0, 200)))
