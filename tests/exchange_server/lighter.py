"""Lighter: the accounts of an address, and the margin fractions of the markets."""

from typing import Any

from tests.exchange_server import accounts

HOSTS = ("mainnet.zklighter.elliot.ai",)


def where(path: str, body: Any) -> str:
    if path.endswith("/orderBookDetails"):
        return "tiers"
    return "account" if path.endswith("/account") else "other"


def _market(symbol: str, least: int, default: int, kept: int, closed: int) -> dict[str, Any]:
    return {
        "symbol": symbol, "status": "active", "min_initial_margin_fraction": least,
        "default_initial_margin_fraction": default, "maintenance_margin_fraction": kept,
        "closeout_margin_fraction": closed,
    }  # fmt: skip


def answer(ask: Any) -> tuple[int, Any]:
    if ask.path.endswith("/orderBookDetails"):
        return 200, {
            "code": 200,
            "order_book_details": [_market("BTC", 200, 500, 120, 80), _market("SOL", 400, 1000, 240, 160)],
        }
    if not ask.path.endswith("/account") or ask.query.get("by") != "l1_address":
        raise KeyError(ask.path)
    return accounts.lighter(ask.query["value"])
