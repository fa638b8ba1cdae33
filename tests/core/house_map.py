"""The drawn map of docs/architecture.md, made from its table: rooms of one floor with the same neighbours share a box.

An arrow says "may import" and points down, to a lower floor. Where a longer way over other rooms already says so, it is
left out; so are the doors (`__init__`, `__main__`), which may import all that their house holds.
"""

from collections.abc import Iterator, Mapping

from tests.core.layers import HOUSES, Room

TITLES = {
    "margin": "margin: the engine (no network, no page, no clock)",
    "data": "data: where prices and accounts come from",
    "tools": "tools: what builds the sample and reads venues' tables; not shipped",
    "ui": "ui: what pages are made of",
    "pages": "pages: one thin script per question",
    "app": "app.py: entry",
}
Box = tuple[str, ...]


def drawn(table: Mapping[str, Room]) -> str:
    """The map as a mermaid flowchart, the engine lowest."""
    lines = ["```mermaid", "flowchart TB"]
    for house in HOUSES:
        rooms = {
            n: room for n, room in table.items() if n.split(".")[0] == house and not n.split(".")[-1].startswith("__")
        }
        if set(rooms) == {house}:
            lines.append(f'  {house}["{TITLES[house]}"]')
            continue
        boxes = _boxes(rooms)
        lines += [f'  subgraph {house}["{TITLES[house]}"]', "    direction TB"]
        for box in sorted(boxes, key=lambda box: rooms[box[0]].floor):
            lines.append(f'    {_id(box)}["{rooms[box[0]].floor}: {", ".join(map(_label, box))}"]')
        lines += [f"    {_id(above)} --> {_id(below)}" for above, below in _arrows(rooms, boxes)]
        lines.append("  end")
    below: dict[str, set[str]] = {house: set() for house in HOUSES}
    for name, room in table.items():
        below[name.split(".")[0]] |= {other.split(".")[0] for other in room.allowed} - {name.split(".")[0]}
    lines += [f"  {house} --> {other}" for house in HOUSES for other in HOUSES if other in below[house]]
    return "\n".join([*lines, "```"]) + "\n"


def _boxes(rooms: Mapping[str, Room]) -> list[Box]:
    """Rooms of one house that may import, and be imported by, the same rooms of it."""
    inside = {name: room.allowed & set(rooms) for name, room in rooms.items()}
    found: dict[tuple[int, frozenset[str], frozenset[str]], list[str]] = {}
    for name, room in rooms.items():
        above = frozenset(other for other, allowed in inside.items() if name in allowed)
        found.setdefault((room.floor, frozenset(inside[name]), above), []).append(name)
    return [tuple(names) for names in found.values()]


def _arrows(rooms: Mapping[str, Room], boxes: list[Box]) -> Iterator[tuple[Box, Box]]:
    box_of = {name: box for box in boxes for name in box}
    near = {box: {box_of[name] for name in rooms[box[0]].allowed if name in rooms} for box in boxes}

    def far(box: Box) -> set[Box]:
        """Every box below that another one leads to."""
        return set().union(*(near[other] | far(other) for other in near[box])) if near[box] else set()

    for box in boxes:
        yield from ((box, below) for below in boxes if below in near[box] - far(box))


def _id(box: Box) -> str:
    return box[0].replace(".", "_").strip("_")


def _label(name: str) -> str:
    return name.partition(".")[2]
