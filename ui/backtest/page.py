"""The Backtest page: the answer in a sentence, margins and losses through time, statistics, frontier, accounts."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from margin.backtest.accounts import MODES, AccountRecord, simulate_accounts
from margin.backtest.walk_forward import METHODS, Backtest, Method, MethodRecord, backtest, frontier, settings_for
from margin.core.errors import InputError
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from ui.backtest.under_model import under_model
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, percent
from ui.blocks.tables import data_table
from ui.blocks.text import plain
from ui.blocks.views import refused, tabbed
from ui.charts import backtest as charts_backtest
from ui.shell.page import Seen
from ui.state import book, longwork
from ui.state.compute import Answer
from ui.state.prices import ActivePrices

SPANS = (250, 500, 1000, 1500)  # days with a price of every asset of the book
CONSTANTS = {"quantities": "Quantities", "dollars": "Dollar amounts"}
SURE = 0.05  # p-values below it are called evidence


def page(seen: Seen) -> None:
    """The whole page below its heading."""
    active, now = seen.active, seen.now
    portfolio, left_out = _walkable(now)
    if not portfolio.positions:
        st.info("The book holds options only: they have no price history to walk through.", icon=":material/info:")
        return
    if left_out:
        names = plain(", ".join(left_out))
        st.caption(f"Left out, for options have no price history to walk through: {names}.")
    settings, days, constant = _controls()
    try:
        found = _walked(portfolio, settings, active, days, constant)
    except InputError as error:
        refused(error)
        return
    _answer(found, active)
    views: dict[str, Callable[[], None]] = {
        "Through time": lambda: through_time(found),
        "As often as promised?": lambda: statistics(found),
        "Frontier": lambda: frontier_view(portfolio, settings, active, days, constant),
        "An account left alone": lambda: accounts(portfolio, settings, active, days),
        "Under a venue's rules": lambda: under_model(now.portfolio, seen.model, settings, active, days),
    }
    tabbed(views, "backtest_view")


def _walkable(now: Answer) -> tuple[Portfolio, list[str]]:
    """The book without its options, and their symbols."""
    kept = tuple(p for p in now.portfolio.positions if not p.instrument.is_option)
    left_out = [p.symbol for p in now.portfolio.positions if p.instrument.is_option]
    return Portfolio(kept, (), now.portfolio.name), left_out


def _controls() -> tuple[Settings, int, str]:
    settings = settings_for(book.current().settings)
    first, second = st.columns(2)
    with first:
        days = st.select_slider(
            "Days walked",
            SPANS,
            1000,
            format_func=lambda n: f"{n:,}",
            key="backtest_days",
            bind="query-params",
            persist_state="session",
        )
    with second:
        constant = st.segmented_control(
            "Held constant",
            list(CONSTANTS),
            default="quantities",
            required=True,
            format_func=CONSTANTS.__getitem__,
            key="backtest_constant",
            bind="query-params",
            persist_state="session",
            help="The same coins every day, or the same dollars in each of them.",
        )
    return settings, int(days), constant or "quantities"


def _walked(portfolio: Portfolio, settings: Settings, active: ActivePrices, days: int, constant: str) -> Backtest:
    methods: tuple[Method, ...] = METHODS
    if settings.estimator not in {m.estimator for m in METHODS if m.key == "portfolio"}:
        methods = (*METHODS, Method("portfolio", settings.estimator))
    return longwork.done(
        ("walk", portfolio, settings, active, days, constant),
        f"Walking {days:,} days",
        lambda progress: backtest(portfolio, active.market, settings, methods, days, constant, progress),
    )


def _answer(found: Backtest, active: ActivePrices) -> None:
    """'Cross margin saved 61% and was breached on 2.1% of days; at most 2.5% were promised.'"""
    portfolio, safe = found.record("portfolio"), found.record("safeguarded")
    isolated = found.record("isolated")
    promised = percent(100 * portfolio.expected, 1)
    st.header(
        f"Cross margin saved {percent(found.saved_pct(portfolio))} and was breached on "
        f"{percent(100 * portfolio.rate, 2)} of days; at most {promised} are promised.",
        anchor=False,
    )
    st.markdown(
        f"With safeguards it saved {percent(found.saved_pct(safe))} and was breached on {percent(100 * safe.rate, 2)}. "
        f"With isolated accounts at least one ran out on {percent(100 * isolated.rate, 2)} of days, with all that "
        "margin posted."
    )
    origin = "the bundled sample, partly simulated" if active.origin == "sample" else "these prices"
    st.caption(
        f"{len(found.dates):,} days from {str(found.dates[0])[:10]} to {str(found.dates[-1])[:10]} of {origin}; each "
        "margin from prices up to its own day only."
        + (f" {found.skipped} days before a pause in the prices are left out." if found.skipped else "")
    )


def through_time(found: Backtest) -> None:
    names = [r.method.name for r in found.records]
    watched_name = st.selectbox(
        "Breaches of",
        names,
        names.index("Portfolio"),
        key="backtest_watched",
        bind="query-params",
        persist_state="session",
    )
    watched = found.records[names.index(watched_name)]
    with st.grid(4, min_column_width=150, key="backtest_cards"):
        st.metric("Average margin", money(watched.average), border=True, height="stretch")
        st.metric("Days beyond", f"{int(watched.hits.sum())} of {len(watched.hits):,}", border=True, height="stretch")
        st.metric("Worst beyond", money(float(watched.uncovered.max())), border=True, height="stretch")
        rise = watched.largest_rise()
        st.metric(
            "Largest rise in 20 days", "–" if rise is None else percent(100 * rise), border=True, height="stretch",
            help="How fast a clearing house would have asked for more: procyclicality.",
        )  # fmt: skip
    shown = [r for r in found.records if r.method.key in ("isolated", "portfolio", "safeguarded")]
    alt = (
        f"Margins and losses on {len(found.dates)} days. Losses passed the margin of {watched.method.name} on "
        f"{int(watched.hits.sum())} of them."
    )
    chart(charts_backtest.through_time(found, shown, watched), "backtest_time", alt)
    csv_button("Every day", lambda: daily_table(found), "backtest_days")


def daily_table(found: Backtest) -> pd.DataFrame:
    """date, loss, and per method the margin and whether it was exceeded."""
    table: dict[str, object] = {"date": pd.DatetimeIndex(found.dates).strftime("%Y-%m-%d")}
    table["loss"] = found.records[0].losses
    for record in found.records:
        table[record.method.name] = record.required
        table[f"{record.method.name}: exceeded"] = record.hits
    return pd.DataFrame(table)


def statistics(found: Backtest) -> None:
    """Every test in plain words, then the figures."""
    for record in found.records:
        st.markdown(f"**{record.method.name}**: {in_words(record)}")
    table = pd.DataFrame([_row(found, record) for record in found.records])
    data_table(table, key="backtest_tests", alt="Statistics of every method")
    st.caption(
        "Tested on days beyond the method's own VaR, where it has one (a quantile has an exact promise; an expected "
        "shortfall is exceeded less often), else on days beyond the margin. p exact: binomial, two-sided; Kupiec's "
        "chi-square at a nominal 5% rejects 9.5% of good models at 250 days and 1%. Zones: Basel (1996)."
    )
    csv_button("This table", lambda: table, "backtest_tests")


def in_words(record: MethodRecord) -> str:
    """What the tests say, in words a newcomer understands."""
    report, what = record.report, "its VaR" if record.var is not None else "the margin"
    often = f"losses passed {what} on {report.exceedances} days where {report.expected:.0f} are expected"
    p = report.binomial.p_value
    if p is not None and p < SURE:
        often += ", too many to be chance" if report.exceedances > report.expected else ", fewer than promised: careful"
    else:
        often += ", which chance explains"
    clustered = report.independence.p_value
    follow = "" if clustered is None else "; they cluster" if clustered < SURE else "; they do not cluster"
    shortfall = record.shortfall_test
    deep = ""
    if shortfall is not None:
        worse = shortfall[1] < SURE
        deep = "; when passed, losses were worse than promised" if worse else "; losses beyond it were as promised"
    return f"{often}{follow}{deep}."


def _row(found: Backtest, record: MethodRecord) -> dict[str, str]:
    report, shortfall, saved = record.report, record.shortfall_test, found.saved_pct(record)
    rise, peak = record.largest_rise(), record.peak_to_trough
    return {
        "Method": record.method.name,
        "Average margin": money(record.average),
        "Saved": percent(saved, 1),
        "Days beyond margin": f"{int(record.hits.sum())} ({percent(100 * record.rate, 2)})",
        "Tested": f"{report.exceedances} of {report.expected:.1f} expected",
        "p exact": _p(report.binomial.p_value),
        "p Kupiec": _p(report.kupiec.p_value),
        "p independent": _p(report.independence.p_value),
        "p both": _p(report.conditional_coverage.p_value),
        "ES test Z2 (p)": "–" if shortfall is None else f"{shortfall[0]:.2f} ({_p(shortfall[1])})",
        "Zone": report.zone,
        "Peak / trough": "–" if peak is None else f"{peak:.1f}",
        "Rise in 20 days": "–" if rise is None else percent(100 * rise),
    }


def _p(value: float | None) -> str:
    return "–" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def frontier_view(portfolio: Portfolio, settings: Settings, active: ActivePrices, days: int, constant: str) -> None:
    """Average capital saved against realised breach rate, one point per method and level."""
    found = longwork.done(
        ("frontier", portfolio, settings, active, days, constant),
        f"Walking {days:,} days under every estimator and level",
        lambda progress: frontier(portfolio, active.market, settings, days=days, constant=constant, progress=progress),
    )
    words = "; ".join(
        f"{r.method.name} saves {percent(found.saved_pct(r))}, exceeded on {percent(100 * r.rate, 2)}"
        for r in found.records
        if r.method.level is None
    )
    chart(charts_backtest.frontier(found), "backtest_frontier", f"Saving against breaches. {words}.")
    st.caption(
        "Right and down is better: more saved, exceeded less. Each line is one method at levels from 90% to 99.5%; the "
        "point says which. Saving is beside isolated margin at your level."
    )
    table = pd.DataFrame(
        [
            {
                "method": r.method.name,
                "level": r.level,
                "saved_pct": found.saved_pct(r),
                "exceeded_rate": r.rate,
                "average": r.average,
            }
            for r in found.records
        ]
    )
    csv_button("Every point", lambda: table, "backtest_frontier")


def accounts(portfolio: Portfolio, settings: Settings, active: ActivePrices, days: int) -> None:
    """Accounts that start with exactly the required margin and get no more."""
    first, second, third = st.columns(3)
    with first:
        hold = st.slider(
            "Held for, days", 5, 120, 30, 5, key="account_hold", bind="query-params", persist_state="session"
        )
    with second:
        share = st.slider(
            "Closed below, % of the requirement",
            10,
            90,
            50,
            5,
            key="account_maintenance",
            bind="query-params",
            persist_state="session",
        )
    with third:
        funding = st.slider(
            "Funding longs pay, % a day", -0.1, 0.1, 0.03, 0.01, key="account_funding", bind="query-params",
            persist_state="session",
            help="On perpetuals; shorts receive it. 0.01% every 8 hours is 0.03% a day. An assumption, not a record.",
        )  # fmt: skip
    records = longwork.done(
        ("accounts", portfolio, settings, active, days, hold, share, funding),
        "Opening accounts through history",
        lambda progress: simulate_accounts(
            portfolio, active.market, settings, hold, share / 100.0, funding / 100.0, days, progress
        ),
    )
    table = account_table(records)
    by_mode = {r.mode: r for r in records}
    isolated, cross = by_mode["isolated"], by_mode["portfolio"]
    st.markdown(
        f"Opened every {hold} days with exactly the required margin, {len(cross.opened)} times: positions were closed "
        f"by force in **{percent(100 * isolated.liquidated_share)}** of isolated and "
        f"**{percent(100 * cross.liquidated_share)}** of cross accounts."
    )
    words = "; ".join(f"{MODES[r.mode]}: {percent(100 * r.liquidated_share)} liquidated" for r in records)
    chart(charts_backtest.accounts(records), "backtest_accounts", f"Money left by opening. {words}.")
    st.caption("✕ marks openings that were liquidated. Cross puts in less, so the same loss is a larger share of it.")
    data_table(table, key="account_table", alt="Accounts by mode")
    csv_button("Every opening", lambda: opening_table(records), "backtest_accounts")


def account_table(records: tuple[AccountRecord, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Mode": MODES[r.mode],
                "Put in, on average": money(float(r.started.mean())),
                "Margin call": percent(100 * r.called_share),
                "Liquidated": percent(100 * r.liquidated_share),
                "Left, on average": money(float(r.final.mean())),
                "Return on margin": "–" if r.return_on_margin is None else percent(100 * r.return_on_margin, 1),
                "Uncovered, in all": money(float(r.uncovered.sum())),
            }
            for r in records
        ]
    )


def opening_table(records: tuple[AccountRecord, ...]) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "mode": r.mode,
                "opened": pd.DatetimeIndex(r.opened).strftime("%Y-%m-%d"),
                "started": r.started,
                "final": r.final,
                "called": r.called,
                "liquidated_positions": r.liquidated,
                "uncovered": r.uncovered,
            }
        )
        for r in records
    ]
    return pd.concat(parts)
