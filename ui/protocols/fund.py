"""How large a fund must be when collateral is shared: bad debt against the share counted twice, separate and shared."""

import numpy as np
import pandas as pd
import streamlit as st

from margin.protocols.paths import recorded_paths
from margin.protocols.population import Crowd, FundNeed, Spread, by_double, fund_need
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, percent
from ui.blocks.tables import data_table
from ui.blocks.text import dollars
from ui.charts import protocols as charts
from ui.shell.page import Seen
from ui.state import longwork

SCENARIOS, WALLETS, EVERY = 200, 2_000, 12  # recorded weeks, wallets, hours a step
COINS = ("ETH", "BTC")


def draw(seen: Seen) -> None:
    """Left one shock by the share counted twice, right the fund over recorded weeks."""
    first, second = st.columns(2, gap="medium")
    with first:
        fall = st.slider("Prices move in two days by, %", -80, 50, -40, key="protocols_crowd_fall", bind="query-params")
        swept = _swept(fall / 100.0)
        most, none = swept[-1][1], swept[0][1]
        st.markdown(
            dollars(
                f"With every wallet counted twice others lose **{money(most.short)}**; with none, "
                f"**{money(none.short)}**."
            )
        )
        said = "; ".join(f"{share:.0%}: {money(s.short)}" for share, s in swept)
        chart(charts.double_share(swept), "protocols_double_share", f"Not paid by share counted twice. {said}.")
        st.caption(f"{WALLETS:,} made-up wallets on two coins; their own sales push the price.")
    with second:
        twice = st.slider("Wallets counted twice, % ", 0, 100, 30, 10, key="protocols_fund_twice", bind="query-params")
        need = _need(seen, twice / 100.0)
        mutual = need.mutual
        st.markdown(
            dollars(
                f"To pay 99% of recorded weeks in full the lender needs **{money(mutual.separate[0])}** and the venue "
                f"**{money(mutual.separate[1])}**; one shared fund **{money(mutual.mutual)}**, "
                f"{_beside(mutual.saved)}."
            )
        )
        worst = money(float(need.losses.sum(axis=1).max()))
        chart(charts.fund_losses(need), "protocols_fund", f"Losses by recorded week; the worst {worst}.")
        carried = mutual.carried[1]
        who = "the lender pays for the venue" if carried > 0 else "the venue pays for the lender"
        st.caption(
            dollars(
                f"{SCENARIOS} recorded weeks, drawn with replacement. In the shared fund {who}: "
                f"{money(abs(carried), cents=True)} a week on average beyond its own share."
            )
        )
    table = pd.DataFrame(
        {
            "Counted twice": [percent(100 * share) for share, _ in swept],
            "Called": [f"{s.called:,}" for _, s in swept],
            "Lender not paid": [money(s.lender_short) for _, s in swept],
            "Venue not paid": [money(s.venue_short) for _, s in swept],
            "Lowest price": [percent(100 * float(s.prices.min()), 1) for _, s in swept],
        }
    )
    data_table(table, key="protocols_swept", alt="By share of wallets counted twice")
    csv_button("This table", lambda: table, "protocols_double_share")


def _beside(saved: float) -> str:
    if abs(saved) < 0.5:
        return "as much as both"
    return f"{money(abs(saved))} {'less' if saved > 0 else 'more'}"


def _swept(move: float) -> list[tuple[float, Spread]]:
    steps = np.zeros((60, 2))
    steps[:48] = (1.0 + move) ** (1.0 / 48) - 1.0
    return longwork.done(
        ("double share", move),
        "Running six crowds",
        lambda progress: by_double(Crowd(wallets=WALLETS), steps, progress=progress),
    )


def _need(seen: Seen, twice: float) -> FundNeed:
    def work(progress: object) -> FundNeed:
        paths = recorded_paths(seen.active.market, COINS, 7, seen.settings.as_of, SCENARIOS)[:, EVERY - 1 :: EVERY]
        level = np.concatenate([np.ones((len(paths), 1, 2)), 1.0 + paths], axis=1)
        return fund_need(Crowd(wallets=WALLETS).with_double(twice), level[:, 1:] / level[:, :-1] - 1.0, 0.99, progress)

    key = ("fund", seen.active.version, seen.settings.as_of, twice)
    return longwork.done(key, "Running recorded weeks", work)
