"""A whole market of simulated accounts on the Liquidation page: the cascade, and loss allocation."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from margin.audit.one import two_coins
from margin.liquidation.adl_comparison import compare_policies
from margin.liquidation.population import MODES, Cascade, Population, World, cascade
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, percent
from ui.blocks.tables import data_table
from ui.blocks.text import dollars, plain
from ui.charts import liquidation as charts_liquidation
from ui.charts.liquidation import MODE_NAMES
from ui.state import audited, longwork
from ui.state.kept import own_shelf

ASSUMED, AUDITED = "Assumed distributions", "The audited book"
ASSUMPTIONS = (
    "Simulated accounts with stated distributions, not any venue's: lognormal equity and leverage, 40% hedged with "
    "a second coin at correlation 0.8, square-root impact. Definitions: docs/liquidation.md."
)


def _world() -> World:
    """The sliders of the population."""
    first, second, third = st.columns(3)
    with first:
        fall = st.slider("Shock, %", -80, 80, -20, 1, key="world_shock", bind="query-params", persist_state="session")
        steps = st.slider(
            "Within so many steps", 1, 100, 5, key="world_shock_steps", bind="query-params", persist_state="session"
        )
    with second:
        leverage = st.slider(
            "Typical leverage",
            1.0,
            40.0,
            8.0,
            0.5,
            key="world_leverage",
            format="%g",
            bind="query-params",
            persist_state="session",
        )
        long_share = st.slider(
            "Long, % of accounts", 0, 100, 60, key="world_long", bind="query-params", persist_state="session"
        )
    with third:
        volume = st.select_slider(
            "Traded a day", (1e7, 1e8, 5e8, 1e9, 5e9, 2e10), 5e8, format_func=lambda v: f"${v / 1e6:,.0f}M",
            key="world_volume", bind="query-params", persist_state="session",
        )  # fmt: skip
        count = st.select_slider(
            "Accounts", (1000, 5000, 20_000, 100_000), 20_000, format_func=lambda v: f"{v:,}", key="world_accounts",
            bind="query-params",
            persist_state="session",
        )  # fmt: skip
    return World(
        accounts=int(count),
        leverage_median=float(leverage),
        long_share=long_share / 100.0,
        volume=float(volume),
        shock=(fall / 100.0, max(1.2 * fall / 100.0, -0.95)),
        shock_steps=int(steps),
    )


def market() -> None:
    """The same shock under three margin modes."""
    book = audited.kept()
    source = ASSUMED
    if book is not None:
        source = st.segmented_control(
            "Accounts from", [ASSUMED, AUDITED], default=ASSUMED, required=True, key="world_source", bind="query-params"
        )
    world, people, key = _world(), None, ""
    if book is not None and source == AUDITED:
        world, people = _from_audit(book, world)
        key = book.key
    found: list[Cascade] = longwork.done(
        ("population", world, key), "Simulating three markets", lambda p: _three(world, p, people),
        None if people is None else own_shelf(), 8,
    )  # fmt: skip
    worst = max(found, key=lambda c: c.default_loss)
    least = min(found, key=lambda c: c.liquidated_legs)
    st.markdown(
        dollars(
            f"**{MODE_NAMES[least.mode]}** liquidates least: {least.closed_accounts:,} of {world.accounts:,} accounts. "
            f"Losses beyond the accounts' money are largest under **{MODE_NAMES[worst.mode].lower()}**: "
            f"{money(worst.default_loss)}."
        )
    )
    table = pd.DataFrame(
        [
            {
                "Mode": MODE_NAMES[c.mode],
                "Maintenance margin": money(c.margin_posted),
                "Accounts hit": f"{c.closed_accounts:,} ({percent(100 * c.closed_accounts / world.accounts)})",
                "Sold by force": money(float(c.volume.sum())),
                "Default losses": money(c.default_loss),
                "Fund used": money(c.fund_used),
                "Deleveraged": money(c.deleveraged),
                "Price overshoot": percent(100 * float(c.overshoot.max()), 2),
                "Caused by other liquidations": percent(100 * c.branching, 1),
            }
            for c in found
        ]
    )
    data_table(table, key="world_table", alt="Three margin modes under the same shock")
    picked = st.segmented_control(
        "Play",
        list(MODES),
        default="cross",
        required=True,
        format_func=MODE_NAMES.__getitem__,
        key="world_mode",
        bind="query-params",
    )
    shown = next(c for c in found if c.mode == picked)
    alt = (
        f"Price and forced sales under {MODE_NAMES[shown.mode]}: {money(float(shown.volume.sum()))} sold by force, "
        f"price overshoot {100 * float(shown.overshoot[0]):.2f}%."
    )
    chart(charts_liquidation.film(shown), "cascade_film", alt)
    if people is not None:
        st.caption("Accounts as audited; square-root impact, shock and volume as set above: docs/liquidation.md.")
    else:
        st.caption(ASSUMPTIONS)
    csv_button("Every step", lambda: _steps(found), "cascade")


def _from_audit(book: audited.AuditedBook, world: World) -> tuple[World, Population]:
    """The accounts of the audited book in its two largest coins, in the market that the sliders describe."""
    coins = two_coins(book.plan, book.accounts)
    one, two = coins.assets
    st.caption(
        plain(
            f"{len(coins.equity):,} accounts of {book.name} that hold {one} or {two}, with the part of their equity "
            f"that stands behind these; {coins.left_out:,} hold neither or are below zero. Leverage, longs and the "
            f"number of accounts are the book's; volatilities and correlation ({coins.correlation:.2f}) are recorded."
        )
    )
    own = replace(world, accounts=len(coins.equity), volatilities=coins.volatilities, correlation=coins.correlation)
    return own, Population(coins.usd, coins.equity)


def _three(world: World, progress: Callable[[float], None], people: Population | None = None) -> list[Cascade]:
    found = []
    for i, mode in enumerate(MODES):
        found.append(cascade(world, mode, people))
        progress((i + 1) / len(MODES))
    return found


def _steps(found: list[Cascade]) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "mode": c.mode,
                "step": np.arange(len(c.prices)),
                "price_first": c.prices[:, 0],
                "price_second": c.prices[:, 1],
                "without_first": c.outside[:, 0],
                "liquidated": c.liquidated,
                "sold_usd": c.volume,
                "missing_usd": c.deficits,
            }
        )
        for c in found
    ]
    return pd.concat(parts)


def loss_allocation() -> None:
    """The same bankrupt accounts under every auto-deleveraging policy."""
    first, second = st.columns(2)
    with first:
        fall = st.slider("Shock, %", -80, 80, -30, 1, key="adl_shock", bind="query-params", persist_state="session")
    with second:
        long_share = st.slider(
            "Long, % of accounts", 5, 95, 40, key="adl_long", bind="query-params", persist_state="session"
        )
    deficit, found = compare_policies(World(shock=(fall / 100.0, fall / 100.0), long_share=long_share / 100.0))
    gentlest = min(found, key=lambda p: p.largest)
    st.markdown(
        dollars(
            f"Bankrupt accounts leave **{money(deficit)}** unpaid, and there is no insurance fund. Every policy takes "
            f"the same from the winners; **{gentlest.policy}** takes the smallest part of any one winner's profit: "
            f"{percent(100 * gentlest.largest)}."
        )
    )
    words = "; ".join(f"{p.policy}: {100 * p.paid_by[-1]:.0f}% by the most profitable fifth" for p in found)
    chart(charts_liquidation.loss_allocation(found), "adl_loss_allocation", f"Loss allocation. {words}.")
    st.caption("Share of what is taken, by fifths of winners from the lowest return on their money to the highest.")
    table = pd.DataFrame(
        [
            {
                "Policy": p.policy,
                "Solvency restored": percent(100 * p.restored),
                "Taken from winners": money(p.forgone),
                "Of their profit": percent(100 * p.haircut, 1),
                "Largest share of one profit": percent(100 * p.largest),
                "Winners touched": percent(100 * p.touched),
                "Taken too much": percent(100 * abs(p.overshoot), 1),
            }
            for p in found
        ]
    )
    data_table(table, key="adl_table", alt="Auto-deleveraging policies compared")
    csv_button("This table", lambda: table, "adl_policies")
