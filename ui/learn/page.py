"""The Learn page's frame: the picker, a step with its chart, the question with a guess first, and where to go next."""

from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from ui.blocks.exporting import chart
from ui.blocks.text import dollars
from ui.learn.steps import STEPS, Step
from ui.learn.view import View
from ui.shell.page import Seen
from ui.state import view

STYLE = Path(__file__).parent / "learn.css"
_keys = st.components.v2.component(
    "lesson_keys", html="<i></i>", js=(Path(__file__).parent / "keys.js").read_text(encoding="utf-8")
)


def page(_seen: Seen) -> None:
    """The whole page below its heading."""
    st.html(STYLE)
    with st.container(key="learn"):
        _lesson()


@st.fragment
def _lesson() -> None:
    """Picker and step. A fragment, so that a slider's answer waits for nothing else."""
    number = _chosen()
    step = STEPS[number - 1]
    st.header(dollars(step.claim), anchor=False)
    st.markdown(dollars(step.idea))
    left, right = st.columns([2, 3], gap="medium")
    with left:
        drawn = step.draw()
        _numbers(drawn)
        if drawn.source:
            st.caption(dollars(drawn.source))
    with right:
        _chart(drawn.figure, drawn.alt)
    question, walk = st.columns([6, 1])
    with question:
        _question(number, step, drawn)
    with walk:
        _walk(number)
    _keys(key="lesson_keys", data={"step": number}, height="content")


def _chosen() -> int:
    """The step of the picker; it follows the address (?step=3) and the address follows it."""
    labels = {str(i): f"{i} :small[{step.title}]" for i, step in enumerate(STEPS, start=1)}
    if view.went_back() or st.session_state.get("step") not in labels:
        asked = st.query_params.get("step", "1")
        st.session_state["step"] = asked if asked in labels else "1"
    view.is_choice("step")
    # Not bind="query-params": that would put the whole label into the address instead of ?step=3.
    chosen = st.segmented_control(
        "Step",
        list(labels),
        required=True,
        format_func=labels.__getitem__,
        key="step",
        label_visibility="collapsed",
        width="stretch",
    )
    # The first step needs no parameter: written at once on arrival, it made an entry of its own, or fell to the page
    # that was left, and Back took two presses.
    if st.query_params.get("step", "1") != chosen:
        st.query_params["step"] = str(chosen)
    return int(chosen or 1)


def _numbers(view: View) -> None:
    with st.container(horizontal=True, gap="medium", key="learn_numbers"):
        for label, value, note in view.numbers:
            st.metric(label, value, note or None, delta_color="off", delta_arrow="off", width="content")


def _chart(figure: go.Figure, alt: str) -> None:
    chart(figure, "learn_chart", alt)


def _question(number: int, step: Step, shown: View) -> None:
    """Guess first: the answer appears with the first choice, right or wrong."""
    with st.container(border=True, key="question"):
        st.markdown(f"**:material/help: {dollars(step.question)}**")
        guess = st.pills(
            "Your guess",
            step.choices,
            format_func=dollars,
            key=f"guess_{number}",
            wrap=True,
            label_visibility="collapsed",
        )
        if guess is not None:
            said = ":material/check_circle: **Yes.**" if guess == step.choices[step.right] else "**Not quite.**"
            st.markdown(f"{said} {dollars(shown.answer)}")
            st.caption(f"How it is computed: ${shown.formula}$ {dollars(shown.words)}")


def _walk(number: int) -> None:
    """Next and Back, also by keys (N and P; keys.js); after the last step, on to a book of one's own."""
    if number == len(STEPS):
        if st.button("Your book", icon=":material/wallet:", type="primary", width="stretch", key="own_book"):
            st.switch_page("pages/portfolio.py")
    else:
        st.button(
            "Next",
            icon=":material/arrow_forward:",
            icon_position="right",
            type="primary",
            on_click=_go,
            args=(number + 1,),
            shortcut="N",
            width="stretch",
            key="next",
        )
    st.button(
        "Back",
        icon=":material/arrow_back:",
        disabled=number == 1,
        on_click=_go,
        args=(number - 1,),
        shortcut="P",
        width="stretch",
        key="back",
    )


def _go(number: int) -> None:
    st.session_state["step"] = str(number)
