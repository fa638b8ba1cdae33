"""Steps 7 and 8 of the Learn page: one collateral counted twice, and how far a loss travels."""

from itertools import pairwise

import numpy as np
import streamlit as st

from margin.protocols.clearing import Clearing, clear
from margin.protocols.paid import along_falls, paid, textbook
from ui.blocks.formats import money, percent
from ui.charts import learn as learn_charts
from ui.charts import protocols as protocol_charts
from ui.learn.view import View

LONG = 500.0
CHAIN = ("The vault", "The lender", "The savers")
OWED, HELD, BUFFER = 10.0, 4.0, 3.0  # $M each owes the next; what the vault has; what the lender has beside its claim


def collateral_shared() -> View:
    """A coin at a lender that a venue counts too: who sees what as the price moves."""
    long = st.slider("Long at the venue, dollars", 0, 1000, int(LONG), 50, key="learn_long", bind="query-params")
    move = st.slider("The price moves by, %", -90, 20, -45, 1, key="learn_fall", bind="query-params") / 100
    wallet = textbook(float(long))
    falls = along_falls(wallet, "double")
    now = paid(wallet, "double", {"ETH": move})
    said = "; ".join(
        f"{name} at {percent(100 * at, 1)}" if at is not None else f"{name}: never"
        for name, at in (
            ("worth nothing", falls.nothing), ("the lender calls", falls.lender_call),
            ("the venue calls", falls.venue_call),
        )
    )  # fmt: skip
    fixed = along_falls(textbook(LONG), "double")
    return View(
        numbers=(
            ("The lender sees", money(now.lender_gap), "calls" if now.lender_called else "enough"),
            ("The venue sees", money(now.venue_gap), "calls" if now.venue_called else "enough"),
            ("The wallet is worth", money(now.worth), "somebody must lose" if now.worth < 0 else ""),
        ),
        figure=protocol_charts.double_count(falls),
        alt=f"Gaps of both sides and the wallet's worth against the price: {said}.",
        answer=f"At {_at(fixed.nothing)} nothing is left, and both still see enough: the lender calls only at "
        f"{_at(fixed.lender_call)}, the venue at {_at(fixed.venue_call)}. Whoever acts first, somebody is not paid. "
        "Sharing frees money by offset, or by borrowing others' safety without asking.",
        formula=r"R_0=\frac{D-K}{K+N}",
        words="with collateral K = 1,000, debt D = 400 and a long of N = 500; the lender counts 83% of the coin, the "
        "venue too and keeps 3% of its position.",
    )


def _at(move: float | None) -> str:
    return "no fall" if move is None else f"a fall of {percent(-100 * move, 1)}"


def chain(held: float, left: float) -> Clearing:
    """Three in a row, each owing the next $10M: the vault with `held`, the lender with 3 beside its claim."""
    debts = np.array([[0.0, OWED, 0.0], [0.0, 0.0, OWED], [0.0, 0.0, 0.0]])
    return clear(debts, np.array([held, BUFFER, 0.0]), alpha=left, beta=left)


def what_spreads() -> View:
    """A chain of debts: where a hole stops, and what costs of default add to it."""
    held = st.slider(
        "The vault still holds, $M", 0.0, 12.0, HELD, 0.5, key="learn_held", format="%g", bind="query-params"
    )
    left = st.slider("Left of it after a default, %", 20, 100, 100, 10, key="learn_left", bind="query-params") / 100
    found = chain(held, left)
    names = [f"{a} to {b.lower()}" for a, b in pairwise(CHAIN)]
    paid_out = [float(v) for v in found.paid[:2]]
    said = "; ".join(f"{name} ${value:.2f}M of ${OWED:.0f}M" for name, value in zip(names, paid_out, strict=True))
    full, half = chain(HELD, 1.0), chain(HELD, 0.5)
    return View(
        numbers=(
            ("The lender gets", f"${paid_out[0]:.2f}M", f"of ${OWED:.0f}M"),
            ("The savers get", f"${paid_out[1]:.2f}M", f"of ${OWED:.0f}M"),
            ("Lost on the way", f"${found.value_lost:.2f}M", "to costs of default"),
        ),
        figure=learn_charts.chain(names, paid_out, OWED),
        alt=f"Paid and not paid: {said}.",
        answer=f"Not $7M: they get ${half.paid[1]:.2f}M. Without costs the hole is shared once and the savers get "
        f"${full.paid[1]:.0f}M; with half lost at each default the vault pays ${half.paid[0]:.0f}M, the lender "
        f"has half of ${half.paid[0] + BUFFER:.0f}M, and ${half.value_lost:.2f}M is gone that nobody received. A loss "
        "stops where somebody can bear it; each default on the way makes it larger.",
        formula=r"p_i=\alpha e_i+\beta\textstyle\sum_j\Pi_{ji}p_j",
        words="where a node cannot pay in full, else all it owes: Eisenberg and Noe (2001), costs of default by Rogers "
        "and Veraart (2013).",
    )
