"""The accounts of a book: add, name, duplicate, remove, move a row. Rows stay as typed, good or bad. No drawing."""

from collections.abc import Iterable
from dataclasses import replace

from margin.core.errors import InputError
from margin.core.portfolio import MAX_ACCOUNTS, Account
from margin.models import keys
from margin.venues import facts_of
from ui.state.book import Book
from ui.state.rows import Draft


def venue_title(venue: str) -> str:
    """How people write a venue's name."""
    known = facts_of(venue)
    return known.title if known else venue.replace("_", " ").capitalize() or "No venue"


def venues() -> tuple[str, ...]:
    """Venues whose rules are here, by name, after no venue."""
    return ("", *sorted({key.split(":")[0] for key in keys() if ":" in key}))


def labels(accounts: Iterable[Account]) -> tuple[str, ...]:
    """A name for each account, all different: its own, else its venue's, else its number."""
    out: list[str] = []
    for number, account in enumerate(accounts, start=1):
        name = account.name or (venue_title(account.venue) if account.venue else f"Account {number}")
        again = sum(other == name or other.startswith(f"{name} (") for other in out)
        out.append(f"{name} ({again + 1})" if again else name)
    return tuple(out)


def added(book: Book, name: str = "", venue: str = "") -> Book:
    """An empty account after the others. Raises InputError where there are too many."""
    if len(book.accounts) >= MAX_ACCOUNTS:
        raise InputError("accounts", len(book.accounts), "has too many entries", f"At most {MAX_ACCOUNTS}.")
    account = Account(name=name, venue=venue, mode="cross" if venue else None)
    return replace(book, accounts=(*book.accounts, account), name="")


def changed(book: Book, index: int, *, name: str, venue: str, mode: str | None) -> Book:
    """Another name, venue or mode; what the old venue said of it goes with the venue. Raises InputError."""
    old = book.accounts[index]
    new = replace(old, name=name, venue=venue, mode=mode)  # type: ignore[arg-type]
    if new.venue != old.venue:
        new = replace(new, venue_says={})  # type: ignore[arg-type]
    return replace(book, accounts=(*book.accounts[:index], new, *book.accounts[index + 1 :]))


def duplicated(book: Book, index: int) -> Book:
    """The account again, with its rows, after the others. Raises InputError."""
    name = labels(book.accounts)[index]
    wide = added(book)
    copy = replace(book.accounts[index], name=f"{name} copy"[:200])
    accounts = (*wide.accounts[:-1], copy)
    last = len(accounts) - 1
    return replace(
        wide,
        accounts=accounts,
        positions=_with_copies(book.positions, index, last),
        collateral=_with_copies(book.collateral, index, last),
    )


def removed(book: Book, index: int) -> Book:
    """Without the account and its rows; the last one is only emptied."""
    kept = (*book.accounts[:index], *book.accounts[index + 1 :]) or (Account(),)
    return replace(
        book,
        accounts=kept,
        positions=_without(book.positions, index),
        collateral=_without(book.collateral, index),
        name="",
    )


def moved(book: Book, rows: Iterable[int], index: int) -> Book:
    """Those position rows in another account; what was posted to them goes along."""
    chosen = set(rows)
    return replace(book, positions=tuple(replace(d, account=index) if d.id in chosen else d for d in book.positions))


def next_id(drafts: Iterable[Draft]) -> int:
    """An id no row has."""
    return 1 + max((draft.id for draft in drafts), default=0)


def _with_copies(drafts: tuple[Draft, ...], index: int, last: int) -> tuple[Draft, ...]:
    first = next_id(drafts)
    mine = [draft for draft in drafts if draft.account == index]
    return (*drafts, *(replace(draft, id=first + i, account=last) for i, draft in enumerate(mine)))


def _without(drafts: tuple[Draft, ...], index: int) -> tuple[Draft, ...]:
    kept = [draft for draft in drafts if draft.account != index]
    return tuple(replace(draft, account=draft.account - (draft.account > index)) for draft in kept)
