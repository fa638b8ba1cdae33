"""One file per venue that shows accounts by address: its `VENUE`. Adding one is adding a file here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from data.accounts.client import AccountClient
from data.errors import FetchError

__all__ = ["AccountVenue", "Answers", "account_venues"]


@dataclass
class Answers:
    """Documents as the venue gave them, and what it could not be asked."""

    documents: list[Any]
    failures: list[FetchError]


@dataclass(frozen=True, kw_only=True)
class AccountVenue:
    """ccxt: its name there; kind: of addresses (data.accounts.address.KINDS); `ask` raises FetchError."""

    id: str
    name: str
    ccxt: str
    kind: str
    ask: Callable[[AccountClient], Awaitable[Answers]]
    source: str


@cache
def account_venues() -> dict[str, AccountVenue]:
    """Every venue by its id."""
    found: list[AccountVenue] = [import_module(f"{__name__}.{m.name}").VENUE for m in iter_modules(__path__)]
    return {venue.id: venue for venue in sorted(found, key=lambda v: v.id)}
