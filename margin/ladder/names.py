"""The ladder's methods, a row each: keys, titles, menus and table headings are made of them."""

from dataclasses import dataclass

__all__ = ["METHODS", "MethodName", "keys", "ours", "title"]


@dataclass(frozen=True, kw_only=True)
class MethodName:
    """One method. title: in tables; called: after "Ours:" beside venues' names; place: in the menu of margin models."""

    key: str
    title: str
    called: str
    place: int


METHODS = (
    MethodName(key="isolated", title="Isolated", called="isolated", place=4),
    MethodName(key="netted", title="Netted", called="netted by underlying", place=3),
    MethodName(key="portfolio", title="Portfolio", called="portfolio", place=1),
    MethodName(key="safeguarded", title="With safeguards", called="portfolio with safeguards", place=2),
)


def keys() -> tuple[str, ...]:
    """From the most to the least margin, safeguards last."""
    return tuple(row.key for row in METHODS)


def title(key: str) -> str:
    """What tables call a method. KeyError for another key."""
    return {row.key: row.title for row in METHODS}[key]


def ours() -> dict[str, str]:
    """What menus of margin models call each method, in their order."""
    return {row.key: f"Ours: {row.called}" for row in sorted(METHODS, key=lambda row: row.place)}
