"""Floor 2: what every margin model gives, ours and every venue's, and the registry that finds one by its key.

from margin import models
models.get("hyperliquid:cross").state(sub_account, marks)
models.get("portfolio", market=market, settings=settings)

A room that has margin models has a module `margin_models` with `keys()` and `get(key, market, settings)`: its being
there is the registration. It is imported by name when it is asked, for rooms of models stand above this one.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from margin.core.account import Account
from margin.core.errors import InputError, did_you_mean
from margin.core.providers import providers
from margin.models.base import MarginModel

__all__ = ["PROVIDER", "asked_or_own", "for_account", "get", "in_mode", "keys"]

PROVIDER = "margin_models"


def keys() -> tuple[str, ...]:
    """Every model's key, room by room."""
    return tuple(key for keys_of, _ in _rooms() for key in keys_of())


def get(key: str, market: Any = None, settings: Any = None) -> MarginModel:
    """The model of that key.

    market, settings : the ladder's methods need the market (prices and volumes); a rulebook neither. settings: a
                       ladder's Settings, or a venue's sliders
    Raises InputError for an unknown key, or a market that is missing.
    """
    for keys_of, make in _rooms():
        if key in keys_of():
            model: MarginModel = make(key, market=market, settings=settings)
            return model
    hint = did_you_mean(str(key), keys()) or f"One of {', '.join(keys())}."
    raise InputError("model", key, "is not a margin model", hint)


def _rooms() -> list[tuple[Callable[..., Any], Callable[..., Any]]]:
    """(keys, get) of every room that has models."""
    return [(room.keys, room.get) for room in providers(PROVIDER)]


def for_account(account: Any, market: Any = None, settings: Mapping[str, Any] | Any = None) -> MarginModel:
    """The model of the account's own venue and mode; of an account without a venue the portfolio method.

    An account of coin-settled contracts alone has the venue's rules for those, where it margins them apart.
    Isolated positions of a cross account are judged by the same model: `SubAccount.isolated` says which they are.
    Raises InputError for a venue or mode that has no model here.
    """
    if not account.venue:
        return get("portfolio", market=market, settings=settings)
    own = [key for key in keys() if key.split(":")[0] == account.venue]
    if not own:
        venues = sorted({key.split(":")[0] for key in keys() if ":" in key})
        hint = did_you_mean(account.venue, venues) or f"One of {', '.join(venues)}."
        raise InputError("venue", account.venue, "has no margin model here", hint)
    wanted = account.mode or "cross"
    if account.mode is None and f"{account.venue}:cross" not in own:
        return get(own[0])
    found = get(f"{account.venue}:{wanted}")
    apart = getattr(found, "coin_settled", "")  # the venue's rules for coin-settled contracts, a wallet of their own
    held = account.margined
    if apart and held and all(p.instrument.is_inverse for p in held):
        return get(f"{apart}:{wanted}")
    return found


def asked_or_own(account: Any, market: Any, settings: Any, asked: str | MarginModel | None) -> MarginModel:
    """The model that is asked for (itself, or its key), else the account's own.

    settings : of our methods; a venue's rules do not read them
    """
    if asked is None:
        return for_account(account, market=market, settings=settings)
    return get(asked, market=market, settings=settings) if isinstance(asked, str) else asked


def in_mode(account: Account, model: MarginModel) -> Account:
    """The account in the mode of a venue's model: all of "binance:isolated" is isolated, but for positions that name
    their own mode. Under our methods it stays as it is.
    """
    mode = model.key.partition(":")[2]
    return replace(account, mode=mode) if mode else account  # type: ignore[arg-type]
