"""Books to start from, as a row of pills."""

from datetime import date

import streamlit as st

from margin.core.errors import InputError
from ui.state import book, presets, prices
from ui.state.prices import ActivePrices
from ui.state.session import tell


def preset_row(active: ActivePrices) -> None:
    """Books to start from; choosing one replaces the book, undo brings the old one back."""
    titles = [preset.title for preset in presets.offered(active.market)]
    if not titles:
        return
    key = f"preset_{book.version()}"
    name = book.history().present.baseline.name
    st.pills(
        "Start from",
        titles,
        default=name if name in titles else None,
        key=key,
        on_change=_preset_chosen,
        args=(key,),  # not the prices: Streamlit keeps a widget's arguments as long as the visit
    )


def _preset_chosen(key: str) -> None:
    active = prices.active()
    preset = presets.find(st.session_state[key], active.market)
    present = book.current()
    if preset is None:
        preset = presets.find(present.name, active.market)  # the chosen one clicked again: as it was
    if preset is None:
        return
    try:
        settings = present.settings
        asked = date.fromisoformat(settings.as_of[:10]) if settings.as_of else active.last_day
        as_of = min(asked, active.last_day)
        book.load(book.Book.of(presets.build(preset, active.market, as_of), settings))
    except InputError as error:
        tell(f"{preset.title} cannot be built here: {error}")
