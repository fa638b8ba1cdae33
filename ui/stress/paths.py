"""The Stress page day by day: today's account along a stretch of the prices in use."""

import pandas as pd
import streamlit as st

from margin.sample.events import load_events
from margin.stress.held import StressBook
from margin.stress.paths import CLOSE, StressPath, Track, recorded_path, replay
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import times
from ui.blocks.funding import of_path
from ui.blocks.text import plain
from ui.charts import stress as charts_stress
from ui.state.prices import ActivePrices


def day_by_day(held: StressBook, active: ActivePrices, beta: bool) -> None:
    """Which day the account would be closed on, as held and position by position."""
    inside = [e for e in load_events() if active.first_day < e.start <= active.last_day]
    left, right = st.columns([3, 1])
    with left:
        if inside:
            names = [f"{e.name} ({e.start})" for e in inside]
            picked = st.selectbox(
                "From the close before",
                names,
                len(names) - 1,
                key="stress_event",
                bind="query-params",
                persist_state="session",
            )
            start = inside[names.index(picked)].start
        else:
            start = st.date_input(
                "From the close before", active.last_day, active.first_day, active.last_day, key="stress_start",
                bind="query-params",
            )  # fmt: skip
    with right:
        days = st.slider("Days", 5, 180, 30, 5, key="stress_days", bind="query-params", persist_state="session")
        wanted = st.toggle(
            "Recorded funding", key="stress_funding", bind="query-params", persist_state="session",
            help="What perpetuals paid on those days, fetched from an exchange that publishes its history.",
        )  # fmt: skip
    path = recorded_path(held, start, int(days), beta)
    found = replay(held, path, of_path(held, path) if wanted else None)
    st.markdown(verdict(held, found))
    died = "never liquidated" if found.first is None else f"liquidated on {found.path.labels[found.first.closed or 0]}"
    alt = f"Health as held and of each isolated account over {len(found.path.labels)} steps from {start}: {died}."
    chart(charts_stress.path(found), "stress_path", alt)
    origin = "the bundled sample, partly simulated" if active.origin == "sample" else "the prices in use"
    st.caption(
        f"Prices of {origin}. Health is equity / maintenance; dashed: liquidation at 1; drawn up to 10. "
        f"Nothing is topped up. "
        f"{plain(found.path.looked_at)}"
    )
    if found.notes:
        st.caption(plain(" ".join(found.notes)))
    csv_button("Every day", lambda: _table(found), "stress_path")


def verdict(held: StressBook, found: StressPath) -> str:
    """'The pool is liquidated on ..., at the close. At worst its health is ... Alone: ...'"""
    said = []
    tracks = [track for track in found.held if track.positions]
    if len(tracks) > 1:
        said.append(_several(found, tracks))
    for track in tracks if len(tracks) == 1 else ():
        lowest = track.lowest_health
        worst = "" if lowest is None else f" At worst its health is {times(lowest)}."
        said.append(f"{plain(_capital(track.name))} **{_when(found, track)}**.{worst}")
    alone = [f"{plain(t.name)} {_when(found, t, short=True)}" for t in found.alone if t.closed is not None]
    tail = ", ".join(alone) if alone else "no position is liquidated"
    return f"{' '.join(said)} In isolated accounts of their own: {tail}."


def _several(found: StressPath, tracks: list[Track]) -> str:
    """Of several accounts: those that go down, and the lowest health of those that stand."""
    gone = [f"{plain(_capital(t.name))} **{_when(found, t)}**." for t in tracks if t.closed is not None]
    standing = [t for t in tracks if t.closed is None]
    known = [t for t in standing if t.lowest_health is not None]
    if standing:
        who = (
            f"All {len(tracks)} margined accounts stand"
            if not gone
            else f"The other{f' {len(standing)} stand' if len(standing) > 1 else ' stands'}"
        )
        gone.append(f"**{who}**.")
    if known:
        worst = min(known, key=lambda t: t.lowest_health or 0.0)
        gone.append(f"Their lowest health is {times(worst.lowest_health)}, of {plain(worst.name)}.")
    return " ".join(gone)


def _when(found: StressPath, track: Track, short: bool = False) -> str:
    if track.closed is None:
        return "is never liquidated"
    day = found.path.labels[track.closed]
    how = "" if track.closed_when == CLOSE and not found.path.has_extremes else f", {track.closed_when}"
    return f"on {day}{how}" if short else f"is liquidated on {day}{how}"


def _table(found: StressPath) -> pd.DataFrame:
    table = pd.DataFrame({"date": list(found.path.labels)})
    for way, tracks in (("held", found.held), ("alone", found.alone)):
        for t in tracks:
            table[f"{way} {t.name} equity"] = t.equity
            table[f"{way} {t.name} maintenance"] = t.maintenance
            if found.path.has_extremes:
                table[f"{way} {t.name} equity at the adverse extreme"] = t.extreme_equity
    return table


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
