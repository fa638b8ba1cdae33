"""What somebody pasted, before it changes anything: what was read, and which account each part would become or replace.

Nothing here draws or fetches. An address is not kept: only what the venues answered.
"""

from dataclasses import dataclass, replace

from margin.core.errors import InputError
from margin.core.portfolio import MAX_ACCOUNTS, Account, Portfolio
from margin.formats.found import ReadPortfolio, SetAside
from margin.formats.pasted import decoded
from margin.formats.read import read_portfolio
from ui.state.accounts import labels, next_id
from ui.state.book import Book
from ui.state.rows import Draft, collateral_drafts, position_drafts

NEW = -1  # the target of an account that is added


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """reads: one per text or venue; whole: a book of ours, which replaces the present one altogether.

    text : what was pasted, kept while it is asked what BTCUSDT means ("" otherwise)
    told : lines about what could not be had, or holds nothing
    """

    reads: tuple[ReadPortfolio, ...]
    whole: bool = False
    text: str = ""
    asks: bool = False
    told: tuple[str, ...] = ()

    @property
    def accounts(self) -> tuple[Account, ...]:
        return tuple(account for read in self.reads for account in read.portfolio.accounts)

    @property
    def speaks_of(self) -> tuple[tuple[str, ...], ...]:
        """For each account what the text said anything about: "positions", "collateral" or both."""
        both = ("positions", "collateral")
        return tuple(
            read.speaks_of[i] if i < len(read.speaks_of) else both
            for read in self.reads
            for i in range(len(read.portfolio.accounts))
        )

    @property
    def set_aside(self) -> tuple[SetAside, ...]:
        return tuple(row for read in self.reads for row in read.set_aside)

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(note for read in self.reads for note in read.portfolio.notes))

    @property
    def closed(self) -> int:
        return sum(read.closed for read in self.reads)


def read_text(source: str | bytes, pairs: bool | None = None) -> Incoming:
    """What is in a pasted text or a file. Raises InputError in one line."""
    text = decoded(source)
    read = read_portfolio(text, pairs=pairs)
    ours = not read.speaks_of
    return Incoming(reads=(read,), whole=ours, text=text if read.asks else "", asks=read.asks)


def without_empty(present: Book, incoming: Incoming) -> Incoming:
    """Without accounts that hold nothing, where others hold something; one that stands in the book is emptied."""
    there = {(account.venue, account.name) for account in present.accounts}

    def kept(account: Account) -> bool:
        return _holds(account) or (account.venue, account.name) in there

    if incoming.whole or all(map(kept, incoming.accounts)) or not any(map(_holds, incoming.accounts)):
        return incoming
    reads = []
    for read in incoming.reads:
        which = [i for i, account in enumerate(read.portfolio.accounts) if kept(account)]
        accounts = [read.portfolio.accounts[i] for i in which]
        spoken = tuple(read.speaks_of[i] for i in which)
        reads.append(
            replace(read, portfolio=Portfolio(accounts=accounts, notes=read.portfolio.notes), speaks_of=spoken)
        )
    return replace(incoming, reads=tuple(reads))


def _holds(account: Account) -> bool:
    return bool(account.positions or account.collateral)


def proposals(present: Book, incoming: Incoming) -> tuple[int, ...]:
    """Which account of the book each one would replace; NEW: none, it is added.

    The one of the same venue and name, else of the same venue; else the only account there is, where it has no venue.
    """
    free = list(range(len(present.accounts)))
    out: list[int] = []
    for account in incoming.accounts:
        same = [i for i in free if account.venue and present.accounts[i].venue == account.venue]
        exact = [i for i in same if present.accounts[i].name == account.name]
        alone = [0] if len(present.accounts) == 1 and 0 in free and not present.accounts[0].venue else []
        chosen = (exact or (same if not account.name else []) or (alone if not out else []) or [NEW])[0]
        if chosen != NEW:
            free.remove(chosen)
        out.append(chosen)
    return tuple(out)


def applied(present: Book, incoming: Incoming, targets: tuple[int, ...]) -> Book:
    """The book with what was read; what the text does not speak of stays. Raises InputError for too many accounts."""
    if incoming.whole:
        (read,) = incoming.reads
        return Book.of(read.portfolio, present.settings)
    book = replace(present, name="")
    for account, spoken, target in zip(incoming.accounts, incoming.speaks_of, targets, strict=True):
        book = _with(book, account, spoken, target)
    return book


def stays(present: Book, incoming: Incoming, number: int, target: int) -> str:
    """What of the replaced account is kept, in words; "" where nothing is."""
    spoken = incoming.speaks_of[number]
    if target == NEW or incoming.whole:
        return ""
    rows = {"positions": present.positions, "collateral": present.collateral}
    kept = [
        f"its {name} ({sum(1 for d in drafts if d.account == target and not d.blank)})"
        for name, drafts in rows.items()
        if name not in spoken and any(d.account == target and not d.blank for d in drafts)
    ]
    return " and ".join(kept)


def target_names(present: Book) -> dict[int, str]:
    """What a part can become: a new account, or any of those there are."""
    names = {NEW: "a new account"}
    names |= {i: f"replaces {label}" for i, label in enumerate(labels(present.accounts))}
    return names


def _with(book: Book, account: Account, spoken: tuple[str, ...], target: int) -> Book:
    bare = replace(account, positions=(), collateral=())
    if target == NEW:
        if len(book.accounts) >= MAX_ACCOUNTS:
            raise InputError("accounts", len(book.accounts), "has too many entries", f"At most {MAX_ACCOUNTS}.")
        book = replace(book, accounts=(*book.accounts, bare))
        target = len(book.accounts) - 1
    else:
        old = book.accounts[target]
        merged = replace(
            bare, name=account.name or old.name, venue=account.venue or old.venue, mode=account.mode or old.mode,
            venue_says=account.venue_says or (old.venue_says if account.venue in ("", old.venue) else {}),  # type: ignore[arg-type]
        )  # fmt: skip
        book = replace(book, accounts=(*book.accounts[:target], merged, *book.accounts[target + 1 :]))
    if "positions" in spoken:
        new = position_drafts(account.positions)
        book = replace(book, positions=_exchanged(book.positions, new, target))
    if "collateral" in spoken:
        posted = collateral_drafts(account.collateral)
        book = replace(book, collateral=_exchanged(book.collateral, posted, target))
    return book


def _exchanged(drafts: tuple[Draft, ...], new: tuple[Draft, ...], target: int) -> tuple[Draft, ...]:
    """`new` in place of the account's rows, in account order, so that a book reads from the first account on."""
    kept = [draft for draft in drafts if draft.account != target]
    first = next_id(drafts)
    placed = [replace(draft, id=first + i, account=target) for i, draft in enumerate(new)]
    return tuple(sorted([*kept, *placed], key=lambda draft: draft.account))
