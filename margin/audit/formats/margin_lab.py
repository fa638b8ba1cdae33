"""Our own form: positions.parquet beside accounts.parquet."""

from margin.audit.formats import Adapter

ADAPTER = Adapter(
    name="margin-lab",
    title="Margin Lab's two files",
    account=("account",),
    asset="asset",
    quantity="quantity",
    entry="entry_price",
    equity="equity",
    mode="margin_mode",
    margin="margin",
    reported="liquidation_price",
)
