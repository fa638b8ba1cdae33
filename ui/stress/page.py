"""The Stress page: what breaks the account? Recorded events, own shocks, dry markets, the smallest fatal move."""

from collections.abc import Callable

import streamlit as st

from margin.core.errors import InputError
from margin.stress.events import recorded, replay_events
from margin.stress.held import StressBook
from margin.stress.shocks import Stressed
from ui.blocks.formats import money, percent
from ui.blocks.maintenance import with_maintenance
from ui.blocks.text import dollars, plain
from ui.blocks.views import refused, tabbed
from ui.correlations import own_book as correlations_margin
from ui.shell.judge import judged_by
from ui.shell.page import Seen
from ui.state import compute
from ui.stress import moves, paths

_events = compute.remembered(lambda held, beta: replay_events(held, recorded(), False, beta), 64)


def page(seen: Seen) -> None:
    """The whole page below its heading."""
    active, now = seen.active, seen.now
    settings = with_maintenance(seen.settings, now.portfolio, seen.model)
    beta = st.toggle(
        "Move what was not recorded by its beta to BTC", value=True, key="stress_beta",
        bind="query-params", persist_state="session",
        help="SOL did not exist on Black Thursday: it falls by its beta to BTC times what BTC did. Off: it stays, and "
        "the verdict is about the rest only.",
    )  # fmt: skip
    try:
        held = compute.judged(now.portfolio, active, settings, seen.model)
        found = _events(held, beta)
    except InputError as error:
        refused(error)
        return
    _answer(held, found)
    views: dict[str, Callable[[], None]] = {
        "Named events": lambda: moves.events(held, found, beta),
        "Day by day": lambda: paths.day_by_day(held, active, beta),
        "Your own shock": lambda: moves.own_shock(held),
        "Spot and volatility": lambda: moves.grid(held),
        "Depeg and dry markets": lambda: moves.thin(now, held, active),
        "Correlations break": lambda: correlations_margin.breaks(now, active),
        "What exhausts it": lambda: moves.reverse(held),
    }
    tabbed(views, "stress_view")


def _answer(held: StressBook, found: list[Stressed]) -> None:
    """The worst event in one sentence, with what was not recorded, and the two kinds of liquidation."""
    st.header(dollars(headline(held, found)), anchor=False)
    if found and held.positions and not held.dead:
        st.markdown(two_ways(found))
    st.caption(dollars(f"Judged by {plain(judged_by(held))}. {plain(' '.join(held.notes))}"))


def two_ways(found: list[Stressed]) -> str:
    """In how many events isolated accounts fare worse, and in how many what is held together does."""
    isolated = sum(1 for s in found if s.only_alone)
    drags = sum(1 for s in found if s.dragged_down)
    events = f"{len(found)} events" if len(found) > 1 else "the event"
    if not isolated and not drags:
        return f"In {'all ' * (len(found) > 1)}{events} the positions fare alike, as held and in isolated accounts."
    alone = (
        f"In {isolated or 'none'} of {events} a position is liquidated in an isolated account of its own while the "
        "account as held survives"
    )
    together = (
        f"in {drags} it goes down and takes positions with it that would have survived alone"
        if drags
        else "in none does it go down and take positions with it that would have survived alone"
    )
    return f"{alone}; {together}."


def headline(held: StressBook, found: list[Stressed]) -> str:
    """What the page answers, in a sentence: dead already, or the worst event and who survives it."""
    if held.dead:
        worst = min((h for h in held.held if h.name in held.dead), key=lambda h: h.equity)
        return (
            f"Liquidated before anything moves: {plain(worst.name)} has equity of {money(worst.equity)} and must keep "
            f"{money(worst.maintenance)}."
        )
    if not found:
        return "No recorded event moves an asset of this book: try a shock of your own."
    worst_event = min(found, key=lambda s: s.change)
    lost = -worst_event.change
    what = f"it would lose {money(lost)}" if lost > 0 else "it would lose nothing"
    state = "nothing of it can be liquidated" if not held.positions else moves.went(worst_event)
    return (
        f"Worst recorded event: {plain(worst_event.name)}; {what} of {money(held.money)}, and {state}."
        f"{not_recorded(worst_event)}"
    )


def not_recorded(s: Stressed) -> str:
    """' SOL (34% of the book) was not recorded: moved by its beta to BTC.', or nothing."""
    parts = []
    if s.by_beta:
        parts.append(f"{', '.join(s.by_beta)} moved by beta to BTC")
    if s.missing:
        parts.append(f"{', '.join(s.missing)} left unmoved")
    if not parts:
        return ""
    return f" Not recorded then: {plain('; '.join(parts))} ({percent(100 * s.unknown_share)} of the book)."
