"""A table of claims as a network: who holds a claim on whom, of how many dollars, and perhaps when.

DeXposure's tables of edges (arXiv 2511.22314) have the columns time, source, target, size; its JSON says more and is
read by margin/protocols/dexposure.py. A table says nothing of what else a node holds. Assumption, said in `notes`:
outside its claims each holds what it owes beyond them, and a cushion of that; its outside assets carry its own name, so
that they can be shocked by it.
"""

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from margin.core.errors import InputError

SOURCES = ("source", "from", "holder", "creditor", "source_protocol", "creditor_id")
TARGETS = ("target", "to", "issuer", "debtor", "target_protocol", "debtor_id")
AMOUNTS = ("size", "value", "usd", "weight", "exposure", "amount", "value_usd", "exposure_amount")
DATES = ("time", "date", "week", "snapshot", "timestamp")
OWES_FIRST = ("from",)  # "from owes to", as in the JSON form; elsewhere the source holds a claim on the target
CUSHION = 0.1  # of what it owes: a node's own money beyond its claims
MOST_NODES = 2_000


@dataclass(frozen=True, kw_only=True)
class Claims:
    """The JSON form of the network (margin/protocols/network.py), and what the reader should know of it."""

    data: Mapping[str, Any]
    notes: tuple[str, ...]


def read_edges(text: str, date: str | None = None, cushion: float = CUSHION) -> Claims:
    """Claims of one snapshot; repeated edges add up, claims on oneself are left out.

    date : which snapshot, where there is a column of dates (default: the last); a prefix such as 2025-06 will do
    Beyond 2,000 nodes the largest by claims and debts are kept, and the rest is said.
    Raises InputError naming the line, or the columns that are missing.
    """
    if not 0.0 <= cushion <= 100.0:
        raise InputError("cushion", cushion, "must be from 0 to 100")
    reader = csv.DictReader(io.StringIO(text))
    header = [(name or "").strip().lower() for name in reader.fieldnames or []]
    source, target, amount = (_first(names, header) for names in (SOURCES, TARGETS, AMOUNTS))
    when = _first(DATES, header)
    if source is None or target is None or amount is None:
        hint = "Columns source, target, size (USD) and perhaps time; or the JSON form of docs/protocols.md."
        raise InputError("network", ", ".join(header)[:60], "is neither JSON nor a table of edges", hint)
    if date is not None and when is None:
        raise InputError("date", date, "was asked for, and the table has no column of dates")
    by_date: dict[str, dict[tuple[str, str], float]] = {}
    itself = 0
    for number, raw in enumerate(reader, 2):
        row = {(k or "").strip().lower(): v.strip() for k, v in raw.items() if isinstance(v, str)}
        day = row.get(when, "") if when else ""
        if date is not None and not day.startswith(date):
            continue
        a, b, usd = row.get(source, ""), row.get(target, ""), _usd(row.get(amount, ""), number, amount)
        if not a or not b:
            raise InputError(f"line {number}", f"{a},{b}", "lacks a name", "Give both ends of the edge.")
        if a == b:
            itself += 1
            continue
        owes, owed = (a, b) if source in OWES_FIRST else (b, a)
        edges = by_date.setdefault(day, {})
        edges[owes, owed] = edges.get((owes, owed), 0.0) + usd
    if not by_date:
        raise InputError("network", date or "no row", "leaves no claim to read", "Name a date of the table.")
    day = max(by_date)
    notes = [f"Snapshot of {day}, of {len(by_date):,}."] if day and len(by_date) > 1 else []
    if itself:
        notes.append(f"{itself:,} claims of nodes on themselves are left out.")
    return _network(by_date[day], cushion, notes)


def pick_date(snapshots: Mapping[str, Any], date: str | None) -> str:
    """The last snapshot, or the last whose date begins as asked. Raises InputError where there is none."""
    found = sorted(day for day in snapshots if date is None or str(day).startswith(date))
    if not found:
        ends = f"{min(snapshots)} to {max(snapshots)}" if snapshots else "none"
        raise InputError("date", date, "is not among the snapshots", f"There are {len(snapshots):,}: {ends}.")
    return str(found[-1])


def _network(edges: Mapping[tuple[str, str], float], cushion: float, notes: list[str]) -> Claims:
    owes: dict[str, float] = {}
    holds: dict[str, float] = {}
    for (debtor, creditor), usd in edges.items():
        owes[debtor] = owes.get(debtor, 0.0) + usd
        holds[creditor] = holds.get(creditor, 0.0) + usd
    sizes = {name: owes.get(name, 0.0) + holds.get(name, 0.0) for name in {**owes, **holds}}
    kept = sorted(sizes, key=lambda name: (-sizes[name], name))[:MOST_NODES]
    if len(kept) < len(sizes):
        share = sum(sizes[name] for name in kept) / sum(sizes.values())
        notes.append(f"The {MOST_NODES:,} largest of {len(sizes):,} nodes are kept: {share:.1%} of all claims.")
        inside = set(kept)
        edges = {pair: usd for pair, usd in edges.items() if pair[0] in inside and pair[1] in inside}
        owes, holds = {}, {}
        for (debtor, creditor), usd in edges.items():
            owes[debtor] = owes.get(debtor, 0.0) + usd
            holds[creditor] = holds.get(creditor, 0.0) + usd
    notes.append(
        f"Assumed: outside its claims each node holds what it owes beyond them, and {cushion:.0%} of what it owes as "
        "its own money; shock it by the node's name."
    )
    nodes = []
    for name in kept:
        debt, claims = owes.get(name, 0.0), holds.get(name, 0.0)
        outside = max(debt - claims, 0.0) + cushion * debt
        nodes.append({"id": name, "kind": "protocol", "assets": {name: outside} if outside else {}})
    debts = [{"from": a, "to": b, "usd": usd} for (a, b), usd in edges.items()]
    prices = {str(node["id"]): 1.0 for node in nodes}
    return Claims(data={"nodes": nodes, "debts": debts, "prices": prices}, notes=tuple(notes))


def _first(names: tuple[str, ...], header: list[str]) -> str | None:
    return next((name for name in names if name in header), None)


def _usd(text: str, number: int, column: str) -> float:
    try:
        usd = float(text)
    except ValueError:
        raise InputError(f"line {number} {column}", text, "is not a number") from None
    if not math.isfinite(usd) or usd < 0:
        raise InputError(f"line {number} {column}", text, "must be finite USD, 0 or more")
    return usd
