"""DeXposure's weekly snapshots as published: who holds whose tokens, by how many dollars, token by token.

The dataset (arXiv 2511.22314) is `historical-network_week_*.json`:

    {"data": {"2025-06-30": {"nodes": [{"id": "2269", "size": 1.2e6, "composition": {"ETH": 5e4}}],
                             "links": [{"source": "2269", "target": "182", "size": 5e4, "composition": {"ETH": 5e4}}]}}}

and CSV tables with the columns time, source, target, size (`margin/protocols/edges.py` reads those). Sizes are USD; the
source of a link holds a claim on its target, and a link without a target is an asset of nobody in the network. A node
holds its composition; what its links take of it are claims, the rest is outside. Names of ids stand in `meta_df.csv`.
"""

import csv
import io
import math
from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError
from margin.protocols.edges import CUSHION, MOST_NODES, Claims, pick_date

TOKENS = 40  # kept by name, the largest; the others are one


def is_dexposure(data: Mapping[str, Any]) -> bool:
    """Whether parsed JSON has the dataset's form: snapshots by date, each with links."""
    weeks = data.get("data", data)
    if not isinstance(weeks, Mapping) or not weeks:
        return False
    return all(isinstance(week, Mapping) and "links" in week for week in weeks.values())


def read_names(text: str) -> dict[str, tuple[str, str]]:
    """(name, category) by id, from `meta_df.csv`. Raises InputError for other columns."""
    rows = csv.DictReader(io.StringIO(text))
    header = [(name or "").strip().lower() for name in rows.fieldnames or []]
    if not {"id", "name"} <= set(header):
        raise InputError("names", ", ".join(header)[:60], "must have the columns id and name", "As in meta_df.csv.")
    rows.fieldnames = header
    return {str(row["id"]): (row["name"] or str(row["id"]), row.get("category") or "protocol") for row in rows}


def read_snapshots(
    data: Mapping[str, Any],
    date: str | None = None,
    names: Mapping[str, tuple[str, str]] | None = None,
    cushion: float = CUSHION,
) -> Claims:
    """One week as the JSON form of margin/protocols/network.py; the last one where no date is named.

    A node whose tokens do not cover what it owes is topped up to `cushion` above it, under its own name; links without
    a target, to a missing node or without a finite amount are left out; all of it is counted in the notes.
    Raises InputError for a date that is not there, or a week that leaves nothing.
    """
    weeks = data.get("data", data)
    day = pick_date(weeks, date)
    week = weeks[day]
    named = names or {}
    nodes = {str(n["id"]): n for n in week.get("nodes") or () if isinstance(n, Mapping) and n.get("id") is not None}
    claims: dict[tuple[str, str], float] = {}
    left_out = itself = 0
    taken: dict[str, dict[str, float]] = {}
    for link in week["links"]:
        source, target, size = (
            str(link.get(k)) if link.get(k) is not None else "" for k in ("source", "target", "size")
        )
        usd = _usd(size)
        if source not in nodes or target not in nodes or usd is None:
            left_out += 1
        elif source == target:
            itself += 1
        else:
            claims[target, source] = claims.get((target, source), 0.0) + usd
            own = taken.setdefault(source, {})
            for token, part in _tokens(link).items():
                own[token] = own.get(token, 0.0) + part
    if not nodes:
        raise InputError("network", day, "has no node with an id", "Name another --date.")
    owes: dict[str, float] = {}
    for (debtor, _), usd in claims.items():
        owes[debtor] = owes.get(debtor, 0.0) + usd
    kept = sorted(nodes, key=lambda i: (-max(_usd(nodes[i].get("size")) or 0.0, owes.get(i, 0.0)), i))[:MOST_NODES]
    inside = set(kept)
    notes = [f"DeXposure's week of {day}, of {len(weeks):,}: {len(nodes):,} protocols, {len(claims):,} claims."]
    if len(kept) < len(nodes):
        notes.append(f"The {MOST_NODES:,} largest protocols are kept.")
    if left_out or itself:
        notes.append(
            f"{left_out + itself:,} links are left out: {left_out:,} without a target here or a finite amount, "
            f"{itself:,} to themselves."
        )
    claims = {pair: usd for pair, usd in claims.items() if pair[0] in inside and pair[1] in inside}
    return _network(nodes, kept, claims, taken, named, cushion, notes)


def _network(
    nodes: Mapping[str, Mapping[str, Any]], kept: list[str], claims: Mapping[tuple[str, str], float],
    taken: Mapping[str, Mapping[str, float]], named: Mapping[str, tuple[str, str]], cushion: float, notes: list[str],
) -> Claims:  # fmt: skip
    owes, holds = {}, {}  # type: dict[str, float], dict[str, float]
    for (debtor, creditor), usd in claims.items():
        owes[debtor] = owes.get(debtor, 0.0) + usd
        holds[creditor] = holds.get(creditor, 0.0) + usd
    outside: dict[str, dict[str, float]] = {}
    for i in kept:
        claimed = taken.get(i, {})
        left = {token: usd - claimed.get(token, 0.0) for token, usd in _tokens(nodes[i]).items()}
        outside[i] = {token: usd for token, usd in left.items() if usd > 0}
    sums: dict[str, float] = {}
    for own in outside.values():
        for token, usd in own.items():
            sums[token] = sums.get(token, 0.0) + usd
    large = set(sorted(sums, key=lambda t: (-sums[t], t))[:TOKENS])
    names = _distinct({i: named.get(i, (i, ""))[0] for i in kept})
    rows, topped = [], 0
    for i in kept:
        assets: dict[str, float] = {}
        for token, usd in outside[i].items():
            token = token if token in large else "other tokens"
            assets[token] = assets.get(token, 0.0) + usd
        missing = (1.0 + cushion) * owes.get(i, 0.0) - holds.get(i, 0.0) - sum(assets.values())
        if missing > 0:
            topped += 1
            assets[names[i]] = assets.get(names[i], 0.0) + missing
        rows.append({"id": names[i], "kind": named.get(i, ("", "protocol"))[1] or "protocol", "assets": assets})
    if topped:
        notes.append(
            f"Assumed: {topped:,} protocols whose tokens do not cover what others hold of them have the rest and "
            f"{cushion:.0%} of it as their own money; shock that by the protocol's name, tokens by theirs."
        )
    debts = [{"from": names[a], "to": names[b], "usd": usd} for (a, b), usd in claims.items()]
    prices = {token: 1.0 for row in rows for token in row["assets"]}
    return Claims(data={"nodes": rows, "debts": debts, "prices": prices}, notes=tuple(notes))


def _distinct(names: Mapping[str, str]) -> dict[str, str]:
    """Two protocols of one name keep their ids."""
    count: dict[str, int] = {}
    for name in names.values():
        count[name] = count.get(name, 0) + 1
    return {i: name if count[name] == 1 else f"{name} ({i})" for i, name in names.items()}


def _tokens(row: Mapping[str, Any]) -> dict[str, float]:
    """USD by token of a node or link, what is above 0 and finite."""
    given = row.get("composition")
    if not isinstance(given, Mapping) or not given:
        usd = _usd(row.get("size"))
        return {"other tokens": usd} if usd else {}
    parts = {str(token): _usd(usd) for token, usd in given.items()}
    return {token: usd for token, usd in parts.items() if usd}


def _usd(value: Any) -> float | None:
    try:
        usd = float(value)
    except (TypeError, ValueError):
        return None
    return usd if math.isfinite(usd) and usd >= 0 else None
