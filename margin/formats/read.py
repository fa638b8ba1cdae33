"""Any portfolio file or text: what was read, and the rows that had to be set aside, each with its reason.

Our own JSON and tables are read whole or not at all: a slip in them is named and nothing is guessed. Of other programs'
data (ccxt's, a venue's answers, pasted tables) a row that can't be read is set aside by name, and the others are kept.
"""

import re
from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError
from margin.core.portfolio import Portfolio
from margin.formats import portfolio_json
from margin.formats.books import ask, readers
from margin.formats.contract_names import ASKS
from margin.formats.found import Part, ReadPortfolio, SetAside
from margin.formats.html_tables import html_tables, is_html
from margin.formats.merge import merge
from margin.formats.pasted import decoded, documents, refuse_secrets, unwrapped
from margin.formats.portfolio import is_own_table, portfolio_from_csv
from margin.formats.table_shape import sections
from margin.formats.tables import read_table

__all__ = ["ReadPortfolio", "SetAside", "read_documents", "read_portfolio", "read_whole"]

WRAPPERS = ("positions", "openPositions", "subaccounts", "accounts", "data", "result", "list", "rows", "items")
VENUE_ERRORS = ("msg", "retMsg", "error_description", "message", "sMsg")


def read_portfolio(
    source: "str | bytes | list[Any] | Mapping[str, Any]", *, pairs: "bool | None" = None
) -> ReadPortfolio:
    """Read portfolio JSON (version 1 or 2), what ccxt or a venue answered, or a table; which it is, is found out.

    pairs : what BTCUSDT means where nothing else says so: True a perpetual, False coins, None: it is asked
    Raises InputError naming the place and the way out; also where every row had to be set aside.
    """
    if not isinstance(source, str | bytes):
        return _from_documents([source])
    text = decoded(source)
    if not text.strip():
        raise InputError("portfolio", "nothing", "is empty", "Paste JSON or a table, or choose a file.")
    refuse_secrets(text)
    found = documents(text)
    if found is None:
        return _table(unwrapped(text), pairs)
    if len(found) == 1 and _is_ours(found[0]):
        return ReadPortfolio(portfolio_json.read(text))  # again and strictly: NaN is no number of ours
    return _from_documents(found)


def read_whole(source: "str | bytes | list[Any] | Mapping[str, Any]") -> Portfolio:
    """As `read_portfolio`, but a row that can't be read refuses everything. Raises InputError naming it."""
    if isinstance(source, str | bytes):
        found = documents(decoded(source))
        if found is None or (len(found) == 1 and not isinstance(found[0], Mapping | list)):
            return portfolio_json.read(source)
    else:
        found = [source]
    if len(found) == 1 and _is_ours(found[0]):
        return portfolio_json.read(source)
    return _from_documents(found, whole=True).portfolio


def _is_ours(document: Any) -> bool:
    if isinstance(document, list):
        return bool(document) and all(portfolio_json.is_account(row) for row in document)
    return isinstance(document, Mapping) and ("version" in document or portfolio_json.is_account(document))


def _table(text: str, pairs: "bool | None") -> ReadPortfolio:
    text = re.sub(
        "[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\u00ad]", "", text
    )  # pages hide these in names
    refuse_secrets(text, digits=True)
    if is_html(text):
        return _page(text, pairs)
    if not is_own_table(text):
        return _of_tables(sections(text), pairs)
    try:
        portfolio = portfolio_from_csv(text)
    except InputError:
        try:
            return _made(read_table(text, pairs), whole=True)  # ours by its header, a trader's by its numbers
        except InputError as error:
            if error.problem == ASKS:
                raise
        raise
    return ReadPortfolio(portfolio)


def _page(text: str, pairs: "bool | None") -> ReadPortfolio:
    """The tables of a copied page: those that hold positions or balances; the first's reason where none does."""
    tables = html_tables(text)
    for table in tables:
        refuse_secrets(table, digits=True)  # what the page's own way of writing letters may have hidden
    return _table(tables[0], pairs) if len(tables) == 1 else _of_tables(tables, pairs)


def _of_tables(tables: list[str], pairs: "bool | None") -> ReadPortfolio:
    """What several tables hold, each read by itself; the first's reason where none holds anything."""
    parts: list[Part] = []
    first: InputError | None = None
    for table in tables:
        try:
            parts += read_table(table, pairs)
        except InputError as error:
            if error.problem == ASKS:
                raise
            first = first or error
    if not parts and first is not None:
        raise first
    return _made(parts)


def read_documents(found: list[Any]) -> ReadPortfolio:
    """Several answers together, already parsed, as `read_portfolio` reads them from one text. Raises InputError."""
    return _from_documents(found)


def _from_documents(found: list[Any], whole: bool = False) -> ReadPortfolio:
    parts: list[Part] = []
    for document in _gathered(found):
        if _is_ours(document):
            raise InputError("portfolio", f"{len(found)} documents", "hold one of Margin Lab's own", "Open it alone.")
        empty = _is_empty(document)
        said = [Part(positions=[], notes=["The list is empty: no open position."])] if empty else ask(document)
        if said is None:
            raise _unknown(document)
        parts += said
    return _made(parts, whole)


def _gathered(found: list[Any]) -> list[Any]:
    """Single ccxt positions, one a line or alone, as the list that they are part of; the rest as it is."""
    known = [isinstance(d, Mapping) and "symbol" in d and ("contracts" in d or "contractSize" in d) for d in found]
    single = [d for d, one in zip(found, known, strict=True) if one]
    return [single, *(d for d, one in zip(found, known, strict=True) if not one)] if single else found


def _is_empty(document: Any) -> bool:
    """An empty list, bare or in what answers are wrapped in: {"positions": []}, {"result": {"list": []}}."""
    while isinstance(document, Mapping):
        inside = [document[key] for key in WRAPPERS if isinstance(document.get(key), Mapping | list)]
        if (
            len(inside) != 1
            or document.get("error")
            or any(str(document.get(k, 0)) != "0" for k in ("code", "retCode"))
        ):
            return False
        if inside[0] == {}:
            return document.get("error") == []  # Kraken's way
        document = inside[0]
    return isinstance(document, list) and not document


def _made(parts: list[Part], whole: bool = False) -> ReadPortfolio:
    merged = merge(parts)
    nothing = not any(account.positions or account.collateral for account in merged.accounts)
    if merged.first_error is not None and (whole or nothing):
        raise merged.first_error
    portfolio = Portfolio(accounts=merged.accounts, notes=merged.notes)
    return ReadPortfolio(portfolio, tuple(merged.set_aside), merged.closed, tuple(merged.speaks_of))


def _unknown(document: Any) -> InputError:
    """What a document that no reader knows most likely is."""
    if isinstance(document, Mapping):
        said = next((document[k] for k in VENUE_ERRORS if isinstance(document.get(k), str) and document[k]), None)
        if said is not None and len(document) < 8:
            hint = "It holds no positions: ask the venue again."
            return InputError("portfolio", said, "is a venue's error message", hint)
        if "positions" in document or "accounts" in document or "collateral" in document:
            return InputError("version", None, "is missing", 'Add "version": 2, or 1 for the older form.')
    rows = document if isinstance(document, list) else []
    first = next((row for row in rows if isinstance(row, Mapping)), None)
    if first is not None and "symbol" in first:
        hint = 'For Margin Lab\'s own format wrap the list: {"version": 2, "accounts": [{"positions": [...]}]}.'
        return InputError("positions[0]", list(first)[:6], "has no 'contracts', so it is not a ccxt position", hint)
    known = "; ".join(reader.shows for reader in readers())
    keys = list(document)[:6] if isinstance(document, Mapping) else document
    return InputError("portfolio", keys, "is nothing that is read here", f"Read are: version 2 JSON; {known}; tables.")
