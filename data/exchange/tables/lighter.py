"""Lighter's `orderBookDetails`: fractions of initial, maintenance and close-out margin in ten-thousandths."""

from collections.abc import Mapping
from typing import Any

from data.exchange.tables import PublicTable, Row

UNIT = 10_000
NAMES = ("min_initial", "default_initial", "maintenance", "closeout")


def facts(answer: Any) -> dict[str, Any]:
    """Rows of (least initial, default initial, maintenance, close-out) by coin."""
    out = {}
    for market in answer["order_book_details"]:
        if market.get("status") in (None, "active"):
            row = [int(market[f"{name}_margin_fraction"]) for name in NAMES]
            if min(row[:3]) > 0:
                out[str(market["symbol"]).upper()] = row
    return {"fractions": out}


def rows(found: Mapping[str, Any]) -> dict[str, tuple[Row, ...]]:
    """One rate a market, whatever the size."""
    return {a: ((0.0, None, row[2] / UNIT, UNIT / row[0]),) for a, row in found["fractions"].items()}


TABLE = PublicTable(
    id="lighter", ccxt="lighter", method="publicGetOrderBookDetails", facts=facts, rows=rows,
    source="GET mainnet.zklighter.elliot.ai/api/v1/orderBookDetails",
)  # fmt: skip
