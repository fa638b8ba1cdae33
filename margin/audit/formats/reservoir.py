"""Hydromancer's Reservoir: one row per user and market of Hyperliquid, the account's value on every row."""

from margin.audit.formats import Adapter

ADAPTER = Adapter(
    name="reservoir",
    title="Reservoir snapshots of Hyperliquid",
    account=("user",),
    asset="market",
    quantity="size",
    entry="entry_price",
    equity="account_value",
    mode="leverage_type",
    margin="margin_used",
    reported="liquidation_price",
    notional="notional",
    needs=("account_value",),
)
