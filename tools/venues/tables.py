"""The table of docs/venues.md: every rulebook's status, dates and coins, as its parameter file has them."""

from pathlib import Path

from margin import venues
from margin.venues.base import Rulebook
from margin.venues.families.perpetuals import PerpetualVenue

__all__ = ["BEGIN", "DOCS", "END", "coins", "renewed", "table"]

DOCS = Path(__file__).parents[2] / "docs" / "venues.md"
MAJORS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "BNB")
BEGIN = "<!-- the parameters' own table: python -m tools.venues tables -->"
END = "<!-- end of the parameters' own table -->"


def table() -> str:
    """Markdown rows, one a rulebook."""
    rows = [
        "| rulebook | key | modes | status | rules and tables of | read | coins carried |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in venues.names():
        book = venues.rulebook(name)
        rows.append("| " + " | ".join((book.title, f"`{name}`", ", ".join(book.modes), *_facts(book))) + " |")
    return "\n".join(rows)


def renewed(text: str) -> str:
    """The document with today's table between its two marks. Raises ValueError where they are missing."""
    if BEGIN not in text or END not in text:
        raise ValueError(f"{DOCS.name} has lost its marks {BEGIN!r} and {END!r}")
    before, rest = text.split(BEGIN, 1)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END, 1)[1]}"


def _facts(book: Rulebook) -> tuple[str, str, str, str]:
    parameters = book.parameters
    status = parameters.status
    said = f"{status.state}, {status.date}" if status else "a comparison, no venue"
    dates = sorted({s.date for s in parameters.sources.values() if s.date})
    undated = " and undated pages" if any(not s.date for s in parameters.sources.values()) else ""
    of = (" to ".join(dict.fromkeys((dates[0], dates[-1]))) + undated) if dates else "undated pages"
    read = max(s.read for s in parameters.sources.values() if s.read)
    return said, of, read, _coins(book)


def _coins(book: Rulebook) -> str:
    if not isinstance(book, PerpetualVenue):
        return "-"
    names = coins(book)
    if not names:
        return "none: as printed by the venue"
    return ", ".join(names) if len(names) <= 8 else f"{len(names)}: {', '.join(names[:6])} ..."


def coins(book: PerpetualVenue) -> list[str]:
    """Coins whose contracts have tiers here: the majors first, then as in the parameter file."""
    found = [*MAJORS]
    found += [n for fact in book.parameters.facts.values() if isinstance(fact, dict) for n in fact]
    known = dict.fromkeys(str(n).removeprefix("inverse ") for n in found)
    return [n for n in known if book.tiers(n) is not None or book.tiers(n, inverse=True) is not None]
