"""The answer on top of the page: one sentence, then the figures, each with what it was before."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from margin.ladder import explain
from margin.ladder.compare import Comparison
from margin.liquidation.nearest import Nearest
from margin.liquidation.standing import standing
from ui.blocks.formats import MINUS, away, change, money, percent, price, times
from ui.blocks.text import dollars, plain


@dataclass(frozen=True)
class Card:
    """One figure: `value` of a comparison, how to write it, what it means, and whether less of it is better."""

    label: str
    value: Callable[[Comparison], float | None]
    write: Callable[[float | None], str]
    meaning: Callable[[Comparison], str]
    less_is_better: bool = False


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
    Card("Health", _health, times, _health_meaning),
)


def _held(c: Comparison) -> float | None:
    return c.as_held.initial if c.as_held is not None else None


def _held_saved(c: Comparison) -> float | None:
    return c.as_held.saved if c.as_held is not None else None


def _held_meaning(c: Comparison) -> str:
    if c.as_held is None:
        return ""
    uncovered = sum(row.error is not None for row in c.as_held.accounts)
    if uncovered:
        return f"{uncovered} not covered, see below"
    out = len(c.as_held.left_out)
    if out:
        return f"without {out} position{'s' if out > 1 else ''}, see below"
    count = len(c.as_held.accounts)
    return "its venue's rules" if count == 1 else f"{count} accounts' rules"


def _pooled_meaning(c: Comparison) -> str:
    """Coins held as collateral are margined with the positions there, and may ask for more or for less."""
    return "safeguards, coins too" if explain.coins_count(c) else "with safeguards"


def _freed_meaning(c: Comparison) -> str:
    return "not the same positions" if c.as_held is not None and c.as_held.left_out else "as held less pooled"


HELD_CARDS = (
    Card("As held", _held, money, _held_meaning, less_is_better=True),
    Card(
        "In one pool",
        lambda c: c.as_held.pooled if c.as_held is not None else None,
        money,
        _pooled_meaning,
        less_is_better=True,
    ),
    Card("Freed", _held_saved, money, _freed_meaning),
    Card("Health", lambda c: standing(c).health, times, lambda c: "the lowest"),
)
STANDING_CARDS = (
    Card("Equity", lambda c: standing(c).equity, money, lambda c: "what counts"),
    Card("Free", lambda c: standing(c).free, money, lambda c: "above what is asked"),
    Card("Leverage", lambda c: standing(c).leverage, times, lambda c: "exposure / equity", less_is_better=True),
)


def sentence(now: Comparison) -> None:
    """The answer in one sentence; on a phone it stays at the top while the tables below are typed in."""
    st.header(dollars(explain.held_headline(now) or explain.headline(now)), anchor=False)


def dead(now: Comparison) -> str:
    """What is liquidated already, as it is held; "" where everything stands."""
    if now.as_held is None:
        own = now.account
        if not own.collateral or own.health is None or own.health >= 1.0:
            return ""
        return f"Liquidated already: equity of {money(own.equity)} is below the maintenance margin."
    said = []
    for row in now.as_held.accounts:
        if row.health is None or row.health >= 1.0:
            continue
        name = plain(row.name or "this account")
        if row.equity is not None and row.maintenance is not None and row.equity < row.maintenance:
            said.append(f"{name} has equity of {money(row.equity)} and must keep {money(row.maintenance)}")
        else:
            said.append(f"a position of {name} has less margin of its own than it must keep")
    return f"Liquidated already: {'; '.join(said)}." if said else ""


def headline(now: Comparison, baseline: Comparison | None) -> None:
    """The reason, and one card per figure with its change against the baseline."""
    reason = "" if explain.held_headline(now) else explain.why(now)
    if reason:
        st.markdown(dollars(reason))
    cards = HELD_CARDS if now.as_held is not None else CARDS
    with st.grid(len(cards), min_column_width=150, key="headline"):
        for card in cards:
            _card(
                card, now, baseline if baseline is None or (baseline.as_held is None) == (now.as_held is None) else None
            )


def ladder_cards(now: Comparison, baseline: Comparison | None) -> None:
    """The ladder's own figures, where the first row is about the accounts as they are held."""
    if now.as_held is not None:
        with st.grid(len(CARDS) - 1, min_column_width=150, key="ladder_cards"):
            for card in CARDS[:-1]:
                _card(card, now, baseline)


def standing_row(now: Comparison, baseline: Comparison | None) -> DeltaGenerator:
    """Equity, what is free, leverage; the place it returns is for the nearest liquidation, which takes longest."""
    same = baseline is None or (baseline.as_held is None) == (now.as_held is None)
    with st.grid(len(STANDING_CARDS) + 1, min_column_width=150, key="standing"):
        for card in STANDING_CARDS:
            _card(card, now, baseline if same else None)
        return st.container()


def nearest_card(place: DeltaGenerator, found: tuple[str, Nearest] | str | None) -> None:
    """The nearest liquidation of all accounts: price, how far, whose and by which model."""
    if isinstance(found, str) or found is None:
        text = found if isinstance(found, str) else "no single price liquidates"
        place.metric(
            "Nearest liquidation",
            "–",
            plain(text[:60]),
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help=plain(text),
        )
        return
    name, near = found
    if near.move == 0.0:
        place.metric(
            "Nearest liquidation", "already", plain(name) or "below maintenance", delta_color="off", delta_arrow="off",
            border=True, height="stretch", help=f"Equity is below the maintenance margin by {near.model}.",
        )  # fmt: skip
        return
    where = away(near.move) + (f", {plain(name)}" if name else "")
    place.metric(
        "Nearest liquidation", price(near.price), f"{plain(near.asset)} {where}", delta_color="off", delta_arrow="off",
        border=True, height="stretch", help=f"By {near.model}; the other prices stay.",
    )  # fmt: skip


def _card(card: Card, now: Comparison, baseline: Comparison | None) -> None:
    value = card.value(now)
    was = card.value(baseline) if baseline is not None else value
    text, before = card.write(value), card.write(was)
    if text == before or value is None or was is None:
        st.metric(
            card.label, text, card.meaning(now), delta_color="off", delta_arrow="off", border=True, height="stretch"
        )
        return
    more = value > was
    st.metric(
        card.label,
        text,
        f"{'+' if more else MINUS}{card.write(abs(value - was))}",
        delta_color="red" if more == card.less_is_better else "green",
        delta_arrow="up" if more else "down",
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
