"""The accounts of an address: every venue of its kind is asked, what each has is offered, what failed is named."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from data.accounts.address import check_address
from data.accounts.client import AccountClient, without
from data.accounts.venues import AccountVenue, Answers, account_venues
from data.errors import FetchError
from data.exchange.asker import Patience
from data.exchange.event_loop import run
from margin.core.errors import InputError, did_you_mean
from margin.formats.found import ReadPortfolio
from margin.formats.read import read_documents

LONGEST_SECONDS = 45.0  # for one venue with all its markets


@dataclass(frozen=True, kw_only=True)
class FoundAccounts:
    """found: venue id -> what was read there; nothing: venues that know no position or balance of the address.

    failures : (venue id, one line) for each thing that could not be had; a venue may be in `found` too
    """

    found: dict[str, ReadPortfolio]
    nothing: tuple[str, ...]
    failures: tuple[tuple[str, str], ...]


def venues() -> tuple[str, ...]:
    """Venues that show accounts by address."""
    return tuple(account_venues())


def fetch_accounts(address: str, names: Iterable[str] | None = None, patience: Patience | None = None) -> FoundAccounts:
    """Ask the venues (all of the address's kind where `names` is None), side by side. The caller waits.

    Raises InputError for what is no address, an unknown venue, or one that has no such addresses. A venue that fails
    is in `failures`. Nothing of it is kept, and no message holds the address.
    """
    kind, plain = check_address(address)
    chosen = _chosen(kind, names)
    return run(_all(plain, chosen, patience))


def _chosen(kind: str, names: Iterable[str] | None) -> list[AccountVenue]:
    known = account_venues()
    if names is None:
        return [venue for venue in known.values() if venue.kind == kind]
    out = []
    for name in names:
        venue = known.get(name.strip().lower())
        if venue is None:
            hint = did_you_mean(name, known) or f"These do: {', '.join(known)}."
            raise InputError("venue", name, "does not show accounts by address here", hint)
        if venue.kind != kind:
            hint = f"Its addresses begin with {'0x' if venue.kind == 'ethereum' else 'dydx1'}."
            raise InputError("venue", name, "has no such addresses", hint)
        out.append(venue)
    return out


async def _all(address: str, chosen: list[AccountVenue], patience: Patience | None) -> FoundAccounts:
    answers = await asyncio.gather(*(_one(venue, address, patience) for venue in chosen))
    found: dict[str, ReadPortfolio] = {}
    nothing: list[str] = []
    failures: list[tuple[str, str]] = []
    for venue, answer in zip(chosen, answers, strict=True):
        failures += [(venue.id, f"{error.asset}: {error.message}") for error in answer.failures]
        try:
            read = read_documents(answer.documents) if answer.documents else None
        except InputError as error:
            failures.append((venue.id, without(f"its answer can't be read: {error}", address)))
            continue
        held = read is not None and any(a.positions or a.collateral for a in read.portfolio.accounts)
        if read is not None and (held or read.set_aside):
            found[venue.id] = read
        elif not answer.failures:
            nothing.append(venue.id)
    return FoundAccounts(found=found, nothing=tuple(nothing), failures=tuple(failures))


async def _one(venue: AccountVenue, address: str, patience: Patience | None) -> Answers:
    async with AccountClient(venue.ccxt, address, patience) as client:
        try:
            return await asyncio.wait_for(venue.ask(client), LONGEST_SECONDS)
        except FetchError as error:
            return Answers([], [error])
        except TimeoutError:
            slow = f"{venue.name} takes longer than {LONGEST_SECONDS:g} s"
            return Answers([], [FetchError("account", venue.id, "timeout", slow)])
