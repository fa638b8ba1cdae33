"""Figures and lists inside sentences."""

from collections.abc import Iterable

MOST_NAMES = 6  # of one reason that are named; the others are counted


def usd(amount: float) -> str:
    """Dollars as text, without cents from 100 up."""
    text = f"{abs(amount):,.0f}" if abs(amount) >= 100 else f"{abs(amount):,.2f}".removesuffix(".00")
    return f"{'-' if amount < 0 and text != '0' else ''}${text}"


def by_reason(refused: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """(name, why) -> "A, B: why", each reason once, in the order in which it first comes; beyond six names a count."""
    groups: dict[str, list[str]] = {}
    for name, why in refused:
        groups.setdefault(why, []).append(name)
    out = []
    for why, names in groups.items():
        kept = list(dict.fromkeys(names))
        more = len(kept) - MOST_NAMES
        named = ", ".join(kept if more <= 1 else kept[:MOST_NAMES])
        out.append(f"{named}{f' and {more} more' if more > 1 else ''}: {why}")
    return tuple(out)
