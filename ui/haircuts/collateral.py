"""The visitor's own collateral: what counts, what a swap would free, how best to post it, right and wrong way."""

import pandas as pd
import streamlit as st

from margin.core.errors import InputError
from margin.core.portfolio import Portfolio
from margin.haircut.allocation import Allocation, allocate
from margin.haircut.basket import right_and_wrong_way, risk_weighted, swap_values
from margin.haircut.settings import HaircutSettings
from margin.haircut.tiers import tier_table
from margin.ladder.account import CollateralLine
from margin.ladder.compare import Comparison
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, percent, share, signed_money
from ui.blocks.tables import data_table
from ui.blocks.text import dollars, plain
from ui.charts import haircuts as charts_haircuts
from ui.state import book, compute
from ui.state.compute import Answer
from ui.state.prices import ActivePrices
from ui.state.rows import sentence

CANDIDATES = ("USD", "USDC", "BTC", "ETH")
_swaps = compute.remembered(swap_values, 16)
_ways = compute.remembered(right_and_wrong_way, 64)


def collateral(now: Answer, active: ActivePrices, settings: HaircutSettings) -> None:
    """Before and after haircuts, the marginal value of swaps, the best allocation."""
    if now.comparison is None:
        st.info("The book has no figures yet: see the Portfolio page.", icon=":material/wallet:")
        return
    held = tuple(c for c in now.portfolio.collateral if c.quantity > 0)
    if not held:
        owned = " besides the coins it owns" if now.portfolio.held else ""
        st.info(f"Your book posts no collateral{owned}: add some on the Portfolio page.", icon=":material/wallet:")
        return
    chosen = book.current().settings
    basket = risk_weighted(held, active.market, chosen, settings)
    with st.grid(4, min_column_width=150, key="haircut_basket"):
        st.metric("Market value", money(basket.market_value), border=True, height="stretch")
        st.metric("Counts for", money(basket.counted), border=True, height="stretch")
        st.metric(
            "Capital", money(basket.capital_alone), f"{money(basket.capital_joint)} as one basket", "off",
            delta_arrow="off", border=True, height="stretch",
            help="Value times haircut. As one basket: its own tail loss.",
        )  # fmt: skip
        st.metric(
            "Risk-weighted",
            money(basket.risk_weighted),
            border=True,
            height="stretch",
            help="12.5 times the capital (Basel, 8%).",
        )
    table = pd.DataFrame(
        [
            {"Asset": x.asset, "Value": x.size_usd, "Haircut": x.total, "Counts": x.counted_usd, "Binding": x.binding}
            for x in basket.lines
        ]
    )
    data_table(table, key="collateral_table", alt="Collateral before and after", formats=USD)
    csv_button("This table", lambda: table, "collateral")
    _swap_table(now, active, settings)
    _allocation(now.comparison, active, settings)


USD = {
    "Value": money,
    "Counts": money,
    "Haircut": share,
}


def _swap_table(now: Answer, active: ActivePrices, settings: HaircutSettings) -> None:
    """What swapping a thousand dollars of one collateral for another frees."""
    st.markdown("**What would a swap free?**")
    held = [c.asset for c in now.portfolio.collateral if c.quantity > 0]
    wanted = dict.fromkeys([*held, *CANDIDATES, *now.portfolio.underlyings])
    candidates = tuple(a for a in wanted if a == "USD" or a in active.market)
    long_only = Portfolio(now.portfolio.positions, tuple(c for c in now.portfolio.collateral if c.quantity > 0))
    try:
        swaps = _swaps(long_only, active.market, candidates, 1000.0, book.current().settings, settings)
    except InputError as error:
        st.info(plain(sentence(error)))
        return
    names = ["Sell", "Buy", "For", "Haircut treatment", "Joint treatment"]
    rows = [(s.sell, s.buy, s.amount, s.haircut_gain, s.joint_gain) for s in swaps]
    table = pd.DataFrame(rows, columns=names)
    written = dict.fromkeys(table.columns[2:], money)
    data_table(table, key="swap_table", alt="Free equity won by swaps", formats=written)
    st.caption(
        "Free equity won. Haircut treatment: by what counts of it. Joint treatment: collateral counts in full and "
        "moves with the book, so the coin you are short of frees more than its haircut takes."
    )
    csv_button("These swaps", lambda: table, "collateral_swaps")


def _allocation(c: Comparison, active: ActivePrices, settings: HaircutSettings) -> None:
    """The cheapest way to cover a margin from the wallet: a linear programme."""
    st.markdown("**The best way to post it**")
    lines = [line for line in c.account.collateral if line.market_value > 0]
    left, right = st.columns([2, 3])
    with left:
        needs = {"Portfolio": c.portfolio, "With safeguards": c.safeguarded, "Isolated": c.isolated}
        which = st.segmented_control(
            "Cover",
            list(needs),
            default="Portfolio",
            required=True,
            key="allocation_need",
            bind="query-params",
            persist_state="session",
        )
        base = pd.DataFrame(
            {
                "Asset": [line.asset for line in lines],
                "Held, USD": [round(line.market_value, 2) for line in lines],
                "Cost a year": [0.0] * len(lines),
            }
        )
        st.caption("Cost a year: the yield you give up by posting it, in percent. Add what else your wallet holds.")
        edited = st.data_editor(
            base,
            hide_index=True,
            num_rows="dynamic",
            key=f"allocation_{book.version()}_{_fingerprint(lines)}",
            column_config={
                "Asset": st.column_config.SelectboxColumn(options=["USD", *active.assets], required=True),
                "Held, USD": st.column_config.NumberColumn(min_value=0.0, max_value=1e12, required=True),
                "Cost a year": st.column_config.NumberColumn(min_value=0.0, max_value=100.0, format="%.2f%%"),
            },
        )
    with right:
        need = needs[which or "Portfolio"]
        found = _allocate(edited, need, active, settings)
        if found is None:
            return
        wallet, best = found
        st.markdown(
            dollars(
                f"Post **{money(best.total)}** to cover {money(best.requirement)}"
                + (f", at {money(best.cost, cents=True)} a year." if best.cost > 0 else ".")
            )
        )
        words = ", ".join(f"{a} {money(v)}" for a, v in best.posted.items())
        chart(charts_haircuts.allocation(best.posted, wallet), "allocation_chart", f"Posted: {words}.")
        table = pd.DataFrame([{"asset": a, "held_usd": wallet[a], "posted_usd": v} for a, v in best.posted.items()])
        csv_button("This allocation", lambda: table, "allocation")


def _fingerprint(lines: list[CollateralLine]) -> str:
    return "_".join(f"{line.asset}{line.market_value:.0f}" for line in lines)


def _allocate(
    edited: pd.DataFrame, need: float, active: ActivePrices, settings: HaircutSettings
) -> tuple[dict[str, float], Allocation] | None:
    wallet: dict[str, float] = {}
    yearly: dict[str, float] = {}
    for row in edited.dropna(subset=["Asset", "Held, USD"]).to_dict("records"):
        wallet[row["Asset"]] = wallet.get(row["Asset"], 0.0) + float(row["Held, USD"])
        cost = row["Cost a year"]
        yearly[row["Asset"]] = 0.0 if pd.isna(cost) else float(cost) / 100.0
    try:
        as_of = book.current().settings.as_of
        tiers = {asset: tier_table(active.market, asset, as_of=as_of, settings=settings) for asset in wallet}
        return wallet, allocate(wallet, need, tiers, yearly)
    except InputError as error:
        st.warning(dollars(sentence(error)), icon=":material/warning:")
        return None


def right_and_wrong(now: Answer, active: ActivePrices, settings: HaircutSettings) -> None:
    """The same coin held against a short and against a long in it, in both treatments."""
    left, right = st.columns([2, 3])
    with left:
        own = [a for a in now.portfolio.underlyings if a in active.market]
        start = active.assets.index("BTC" if "BTC" in active.assets else own[0] if own else active.assets[0])
        asset = st.selectbox(
            "Coin", active.assets, start, key="way_asset", bind="query-params", persist_state="session"
        )
        position = st.slider(
            "Position, thousand $", 5, 500, 100, 5, key="way_position", bind="query-params", persist_state="session"
        )
        posted = st.slider(
            "Held as collateral, thousand $",
            5,
            500,
            100,
            5,
            key="way_posted",
            bind="query-params",
            persist_state="session",
        )
    found = _ways(asset, active.market, 1000.0 * position, 1000.0 * posted, book.current().settings, settings)
    short, long = found
    with left:
        st.markdown(
            dollars(
                f"Held against a **short**, {plain(asset)} gains when the position loses: jointly "
                f"{money(short.free_joint)} is free, {signed_money(short.joint_gain)} beside haircuts. Held against a "
                f"**long**, both lose together: {money(long.free_joint)} free jointly, "
                f"{signed_money(long.joint_gain)}."
            )
        )
    with right:
        words = "; ".join(
            f"against a {w.side}: {money(w.free_haircut)} free with haircuts, {money(w.free_joint)} jointly"
            for w in found
        )
        chart(charts_haircuts.ways(found), "ways_chart", f"Free equity of {asset} held {words}.")
    table = pd.DataFrame(
        [
            {
                "Held against": f"a {w.side} ({'wrong' if w.wrong_way else 'right'} way)",
                "Counts after haircut": w.counted,
                "Margin": w.margin_haircut,
                "Free, haircut": w.free_haircut,
                "Market value": w.market_value,
                "Joint margin": w.margin_joint,
                "Free, joint": w.free_joint,
            }
            for w in found
        ]
    )
    written = dict.fromkeys(table.columns[1:], money)
    data_table(table, key="ways_table", alt="Right and wrong way", formats=written)
    st.caption(
        f"A haircut takes the same {percent(100 * (1 - short.counted / short.market_value), 1)} whichever way the coin "
        "is held. Only the joint treatment sees that one is a hedge and the other a second helping of the same risk."
    )
    csv_button("This table", lambda: table, "right_and_wrong_way")
