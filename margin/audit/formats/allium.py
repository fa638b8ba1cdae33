"""Allium's views of Hyperliquid's perpetual positions, latest and daily, and QuickNode's of the same columns."""

from margin.audit.formats import Adapter

ADAPTER = Adapter(
    name="allium",
    title="Allium, QuickNode: perpetual positions",
    account=("user",),
    asset="coin",
    quantity="szi",
    entry="entry_px",
    equity="account_value",
    mode="leverage_type",
    margin="margin_used",
    reported="liquidation_price",
    notional="position_value",
    snapshot="time_slice",
)
