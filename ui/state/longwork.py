"""Work that takes seconds: done once, shown with progress, given up when the visitor goes elsewhere."""

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

from ui.state import prices
from ui.state.kept import Shelf

T = TypeVar("T")
KEPT = 24  # results kept with a price set


def done(
    key: Hashable,
    label: str,
    work: Callable[[Callable[[float], None]], T],
    shelf: Shelf | None = None,
    size: int = KEPT,
) -> T:
    """`work(progress)`, kept under `key`; a bar with `label` while it runs.

    shelf : where it is kept, the newest `size` of them; default with the prices of this visit, for all who use them

    `progress` takes the share done, 0..1. A visitor who changes something or leaves ends the run at its next call;
    what raises is not kept.
    """

    def make() -> T:
        place = st.empty()
        bar = place.progress(0.0, label)

        def show(share: float) -> None:
            bar.progress(min(max(share, 0.0), 1.0), label)

        try:
            return work(show)
        finally:
            place.empty()

    return (prices.active().results if shelf is None else shelf).get(("work", size), key, make, size)
