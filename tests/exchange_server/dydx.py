"""dYdX's indexer: the subaccounts of an address."""

from typing import Any

from tests.exchange_server import accounts

HOSTS = ("indexer.dydx.trade",)


def where(path: str, body: Any) -> str:
    return "account" if "/addresses/" in path else "other"


def answer(ask: Any) -> tuple[int, Any]:
    if "/addresses/" not in ask.path:
        raise KeyError(ask.path)
    return accounts.dydx(ask.path.rpartition("/")[2])
