"""One line of the first screen: the money for the same safety, kept apart and in one pool."""

import streamlit as st

from margin.forecast.capital import AS_HELD, DAYS, Capital, first_screen
from margin.forecast.results import ODDS
from ui.blocks.formats import money
from ui.blocks.text import dollars
from ui.state import compute
from ui.state.compute import Answer
from ui.state.prices import ActivePrices

_first = compute.remembered(first_screen, 128)


def safety_line(now: Answer, active: ActivePrices) -> None:
    """Nothing where it is not computed: too little history, options, an account its venue's rules do not cover."""
    assert now.comparison is not None
    pair = _first(now.portfolio, active.market, now.comparison.settings)
    if pair is not None:
        st.caption(sentence(*pair))


def sentence(apart: Capital, pool: Capital) -> str:
    """'Kept apart you need $84k for 5% odds of a liquidation within 7 days, in one pool $52k.'"""
    assert apart.usd is not None and pool.usd is not None
    how = "As held" if apart.model == AS_HELD else "Kept apart"
    return dollars(
        f"{how} you need {money(apart.usd)} for {ODDS:.0%} odds of a liquidation within {DAYS:g} days, in one pool "
        f"{money(pool.usd)}: see Forecast."
    )
