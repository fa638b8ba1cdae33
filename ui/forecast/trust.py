"""Below the curves of the Forecast page: were such odds right, when to be woken, capital for the same odds."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from margin.forecast.calibration import scoreboard
from margin.forecast.capital import DAYS, Capital
from margin.forecast.own_check import ENOUGH
from margin.forecast.results import Forecast, printed
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, moved
from ui.blocks.tables import data_table
from ui.blocks.text import dollars, plain
from ui.charts import forecast as charts_forecast
from ui.forecast import judged
from ui.state import compute

_check = compute.remembered(lambda sub, days: sub.check(days), 32)
_alarms = compute.remembered(lambda sub, days: sub.alarms(days), 32)


def check(found: Forecast, days: float) -> None:
    """This book's past forecasts beside what came true, and the scoreboard with the boosted trees in it."""
    st.toggle(
        "Recalibrate on this book's own past", key=judged.RECALIBRATE, bind="query-params", persist_state="session",
        help="Fits the two numbers of the correction on this book's past windows instead of the stored table.",
    )  # fmt: skip
    own = _check(found.first, days)
    left, right = st.columns(2)
    with left:
        st.metric(
            f"Independent windows of {days:g} days", f"{own.windows:,}",
            "in this book's past" if own.enough else f"too few to judge: {ENOUGH} are needed",
            delta_color="off", delta_arrow="off",
        )  # fmt: skip
        if own.enough:
            words = "; ".join(f"forecast {b.forecast:.1%}, came true {b.observed:.1%}" for b in own.reliability)
            chart(charts_forecast.reliability(own.reliability), "forecast_reliability", f"Reliability. {words}.")
            st.caption(
                "This book at every past window, with the money for distances of 0.5 to 3.5 σ, watched at closes; "
                "bars: 90% by drawing whole windows. On the dashed line a forecast is right on average."
            )
    with right:
        if own.enough:
            for name, kinds in own.skills().items():
                s = kinds["brier"]
                if s is None:
                    continue
                word = "better" if s.percent >= 0 else "worse"
                sure = "" if s.low > 0 or s.high < 0 else ": not told apart"
                between = f"{moved(s.low / 100.0, 1)} to {moved(s.high / 100.0, 1)}"
                st.markdown(f"{abs(s.percent):.1f}% {word} than {name} ({between}{sure})")
            m = own.murphy
            st.caption(
                f"Brier score {m.brier:.4f} = reliability {m.miscalibration:.4f} − resolution {m.discrimination:.4f} + "
                f"uncertainty {m.uncertainty:.4f}"
            )
            today = next(o.probability for o in found.first.horizons if o.days == days)
            low, high = own.like_cases(today)
            st.caption(
                f"Like cases of today's {printed(today)} came true {low:.1%} to {high:.1%} of the time: a "
                "spread, not a confidence interval."
            )
        source = found.calibration
        if source.source == "table":
            rows = scoreboard(found.step, found.watched)
            how = "all the time" if found.watched == "continuous" else "at closes"
            st.markdown(f"**On recorded prices, out of sample, watched {how}**")
            table = pd.DataFrame(
                [
                    {
                        "Model": r["model"], "Brier": f"{r['brier']:.4f}", "Log": f"{r['log']:.4f}",
                        "Better than distance": f"{r['skill']:+.1f}% ({r['low']:.1f} to {r['high']:.1f})",
                    }
                    for r in rows
                ]
            )  # fmt: skip
            data_table(table, key="forecast_scores", alt="Scores of every model, lower is better", height="content")
            score = {str(r["model"]).split(" (")[0]: float(r["brier"]) for r in rows}
            trees = score["boosted trees on all features"] > score["both, pooled and corrected"]
            loses = "loses to two numbers of correction: the books are many, the weeks few" if trees else "wins here"
            st.caption(
                f"Lower scores are better. Machine learning (the boosted trees) {loses}. Correction of "
                f"{source.fitted}: {plain(source.sample)}."
            )


def alarms(found: Forecast, days: float) -> None:
    """At which odds to be woken, on past lives of this book."""
    past = _alarms(found.first, days)
    st.markdown(
        f"{past.lives} past lives of this book of up to 28 days, {past.calls} of them called. An alarm is false when "
        f"no call follows within {days:g} days."
    )
    rows = [
        {
            "Woken at": f"{r.line:.0%}",
            "False alarms a month": f"{r.false_a_month:.2f}",
            "Calls caught": "too few calls" if r.caught is None else f"{r.caught:.0%}",
            "Median lead, hours": "–" if r.lead_hours is None else f"{r.lead_hours:.0f}",
            "Alarms that were right": "–" if r.precision is None else f"{r.precision:.0%}",
        }
        for r in past.rows
    ]
    left, right = st.columns(2)
    with left:
        data_table(pd.DataFrame(rows), key="forecast_alarms", alt="Alarms at various odds")
        csv_button("This table", lambda: pd.DataFrame(rows), "alarms")
    with right:
        if any(r.caught is not None for r in past.rows):
            words = "; ".join(f"at {r.line:.0%} {r.false_a_month:.2f} a month" for r in past.rows)
            chart(charts_forecast.alarms(past), "forecast_alarm_curve", f"False alarms against calls caught. {words}.")
    st.caption("The ranking is easy: distance alone wakes as well. What a model adds is the level of the odds.")
    st.markdown("To be told: `python -m data watch --portfolio P.json --odds 10% --notify URL`.")


def capital(found: Sequence[Capital], equity: float | None, line: float) -> None:
    """Least first; what a rule does not reproduce stands in the table with the reason."""
    known = sorted((c for c in found if c.usd is not None and not c.left_out), key=lambda c: c.usd or 0.0)
    st.markdown(
        f"Equity at which a liquidation within {DAYS:g} days has odds of {line:.0%}: what a rule *asks* says little, "
        "what keeps the account alive under it says all."
    )
    rows = [(c.title, float(c.usd or 0.0)) for c in known]
    words = "; ".join(f"{name} {money(usd)}" for name, usd in rows)
    if equity is not None:
        st.caption(dollars(f"The dashed line is today's equity, {money(equity)}."))
    chart(charts_forecast.capital(rows, equity), "forecast_capital", f"Capital for the same safety. {words}.")
    table = pd.DataFrame([_capital_row(c) for c in (*known, *(c for c in found if c not in known))])
    data_table(table, key="forecast_capital_table", alt="Capital for the same safety, every rule")
    csv_button("This table", lambda: table, "capital_same_safety")


def _capital_row(c: Capital) -> dict[str, str]:
    return {
        "Rule": c.title,
        "Capital": money(c.usd),
        "Maintenance asked": money(c.maintenance),
        "Accounts": f"{c.accounts}" if c.accounts else "–",
        f"Odds now, {DAYS:g} days": "–" if c.probability is None else printed(c.probability),
        "Not reproduced here": c.error or "; ".join(c.left_out),
    }
