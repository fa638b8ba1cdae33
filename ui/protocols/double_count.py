"""The lesson of the double count: the wallet is worth nothing before either protocol acts."""

from collections.abc import Callable

import streamlit as st

from margin.protocols.paid import Falls, along_falls, textbook
from margin.protocols.sharing import opened
from ui.blocks.exporting import chart
from ui.blocks.formats import money, percent
from ui.blocks.text import dollars
from ui.charts import protocols as charts
from ui.protocols.wallets import Asked, Compared

TEXTBOOK = "The textbook wallet"
MINE = "A wallet of my own"


def draw(compared: Callable[[], tuple[Asked, Compared]]) -> None:
    """The figure to project, for the textbook wallet or the visitor's."""
    which = st.segmented_control(
        "Wallet", [TEXTBOOK, MINE], default=TEXTBOOK, required=True, key="protocols_lesson", bind="query-params"
    )
    if which == TEXTBOOK:
        size = st.slider("Long, $ beside $1,000 of collateral".replace("$", r"\$"), 0, 1500, 500, 50,
                         key="protocols_long", bind="query-params")  # fmt: skip
        wallet = textbook(float(size))
    else:
        _, found = compared()
        wallet = opened(found.told.wallet, "double", found.equal.of("double").buffer)
    falls = along_falls(wallet, "double")
    st.header(dollars(said(falls)), anchor=False)
    words = "; ".join(
        f"{name} {'at none' if at is None else percent(100 * at, 1)}"
        for name, at in (("worth nothing", falls.nothing), ("lender calls", falls.lender_call),
                         ("venue calls", falls.venue_call))
    )  # fmt: skip
    chart(charts.double_count(falls), "protocols_double", f"Gaps of both sides and the wallet's worth. {words}.")
    st.caption(
        dollars(
            "Each protocol counts the whole coin and sees enough. Neither sees that the other has counted it too: "
            f"collateral {money(wallet.value)}, debt {money(wallet.debt)}, and a position of "
            f"{money(sum(q.notional for q in wallet.perps))} on the same coin."
        )
    )


def said(falls: Falls) -> str:
    """The inequality in a sentence."""
    calls = [c for c in (falls.lender_call, falls.venue_call) if c is not None]
    first = max(calls) if calls else None
    if falls.nothing is None:
        return "No fall takes everything: what the position earns pays for what the coin loses."
    gone = f"At a fall of {percent(-100 * falls.nothing, 1)} the wallet is worth nothing"
    if first is None:
        return f"{gone}, and nobody ever calls: the loss falls on others."
    call = percent(-100 * first, 1)
    if falls.certain:
        return f"{gone}; the first call comes only at {call}. Whoever acts, somebody is not paid: the loss is certain."
    nothing = percent(-100 * falls.nothing, 1)
    return f"The first call comes at a fall of {call}; the wallet is worth nothing only at {nothing}."
