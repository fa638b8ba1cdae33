"""Whose turn it is: what takes longer than a page's first figures is computed one visitor after the other.

All runs share one interpreter, so side by side they end no sooner; one after the other they leave the processor to the
runs whose first figures a visitor waits for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

PATIENCE = 1.0  # seconds after which a run goes on beside the others: a large book holds nobody up for longer
_turn = Lock()


@contextmanager
def after_the_figures() -> Iterator[None]:
    """Around a page's later answers, once its first figures stand: waits for the others' turn, at most `PATIENCE`."""
    mine = _turn.acquire(timeout=PATIENCE)
    try:
        yield
    finally:
        if mine:
            _turn.release()
