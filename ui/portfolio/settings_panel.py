"""How margin is measured: every setting of the engine that a visitor may want to turn, each in one control."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import streamlit as st

from margin.core.errors import InputError
from margin.core.settings import Settings
from margin.risk.estimators import closed_forms, estimators
from ui.state import book
from ui.state.prices import ActivePrices
from ui.state.session import tell

MEASURE_NAMES = {"es": "Expected shortfall", "var": "Value at risk"}
ESTIMATOR_NAMES = {row.key: row.title for row in estimators()}
CLOSED_NAMES = " and ".join(row.title for row in estimators() if row.closed_form)
CORRELATION_NAMES = {"sample": "Sample", "ewma": "EWMA", "ledoit-wolf": "Ledoit-Wolf", "what-if": "What-if"}
TREATMENT_NAMES = {"haircut": "Haircut", "joint": "Joint"}
PROCYCLICALITY_NAMES = {"floor": "Long-run floor", "buffer": "Buffer on top", "stress": "Stress weight", "off": "Off"}
LEVELS = (0.9, 0.95, 0.975, 0.99, 0.995, 0.999)
SWITCHES = (
    ("offset_cap", "Cap on offsets", "At most 80% of the reduction counts (EMIR, article 27)."),
    ("stressed", "Stressed period", "Not below a share of the margin in the worst stretch of history."),
    ("correlation_break", "Correlation break", "Room for every pair going to its worst correlation so far."),
    (
        "basis",
        "Basis",
        "Instruments of one underlying do not have one price: 25 bp of BTC and ETH, 140 bp of others.",
    ),
    ("liquidity", "Liquidity", "Cost of closing large positions, by the square-root law."),
    ("cap_at_isolated", "Never above isolated", "A pool that asks more than isolated accounts would be left for them."),
)


def summary(settings: Settings, as_of: date) -> str:
    """The settings in one line: 'ES 97.5% · 1 day · 500 scenarios · historical · as of 31 Mar 2026'."""
    days = f"{settings.horizon} day{'s' if settings.horizon > 1 else ''}"
    parts = [
        f"{settings.measure.upper()} {settings.level * 100:g}%",
        days,
        f"{settings.lookback:,} scenarios",
        ESTIMATOR_NAMES[settings.estimator].lower(),
        f"as of {as_of:%d %b %Y}".replace(" 0", " "),
    ]
    return " · ".join(parts)


def settings_panel(active: ActivePrices) -> None:
    """The controls. Each writes one field of the book's settings; undo brings it back."""
    settings = book.current().settings
    first, second, third = st.columns(3)
    with first:
        st.segmented_control(
            "Measure",
            list(MEASURE_NAMES),
            default=settings.measure,
            required=True,
            format_func=MEASURE_NAMES.__getitem__,
            help="Expected shortfall is the mean of the worst losses; value at risk is where they begin.",
            **_bound("measure"),
        )
        levels = sorted({*LEVELS, settings.level})
        st.select_slider(
            "Level",
            levels,
            settings.level,
            format_func=lambda level: f"{level * 100:g}%",
            help="How much of the loss distribution the margin covers.",
            **_bound("level"),
        )
    with second:
        st.number_input(
            "Horizon, days", 1, 60, min(settings.horizon, 60), help="How long closing may take.", **_bound("horizon")
        )
        st.number_input(
            "Lookback, scenarios", 2, 100_000, settings.lookback, 50, help="How much history.", **_bound("lookback")
        )
    with third:
        st.selectbox(
            "Estimator",
            list(ESTIMATOR_NAMES),
            list(ESTIMATOR_NAMES).index(settings.estimator),
            format_func=ESTIMATOR_NAMES.__getitem__,
            help="Where the scenarios come from.",
            **_bound("estimator"),
        )
        _as_of(settings, active)
    first, second, third = st.columns(3)
    with first:
        st.segmented_control(
            "Collateral",
            list(TREATMENT_NAMES),
            default=settings.collateral_treatment,
            required=True,
            format_func=TREATMENT_NAMES.__getitem__,
            help="Haircut: a share of its value does not count. Joint: it moves with the same scenarios as the book.",
            **_bound("collateral_treatment"),
        )
    with second:
        choices = [c for c in CORRELATION_NAMES if c != "what-if" or settings.what_if]
        if settings.estimator in closed_forms():
            st.selectbox(
                "Correlation",
                choices,
                choices.index(settings.correlation) if settings.correlation in choices else 0,
                format_func=CORRELATION_NAMES.__getitem__,
                help=f"The matrix behind {CLOSED_NAMES}. Our own model: no venue takes one.",
                **_bound("correlation"),
            )
        else:
            st.caption(f"Correlation is as in the scenarios. A matrix of its own goes with {CLOSED_NAMES}.")
    with third:
        st.selectbox(
            "Against procyclicality",
            list(PROCYCLICALITY_NAMES),
            list(PROCYCLICALITY_NAMES).index(settings.safeguards.procyclicality),
            format_func=PROCYCLICALITY_NAMES.__getitem__,
            help="A floor from long history, a buffer to be used up when markets turn, or a quarter of the weight on "
            "the worst stretch (EMIR, article 28).",
            **_bound("procyclicality", of_safeguards=True),
        )
    st.caption("Safeguards: what a careful clearing house adds")
    with st.container(horizontal=True, key="switches"):
        for name, label, text in SWITCHES:
            st.toggle(label, getattr(settings.safeguards, name), help=text, **_bound(name, of_safeguards=True))


def _as_of(settings: Settings, active: ActivePrices) -> None:
    chosen = date.fromisoformat(settings.as_of[:10]) if settings.as_of else active.last_day
    st.date_input(
        "As of",
        min(max(chosen, active.first_day), active.last_day),
        active.first_day,
        active.last_day,
        required=True,
        format="YYYY-MM-DD",
        help="Only prices up to this day are used. The last day means: always the latest.",
        **_bound("as_of", read=lambda day: None if day is None or day >= active.last_day else day.isoformat()),
    )


def _bound(name: str, of_safeguards: bool = False, read: Callable[[Any], Any] = lambda value: value) -> dict[str, Any]:
    """Key and callback of a control: drawn afresh with the book's version, written into its settings on change."""
    key = f"set_{name}_{book.version()}"

    def changed() -> None:
        now = book.current()
        try:
            value = read(st.session_state[key])
            if of_safeguards:
                settings = replace(now.settings, safeguards=replace(now.settings.safeguards, **{name: value}))
            else:
                settings = replace(now.settings, **{name: value})
        except InputError as error:
            tell(str(error))
            return
        book.edit(replace(now, settings=settings), ("setting", name, book.version()))

    return {"key": key, "on_change": changed}
