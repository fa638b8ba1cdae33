"""The Forecast page: how likely is a margin call, what makes it less likely, and can the figure be trusted?"""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from margin.core.errors import InputError
from margin.forecast.capital import DAYS
from margin.forecast.results import MOST_SIZE, Forecast, Odds, SubForecast, printed
from margin.liquidation.standing import standing
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money
from ui.blocks.tables import data_table
from ui.blocks.text import dollars, plain
from ui.blocks.views import refused, tabbed
from ui.charts import forecast as charts_forecast
from ui.forecast import judged, trust
from ui.forecast.judged import Asked
from ui.shell.page import Seen
from ui.state import compute

_sensitivities = compute.remembered(lambda sub, days: sub.sensitivities(days), 32)


def page(seen: Seen) -> None:
    """The whole page below its heading."""
    active, portfolio = seen.active, seen.now.portfolio
    asked = judged.controls()
    try:
        found = judged.answer(portfolio, active.market, seen.settings, seen.model, asked.target)
    except InputError as error:
        refused(error)
        _capital(seen, asked.line)
        return
    if judged.recalibrated():
        try:
            found = judged.answer(portfolio, active.market, seen.settings, seen.model, asked.target, True)
        except InputError as error:
            refused(error)
    at = next(o for o in found.horizons if o.days == asked.days)
    headline(found, at, asked)
    others = judged.rules(portfolio, active.market, seen.settings, found)
    curves(found, at, others, asked.line)
    views: dict[str, Callable[[], None]] = {
        "What would help": lambda: what_if(found, at, asked.line),
        "Where it comes from": lambda: origins(found, at, asked.line),
        "Can I trust it": lambda: trust.check(found, asked.days),
        "Alarms": lambda: trust.alarms(found, asked.days),
        "Capital for the same safety": lambda: _capital(seen, asked.line),
    }
    tabbed(views, "forecast_view")
    for note in dict.fromkeys([*found.notes, *(n for s in found.subs for n in s.notes)]):
        st.caption(dollars(plain(note)))


def headline(found: Forecast, at: Odds, asked: Asked) -> None:
    """The odds with their range, and what they mean."""
    what = "liquidation" if asked.target == "liquidation" else "a margin call"
    span = "" if printed(at.low) == printed(at.high) else f" (range {printed(at.low)} to {printed(at.high)})"
    days = "1 day" if at.days == 1 else f"{at.days:g} days"
    st.header(f"{printed(at.probability).capitalize()} chance of {what} within {days}{span}", anchor=False)
    first, line = found.first, asked.line
    size = first.size_for(line, at.days) if first.size_at_once and len(found.subs) == 1 else None
    cards = [
        ("Distance", "–" if at.distance is None else f"{at.distance:.1f} σ", "to the line"),
        ("Half such books end", _by_day(first.half_gone_days), "without drift"),
        _money_card(found, at, line),
    ]
    if size is not None:
        word = "same money" if size < 1 else f"could grow at {line:.0%} odds"
        cards.append((f"Size for {line:.0%}", f"{size:.0%}" + (" or more" if size == MOST_SIZE else ""), word))
    else:
        cards.append(("Goes first", plain(first.name or "the pool"), printed(_of(first, at.days).probability)))
    cards.append((f"Capital for {line:.0%} in {DAYS:g} days", money(found.capital_for(line, DAYS)), "equity, all in"))
    with st.grid(len(cards), min_column_width=150, key="forecast_cards"):
        for label, value, meaning in cards:
            st.metric(label, value, meaning, delta_color="off", delta_arrow="off", border=True, height="stretch")
    if found.main.probability > 0:
        st.page_link("pages/hedge.py", label="What to do about it: cut, hedge, or move money",
                     icon=":material/arrow_forward:")  # fmt: skip
    if at.both:
        st.caption(f"Before the correction by how such odds came true: {printed(at.raw)}.")


def _money_card(found: Forecast, at: Odds, line: float) -> tuple[str, str, str]:
    needed = found.money_for(line, at.days)
    if needed > 0:
        return f"Add for {line:.0%}", money(needed), f"leaves {line:.0%} odds in {at.days:g} d"
    if len(found.subs) > 1:
        return f"Add for {line:.0%}", "nothing", "already below"
    return "Could be taken out", money(-needed), f"leaves {line:.0%} odds in {at.days:g} d"


def _by_day(days: float | None) -> str:
    if days is None:
        return "–"
    return f"by day {max(days, 1):.0f}" if days < 365 else "over a year"


def _of(sub: SubForecast, days: float) -> Odds:
    return next(o for o in sub.horizons if o.days == days)


def curves(found: Forecast, at: Odds, others: dict[str, Forecast | InputError], line: float) -> None:
    """Survival, money against odds, drivers: three charts in a row."""
    name = judged.RULES.get(found.model, "As chosen")
    drawn = {name: found, **{key: one for key, one in others.items() if isinstance(one, Forecast)}}
    one, two, three = st.columns(3)
    with one:
        st.markdown("**Odds by day**")
        lines = {key: (f.survival, f.first.walk.steps_per_day) for key, f in drawn.items()}
        said = "; ".join(f"{key} {printed(1.0 - float(f.survival[-1]))} by the last day" for key, f in drawn.items())
        chart(charts_forecast.survival(lines), "forecast_survival", f"Odds of a call by each day. {said}.")
        missing = {key: e for key, e in others.items() if not isinstance(e, Forecast)}
        called = [key for key, e in missing.items() if e.field == "equity"]
        if called:
            st.caption(f"{' and '.join(called)}: below the requirement at once with this money.")
        for key, error in missing.items():
            if key not in called:
                st.caption(dollars(f"{key}: {plain(str(error))}"))
    with two:
        st.markdown("**Money against odds**" if len(found.subs) == 1 else f"**Money in {plain(found.first.name)}**")
        usd, odds = found.first.money_curve(at.days)
        today = float(found.first.odds_with(0.0, at.days))
        alt = (
            f"Odds within {at.days:g} days against money added: {printed(today)} today, {line:.0%} at the dashed line."
        )
        chart(charts_forecast.money(usd, odds, today, line), "forecast_money", alt)
    with three:
        st.markdown("**Where it comes from**")
        steps = found.first.drivers(at.days)
        words = "; ".join(f"{step.name}: {printed(step.odds)}" for step in steps)
        chart(charts_forecast.drivers(steps), "forecast_drivers", f"Odds step by step. {words}.")
        st.caption("From top to bottom one thing more is known; orange raises the odds, blue lowers them.")


def what_if(found: Forecast, at: Odds, line: float) -> None:
    """Odds with other money and another size, from the same paths."""
    first = found.first
    if len(found.subs) > 1:
        st.caption(f"For {plain(first.name)}, first to go of the {len(found.subs)} that are liquidated apart.")
    far = float(max(abs(first.money_curve(at.days)[0]).max(), 100.0))
    unit = 10.0 ** max(len(f"{far:.0f}") - 3, 0)
    top = float(-(-far // unit) * unit)
    left, right = st.columns(2)
    with left:
        added = st.slider(
            "Money added, $",
            -top,
            top,
            0.0,
            unit,
            key="forecast_added",
            format="%g",
            bind="query-params",
            persist_state="session",
        )
    with right:
        size = st.slider(
            "Size of every position, %",
            10,
            150,
            100,
            5,
            key="forecast_size",
            bind="query-params",
            persist_state="session",
        )
    rows = []
    for o in first.horizons:
        now, then = o.probability, first.odds_if(float(added), size / 100.0, o.days)
        rows.append({"Within, days": f"{o.days:g}", "Today": printed(now), "Then": printed(then)})
    data_table(pd.DataFrame(rows), key="forecast_what_if", alt="Odds today and then", width=420)
    if first.called is False and first.gap.equity + added <= size / 100.0 * first.gap.requirement:
        st.warning("With that the account is below its requirement at once.", icon=":material/warning:")
    if first.size_at_once:
        sizes, odds = first.size_curve(at.days)
        alt = f"Odds within {at.days:g} days against the size of every position: {printed(at.probability)} today."
        st.markdown("**Size against odds**, same money")
        chart(charts_forecast.size(sizes, odds, line), "forecast_sizes", alt)
    st.caption("The same paths answer every what-if.")


def origins(found: Forecast, at: Odds, line: float) -> None:
    """Each position's part, each horizon's ingredients, each sub-account."""
    legs = found.first.legs(at.days)
    left, right = st.columns([3, 5])
    with left:
        st.markdown("**A tenth less of each position changes the odds by**")
        words = "; ".join(f"{leg.symbol} {charts_forecast.points(leg.change)}" for leg in legs)
        chart(charts_forecast.legs(legs[:20]), "forecast_legs", f"Change of odds per position. {words}.")
    with right:
        table = pd.DataFrame(
            [
                {
                    "Days": f"{o.days:g}", "Odds": printed(o.probability), "Low": printed(o.low),
                    "High": printed(o.high),
                    "Uncorrected": printed(o.raw), "Closed form": printed(o.closed_form), "Paths": printed(o.simulated),
                    "Distance alone": printed(b),
                }
                for o, b in zip(found.horizons, found.baseline, strict=True)
            ]
        )  # fmt: skip
        data_table(table, key="forecast_table", alt="Odds and what they are made of")
        csv_button("This table", lambda: table, "forecast")
        if len(found.subs) > 1:
            subs = pd.DataFrame([_sub_row(s, at.days, line) for s in found.subs])
            data_table(subs, key="forecast_subs", alt="What is liquidated separately")
    fixed = _sensitivities(found.first, at.days)
    if fixed:
        st.markdown("**Held fixed along the paths: the odds if it moved**")
        rows = [{"If": x.name, "Odds then": printed(x.odds), "Now": printed(_of(found.first, at.days).probability)}
                for x in fixed]  # fmt: skip
        data_table(pd.DataFrame(rows), key="forecast_fixed", alt="What is held fixed", width=560)
    st.caption(
        f"{found.history_days:,.0f} days of prices, a step is one {found.step}; {found.paths:,} paths. Never an "
        "expected time to liquidation: for a walk without drift it is infinite."
    )


def _sub_row(s: SubForecast, days: float, line: float) -> dict[str, str]:
    return {
        "Account": s.name or "the pool",
        "Odds": printed(_of(s, days).probability),
        "Equity": money(s.gap.equity),
        "Requirement": money(s.gap.requirement),
        f"Add for {line:.0%}": money(s.money_for(line, days)),
    }


def _capital(seen: Seen, line: float) -> None:
    """The equity that gives these odds within 7 days, under every rule."""
    found = judged.safety(seen.now.portfolio, seen.active.market, seen.settings, line)
    now = seen.now.comparison
    trust.capital(found, standing(now).equity if now is not None and now.account.collateral else None, line)
