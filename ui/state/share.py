"""One link that carries the whole book and every setting: `?p=` holds compressed compact JSON.

    {"n": name, "p": [[symbol, quantity, entry, leverage], ...], "c": [[asset, quantity], ...], "s": {...}, "o": origin}

Cells travel as text, so numbers come back exactly and a row that is being corrected is not lost. `s` holds only the
settings that differ from their defaults. What arrives in a link is anybody's: size is bounded before and while it is
decompressed, and whatever cannot be used is left out with a message. A link always opens.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from margin.core.errors import InputError
from margin.core.portfolio import MAX_COLLATERAL, MAX_NAME, MAX_POSITIONS
from margin.core.settings import Settings
from ui.state.book import Book
from ui.state.rows import COLLATERAL_CELLS, MAX_CELL, POSITION_CELLS, Draft

PARAMETER = "p"
MAX_LINK = 60_000  # characters; 1,000 positions take about 20,000
MAX_JSON = 400_000  # bytes after decompression


@dataclass(frozen=True)
class Opened:
    """What a link held: the book (None when nothing could be read), the prices it was made with, what went wrong."""

    book: Book | None
    origin: str = ""
    messages: tuple[str, ...] = ()


BROKEN = "This link is damaged or incomplete, so the default book is shown. Ask for the link again, or start from here."


def encode(book: Book, origin: str = "") -> str:
    """The text for `?p=`: base64url without padding of raw deflate."""
    data: dict[str, Any] = {}
    if book.name:
        data["n"] = book.name
    data["p"] = [_trimmed(draft) for draft in book.positions if not draft.blank]
    if book.collateral:
        data["c"] = [_trimmed(draft) for draft in book.collateral if not draft.blank]
    if settings := book.settings.to_dict():
        data["s"] = settings
    if origin:
        data["o"] = origin
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.urlsafe_b64encode(packer.compress(text) + packer.flush()).rstrip(b"=").decode("ascii")


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
    book = Book(
        _drafts(data["p"], len(POSITION_CELLS), MAX_POSITIONS),
        _drafts(data.get("c", []), len(COLLATERAL_CELLS), MAX_COLLATERAL),
        settings,
        _clean_name(name),
    )
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


def _trimmed(draft: Draft) -> list[str]:
    cells = [cell.strip() for cell in draft.cells]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _drafts(rows: Any, width: int, most: int) -> tuple[Draft, ...]:
    drafts: list[Draft] = []
    for row in rows[:most] if isinstance(rows, list) else []:
        if not isinstance(row, list):
            continue
        cells = [cell[:MAX_CELL] if isinstance(cell, str) else "" for cell in row[:width]]
        drafts.append(Draft(len(drafts) + 1, tuple(cells + [""] * (width - len(cells)))))
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
