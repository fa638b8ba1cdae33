"""Lighter by address: the accounts of an Ethereum address."""

from data.accounts.client import AccountClient
from data.accounts.venues import AccountVenue, Answers


async def ask(client: AccountClient) -> Answers:
    """Raises FetchError."""
    answer = await client.ask("account", "publicGetAccount", {"by": "l1_address", "value": client.address})
    return Answers([answer] if answer else [], [])


VENUE = AccountVenue(
    id="lighter",
    name="Lighter",
    ccxt="lighter",
    kind="ethereum",
    ask=ask,
    source="Lighter API docs, /api/v1/account; as in ccxt 4.5.90",
)
