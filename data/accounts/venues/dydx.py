"""dYdX v4 by address: the indexer's list of its subaccounts."""

from data.accounts.client import AccountClient
from data.accounts.venues import AccountVenue, Answers


async def ask(client: AccountClient) -> Answers:
    """Raises FetchError."""
    answer = await client.ask("subaccounts", "indexerGetAddressesAddress", {"address": client.address})
    return Answers([answer] if answer else [], [])


VENUE = AccountVenue(
    id="dydx",
    name="dYdX",
    ccxt="dydx",
    kind="dydx",
    ask=ask,
    source="dYdX docs, Indexer API, Get Subaccounts; as in ccxt 4.5.90",
)
