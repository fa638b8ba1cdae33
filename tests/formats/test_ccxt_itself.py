"""ccxt's own reading of the venues' answers, handed to our ccxt reader, against our reading of the same answers."""

import json

import pytest

from margin.core.instruments import parse_symbol
from margin.formats.contract_names import unify
from margin.formats.read import read_portfolio
from tests.formats import test_venues

ccxt = pytest.importorskip("ccxt", reason="needs ccxt, which is not installed")

# (ccxt's name, our document, its rows, the key of the instrument's name, contract sizes by name)
CASES = {
    "deribit": (test_venues.DERIBIT, lambda d: d["result"], "instrument_name", {"BTC-PERPETUAL": 10.0, "SOL_USDC-PERPETUAL": 0.1}),
    "okx": (test_venues.OKX, lambda d: d["data"][:3], "instId", {
        "BTC-USDT-SWAP": 0.01, "BTC-USD-SWAP": 100.0, "BTC-USD-270625-100000-C": 0.01}),
    "bybit": (test_venues.BYBIT, lambda d: d["result"]["list"][:2], "symbol", {}),
    "hyperliquid": (test_venues.HYPERLIQUID, lambda d: d["assetPositions"][:2], "coin", {}),
}  # fmt: skip


def market(exchange, name: str, venue: str, size: float) -> dict:
    """One market as ccxt lists it."""
    symbol = unify(name, venue)
    kind = parse_symbol(symbol)
    inverse = kind.settle == kind.base
    return exchange.safe_market_structure({
        "id": name, "symbol": symbol, "base": kind.base, "quote": kind.quote,
        "settle": kind.settle, "type": "option" if kind.is_option else "swap" if kind.kind == "perpetual" else "future",
        "contract": True, "linear": not inverse, "inverse": inverse, "contractSize": size, "swap": kind.kind == "perpetual",
        "future": kind.kind == "future", "option": kind.is_option, "spot": False, "active": True,
        "precision": {"amount": None, "price": None}, "limits": {},
    })  # fmt: skip


@pytest.mark.parametrize("venue", CASES)
def test_ccxts_structures_are_the_same_positions(venue):
    document, rows_of, key, sizes = CASES[venue]
    exchange = getattr(ccxt, venue)()
    rows = rows_of(document)
    names = [(row.get("position") or row)[key] for row in rows]
    exchange.set_markets([market(exchange, name, venue, sizes.get(name, 1.0)) for name in names])
    structures = [exchange.parse_position(row) for row in rows]
    if venue == "hyperliquid":
        structures = [{**s, "symbol": unify(name, venue)} for s, name in zip(structures, names, strict=True)]
    found = read_portfolio(structures)
    assert found.set_aside == (), found.set_aside
    assert found.portfolio.account.venue == venue
    ours = {p.symbol: p for p in read_portfolio(json.dumps(document)).portfolio.positions}
    for p in found.portfolio.positions:
        assert p.quantity == pytest.approx(ours[p.symbol].quantity, rel=1e-6), (p, structures)
        assert p.mode == ours[p.symbol].mode
        if not p.instrument.is_option:
            assert p.entry_price == pytest.approx(ours[p.symbol].entry_price)
        if p.margin is not None:
            assert p.margin == pytest.approx(ours[p.symbol].margin)
