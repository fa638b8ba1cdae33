"""The answer on top of the page: one sentence, then the figures, each with what it was before."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from margin.ladder import explain
from margin.ladder.compare import Comparison
from ui.blocks.formats import change, money, percent
from ui.blocks.text import dollars


@dataclass(frozen=True)
class Card:
    """One figure: `value` of a comparison, how to write it, what it means, and whether less of it is better."""

    label: str
    value: Callable[[Comparison], float | None]
    write: Callable[[float | None], str]
    meaning: Callable[[Comparison], str]
    less_is_better: bool = False


def _times(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}×"


def _health_meaning(c: Comparison) -> str:
    if c.account.health is None or c.account.requirement < c.basis:
        return f"against {money(c.account.requirement_safeguarded)} with safeguards"
    if not c.account.collateral:
        return "no collateral posted"
    return f"equity {money(c.account.equity)}"


def _health(c: Comparison) -> float | None:
    """Against the safeguarded requirement where the plain one is smaller than the basis between instruments."""
    return c.account.health_safeguarded if c.account.requirement < c.basis else c.account.health


def _portfolio_meaning(c: Comparison) -> str:
    return "before the basis between instruments" if c.portfolio < c.basis else "one pooled account"


CARDS = (
    Card("Isolated", lambda c: c.isolated, money, lambda c: "each on its own", less_is_better=True),
    Card("Portfolio", lambda c: c.portfolio, money, _portfolio_meaning, less_is_better=True),
    Card("With safeguards", lambda c: c.safeguarded, money, lambda c: "a careful clearer", less_is_better=True),
    Card("Saved", lambda c: c.saved, money, lambda c: f"{percent(c.saved_pct)} of isolated"),
    Card("Health", _health, _times, _health_meaning),
)


def headline(now: Comparison, baseline: Comparison | None) -> None:
    """The sentence, the reason, and one card per figure with its change against the baseline."""
    st.subheader(dollars(explain.headline(now)), anchor=False)
    reason = explain.why(now)
    if reason:
        st.markdown(dollars(reason))
    with st.grid(len(CARDS), min_column_width=150, key="headline"):
        for card in CARDS:
            _card(card, now, baseline)


def _card(card: Card, now: Comparison, baseline: Comparison | None) -> None:
    value = card.value(now)
    was = card.value(baseline) if baseline is not None else value
    text, before = card.write(value), card.write(was)
    if text == before or value is None or was is None:
        st.metric(
            card.label, text, card.meaning(now), delta_color="off", delta_arrow="off", border=True, height="stretch"
        )
        return
    st.metric(
        card.label,
        text,
        card.write(abs(value - was)) if value > was else f"-{card.write(abs(value - was))}",
        delta_color="inverse" if card.less_is_better else "normal",
        delta_description=f"from {before}",
        border=True,
        height="stretch",
    )


def last_edit(now: Comparison, before: Comparison | None) -> None:
    """What the newest edit alone did. The line is always there, so that nothing moves when the first edit comes."""
    if before is None or before is now:
        st.caption("Change any cell: the figures follow as you type, each with what it was before.")
        return
    parts = [f"portfolio margin {change(before.portfolio, now.portfolio)}"]
    if percent(before.saved_pct) != percent(now.saved_pct):
        parts.append(f"saved {percent(before.saved_pct)} → {percent(now.saved_pct)}")
    st.caption(dollars(f"Last edit: {', '.join(parts)}"))
