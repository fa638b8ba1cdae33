"""Allium's raw table of Hyperliquid's perpetual positions: snapshots, the size signed."""

from margin.audit.formats import Adapter

ADAPTER = Adapter(
    name="allium-raw",
    title="Allium: raw snapshots of perpetual positions",
    account=("user",),
    asset="coin",
    quantity="size",
    entry="entry_px",
    equity="account_value",
    mode="leverage_type",
    margin="margin_used",
    reported="liquidation_price",
    notional="position_value",
    snapshot="timestamp",
)
