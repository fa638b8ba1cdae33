"""The tables of docs/ that are made from facts: `python -m tests.docs_tables` writes those that have changed.

Such a table stands (or a list within a line) between `<!-- made: NAME -->` and `<!-- end -->`. The table of docs/venues.md has its own writer
(`python -m tools.venues tables`), which is called too.
"""

import re
import sys
from collections.abc import Callable

from data.exchange.registry import MARKING, exchanges, facts_of
from margin.risk.estimators import closed_forms, estimators
from tests.core.house_map import drawn
from tests.core.layers import read_table
from tests.support import ROOT
from tools.venues import tables as venue_tables
from ui.shell.facts import page_facts, table

MARKED = re.compile(r"(<!-- made: (\w+) -->\n?).*?(<!-- end -->)", re.DOTALL)


def _estimators() -> str:
    rows = [f"| {row.key} | {row.definition} |" for row in estimators()]
    return "\n".join(["| estimator | scenarios |", "|---|---|", *rows]) + "\n"


def _exchanges() -> str:
    asked = [e for e in exchanges().values() if e.page]
    rows = [f"| {e.name} | {e.page:,} | {e.quirk} |" for e in asked]
    return "\n".join(["| exchange | candles per request | quirk that matters |", "|---|---|---|", *rows]) + "\n"


def _marks() -> str:
    rows = [f"| {e.name} | {', '.join(e.marks_of)} | `{e.marks}` |" for e in map(facts_of, MARKING)]
    return "\n".join(["| exchange | for accounts at | ccxt's method |", "|---|---|---|", *rows]) + "\n"


def _pages() -> str:
    return table(page_facts())


MADE: dict[str, Callable[[], str]] = {
    "estimators": _estimators,
    "marks": _marks,
    "estimator_keys": lambda: ", ".join(row.key for row in estimators()),
    "closed_forms": lambda: " and ".join(closed_forms()),
    "exchanges": _exchanges,
    "pages": _pages,
    "map": lambda: drawn(read_table((ROOT / "docs/architecture.md").read_text(encoding="utf-8"))),
}
PAGES = ("docs/architecture.md", "docs/cli.md", "docs/models.md", "docs/data-exchanges.md", "docs/dashboard.md")


def renewed(text: str) -> str:
    """A page with every table between its marks as the facts are now. Raises KeyError for an unknown name."""
    return MARKED.sub(lambda found: found[1] + MADE[found[2]]() + found[3], text)


def stale() -> dict[str, str]:
    """Each page that says something else than the facts, and what it should say."""
    now = {page: renewed((ROOT / page).read_text(encoding="utf-8")) for page in PAGES}
    now["docs/venues.md"] = venue_tables.renewed((ROOT / "docs/venues.md").read_text(encoding="utf-8"))
    return {page: text for page, text in now.items() if text != (ROOT / page).read_text(encoding="utf-8")}


def main() -> None:
    """Write every page whose tables have changed."""
    for page, text in stale().items():
        (ROOT / page).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{page} renewed\n")


if __name__ == "__main__":
    main()
