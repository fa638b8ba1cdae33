"""Hyperliquid's `meta`: each coin's margin table, a highest leverage from each notional on."""

from collections.abc import Mapping
from typing import Any

from data.exchange.tables import PublicTable, Row


def facts(answer: Any) -> dict[str, Any]:
    """Rows of (lower notional, highest leverage); a table id below 50 is one tier of that leverage."""
    tables = {int(number): table["marginTiers"] for number, table in answer.get("marginTables") or []}
    out = {}
    for coin in answer["universe"]:
        if coin.get("isDelisted"):
            continue
        tiers = tables.get(int(coin.get("marginTableId") or 0))
        rows = [[float(t["lowerBound"]), int(t["maxLeverage"])] for t in tiers] if tiers else None
        out[str(coin["name"]).upper()] = rows or [[0.0, int(coin["maxLeverage"])]]
    return {"leverage_tiers": out}


def rows(found: Mapping[str, Any]) -> dict[str, tuple[Row, ...]]:
    """The maintenance rate is half the initial margin at a tier's highest leverage."""
    out = {}
    for asset, table in found["leverage_tiers"].items():
        caps = [row[0] for row in table[1:]] + [None]
        out[asset] = tuple(
            (low, cap, 1.0 / (2.0 * lev), float(lev)) for (low, lev), cap in zip(table, caps, strict=True)
        )
    return out


TABLE = PublicTable(
    id="hyperliquid", ccxt="hyperliquid", method="publicPostInfo", params={"type": "meta"}, facts=facts, rows=rows,
    source="POST api.hyperliquid.xyz/info, meta",
)  # fmt: skip
