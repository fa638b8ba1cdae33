"""A venue's parameters: one JSON file per rulebook, every fact with its source and date.

    {"venue": "dydx", "title": "dYdX v4",
     "sources": {"tiers": {"where": "dydxprotocol/v4-chain protocol/testing/genesis.sh", "date": "2026-03-04",
                           "note": "live values are set by governance"}},
     "facts": {"liquidity_tiers": {"value": [...], "source": "tiers"}},
     "missing": ["what the venue does not publish, and what that means for the numbers here"]}

`date` of a source is the venue's own date, "" where its page carries none; `read` the day the figures were
read. `status` says whether the venue is alive, historic, replaced, wound down or unverified, with date and source.
Unknown keys are an error.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from margin.core.errors import InputError, did_you_mean

__all__ = ["FOLDER", "STATES", "Parameters", "Source", "Status", "names"]

FOLDER = Path(__file__).parent
STATES = ("alive", "historic", "replaced", "wound down", "unverified")
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2})?")  # the day may be unknown


@dataclass(frozen=True)
class Source:
    """where : document or file; date : the venue's own, YYYY-MM-DD, YYYY-MM or ""; read : day of reading."""

    where: str
    date: str = ""
    note: str = ""
    read: str = ""

    def __str__(self) -> str:
        return f"{self.where} ({self.date or f'undated, read {self.read}'})"


@dataclass(frozen=True)
class Status:
    """state : one of `STATES`; date : YYYY-MM-DD (or YYYY-MM) since when, or when last seen; source : from where."""

    state: str
    date: str
    source: str

    def __str__(self) -> str:
        return f"{self.state} ({self.date}: {self.source})"


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Facts of one venue by name: `facts[name]` is the value as read from JSON, `origin[name]` its source's key."""

    venue: str
    title: str
    sources: dict[str, Source]
    facts: dict[str, Any]
    origin: dict[str, str]
    missing: tuple[str, ...]
    status: Status | None = None

    @property
    def as_of(self) -> str:
        """The venue's own oldest date among the sources, YYYY-MM-DD; the day of reading where it states none."""
        dated = [source.date for source in self.sources.values() if source.date]
        return min(dated) if dated else min(source.read for source in self.sources.values())

    def __getitem__(self, name: str) -> Any:
        if name not in self.facts:
            hint = did_you_mean(name, self.facts)
            raise InputError(f"parameters of {self.venue}", name, "no such fact", hint)
        return self.facts[name]

    def source(self, name: str) -> str:
        """Where a fact is from, with its date."""
        self[name]
        return str(self.sources[self.origin[name]])

    @classmethod
    def load(cls, venue: str) -> "Parameters":
        """The parameters that ship with Margin Lab. Raises InputError for a venue without any."""
        return _load(venue)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Parameters":
        """Raises InputError when a fact has no source, a source no date, or a key is unknown."""
        field = f"parameters of {data.get('venue', '?')}"
        unknown = set(data) - {"venue", "title", "sources", "facts", "missing", "status"}
        if unknown:
            raise InputError(field, sorted(unknown)[0], "unknown key")
        sources = {key: Source(**entry) for key, entry in data["sources"].items()}
        for key, source in sources.items():
            if not _DATE.fullmatch(source.date or source.read):
                raise InputError(field, source.date, f"source {key!r} has no date YYYY-MM-DD or YYYY-MM")
        origin = {name: entry["source"] for name, entry in data["facts"].items()}
        for name, key in origin.items():
            if key not in sources:
                raise InputError(field, key, f"fact {name!r} names an unknown source")
        facts = {name: entry["value"] for name, entry in data["facts"].items()}
        status = Status(**data["status"]) if "status" in data else None
        if status is not None and (status.state not in STATES or not _DATE.fullmatch(status.date)):
            raise InputError(field, status.state, "status has an unknown state or no date YYYY-MM-DD or YYYY-MM")
        missing = tuple(data.get("missing", ()))
        return cls(
            venue=data["venue"],
            title=data["title"],
            sources=sources,
            facts=facts,
            origin=origin,
            missing=missing,
            status=status,
        )


def names() -> tuple[str, ...]:
    """Every venue that has parameters, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@cache
def _load(venue: str) -> Parameters:
    if venue not in names():
        raise InputError("venue", venue, "is not a venue Margin Lab knows", did_you_mean(venue, names()))
    return Parameters.from_dict(json.loads((FOLDER / f"{venue}.json").read_text(encoding="utf-8")))
