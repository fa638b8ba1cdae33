"""One line of the first screen: the money for the same safety, kept apart and in one pool."""

from functools import partial

import streamlit as st

from margin.core.errors import InputError
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.forecast.capital import AS_HELD, DAYS, Capital, first_screen
from margin.forecast.results import ODDS
from ui.blocks.formats import money
from ui.blocks.text import dollars, plain
from ui.state import compute
from ui.state.compute import Answer
from ui.state.prices import ActivePrices
from ui.state.rows import sentence as sentence_of

MISSING = "The money for the same safety is not computed:"


@partial(compute.remembered, size=128)
def _first(portfolio: Portfolio, settings: Settings, active: ActivePrices) -> tuple[Capital, Capital]:
    return first_screen(portfolio, active.market, settings)


def safety_line(now: Answer, active: ActivePrices) -> None:
    """The line, or why there is none; nothing where nothing is margined."""
    assert now.comparison is not None
    if not any(account.margined for account in now.portfolio.accounts):
        return
    try:
        apart, pool = safety(now, active)
    except InputError as error:
        st.caption(dollars(plain(f"{MISSING} {sentence_of(error)}")))
        return
    why = next((c.error for c in (apart, pool) if c.usd is None), None)
    st.caption(sentence(apart, pool) if why is None else dollars(plain(f"{MISSING} {why}")))


def safety(now: Answer, active: ActivePrices) -> tuple[Capital, Capital]:
    """The two rows of the line, kept with the prices. Raises InputError."""
    assert now.comparison is not None
    found: tuple[Capital, Capital] = _first(now.portfolio, now.comparison.settings, active)
    return found


def sentence(apart: Capital, pool: Capital) -> str:
    """'Kept apart you need $84k for 5% odds of a liquidation within 7 days, in one pool $52k.'"""
    assert apart.usd is not None and pool.usd is not None
    how = "As held" if apart.model == AS_HELD else "Kept apart"
    return dollars(
        f"{how} you need {money(apart.usd)} for {ODDS:.0%} odds of a liquidation within {DAYS:g} days, in one pool "
        f"{money(pool.usd)}: see Forecast."
    )
