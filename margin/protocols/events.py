"""Failures of protocols as reported: figures with their range, date and source, some with the network of debts."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from margin.core.errors import InputError, did_you_mean
from margin.protocols.network import Network, read_network

FILE = Path(__file__).with_name("events.json")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One reported figure; low = high where reports agree. `qualifier`: "about", "more than" or nothing."""

    name: str
    low: float
    high: float
    unit: str
    source: str
    qualifier: str = ""

    @property
    def amount(self) -> str:
        """As text: 6.6 to 10 billion USD; below a million in full."""
        size, word = next(
            ((size, word) for size, word in ((1e9, "billion "), (1e6, "million ")) if self.low >= size), (1.0, "")
        )
        low, high = (f"{value / size:,.10g}" for value in (self.low, self.high))
        unit = self.unit if self.unit == "%" else f" {word}{self.unit}".rstrip()
        return f"{low if low == high else f'{low} to {high}'}{unit}"


@dataclass(frozen=True, kw_only=True, eq=False)
class ProtocolEvent:
    """key and title; what it teaches; figures as reported; network of debts where one was published, else None."""

    key: str
    title: str
    date: str
    lesson: str
    figures: tuple[Figure, ...]
    network: Network | None


@cache
def events() -> tuple[ProtocolEvent, ...]:
    """Every event of the file, oldest first."""
    rows = json.loads(FILE.read_text(encoding="utf-8"))["events"]
    return tuple(sorted((_event(row) for row in rows), key=lambda event: event.date))


def event(key: str) -> ProtocolEvent:
    """One event. Raises InputError for an unknown key."""
    for found in events():
        if found.key == key:
            return found
    keys = [found.key for found in events()]
    raise InputError(
        "event", key, "is not an event known here", did_you_mean(key, keys) or f"One of {', '.join(keys)}."
    )


def _event(row: dict[str, Any]) -> ProtocolEvent:
    given = row.get("network")
    return ProtocolEvent(
        key=row["key"],
        title=row["title"],
        date=row["date"],
        lesson=row["lesson"],
        figures=tuple(Figure(**figure) for figure in row["figures"]),
        network=read_network(given) if given else None,
    )
