"""Lighter: the accounts of an address."""

from typing import Any

from tests.exchange_server import accounts

HOSTS = ("mainnet.zklighter.elliot.ai",)


def where(path: str, body: Any) -> str:
    return "account" if path.endswith("/account") else "other"


def answer(ask: Any) -> tuple[int, Any]:
    if not ask.path.endswith("/account") or ask.query.get("by") != "l1_address":
        raise KeyError(ask.path)
    return accounts.lighter(ask.query["value"])
