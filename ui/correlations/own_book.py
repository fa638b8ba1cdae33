"""What correlation does to the visitor's own book: set one by hand, or let all of them break."""

from dataclasses import replace
from itertools import combinations

import pandas as pd
import streamlit as st

from margin.core.errors import InputError
from margin.risk.estimators import estimator, matrix_estimator
from margin.stress.correlation_breaks import correlation_breaks
from margin.stress.correlation_what_if import WhatIf, margin_by_correlation
from margin.stress.correlation_what_if import what_if as what_if_of
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, number, percent, signed_money
from ui.blocks.text import dollars, plain
from ui.blocks.views import refused
from ui.charts import correlation as charts_correlation
from ui.charts import correlation_risk as charts_correlation_risk
from ui.state import book, compute, view
from ui.state.compute import Answer
from ui.state.prices import ActivePrices
from ui.state.session import tell

WISHES = "what_if"  # in the address: "first second" by correlation
OWN_MODEL = "Our own model, gaussian or Student-t: no venue takes a correlation matrix from its customers."
_breaks = compute.remembered(correlation_breaks)


def _book_assets(now: Answer) -> list[str]:
    if now.comparison is None:
        return []
    return [u.underlying for u in now.comparison.underlyings if u.underlying != "USD"]


def _one_asset(now: Answer) -> bool:
    """Say so where there is nothing to correlate."""
    if now.comparison is None:
        st.info("The book has no figures yet: see the Portfolio page.", icon=":material/wallet:")
        return True
    if len(_book_assets(now)) < 2:
        st.info("Your book holds one asset only: add a second on the Portfolio page.", icon=":material/wallet:")
        return True
    return False


def what_if(now: Answer, active: ActivePrices) -> None:
    """A slider for a pair of the book; the margin, the matrix wished for and its repair."""
    if _one_asset(now):
        return
    settings = book.current().settings
    pairs = list(combinations(sorted(_book_assets(now)), 2))
    wishes = _wishes(pairs)
    left, right = st.columns(2)
    with left:
        names = [f"{a} and {b}" for a, b in pairs]
        chosen = st.selectbox(
            "Pair of your book", names, key="what_if_pair", bind="query-params", persist_state="session"
        )
        pair = pairs[names.index(chosen)]
        try:
            before = what_if_of(now.portfolio, active.market, settings, wishes)
        except InputError as error:
            refused(error)
            return
        if not set(pair) <= set(before.assets):
            st.info("One of the two does not move, so it has no correlation.")
            return
        i, j = (before.assets.index(a) for a in pair)
        measured = float(before.now[i, j])
        key = f"what_if_{pair[0]}_{pair[1]}_{active.version}"
        wish = st.slider(
            f"What if the correlation of {plain(pair[0])} and {plain(pair[1])} were",
            -1.0,
            1.0,
            round(float(wishes.get(pair, measured)), 2),
            0.01,
            key=key,
        )
        if abs(wish - measured) > 0.005 or pair in wishes:
            wishes[pair] = wish
        view.put(WISHES, {" ".join(p): rho for p, rho in wishes.items()})
        seen = what_if_of(now.portfolio, active.market, settings, wishes)
        _figures(seen, measured)
        _beside_own(now)
        _buttons(wishes)
    with right:
        curve = margin_by_correlation(now.portfolio, active.market, settings, pair, wishes)
        figure = charts_correlation_risk.what_if(curve, pair, seen, float(seen.used[i, j]), measured)
        alt = (
            f"Margin of the book against the correlation of {pair[0]} and {pair[1]}, from "
            f"{money(float(curve.margins[0]))} at {curve.correlations[0]:.2f} to {money(float(curve.margins[-1]))} at "
            f"{curve.correlations[-1]:.2f}. Measured: {measured:.2f}, {money(seen.margin_now)}."
        )
        chart(figure, "what_if_curve", alt)
        st.caption("● measured   ◆ what if. The line covers the correlations that are possible beside all the others.")
    _repair(seen)


def _wishes(pairs: list[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """What is wished for, of the pairs of this book."""
    kept = view.numbers(WISHES)
    return {pair: kept[" ".join(pair)] for pair in pairs if abs(kept.get(" ".join(pair), 2.0)) <= 1.0}


def _figures(seen: WhatIf, measured: float) -> None:
    with st.container(horizontal=True, gap="medium"):
        st.metric(
            "Margin, measured", money(seen.margin_now), f"correlation {number(measured)}", "off", delta_arrow="off"
        )
        by = signed_money(seen.change) if abs(seen.change) >= 0.005 else "no change"
        st.metric("Margin, what if", money(seen.margin), by, "off", delta_arrow="off")
        st.metric(
            "Still saved", percent(seen.saved_pct), f"of {money(seen.isolated)} isolated", "off", delta_arrow="off"
        )


def _beside_own(now: Answer) -> None:
    """Why these figures are not those of the other pages, where the book is margined by another method."""
    own = book.current().settings.estimator
    used = matrix_estimator(own)
    if now.comparison is not None and own != used:
        own, used = estimator(own).phrase, estimator(used).phrase
        asked = f"{money(now.comparison.portfolio)}, {money(now.comparison.isolated)} isolated"
        st.caption(dollars(f"Method: {used}, as it takes a matrix. The book's own ({own}) takes none: {asked}."))


def _buttons(wishes: dict[tuple[str, str], float]) -> None:
    with st.container(horizontal=True):
        st.button(
            "Back to measured", icon=":material/undo:", disabled=not wishes, on_click=_forget, key="what_if_reset"
        )
        st.button(
            "Use in my book",
            icon=":material/wallet:",
            disabled=not wishes,
            on_click=_use,
            args=(dict(wishes),),
            key="what_if_use",
            help="Sets the book's correlation to this matrix and its estimator to Gaussian. Undo brings it back.",
        )
    st.caption(OWN_MODEL)


def _forget() -> None:
    view.put(WISHES, {})
    for key in [k for k in st.session_state if str(k).startswith("what_if_") and k != "what_if_pair"]:
        del st.session_state[key]


def _use(wishes: dict[tuple[str, str], float]) -> None:
    now = book.current()
    estimator = matrix_estimator(now.settings.estimator)
    settings = now.settings.with_(correlation="what-if", what_if=wishes, estimator=estimator)
    book.edit(replace(now, settings=settings), ("what-if", book.version()))
    tell("Your book's margin now uses this correlation matrix. Undo on the Portfolio page brings the old one back.")


def _repair(seen: WhatIf) -> None:
    """The matrix as wished and as used, where no data could have the wish."""
    if not seen.repaired:
        st.caption("Prices could move together like this, so the matrix is used as it is.")
        return
    st.markdown(
        f"**No data could have that matrix.** The nearest one that data could have is used; it changes a correlation "
        f"by up to {seen.largest_change:.2f} (Higham 2002)."
    )
    for column, (title, matrix, key) in zip(
        st.columns(2), (("As wished", seen.wished, "wished"), ("As used", seen.used, "used")), strict=True
    ):
        with column:
            st.markdown(f"**{title}**")
            alt = f"{title}. {charts_correlation.matrix_words(seen.assets, matrix)}"
            chart(charts_correlation.heatmap(seen.assets, matrix), f"what_if_matrix_{key}", alt)
    table = pd.DataFrame(seen.used, seen.assets, seen.assets).rename_axis("asset").reset_index()
    csv_button("The matrix used", lambda: table, "what_if_matrix")


def breaks(now: Answer, active: ActivePrices) -> None:
    """The book's margin if correlations go to their worst so far, to 1, to 0, or against it."""
    if _one_asset(now):
        return
    try:
        found = _breaks(now.portfolio, active.market, book.current().settings)
    except InputError as error:
        refused(error)
        return
    as_is, worst = found.margin("now"), found.margin("pairs")
    times = f", {worst / as_is:.{1 if worst >= 1.1 * as_is else 2}f} times as much" if as_is > 0 else ""
    st.markdown(
        dollars(
            f"**With every pair at its worst so far the book needs {money(worst)} instead of {money(as_is)}{times}.**"
        )
    )
    _beside_own(now)
    words = "; ".join(f"{line.name} {money(line.margin)}" for line in found.lines)
    chart(charts_correlation_risk.breaks(found), "correlation_breaks", f"Margin of the book. {words}.")
    for line in found.lines:
        if line.date is not None:
            st.caption(f"The worst matrix of one day: {str(line.date)[:10]}, the 60 returns up to then.")
        if line.key == "pairs" and line.distance > 0:
            st.caption(
                f"All pairs at their worst together is impossible; the nearest matrix is {line.distance:.2f} away."
            )
    options = now.comparison is not None and now.comparison.book.has_options
    bound = (
        "Options are revalued in full."
        if options
        else "Every pair against the book is the netted margin, what its assets ask one by one: nothing asks more."
    )
    st.caption(f"{bound} {OWN_MODEL}")
    table = pd.DataFrame(
        [
            {"break": x.name, "margin_usd": x.margin, "repair_distance": x.distance, "date": str(x.date or "")[:10]}
            for x in found.lines
        ]
    )
    csv_button("This table", lambda: table, "correlation_breaks")
