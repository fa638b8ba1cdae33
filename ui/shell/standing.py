"""How the account stands, in one line that is the same on every page which answers for it."""

import streamlit as st

from margin.core.errors import InputError
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.liquidation.nearest import Nearest, nearest_of
from margin.stress.held import StressBook
from ui.blocks.formats import away, money, price, times
from ui.blocks.text import dollars, plain
from ui.state import compute
from ui.state.prices import ActivePrices


def standing_line(portfolio: Portfolio, active: ActivePrices, settings: Settings, model: str | None) -> None:
    """Drawn under the heading; nothing where the page itself says why there are no figures."""
    if not any(account.margined for account in portfolio.accounts):
        return
    try:
        held = compute.judged(portfolio, active, settings, model)
        near = nearest_of(held)
    except InputError:
        return
    if not held.assumed_money:
        st.caption(dollars(in_words(held, near)))


def in_words(held: StressBook, near: Nearest | None) -> str:
    """'Now: equity $30,000, maintenance $1,709, health 17.37×, liquidated at BTC $106,475 (+35.6%).'"""
    healths = [h.health for h in held.held if h.health is not None]
    health = f"{', lowest' if len(healths) > 1 else ','} health {times(min(healths))}" if healths else ""
    if held.dead:
        where = f"{plain(held.dead[0])} is liquidated already"
    elif near is None:
        where = "no single price liquidates it"
    else:
        where = f"liquidated at {plain(near.asset)} {price(near.price)} ({away(near.move)})"
    return f"Now: equity {money(held.money)}, maintenance {money(held.maintenance)}{health}, {where}."
