"""What pages remember beyond a widget that is on the screen, as short texts in the address: turned parameters, wishes.

A widget on the screen is bound to the address by Streamlit. What stays in force while its slider is not drawn (a
parameter turned on another tab, a wish for another pair) is kept here instead: `numbers` reads it, `put` writes it.
What a link holds is anybody's: a name or a number that can't be read is left out.
"""

import math
from collections.abc import Mapping

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

NAMES = ("haircut", "what_if", "venues")  # parameters of the address
MAX_TEXT = 600  # characters of one
_KEY, _CHOICES = "view_texts", "view_choices"


def open_view(address: Mapping[str, str]) -> None:
    """Take over what a link holds, at the start of a visit."""
    st.session_state[_KEY] = {name: address[name] for name in NAMES if 0 < len(address.get(name, "")) <= MAX_TEXT}


def numbers(name: str) -> dict[str, float]:
    """What is kept under `name`: number by key."""
    out = {}
    for part in _texts().get(name, "").split(","):
        key, _, text = part.partition(":")
        try:
            value = float(text)
        except ValueError:
            continue
        if key and math.isfinite(value):
            out[key] = value
    return out


def put(name: str, values: Mapping[str, float]) -> None:
    """Keep these instead; nothing where there are none. `name` is one of NAMES, no key holds a colon or comma."""
    text = ",".join(f"{key}:{value:g}" for key, value in values.items())
    kept = {k: v for k, v in _texts().items() if k != name}
    st.session_state[_KEY] = kept | ({name: text} if 0 < len(text) <= MAX_TEXT else {})


def in_address() -> dict[str, str]:
    """The texts for the address."""
    return dict(_texts())


def is_choice(key: str) -> None:
    """The parameter `key` of the address is a choice: a change of it is a step that Back undoes."""
    st.session_state.setdefault(_CHOICES, set()).add(key)


def new_run() -> None:
    """Choices are those of the page that is drawn."""
    st.session_state[_CHOICES] = set()


def choices() -> list[str]:
    """Parameters whose changes are steps of their own."""
    return sorted(st.session_state.get(_CHOICES, ()))


def went_back() -> bool:
    """Whether this run answers the browser's Back or Forward: then the address says what was chosen, not the widgets.

    Not a public name of Streamlit (1.67): without it Back changes the page only.
    """
    return bool(getattr(get_script_run_ctx(), "is_history_navigation", False))


def _texts() -> dict[str, str]:
    kept: dict[str, str] = st.session_state.get(_KEY, {})
    return kept
