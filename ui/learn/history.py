"""Steps 1, 5 and 6 of the Learn page: what days did to a position, to a hedge, to a book with safeguards."""

from functools import lru_cache

import numpy as np
import streamlit as st

from margin import Safeguards, Settings
from margin.lessons import closed_forms as lessons
from margin.lessons import history as lessons_history
from margin.lessons.history import EventDay, OnePosition, Replay
from margin.sample.events import load_events
from ui import charts
from ui.blocks.formats import money, percent, true_minus
from ui.charts import learn as learn_charts
from ui.charts import learn_breaks
from ui.learn.view import ASSUMED, LONG, SAMPLE, SHORT, VALUE, View, pair, sample_market
from ui.state import presets

ASSETS = {"BTC": "BTC", "ETH": "ETH", "SOL": "SOL", "SPY": "US shares", "GLD": "Gold"}
SWITCHES = {
    "offset_cap": "Cap on offsets",
    "stressed": "Stressed period",
    "correlation_break": "Correlation break",
    "liquidity": "Liquidity",
    "procyclicality": "Anti-procyclical floor",
}


@lru_cache(maxsize=128)
def _one(asset: str, usd: float) -> OnePosition:
    return lessons_history.one_position(sample_market(), asset, usd)


def one_position() -> View:
    asset = st.segmented_control(
        "Position in",
        list(ASSETS),
        default="BTC",
        required=True,
        format_func=ASSETS.__getitem__,
        key="learn_asset",
        bind="query-params",
        wrap=True,
    )
    thousands = st.slider("Size, thousand $", 10, 150, 100, 10, key="learn_size", bind="query-params")
    value = 1000.0 * thousands
    one, widest = _one(asset or "BTC", value), _one(asset or "BTC", 150_000.0)
    reach = 1.03 * float(np.abs(widest.losses).max())
    other = ", ".join(f"{ASSETS[a]} {money(_one(a, value).margin)}" for a in ("SOL", "SPY"))
    return View(
        numbers=(
            ("Margin", money(one.margin), f"{percent(100 * one.margin / value, 1)} of the position"),
            ("Worst day", money(one.worst), f"of {len(one.losses)}"),
        ),
        figure=learn_charts.days(one, reach),
        alt=f"How often {len(one.losses)} days brought each profit or loss on {money(value)} of {asset}. The margin, "
        f"{money(one.margin)}, is the mean of the worst {one.tail_days:g} days; the worst lost {money(one.worst)}.",
        answer=f"It doubles too: {money(one.margin)} becomes {money(_one(asset or 'BTC', 2 * value).margin)}. Margin "
        f"grows with the size and with how much the price moves: {money(value)} in other markets would need {other}.",
        formula=r"\mathrm{ES}_{97.5\%}",
        words=f"is the mean loss of the worst 2.5% of days, {one.tail_days:g} of {len(one.losses)} here.",
        source=SAMPLE,
    )


@lru_cache(maxsize=1)
def _events() -> tuple[EventDay, ...]:
    named = [(e.name, str(e.start), str(e.end)) for e in load_events()]
    return tuple(lessons_history.event_days({LONG: VALUE, SHORT: -VALUE}, sample_market(), named))


def when_it_breaks() -> View:
    mode = st.segmented_control(
        "Look at",
        ["What if", "Named events"],
        default="What if",
        required=True,
        key="learn_break_mode",
        bind="query-params",
    )
    found = _events()
    hit = [d for d in found if d.share > 1]
    worst = max(found, key=lambda d: d.share)
    moves = " and ".join(f"{a} {_move(m)}" for a, m in worst.moves)
    two = pair(ASSUMED)
    wild = lessons.correlation_break(two, 0.0)
    answer = (
        f"At correlation 0 the same margin is exceeded on {percent(100 * wild.exceeded)} of days, 1 in "
        f"{1 / wild.exceeded:.0f}. It happens: on {len(hit)} of {len(found)} named events this pair lost more than the "
        f"margin set at the close before. Worst, {percent(100 * worst.share)} of it: {worst.name}, when {moves}."
    )
    formula = r"P(L>M)=1-\Phi(M/\sigma_\rho)"
    if mode == "Named events":
        return View(
            numbers=(
                ("Named events", f"{len(found)}", ""),
                ("Margin not enough", f"{len(hit)}", ""),
                ("Worst", percent(100 * worst.share), "of the margin"),
            ),
            figure=learn_breaks.events(found),
            alt=f"Loss of the pair on {len(found)} named events as a share of its margin; {len(hit)} exceed it: "
            f"{', '.join(f'{d.name} {100 * d.share:.0f}%' for d in hit)}.",
            answer=answer,
            formula=formula,
            words="Named events: 97.5% ES of the 500 returns up to the close before, over the length of the event.",
            source=f"{SAMPLE} The moves of the named events are recorded.",
        )
    actual = st.slider("Tomorrow's correlation", -1.0, 1.0, ASSUMED, 0.05, key="learn_actual", bind="query-params")
    seen = lessons.correlation_break(two, actual)
    return View(
        numbers=(
            ("Margin held", money(seen.margin), f"set at correlation {ASSUMED}"),
            ("Needed", money(seen.needed), true_minus(f"at {actual:+.2f}")),
            ("Not enough on", percent(100 * seen.exceeded, 1), "of days"),
        ),
        figure=learn_breaks.broken(seen),
        alt=f"Losses of a day at the correlation assumed, {ASSUMED}, and at {actual:+.2f}. The margin of "
        f"{money(seen.margin)} is exceeded on {percent(100 * seen.exceeded, 1)} of days instead of "
        f"{percent(100 * seen.expected, 1)}.",
        answer=answer,
        formula=formula,
        words="for a normal day. Named events: 97.5% ES of the 500 returns up to the close before.",
    )


def _move(value: float) -> str:
    return f"{'rose' if value > 0 else 'fell'} {percent(abs(100 * value))}"


@lru_cache(maxsize=64)
def _replay(on: frozenset[str]) -> Replay:
    market = sample_market()
    switches: dict[str, bool | str] = {name: name in on for name in SWITCHES if name != "procyclicality"}
    switches["procyclicality"] = "floor" if "procyclicality" in on else "off"
    last = market.dates[-1].astype("datetime64[D]").item()
    book = presets.build(presets.PRESETS[0], market, last)
    return lessons_history.replay(book, market, Settings(safeguards=Safeguards(**switches)))  # type: ignore[arg-type]


def safeguards() -> View:
    chosen = st.pills(
        "Safeguards",
        list(SWITCHES),
        selection_mode="multi",
        default=[],
        format_func=SWITCHES.__getitem__,
        key="learn_safeguards",
        bind="query-params",
        wrap=True,
    )
    seen, full = _replay(frozenset(chosen or ())), _replay(frozenset(SWITCHES))
    c, most = seen.comparison, full.comparison
    kept = percent(100 * (c.isolated - c.safeguarded) / c.isolated)
    return View(
        numbers=(
            ("One pool", money(c.portfolio), f"saves {percent(c.saved_pct)}"),
            ("With safeguards", money(c.safeguarded), f"saves {kept}"),
            ("Not enough on", f"{seen.beyond_safeguarded} days", f"of {seen.days:,} replayed"),
        ),
        figure=learn_charts.given_back(c, frozenset(chosen or ())),
        alt=f"{charts.waterfall_alt(c)} Replayed, it was exceeded on {seen.beyond_safeguarded} of {seen.days} days.",
        answer=f"All safeguards together give back {money(most.attribution.safeguards)} of {money(most.saved)}: the "
        f"book still needs {percent(100 * (1 - most.safeguarded / most.isolated))} less than in isolated accounts. "
        "Replayed over "
        f"{full.days:,} days, that was not enough on {full.beyond_safeguarded}, without safeguards on "
        f"{full.beyond_portfolio}; and an isolated account ran out on {full.an_isolated_account_ran_out}, with "
        f"{money(most.isolated)} posted.",
        formula=r"M_4=M_3+\sum_g\Delta_g",
        words="one line per safeguard. The replay puts today's book and margin on every day of the record: it is no "
        "backtest.",
        source=f"{SAMPLE} The book is the first one of the Portfolio page.",
    )
