"""The Correlations page: which assets and how to measure, the answer in a sentence, and one view at a time below."""

from collections.abc import Callable
from itertools import combinations

import streamlit as st

from margin.core.errors import InputError
from margin.correlation.frames import MatrixFrames, matrix_frames
from margin.correlation.summary import PairSummary, pair_summary
from ui.blocks.formats import number
from ui.blocks.text import dollars, plain
from ui.blocks.views import refused, tabbed
from ui.correlations import history as correlations_history
from ui.correlations import own_book as correlations_margin
from ui.correlations.choice import Choice
from ui.shell.page import Seen
from ui.state import book, compute
from ui.state.compute import Answer
from ui.state.prices import ActivePrices

METHODS = {
    "rolling": "Rolling",
    "ewma": "EWMA",
    "ledoit-wolf": "Ledoit-Wolf",
    "spearman": "Spearman",
    "worst-days": "Worst days",
}
ABOUT_METHOD = {
    "rolling": "Pearson over the last returns, each weighing the same.",
    "ewma": "Recent returns weigh more: half as much after each half-life.",
    "ledoit-wolf": "The sample matrix drawn towards equal, uncorrelated assets; on dates all assets share.",
    "spearman": "Of ranks: single extreme days count no more than others.",
    "worst-days": "Only on the market's worst 5% of days so far.",
}
COMPANIONS = ("BTC", "ETH", "SOL", "SPY", "GLD")  # beside a book of one or two assets
MOST_ASSETS, FIRST_ASSETS = 16, 6
_frames = compute.remembered(matrix_frames, 16)
_summary = compute.remembered(pair_summary, 64)


def page(seen: Seen) -> None:
    """The whole page below its heading."""
    active, now = seen.active, seen.now
    chosen = _controls(active, now)
    if chosen is None:
        return
    try:
        frames = _frames(active.market, chosen.assets, chosen.method, chosen.window, chosen.horizon, as_of=chosen.as_of)
        summary = _summary(active.market, chosen.pair, chosen.window, chosen.horizon, chosen.path_method, chosen.as_of)
    except InputError as error:
        refused(error)
        return
    _answer(chosen, summary)
    views: dict[str, Callable[[], None]] = {
        "Through time": lambda: _through_time(chosen, frames, summary, active),
        "Calm and stress": lambda: correlations_history.regimes(chosen, active),
        "Market mode": lambda: correlations_history.market_mode(chosen, active),
        "Persistence": lambda: correlations_history.persistence(chosen, active),
        "What if": lambda: correlations_margin.what_if(now, active),
        "When it breaks": lambda: correlations_margin.breaks(now, active),
    }
    tabbed(views, "correlation_view")


def _controls(active: ActivePrices, now: Answer) -> Choice | None:
    """The controls; None, with a word on why, while fewer than two assets are chosen."""
    left, right = st.columns([3, 2])
    with left:
        assets = st.multiselect(
            "Assets",
            active.assets,
            default=_first_assets(active, now),
            max_selections=MOST_ASSETS,
            key=f"correlation_assets_{active.version}",
            persist_state="session",
            help="Opens with your book's own assets. Each pair is measured on the days both have a price.",
        )
    with right:
        method = st.segmented_control(
            "Method",
            list(METHODS),
            default="rolling",
            required=True,
            format_func=METHODS.__getitem__,
            key="correlation_method",
            bind="query-params",
            wrap=True,
            persist_state="session",
        )
    first, second, third = st.columns([2, 1, 2])
    with first:
        label = "Half-life, returns" if method == "ewma" else "Window, returns"
        window = st.slider(
            label,
            20,
            250,
            60,
            5,
            key="correlation_window",
            bind="query-params",
            persist_state="session",
            disabled=method == "worst-days",
        )
    with second:
        horizon = st.number_input(
            "Return over, days",
            1,
            20,
            1,
            key="correlation_horizon",
            bind="query-params",
            persist_state="session",
            disabled=method == "worst-days",
            help="Returns over several days overlap; the bands know that.",
        )
    if len(assets) < 2:
        st.info("Choose two assets or more.", icon=":material/add_circle:")
        return None
    with third:
        pair = _pair(assets, now)
    st.caption(ABOUT_METHOD[method or "rolling"])
    as_of = book.current().settings.as_of
    return Choice(
        assets=tuple(assets), method=method or "rolling", window=window, horizon=int(horizon), as_of=as_of, pair=pair
    )


def _first_assets(active: ActivePrices, now: Answer) -> list[str]:
    """The book's own assets, the largest first; with company where they are few."""
    own = _by_size(now)
    held = [c.asset for c in now.portfolio.collateral if c.asset != "USD"]
    company = [] if len(own) > 3 else [*held, *COMPANIONS]
    wanted = dict.fromkeys(a for a in [*own, *company] if a in active.market)
    return list(wanted)[: max(FIRST_ASSETS, min(len(own), 10))]


def _by_size(now: Answer) -> list[str]:
    if now.comparison is None:
        return []
    sizes = {u.underlying: abs(u.delta_usd) for u in now.comparison.underlyings if u.underlying != "USD"}
    return sorted(sizes, key=lambda asset: -sizes[asset])


PAIR = "correlation_pair"


def _pair(assets: list[str], now: Answer) -> tuple[str, str]:
    """The pair that is followed: chosen here or by a click on the matrix; at first the book's two largest."""
    options = [f"{a} and {b}" for a, b in combinations(assets, 2)]
    if st.session_state.get(PAIR) not in options:
        own = [a for a in _by_size(now) if a in assets][:2]
        st.session_state[PAIR] = _named(own[0], own[1], options) if len(own) == 2 else options[0]
    chosen = st.selectbox(
        "Pair", options, key=PAIR, bind="query-params", persist_state="session", help="Or click a cell of the matrix."
    )
    return list(combinations(assets, 2))[options.index(chosen)]


def _named(a: str, b: str, options: list[str]) -> str:
    return f"{a} and {b}" if f"{a} and {b}" in options else f"{b} and {a}"


def _answer(chosen: Choice, summary: PairSummary) -> None:
    """One sentence: where the pair's correlation is, where it has been, how long it keeps."""
    first, second = (plain(a) for a in chosen.pair)
    if summary.latest is None or summary.least is None or summary.most is None:
        st.header(f"{first} and {second}: no figure, {plain(summary.reason)}.", anchor=False)
        return
    st.header(
        f"{first} and {second}: {_rho(summary.latest)} now, from {_rho(summary.least)} to {_rho(summary.most)} so far.",
        anchor=False,
    )
    life = summary.life
    parts = [f"95% band: {_rho(summary.low)} to {_rho(summary.high)}."]
    if life.median is not None and life.noise_median is not None:
        parts.append(
            f"Within the next 30 returns it typically moves by **{life.median:.2f}**, once in ten times by more than "
            f"{life.p90:.2f}; measuring noise alone would show {life.noise_median:.2f}."
        )
    elif life.reason:
        parts.append(f"How long it keeps cannot be said: {plain(life.reason)}.")
    st.markdown(dollars(" ".join(parts)))


def _rho(value: float | None) -> str:
    return number(value)


def _through_time(chosen: Choice, frames: MatrixFrames, summary: PairSummary, active: ActivePrices) -> None:
    left, right = st.columns(2)
    with left:
        correlations_history.matrix_film(frames, lambda first, second: _follow(chosen.assets, first, second))
    with right:
        correlations_history.pair_path(chosen.pair, summary)
    left, right = st.columns(2)
    with left:
        correlations_history.pair_returns(chosen.pair, summary)
    with right:
        correlations_history.leads_and_lags(chosen.pair, active, chosen.as_of)


def _follow(assets: tuple[str, ...], first: str, second: str) -> None:
    """Follow the pair of a clicked cell. Called before the page runs again."""
    if first != second:
        options = [f"{a} and {b}" for a, b in combinations(assets, 2)]
        st.session_state[PAIR] = _named(first, second, options)
