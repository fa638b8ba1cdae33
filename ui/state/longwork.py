"""Work that takes seconds: done once, shown with progress, given up when the visitor goes elsewhere."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import TypeVar

import streamlit as st

T = TypeVar("T")
KEPT = 24  # results kept by this process
_kept: OrderedDict[Hashable, object] = OrderedDict()
_lock = Lock()


def done(key: Hashable, label: str, work: Callable[[Callable[[float], None]], T]) -> T:
    """`work(progress)`, kept under `key` for every visitor; a bar with `label` while it runs.

    `progress` takes the share done, 0..1. A visitor who changes something or leaves ends the run at its next call;
    what raises is not kept.
    """
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]  # type: ignore[return-value]
    place = st.empty()
    bar = place.progress(0.0, label)

    def show(share: float) -> None:
        bar.progress(min(max(share, 0.0), 1.0), label)

    try:
        result = work(show)
    finally:
        place.empty()
    with _lock:
        _kept[key] = result
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return result
