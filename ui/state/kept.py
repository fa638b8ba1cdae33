"""Computed results, kept with what they were made of: a price set's go with the price set, a visit's with the visit.

Nothing that a visitor brought is held by the process itself. Results on an upload hang on the upload, which lies among
the things of the visit; results on fetched prices hang on that set, and a newer set leaves them behind.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

from ui.state.visit import things

T = TypeVar("T")
_OWN = "results_of_own_files"


class Shelf:
    """Results by (what made them, its arguments), the oldest of each maker put away first. Safe between threads."""

    def __init__(self) -> None:
        self._rows: dict[Hashable, OrderedDict[Hashable, Any]] = {}
        self._lock = Lock()

    def get(self, maker: Hashable, key: Hashable, make: Callable[[], T], size: int) -> T:
        """The result under (maker, key), made when it is not there; `size` results of a maker are kept.

        What raises is not kept. Two who ask at once may both make it.
        """
        with self._lock:
            row = self._rows.setdefault(maker, OrderedDict())
            if key in row:
                row.move_to_end(key)
                kept: T = row[key]
                return kept
        made = make()
        with self._lock:
            row[key] = made
            while len(row) > size:
                row.popitem(last=False)
        return made

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))


def own_shelf() -> Shelf:
    """For what was made of files of this visit; it goes with the visit."""
    found: Shelf = things().setdefault(_OWN, Shelf())
    return found
