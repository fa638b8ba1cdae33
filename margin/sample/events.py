"""Named market events with the recorded move of each asset: the crash days every page talks about."""

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

EVENTS_FILE = Path(__file__).resolve().parent / "stress_events.csv"


@dataclass(frozen=True)
class Move:
    """One asset's recorded move, as fractions of the close before the event's first day.

    close_to_close : from that close to the close of the event's last day
    worst_low      : from that close to the lowest price traded during the event; None where not recorded
    """

    close_to_close: float
    worst_low: float | None


@dataclass(frozen=True)
class Event:
    """A named event; `start` and `end` are its first and last UTC day, `moves` is by asset.

    USDC is quoted in USDT, USDC_USD and USDT_USD in dollars. Lows are as recorded, single prints on one exchange
    included: LINK at -99.997% on 2020-03-12, ATOM at -99.975% on 2025-10-10, USDC at -80% on 2021-12-04.
    """

    name: str
    start: date
    end: date
    moves: dict[str, Move]

    @property
    def days(self) -> int:
        """Calendar days from first to last, both counted."""
        return (self.end - self.start).days + 1


@cache
def load_events() -> tuple[Event, ...]:
    """All recorded events, oldest first. Those before 2020-09-30 lie outside the bundled sample."""
    moves: dict[tuple[str, date, date], dict[str, Move]] = {}
    with EVENTS_FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key = (row["event"], date.fromisoformat(row["start"]), date.fromisoformat(row["end"]))
            low = float(row["worst_low_return"]) if row["worst_low_return"] else None
            moves.setdefault(key, {})[row["asset"]] = Move(float(row["close_to_close_return"]), low)
    events = [Event(name, start, end, assets) for (name, start, end), assets in moves.items()]
    return tuple(sorted(events, key=lambda event: (event.start, event.end)))
