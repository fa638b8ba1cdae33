"""dYdX v4's indexer: perpetual positions, an account being an address and a subaccount."""

from margin.audit.formats import Adapter

ADAPTER = Adapter(
    name="dydx",
    title="dYdX v4's indexer",
    account=("address", "subaccountnumber"),
    asset="market",
    quantity="size",
    side="side",
    entry="entryprice",
    equity="equity",
    status=("status", "OPEN"),
)
