"""One link that carries the whole book and every setting: `?p=` holds compressed compact JSON.

    {"v": 2, "n": name, "p": [[symbol, quantity, entry, leverage, {more}, account], ...],
     "c": [[asset, quantity, account], ...], "a": [{"name", "venue", "mode", "as_of", "venue_says"}, ...],
     "s": {...}, "o": origin}

Cells travel as text, so numbers come back exactly and a row that is being corrected is not lost; `more` is what else a
position carries (portfolio JSON version 2), `account` the index into `a`; both only where there is something to say.
`s` holds only the settings that differ from their defaults. A link without "v" is of version 1: its spot was bought on
borrowed money, its coin-settled contracts counted coins, and both are read that way. What arrives in a link is
anybody's: size is bounded before and while it is decompressed, and whatever cannot be used is left out with a message.
A link always opens.
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from margin.core.account import KEYS as ACCOUNT_KEYS
from margin.core.errors import InputError
from margin.core.portfolio import MAX_ACCOUNTS, MAX_COLLATERAL, MAX_NAME, MAX_POSITIONS, Account
from margin.core.settings import Settings
from margin.formats.portfolio_json import POSITION_KEYS, from_version_1
from ui.state.book import Book
from ui.state.rows import (
    COLLATERAL_CELLS,
    MAX_CELL,
    POSITION_CELLS,
    Draft,
    position_drafts,
    read_positions,
    sentence,
)

PARAMETER = "p"
VERSION = 2
MORE = tuple(key for key in POSITION_KEYS if key not in POSITION_CELLS)
MAX_LINK = 60_000  # characters; 1,000 positions take about 20,000
MAX_JSON = 400_000  # bytes after decompression


@dataclass(frozen=True)
class Opened:
    """What a link held: the book (None when nothing could be read), the prices it was made with, what went wrong."""

    book: Book | None
    origin: str = ""
    messages: tuple[str, ...] = ()


_ADDRESS = re.compile(  # of any chain, its name at ENS, and what may be a key
    r"0x[0-9a-f]{40,64}|\b[0-9a-f]{64}\b|\b(?:dydx|cosmos|osmo|inj)1[0-9a-z]{20,}|\b[13][1-9a-km-z]{25,34}\b"
    r"|\bbc1[0-9a-z]{20,}|\bT[1-9a-km-z]{33}\b|\b[1-9a-km-z]{43,44}\b|\b[\w-]+(?:\.[\w-]+)*\.eth\b",
    re.IGNORECASE,
)
BROKEN = "This link is damaged or incomplete, so the default book is shown. Ask for the link again, or start from here."


def encode(book: Book, origin: str = "") -> str:
    """The text for `?p=`: base64url without padding of raw deflate."""
    data: dict[str, Any] = {"v": VERSION}
    if book.name:
        data["n"] = without_addresses(book.name)
    data["p"] = [_trimmed(draft) for draft in book.positions if not draft.blank]
    if book.collateral:
        data["c"] = [_trimmed(draft) for draft in book.collateral if not draft.blank]
    if len(book.accounts) > 1 or book.accounts[0] != Account():
        named = [replace(a, name=without_addresses(a.name)) for a in book.accounts]
        data["a"] = [{k: v for k, v in a.to_dict().items() if k != "positions"} for a in named]
    if settings := book.settings.to_dict():
        data["s"] = settings
    if origin:
        data["o"] = origin
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.urlsafe_b64encode(packer.compress(text) + packer.flush()).rstrip(b"=").decode("ascii")


def without_addresses(name: str) -> str:
    """A name without the wallet addresses in it: whose book it is never stands in a link."""
    return _ADDRESS.sub("wallet", name)


def decode(text: str) -> Opened:
    """The inverse of `encode` for any text whatever; never raises."""
    try:
        data = _unpack(text)
    except (ValueError, binascii.Error, zlib.error, RecursionError):
        return Opened(None, "", (BROKEN,))
    if not isinstance(data, dict) or not isinstance(data.get("p"), list):
        return Opened(None, "", (BROKEN,))
    settings, messages = _settings(data.get("s", {}))
    name = data.get("n", "")
    origin = data.get("o", "")
    accounts, said = _accounts(data.get("a"))
    messages += said
    last = len(accounts) - 1
    positions = _drafts(data["p"], len(POSITION_CELLS), MAX_POSITIONS, last)
    if data.get("v") != VERSION:
        positions, said = _from_version_1(positions)
        messages += said
    collateral = _drafts(data.get("c", []), len(COLLATERAL_CELLS), MAX_COLLATERAL, last)
    book = Book(positions, collateral, settings, _clean_name(name), accounts)
    return Opened(book, origin if isinstance(origin, str) else "", tuple(messages))


def _unpack(text: str) -> Any:
    if len(text) > MAX_LINK:
        raise ValueError("too long")
    packed = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    unpacker = zlib.decompressobj(-15)
    plain = unpacker.decompress(packed, MAX_JSON)
    if not unpacker.eof:  # cut short, or larger than any book: a decompression bomb stops here
        raise ValueError("incomplete")
    return json.loads(plain.decode("utf-8"), parse_constant=_refuse)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _trimmed(draft: Draft) -> list[Any]:
    cells: list[Any] = [cell.strip() for cell in draft.cells]
    cells = [without_addresses(c) if i == 0 or len(c) > 20 else c for i, c in enumerate(cells)]  # typed or pasted there
    while cells and not cells[-1]:
        cells.pop()
    if draft.more:
        cells.append(dict(draft.more))
    if draft.account:
        cells.append(draft.account)
    return cells


def _accounts(rows: Any) -> tuple[tuple[Account, ...], list[str]]:
    """The accounts' own fields; one that can't be read keeps its place, without them, and is told."""
    out: list[Account] = []
    messages = []
    for row in rows[:MAX_ACCOUNTS] if isinstance(rows, list) else []:
        fields_of = {k: v for k, v in row.items() if k in ACCOUNT_KEYS} if isinstance(row, dict) else {}
        try:
            out.append(Account(**{k: v for k, v in fields_of.items() if k not in ("positions", "collateral")}))
        except (InputError, TypeError, ValueError) as error:
            reason = f" {error}" if isinstance(error, InputError) else ""
            messages.append(f"An account of this link cannot be read, so its rows stand alone.{reason}")
            out.append(Account())
    return tuple(out) or (Account(),), messages


def _from_version_1(drafts: tuple[Draft, ...]) -> tuple[tuple[Draft, ...], list[str]]:
    """Rows as the first links meant them; what can't be converted stays as typed, and is told."""
    out, messages = [], []
    for draft in drafts:
        (read,) = read_positions([draft]).items or ((0, None),)
        try:
            (position,), said = from_version_1((read[1],)) if read[1] is not None else ((None,), ())
        except InputError as error:
            messages.append(sentence(error))
            position, said = None, ()
        messages += said
        out.append(replace(position_drafts([position])[0], id=draft.id) if position is not None and said else draft)
    return tuple(out), messages


def _drafts(rows: Any, width: int, most: int, last: int = 0) -> tuple[Draft, ...]:
    drafts: list[Draft] = []
    for row in rows[:most] if isinstance(rows, list) else []:
        if not isinstance(row, list):
            continue
        typed = [cell for cell in row if not isinstance(cell, dict) and type(cell) is not int]
        cells = [cell[:MAX_CELL] if isinstance(cell, str) else "" for cell in typed[:width]]
        more = next((cell for cell in row if isinstance(cell, dict)), {})
        owner = next((cell for cell in row if type(cell) is int), 0)
        known = tuple((k, v) for k, v in more.items() if k in MORE and isinstance(v, str | bool | int | float))
        text = tuple(cells + [""] * (width - len(cells)))
        drafts.append(Draft(len(drafts) + 1, text, known, min(max(owner, 0), last)))
    return tuple(drafts)


def _clean_name(name: Any) -> str:
    text = name if isinstance(name, str) else ""
    return "".join(c if c.isprintable() else " " for c in text).strip()[:MAX_NAME]


def _settings(data: Any) -> tuple[Settings, list[str]]:
    """Each usable field of `data` over the defaults, and a line for each that is not."""
    settings, messages = Settings(), []
    if not isinstance(data, Mapping):
        return settings, ["The settings in this link cannot be read, so the usual ones are used."]
    names = {field.name for field in fields(Settings)}
    for name, value in list(data.items())[: len(names)]:
        if name not in names:
            messages.append(f"The link holds a setting this version does not know: {name[:40]}.")
            continue
        try:
            settings = replace(settings, **{name: value})
        except (InputError, TypeError, ValueError, OverflowError) as error:
            reason = f" {error}" if isinstance(error, InputError) else ""
            messages.append(f"The link's {name.replace('_', ' ')} cannot be used, so the usual one is.{reason}")
    return settings, messages
