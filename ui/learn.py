"""The six steps of the Learn page: an idea, a chart, a question and its answer each. Numbers: margin/lessons.py."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from data.events import load_events
from data.sample import load_sample
from margin import Market, Portfolio, Position, Safeguards, Settings, compare, lessons
from margin.lessons import Pair
from ui import charts, learn_charts
from ui.formats import money, percent
from ui.text import dollars

CHART = {"displaylogo": False, "displayModeBar": False, "responsive": True}
FIRST_VOL, SECOND_VOL = 0.03, 0.04
VALUE = 100_000.0
SWITCHES = {
    "Cap on offsets": "offset_cap",
    "Stressed period": "stressed",
    "Correlation break": "correlation_break",
    "Liquidity": "liquidity",
}
HEDGES = {
    "Long ETH, short BTC": (30.0, -1.0),
    "Long BTC, short ETH": (-30.0, 1.0),
    "Long both": (30.0, 1.0),
}


@dataclass(frozen=True)
class Step:
    """Title in the picker, the idea in one sentence, the interactive part, the question."""

    title: str
    idea: str
    draw: Callable[[], str]  # draws controls, numbers and chart; returns the answer
    question: str


def page() -> None:
    """The picker, the chosen step, and where to go next."""
    labels = {str(i): f"{i}. {step.title}" for i, step in enumerate(STEPS, start=1)}
    if st.session_state.get("step") not in labels:
        asked = st.query_params.get("step", "1")
        st.session_state["step"] = asked if asked in labels else "1"
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
    number = int(chosen or 1)
    st.query_params["step"] = str(number)
    step = STEPS[number - 1]
    st.header(f"{number}. {step.title}", anchor=False)
    st.markdown(f"##### {dollars(step.idea)}")
    answer = step.draw()
    with st.container(border=True, key="question"):
        st.markdown(f"##### :material/help: {dollars(step.question)}")
        if st.toggle("Show the answer", key=f"answer_{number}"):
            st.markdown(f"##### :material/lightbulb: {dollars(answer)}")
    with st.container(horizontal=True, horizontal_alignment="distribute", key="walk"):
        st.button(
            "Back", icon=":material/arrow_back:", disabled=number == 1, on_click=_go, args=(number - 1,), key="back"
        )
        last = number == len(STEPS)
        st.button(
            "Next",
            icon=":material/arrow_forward:",
            disabled=last,
            on_click=_go,
            args=(number + 1,),
            type="primary",
            key="next",
        )


def _go(number: int) -> None:
    st.session_state["step"] = str(number)


def _chart(figure: go.Figure, alt: str) -> None:
    st.plotly_chart(figure, key="learn_chart", alt=alt, config=CHART)


def _numbers(*cells: tuple[str, str, str]) -> None:
    with st.container(horizontal=True, key="learn_numbers"):
        for label, value, note in cells:
            st.metric(label, value, note or None, delta_color="off", delta_arrow="off", border=True, height="stretch")


def one_position() -> str:
    left, right = st.columns(2)
    thousands = left.slider("Position, thousand $", 10, 200, 100, 10, key="learn_size")
    vol = right.slider("Moves on an ordinary day, %", 0.5, 8.0, 3.0, 0.5, key="learn_vol") / 100
    value = 1000.0 * thousands
    margin = lessons.margin_of(value, vol)
    _numbers(
        ("Position", money(value), f"moves {money(value * vol)} on an ordinary day"),
        ("Margin", money(margin), f"{percent(100 * margin / value, 1)} of the position"),
    )
    x, density = lessons.density(value, vol)
    alt = f"Bell curve of a day's profit and loss; the margin, {money(margin)}, is the mean of the worst 2.5%."
    _chart(learn_charts.bell(x, density, margin), alt)
    return (
        f"It doubles too, to {money(lessons.margin_of(2 * value, vol))}. Margin is proportional to the size, and to "
        "how much the price moves: half the position at twice the volatility needs the same margin."
    )


def two_positions() -> str:
    left, right = st.columns(2)
    up = left.slider("BTC moves, %", -15, 15, -10, key="learn_first_move") / 100
    other = right.slider("ETH moves, %", -15, 15, -12, key="learn_second_move") / 100
    pair = Pair(VALUE, -VALUE, FIRST_VOL, SECOND_VOL, 0.8)
    first, second, pool = lessons.two_day_outcome(pair, up, other)
    fallen = [name for name, left_over in (("BTC silo", first), ("ETH silo", second)) if left_over < 0]
    said = f"{' and '.join(fallen)} liquidated" if fallen else "both silos survive"
    _numbers(
        ("Long BTC", money(VALUE), f"made {money(VALUE * up)}"),
        ("Short ETH", money(-VALUE), f"made {money(-VALUE * other)}"),
        ("Together", money(VALUE * up - VALUE * other), said),
    )
    alt = f"Left in the BTC silo {money(first)}, in the ETH silo {money(second)}, in one pooled account {money(pool)}."
    _chart(learn_charts.bars(["BTC silo", "ETH silo", "One pool"], [first, second, pool]), alt)
    return (
        "Yes. With everything down 10% the short earns what the long loses, but the long's silo cannot be paid from "
        "the short's gain, so the long is liquidated. One pooled account, with far less margin in it, comes through."
    )


def correlation_slider() -> str:
    left, right = st.columns([2, 1])
    rho = left.slider("Correlation of BTC and ETH", -1.0, 1.0, 0.8, 0.05, key="learn_rho")
    hedged = right.segmented_control(
        "Second position", ["short ETH", "long ETH"], default="short ETH", required=True, key="learn_side"
    )
    second = -VALUE if hedged == "short ETH" else VALUE
    pair = Pair(VALUE, second, FIRST_VOL, SECOND_VOL, rho)
    silos, pool = lessons.isolated(pair), lessons.pooled(pair)
    _numbers(
        ("Two silos", money(silos), "do not know of each other"),
        ("One pool", money(pool), f"at correlation {rho:+.2f}"),
        ("Saved", money(silos - pool), percent(100 * (silos - pool) / silos)),
    )
    curve = lessons.pooled_by_correlation(pair)
    alt = f"Pooled margin against correlation; at {rho:+.2f} it is {money(pool)} against {money(silos)} for two silos."
    _chart(learn_charts.by_correlation(*curve, silos, (rho, pool)), alt)
    best = lessons.pooled(Pair(VALUE, -VALUE, FIRST_VOL, SECOND_VOL, 1.0))
    return (
        f"A hedge saves most at correlation +1: only the difference in size is left, {money(best)} here. Two longs "
        "save nothing there, because at +1 they are one position. Cross-margining rewards hedges, not more of the same."
    )


def isolated_to_cross() -> str:
    left, right = st.columns(2)
    chance = left.select_slider(
        "Probability of running out in a day",
        [0.1, 0.5, 1.0, 2.5, 5.0, 10.0],
        1.0,
        format_func=lambda p: f"{p:g}%",
        key="learn_chance",
    )
    rho = right.slider("Correlation", -0.95, 0.95, 0.8, 0.05, key="learn_rho_risk")
    pair = Pair(VALUE, -VALUE, FIRST_VOL, SECOND_VOL, rho)
    silos, pool = lessons.capital_for(pair, chance / 100)
    _numbers(
        ("Silos need", money(silos), f"run out on {chance:g}% of days"),
        ("One pool needs", money(pool), f"runs out on {chance:g}% of days"),
        ("Same safety, less by", money(silos - pool), percent(100 * (silos - pool) / silos)),
    )
    capital = np.linspace(1.0, 1.4 * lessons.capital_for(pair, 0.001)[0], 160)
    both = np.array([lessons.exhaustion(pair, c) for c in capital])
    alt = f"Probability of running out against capital. At {chance:g}%: silos {money(silos)}, one pool {money(pool)}."
    _chart(learn_charts.two_curves(capital, both[:, 0], both[:, 1], (pool, silos, chance / 100)), alt)
    return (
        "No. Both run out equally often; the pool needs less because a gain in one position pays for a loss in the "
        "other. What is saved is capital that the silos hold twice."
    )


@lru_cache(maxsize=1)
def _sample_market() -> Market:
    prices = load_sample()
    return Market(prices.closes, prices.volumes)


@lru_cache(maxsize=8)
def _events(hedge: str) -> tuple[lessons.EventDay, ...]:
    ether, bitcoin = HEDGES[hedge]
    book = Portfolio((Position("ETH/USD", ether), Position("BTC/USD", bitcoin)))
    named = [(e.name, str(e.start), str(e.end)) for e in load_events()]
    return tuple(lessons.event_days(book, _sample_market(), named))


def when_it_breaks() -> str:
    hedge = st.segmented_control("Book", list(HEDGES), default="Long ETH, short BTC", required=True, key="learn_hedge")
    days = _events(hedge)
    breached = [d for d in days if d.share > 1]
    worst = max(days, key=lambda d: d.share)
    _numbers(
        ("Named events", f"{len(days)}", "recorded moves"),
        ("Margin was not enough", f"{len(breached)}", f"of {len(days)}"),
        ("Worst", f"{100 * worst.share:.0f}%", f"of the margin: {worst.name}"),
    )
    alt = f"Loss in {len(days)} named events as a share of the margin set the day before; {len(breached)} exceed it."
    _chart(learn_charts.events(days), alt)
    st.caption(
        "Margin: 97.5% ES of the pooled book from prices up to the day before. Sample, partly simulated; the moves of "
        "the events are recorded."
    )
    return (
        f"Because the two stopped moving together just then: in '{worst.name}' it lost {100 * worst.share:.0f}% of "
        "the margin. A correlation is an average over calm and wild days; a careful clearing house does not bet "
        "everything on it."
    )


def safeguards() -> str:
    chosen = st.pills(
        "Safeguards", list(SWITCHES), selection_mode="multi", default=list(SWITCHES), key="learn_safeguards"
    )
    on = {field: name in chosen for name, field in SWITCHES.items()}
    book = Portfolio((Position("ETH/USD", 30.0), Position("BTC/USD", -1.0)))
    everything = Settings(safeguards=Safeguards(procyclicality="off"))
    c = compare(book, _sample_market(), settings=everything.with_(safeguards=Safeguards(procyclicality="off", **on)))
    _numbers(
        ("Silos", money(c.isolated), "30 ETH against 1 BTC"),
        ("One pool", money(c.portfolio), f"saves {percent(c.saved_pct)}"),
        ("With safeguards", money(c.safeguarded), f"saves {percent(100 * (c.isolated - c.safeguarded) / c.isolated)}"),
    )
    _chart(charts.waterfall(c), charts.waterfall_alt(c))
    st.caption("Sample, partly simulated.")
    full = compare(book, _sample_market(), settings=everything)
    dearest = max((x for x in full.safeguard_lines if x.amount), key=lambda x: x.amount or 0.0)
    kept = percent(100 * (full.isolated - full.safeguarded) / full.isolated)
    return (
        f"{dearest.label}, {money(dearest.amount)}. Together they give back {money(full.attribution.safeguards)} of the "
        f"{money(full.saved)} saved; {kept} of the isolated margin stays free, and the account is safer."
    )


STEPS = (
    Step(
        "One position",
        "Margin is money held against a bad day: here, the average of the worst 2.5% of days.",
        one_position,
        "Double the position. What happens to its margin?",
    ),
    Step(
        "Two positions",
        "Long BTC and short ETH, each with its own margin in its own silo. What one earns, the other cannot use.",
        two_positions,
        "Everything falls by 10%. The book as a whole loses nothing: can a position still be liquidated?",
    ),
    Step(
        "Correlation",
        "In one account only the sum counts, and the sum depends on how the two move together.",
        correlation_slider,
        "At which correlation does a long and a short save most, and two longs nothing?",
    ),
    Step(
        "Isolated to cross",
        "The fair comparison: the same probability of running out, and how much capital each way needs for it.",
        isolated_to_cross,
        "Is the pooled account riskier, because it holds less?",
    ),
    Step(
        "When correlation breaks",
        "Margin was set the day before with everything known until then. Then came a day with a name.",
        when_it_breaks,
        "Why was the margin of a hedged book too small on some days?",
    ),
    Step(
        "What safeguards give back",
        "A clearing house does not pass on all that pooling saves. Switch its safeguards on and off.",
        safeguards,
        "Which safeguard costs this book most, and how much of the saving is left?",
    ),
)
