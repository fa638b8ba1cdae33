"""The venue's book that the Audit page looked at last, for other pages to start from."""

from dataclasses import dataclass

from margin.audit.chunk import Accounts
from margin.audit.plan import Plan
from ui.state.visit import things

_KEY = "audited_book"


@dataclass(frozen=True, kw_only=True, eq=False)
class AuditedBook:
    """name: of the book, for people and as a cache key together with the plan's as-of."""

    name: str
    key: str
    plan: Plan
    accounts: Accounts


def keep(book: AuditedBook) -> None:
    """Remember it for this visit; the accounts are shared with whoever looks at the same book."""
    things()[_KEY] = book


def kept() -> AuditedBook | None:
    """The book audited in this visit, None where none was."""
    found = things().get(_KEY)
    return found if isinstance(found, AuditedBook) else None
