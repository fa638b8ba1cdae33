"""dYdX's indexer: the subaccounts of an address, and the margin fractions of the markets."""

from typing import Any

from tests.exchange_server import accounts

HOSTS = ("indexer.dydx.trade",)


def where(path: str, body: Any) -> str:
    if path.endswith("/perpetualMarkets"):
        return "tiers"
    return "account" if "/addresses/" in path else "other"


def _market(asset: str, initial: str, maintenance: str, caps: tuple[str, str]) -> dict[str, Any]:
    return {
        "ticker": f"{asset}-USD", "status": "ACTIVE", "initialMarginFraction": initial,
        "maintenanceMarginFraction": maintenance, "openInterestLowerCap": caps[0], "openInterestUpperCap": caps[1],
        "oraclePrice": "1",
    }  # fmt: skip


MARKETS = [
    _market("BTC", "0.02", "0.012", ("0", "0")),
    _market("SOL", "0.05", "0.03", ("40000000", "100000000")),
    _market("XRP", "0.1", "0.05", ("20000000", "50000000")),
]


def answer(ask: Any) -> tuple[int, Any]:
    if ask.path.endswith("/perpetualMarkets"):
        return 200, {"markets": {m["ticker"]: m for m in MARKETS}}
    if "/addresses/" not in ask.path:
        raise KeyError(ask.path)
    return accounts.dydx(ask.path.rpartition("/")[2])
