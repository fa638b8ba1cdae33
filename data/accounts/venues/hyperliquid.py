"""Hyperliquid by address: the clearinghouse, each builder's own clearinghouse (HIP-3), the spot balances, the mode."""

from typing import Any

from data.accounts.client import AccountClient
from data.accounts.venues import AccountVenue, Answers
from data.errors import FetchError

MAX_DEXES = 30
METHOD = "publicPostInfo"


async def ask(client: AccountClient) -> Answers:
    """The main state must come; what else can't be had is a failure that is named. Raises FetchError."""
    user = client.address
    state = await client.ask("perpetual positions", METHOD, {"type": "clearinghouseState", "user": user})
    found = Answers([state] if state else [], [])
    spot = await _or_failure(client, found, "spot balances", {"type": "spotClearinghouseState", "user": user})
    found.documents += [spot] if spot else []
    dexes = await _or_failure(client, found, "builders' markets", {"type": "perpDexs"})
    names = [d["name"] for d in dexes or () if isinstance(d, dict) and isinstance(d.get("name"), str) and d["name"]]
    for name in names[:MAX_DEXES]:
        about = {"type": "clearinghouseState", "user": user, "dex": name}
        held = await _or_failure(client, found, f"positions at {name[:20]}", about)
        found.documents += [{**held, "dex": name}] if isinstance(held, dict) else []
    states = [d for d in found.documents if isinstance(d, dict) and "assetPositions" in d]
    whole = bool(states) and len(states) + bool(spot) == len(found.documents)  # else what came is judged as it is
    mode = await _mode(client, user) if whole else None
    if mode is not None:
        answers = {"userAbstraction": mode, "clearinghouseState": states, "spotClearinghouseState": spot}
        found.documents[:] = [{key: value for key, value in answers.items() if value}]
    return found


async def _mode(client: AccountClient, user: str) -> str | None:
    """The account's mode, e.g. "unifiedAccount"; None where the venue does not say: then each state stands alone."""
    try:
        mode = await client.ask("account mode", METHOD, {"type": "userAbstraction", "user": user})
    except FetchError:
        return None
    return mode.strip().strip('"') if isinstance(mode, str) else None  # ccxt leaves a bare JSON string as its text


async def _or_failure(client: AccountClient, found: Answers, what: str, params: dict[str, Any]) -> Any:
    try:
        return await client.ask(what, METHOD, params)
    except FetchError as error:
        found.failures.append(error)
        return None


VENUE = AccountVenue(
    id="hyperliquid",
    name="Hyperliquid",
    ccxt="hyperliquid",
    kind="ethereum",
    ask=ask,
    source="Hyperliquid docs, API, info endpoint; as in ccxt 4.5.90",
)
