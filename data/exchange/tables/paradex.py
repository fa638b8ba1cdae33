"""Paradex's `markets`: a fixed initial fraction for each perpetual."""

from collections.abc import Mapping
from typing import Any

from data.exchange.tables import PublicTable, Row

HALF = 0.5  # maintenance margin, of initial


def facts(answer: Any) -> dict[str, Any]:
    """Initial fractions of perpetuals; markets whose fraction still grows with size, or is not halved, are left out."""
    out = {}
    for market in answer["results"]:
        if market["asset_kind"] != "PERP":
            continue
        rule = {k: float(v) for k, v in market["delta1_cross_margin_params"].items() if v not in (None, "")}
        if not rule.get("imf_factor") and rule.get("mmf_factor") == HALF and rule["imf_base"] > 0:
            out[str(market["base_currency"]).upper()] = rule["imf_base"]
    return {"initial_fractions": out}


def rows(found: Mapping[str, Any]) -> dict[str, tuple[Row, ...]]:
    """One rate a market, whatever the size."""
    return {a: ((0.0, None, f * HALF, 1.0 / f),) for a, f in found["initial_fractions"].items()}


TABLE = PublicTable(
    id="paradex", ccxt="paradex", method="publicGetMarkets", facts=facts, rows=rows,
    source="GET api.prod.paradex.trade/v1/markets",
)  # fmt: skip
