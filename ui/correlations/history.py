"""What correlation was: the matrix as a film, a pair's path, calm and stress, market mode, persistence."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from margin.core.errors import InputError
from margin.correlation.frames import MatrixFrames
from margin.correlation.lead_lag import lead_lag
from margin.correlation.market_mode import market_mode as market_mode_of
from margin.correlation.paths import PairPath
from margin.correlation.persistence import Persistence
from margin.correlation.persistence import persistence_of as persistence_of
from margin.correlation.regimes import RegimeMatrices, regime_matrices
from margin.correlation.summary import AHEAD, PairSummary
from margin.sample.events import load_events
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import number, percent
from ui.blocks.tables import data_table
from ui.blocks.text import plain
from ui.blocks.views import refused
from ui.charts import correlation as charts_correlation
from ui.charts import correlation_risk as charts_correlation_risk
from ui.correlations.choice import Choice
from ui.state import compute
from ui.state.prices import ActivePrices
from ui.state.rows import sentence

FILM = "correlation_film"
MOST_ROWS = 15
_lead_lag = compute.remembered(lead_lag)
_regimes = compute.remembered(regime_matrices)
_mode = compute.remembered(market_mode_of)
_lives = compute.remembered(persistence_of, 8)


def matrix_film(frames: MatrixFrames, follow: Callable[[str, str], None]) -> None:
    """The matrix through time; a click on a cell follows that pair."""
    st.markdown("**All pairs**")

    def clicked() -> None:
        points = st.session_state[FILM]["selection"]["points"]
        if points:
            follow(frames.assets[round(points[0]["x"])], frames.assets[round(points[0]["y"])])

    figure = charts_correlation.film(frames)
    chart(figure, FILM, charts_correlation.film_alt(frames), on_select=clicked, selection_mode="points")
    csv_button("Matrices", lambda: film_table(frames), "correlation_matrices")


def film_table(frames: MatrixFrames) -> pd.DataFrame:
    """Every figure of the film: date, first, second, correlation."""
    first, second = np.triu_indices(len(frames.assets), 1)
    names = np.array(frames.assets)
    parts = [
        pd.DataFrame(
            {"date": str(d)[:10], "first": names[first], "second": names[second], "correlation": m[first, second]}
        )
        for d, m in zip(frames.dates, frames.matrices, strict=True)
    ]
    return pd.concat(parts).dropna()


def pair_path(pair: tuple[str, str], summary: PairSummary) -> None:
    """The pair's correlation through time, with its band and the events it met."""
    first, second = (plain(a) for a in pair)
    st.markdown(f"**{first} and {second} through time**")
    if summary.least is None:
        st.info(f"No figure yet: {plain(summary.reason)}.")
        return
    alt = (
        f"Correlation of {pair[0]} and {pair[1]} from {str(summary.path.dates[0])[:10]} to "
        f"{str(summary.path.dates[-1])[:10]}: lowest {summary.least:.2f} on {str(summary.least_on)[:10]}, highest "
        f"{summary.most:.2f} on {str(summary.most_on)[:10]}."
    )
    chart(charts_correlation.path(summary.path, load_events()), "correlation_path", alt)
    st.caption(
        "Band: 95%, widened by the pair's fat tails. Dotted: named market events. Windows overlap, so the line moves "
        "slowly even when the correlation jumps."
    )
    csv_button("This pair", lambda: path_table(summary.path), "correlation_path")


def path_table(path: PairPath) -> pd.DataFrame:
    low, high = path.band(fat_tails=True)
    table = {
        "date": pd.DatetimeIndex(path.dates).strftime("%Y-%m-%d"),
        "correlation": path.values,
        "low": low,
        "high": high,
    }
    return pd.DataFrame({**table, path.pair[0]: path.returns[:, 0], path.pair[1]: path.returns[:, 1]})


def pair_returns(pair: tuple[str, str], summary: PairSummary) -> None:
    st.markdown("**Their returns**")
    alt = f"{len(summary.path.returns)} common returns of {pair[0]} against {pair[1]}; the newest window stands out."
    chart(charts_correlation.returns(summary.path), "correlation_returns", alt)
    st.caption("Orange: the newest window.")


def leads_and_lags(pair: tuple[str, str], active: ActivePrices, as_of: str | None) -> None:
    """Whether one moves before the other, over the last two years of common days."""
    st.markdown("**Does one lead?**")
    try:
        found = _lead_lag(active.market, pair, 5, as_of, 500)
    except InputError as error:
        st.info(plain(sentence(error)))
        return
    words = ", ".join(f"{lag:+d}: {v:.2f}" for lag, v in zip(found.lags, found.values, strict=True))
    chart(charts_correlation.lead_lag(found), "correlation_lags", f"Correlation by lag in common days. {words}.")
    together = "" if found.synchronised is None else f" Lags −1 to 1 together: {found.synchronised:.2f}."
    st.caption(
        "Within the grey stripe: no different from nothing. A coin's day ends at 00:00 UTC, a stock's hours before, so "
        f"a small figure at +1 or −1 is no forecast.{together}"
    )


def regimes(chosen: Choice, active: ActivePrices) -> None:
    """Calm days, stress days and the worst 5% side by side, and what normal returns would show on those."""
    try:
        found = _regimes(active.market, chosen.assets, chosen.as_of)
    except InputError as error:
        refused(error)
        return
    panels = (
        ("Calm days", "Market volatility in its lowest third.", found.calm, "calm"),
        ("Stress days", "Market volatility in its highest third.", found.stress, "stress"),
        ("Worst 5% of days", "Days on which the market fell most.", found.worst, "worst"),
    )
    for column, (title, words, matrix, key) in zip(st.columns(3), panels, strict=True):
        with column:
            st.markdown(f"**{title}**")
            st.caption(words)
            alt = f"{title}. {charts_correlation.matrix_words(found.assets, matrix)}"
            chart(charts_correlation.heatmap(found.assets, matrix), f"correlation_{key}", alt)
    st.markdown("**Pair by pair**")
    st.caption(
        "Picking days by their outcome bends a correlation even when nothing changes: *normal* is what normal returns "
        "of the same correlation would show on the worst days. *Together* is about zero instead of the mean of those "
        "days: do both lose?"
    )
    table = regime_table(found)
    data_table(
        table,
        key="correlation_regimes",
        alt="Correlation of each pair on calm, stress and worst days",
        formats=dict.fromkeys(table.columns[2:-1], number),
    )
    csv_button("This table", lambda: table, "correlation_regimes")


def regime_table(found: RegimeMatrices) -> pd.DataFrame:
    """One row per pair; empty where a pair has too few such days."""
    rows: list[dict[str, Any]] = []
    for i, j in combinations(range(len(found.assets)), 2):
        rows.append(
            {
                "First": found.assets[i],
                "Second": found.assets[j],
                "All days": found.all_days[i, j],
                "Calm": found.calm[i, j],
                "Stress": found.stress[i, j],
                "Worst 5%": found.worst[i, j],
                "Normal": found.normal[i, j],
                "Together": found.together[i, j],
                "Worst days": found.days_worst[i, j],
            }
        )
    return pd.DataFrame(rows)


def market_mode(chosen: Choice, active: ActivePrices) -> None:
    """How much of the market moves as one, through time."""
    found = _mode(active.market, chosen.assets, chosen.window, chosen.horizon, chosen.as_of)
    known = np.flatnonzero(np.isfinite(found.average))
    if not len(known):
        st.info("No pair has enough returns in common for this window.")
        return
    last, top = known[-1], known[np.argmax(found.average[known])]
    with st.grid(3, min_column_width=150):
        st.metric("Average correlation", number(found.average[last]), border=True, height="stretch")
        st.metric(
            "Common factor", percent(100 * found.share[last]), border=True, height="stretch",
            help="The first eigenvalue's share: how much of all movement one common factor carries.",
        )  # fmt: skip
        st.metric(
            "Highest average so far",
            number(found.average[top]),
            str(found.dates[top])[:10],
            "off",
            delta_arrow="off",
            border=True,
            height="stretch",
        )
    alt = (
        f"Average correlation of {len(chosen.assets)} assets: {found.average[last]:.2f} on "
        f"{str(found.dates[last])[:10]}, highest {found.average[top]:.2f} on {str(found.dates[top])[:10]}."
    )
    chart(charts_correlation_risk.mode(found, load_events()), "correlation_mode", alt)
    st.caption(
        "The first eigenvalue's share is how much of all movement one common factor carries: diversification is what "
        "is left. Dotted: named market events."
    )
    table = {"average": found.average, "first_eigenvalue_share": found.share, "implied": found.implied}
    days = pd.DatetimeIndex(found.dates).strftime("%Y-%m-%d")
    csv_button("This series", lambda: pd.DataFrame({"date": days, **table, "assets": found.assets}), "market_mode")


def persistence(chosen: Choice, active: ActivePrices) -> None:
    """How far each pair's correlation moved within the next 30 returns, beside what noise alone would show."""
    pairs = tuple(combinations(chosen.assets, 2))
    lives = _lives(active.market, pairs, chosen.window, AHEAD, chosen.as_of)
    known = sorted((life for life in lives if life.median is not None), key=lambda life: -(life.median or 0.0))
    if not known:
        st.info("No pair has a history long enough.")
        return
    st.markdown(f"**How far a {chosen.window}-return correlation moved within the next {AHEAD} returns**")
    st.caption(
        "Filled: half of all moves are smaller. Outline: nine in ten are. Orange mark: what measuring noise alone "
        "would show for half of them; only what lies beyond it is the correlation itself moving."
    )
    shown = known[:MOST_ROWS]
    words = "; ".join(f"{'/'.join(life.pair)} {life.median:.2f} (noise {life.noise_median:.2f})" for life in shown)
    chart(charts_correlation_risk.persistence(shown), "correlation_persistence", f"Typical moves. {words}.")
    if len(known) > len(shown):
        st.caption(f"The {len(shown)} most restless of {len(known)} pairs; the file has all.")
    csv_button("All pairs", lambda: life_table(lives), "correlation_persistence")


def life_table(lives: tuple[Persistence, ...]) -> pd.DataFrame:
    rows = [
        {
            "first": life.pair[0],
            "second": life.pair[1],
            "looks": len(life.dates),
            "median_move": life.median,
            "p90_move": life.p90,
            "worst_move": life.worst,
            "noise_median": life.noise_median,
            "noise_p90": life.noise_p90,
            "real_deviation": life.real_deviation,
            "reason": life.reason,
        }
        for life in lives
    ]
    return pd.DataFrame(rows)
