"""dYdX v4's `perpetualMarkets`: fractions of initial and maintenance margin, caps of open interest."""

from collections.abc import Mapping
from typing import Any

from data.exchange.tables import PublicTable, Row


def facts(answer: Any) -> dict[str, Any]:
    """Markets as numbers of liquidity tiers (initial, maintenance / initial, lower and upper cap)."""
    tiers: list[list[float]] = []
    markets = {}
    for market in answer["markets"].values():
        if market.get("status") not in (None, "ACTIVE"):
            continue
        initial = float(market["initialMarginFraction"])
        share = round(float(market["maintenanceMarginFraction"]) / initial, 10)
        caps = [float(market.get(f"openInterest{end}Cap") or 0) for end in ("Lower", "Upper")]
        tier = [initial, share, *caps]
        if tier not in tiers:
            tiers.append(tier)
        markets[str(market["ticker"]).partition("-")[0]] = tiers.index(tier)
    return {"liquidity_tiers": tiers, "markets": markets}


def rows(found: Mapping[str, Any]) -> dict[str, tuple[Row, ...]]:
    """One rate a market, whatever the size."""
    tiers = found["liquidity_tiers"]
    return {
        asset: ((0.0, None, tiers[number][0] * tiers[number][1], 1.0 / tiers[number][0]),)
        for asset, number in found["markets"].items()
        if "," not in asset  # an isolated market of a token by its address
    }


TABLE = PublicTable(
    id="dydx", ccxt="dydx", method="indexerGetPerpetualMarkets", facts=facts, rows=rows,
    source="GET indexer.dydx.trade/v4/perpetualMarkets",
)  # fmt: skip
