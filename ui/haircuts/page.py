"""The Haircuts page: how haircuts are measured, the answer in a sentence, and one view at a time below."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from data.errors import FetchError
from data.exchange.orderbook import fetch_order_book
from data.exchange.registry import EXCHANGES
from data.exchange.tickers import HASTY
from data.universe import is_offline
from margin.core.errors import InputError
from margin.core.instruments import USD_STABLECOINS
from margin.haircut.model import Haircut, Haircuts, OrderBook, dynamic_haircuts, haircut_curve
from margin.haircut.settings import TAILS, HaircutSettings, described
from margin.haircut.tiers import tier_table
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, number, percent, share, short_money
from ui.blocks.tables import Format, data_table
from ui.blocks.text import dollars, plain
from ui.blocks.views import tabbed
from ui.charts import haircuts as charts_haircuts
from ui.haircuts import collateral as haircuts_collateral
from ui.haircuts import history as haircuts_history
from ui.shell.page import Seen
from ui.state import book, compute, view
from ui.state.compute import Answer
from ui.state.prices import ActivePrices

TAIL_NAMES = {"historical": "Historical", "ewma": "EWMA", "filtered": "Filtered"}
SIZES = (0.0, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
CURVE_SIZES = tuple(10 ** (3 + i / 8) for i in range(57))  # $1,000 to $10bn
BOOK_DEPTH = 100
_curve = compute.remembered(haircut_curve, 32)
_tiers = compute.remembered(tier_table, 32)


def page(seen: Seen) -> None:
    """The whole page below its heading."""
    active, now = seen.active, seen.now
    settings, size = _controls()
    as_of = book.current().settings.as_of
    _answer(now)
    views: dict[str, Callable[[], None]] = {
        "By asset": lambda: by_asset(active, settings, size, as_of),
        "By size": lambda: by_size(active, settings, as_of),
        "Was it enough?": lambda: haircuts_history.through_time(active, settings, size, as_of),
        "Beside venues": lambda: haircuts_history.beside_venues(active, settings, size, as_of),
        "Your collateral": lambda: haircuts_collateral.collateral(now, active, settings),
        "Right and wrong way": lambda: haircuts_collateral.right_and_wrong(now, active, settings),
        "Parameters": lambda: parameters(settings),
    }
    tabbed(views, "haircut_view")


def _controls() -> tuple[HaircutSettings, float]:
    """The three parameters people turn; the others are on the Parameters tab."""
    first, second, third = st.columns(3)
    kept = _turned()
    with first:
        tail = st.segmented_control(
            "Tail loss",
            list(TAILS),
            default="historical",
            required=True,
            format_func=TAIL_NAMES.__getitem__,
            key="haircut_tail",
            bind="query-params",
            persist_state="session",
            help="From the last 500 two-day losses, from today's volatility, or from those losses scaled to it.",
        )
    with second:
        level = st.select_slider(
            "Level",
            (0.95, 0.975, 0.99, 0.995, 0.999),
            0.99,
            format_func=lambda value: f"{100 * value:g}%",
            key="haircut_level",
            bind="query-params",
            persist_state="session",
        )
    with third:
        size = st.select_slider(
            "Held of each asset",
            SIZES,
            1e6,
            format_func=lambda value: f"${value:,.0f}",
            key="haircut_size",
            bind="query-params",
            persist_state="session",
            help="Larger holdings take longer to sell, and their sale moves the price.",
        )
    return replace(kept, tail=tail or "historical", level=float(level)), float(size)


def _answer(now: Answer) -> None:
    """What the book's own collateral counts for."""
    account = None if now.comparison is None else now.comparison.account
    if account is None and now.portfolio.held:
        said = "Here is what each asset counts for; your collateral does once the book has a position with figures."
        st.header(said, anchor=False)
        return
    if account is None or not account.collateral or account.market_value <= 0:
        st.header("Your book posts no collateral: here is what each asset would count for.", anchor=False)
        return
    lost = 100.0 * (1.0 - account.collateral_value / account.market_value)
    parts = ", ".join(
        f"{plain(line.asset)} {percent(100 * line.haircut, 1)}" for line in account.collateral if line.market_value > 0
    )
    st.header(
        dollars(
            f"Of your collateral of {money(account.market_value)}, {money(account.collateral_value)} counts: "
            f"{percent(lost, 1)} is cut."
        ),
        anchor=False,
    )
    st.markdown(f"Haircuts in your book: {parts}.")


def by_asset(active: ActivePrices, settings: HaircutSettings, size: float, as_of: str | None) -> None:
    """All assets: stacked chart and table."""
    found = _all(active, settings, size, as_of)
    lines = sorted(found, key=lambda line: -line.total)
    if not lines:
        st.info("No asset has enough history for a haircut by then.")
        return
    chart(charts_haircuts.by_asset(lines), "haircut_by_asset", f"Haircuts by asset: {charts_haircuts.words(lines)}.")
    st.caption(f"A holding of {dollars(money(size))} of each, as of {lines[0].as_of:%d %b %Y}. Our own model.")
    table = asset_table(lines)
    written: dict[str, Format] = {name: share for name in table.columns if name not in WORDS + NUMBERS}
    written |= {"Days to sell": number, "Traded a day": short_money}
    data_table(table, key="haircut_table", alt="Haircut of each asset", formats=written)
    csv_button("This table", lambda: table, "haircuts")
    for asset, why in found.missing.items():
        st.caption(f"{plain(asset)} has none: {plain(why)}.")
    noted = {note for line in lines for note in line.notes}
    for note in sorted(noted)[:5]:
        st.caption(dollars(note))


WORDS = ["Asset", "Impact from"]
NUMBERS = ["Days to sell", "Traded a day"]


@compute.remembered
def _all(active: ActivePrices, settings: HaircutSettings, size: float, as_of: str | None) -> Haircuts:
    return dynamic_haircuts(active.market, active.assets, as_of, dict.fromkeys(active.assets, size), settings)


def asset_table(lines: list[Haircut]) -> pd.DataFrame:
    """One row per asset: the total, its parts, and what they rest on."""
    rows = []
    for line in lines:
        parts: dict[str, object] = {charts_haircuts.NAMES[name]: value for name, value in line.parts.items()}
        more = {"Floor": line.floor, "Days to sell": line.horizon_days, "Traded a day": line.daily_volume}
        last = {"Volatility a day": line.daily_vol, "Impact from": line.impact_source}
        rows.append({"Asset": line.asset, "Haircut": line.total, **parts, **more, **last})
    return pd.DataFrame(rows)


BOOKS = "haircut_order_books"


def by_size(active: ActivePrices, settings: HaircutSettings, as_of: str | None) -> None:
    """One asset against the size held, and the same as concentration tiers."""
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    with left:
        asset = _asset(active, "haircut_size_asset")
    with right:
        depth = _order_book(asset, as_of)
    curve = _curve(active.market, asset, CURVE_SIZES, as_of, settings, depth)
    words_ = ", ".join(f"{money(h.size_usd)} {100 * h.total:.1f}%" for h in curve[8::16])
    chart(charts_haircuts.by_size(curve), "haircut_by_size", f"Haircut of {asset} against size: {words_}.")
    if curve[0].daily_volume is None:
        st.caption("No traded volume is known: size is not priced.")
    else:
        st.caption(
            dollars(
                f"Sold at {percent(100 * settings.participation)} of the {money(curve[0].daily_volume)} traded a day "
                f"(median of {settings.volume_days} days) after {settings.wait} days of waiting."
            )
        )
    st.markdown("**As concentration tiers**")
    st.caption("Each slice at its own rate, as venues publish theirs; beyond the last one nothing counts.")
    tiers = _tiers(active.market, asset, as_of=as_of, settings=settings, order_book=depth)
    table = pd.DataFrame(
        [
            {
                "From": money(tier.start),
                "To": "no end" if tier.end is None else money(tier.end),
                "Haircut of the slice": tier.haircut,
                "Of the whole": tier.average,
            }
            for tier in tiers
        ]
    )
    written = dict.fromkeys(table.columns[2:], share)
    data_table(table, key="haircut_tiers", alt=f"Tiers of {asset}", formats=written)
    csv_button("These tiers", lambda: table, "haircut_tiers")


def _asset(active: ActivePrices, key: str) -> str:
    """The asset looked at: at first the book's collateral that is no dollar, else what it trades."""
    own = book.current().portfolio
    known = [a for a in (*(c.asset for c in own.collateral), *own.assets) if a in active.market]
    start = next((a for a in known if a not in USD_STABLECOINS), active.assets[0])
    return st.selectbox(
        "Asset", active.assets, active.assets.index(start), key=key, bind="query-params", persist_state="session"
    )


def _order_book(asset: str, as_of: str | None) -> OrderBook | None:
    """A live book for the impact, where the visitor asked for one; impact is then the larger of law and book."""
    books: dict[str, tuple[OrderBook, str]] = st.session_state.setdefault(BOOKS, {})
    if is_offline():
        st.caption("Impact by the square-root law. Offline: no live order book.")
        return None
    if as_of is not None:
        st.caption("Impact by the square-root law: a live order book says nothing of an earlier day.")
        return None
    if st.button("Walk the live order book", icon=":material/menu_book:", key="haircut_order_book"):
        with st.spinner(f"Asking for the order book of {plain(asset)}"):
            _fetch_book(asset, books)
    if asset not in books:
        return None
    found, source = books[asset]
    st.caption(f"Impact: the larger of the square-root law and {source}.")
    return found


def _fetch_book(asset: str, books: dict[str, tuple[OrderBook, str]]) -> None:
    reasons = []
    for exchange in EXCHANGES:
        try:
            got = fetch_order_book(exchange, asset, BOOK_DEPTH, HASTY)
        except (FetchError, InputError) as error:
            reasons.append(str(error))
            continue
        bids = got.bids
        books[asset] = (OrderBook(bids, got.mid), f"{plain(got.exchange)} {plain(got.symbol)}, {got.at:%H:%M:%S} UTC")
        return
    st.warning(plain(f"No order book of {asset}: {'; '.join(reasons[:3])}"), icon=":material/warning:")


KEPT = "haircut"  # in the address
SHOWN = ("name", "value", "unit", "meaning", "source")
TURNED = (
    ("wait", "Days before selling starts", 1.0, 10.0, 1.0),
    ("participation", "Share of daily volume sold", 0.01, 0.5, 0.01),
    ("impact_factor", "Impact factor Y", 0.0, 3.0, 0.1),
    ("buffer_share", "Buffer, of the tail", 0.0, 1.0, 0.05),
    ("stress_weight", "Weight of the worst window", 0.0, 1.0, 0.05),
    ("floor_share", "Long-run floor, of its tail", 0.0, 1.5, 0.1),
    ("depeg_weight", "Weight of the worst depeg", 0.0, 1.0, 0.05),
    ("minimum", "Least haircut", 0.0, 0.5, 0.01),
)


def parameters(settings: HaircutSettings) -> None:
    """Every parameter with its source; the important ones can be turned."""
    st.markdown("haircut = max(floor, tail loss + stress + depeg + market impact + buffer), at most 100%")
    with st.grid(4, min_column_width=200, key="haircut_sliders"):
        for name, label, low, high, step in TURNED:
            value = float(getattr(settings, name))
            st.slider(
                label,
                low,
                high,
                value,
                step,
                key=f"haircut_set_{name}",
                format="%g",
                on_change=_keep,
                args=(name,),
            )
    st.button("Back to the defaults", icon=":material/undo:", key="haircut_defaults", on_click=_defaults)
    rows = [{name.capitalize(): str(r[name]) for name in SHOWN} for r in described(settings)]
    alt = "Every parameter and its source"
    data_table(pd.DataFrame(rows), key="haircut_parameters_table", alt=alt)


def _keep(name: str) -> None:
    value = st.session_state[f"haircut_set_{name}"]
    usual = HaircutSettings()
    kept = {**view.numbers(KEPT), name: float(value)}
    view.put(KEPT, {k: v for k, v in kept.items() if v != getattr(usual, k, None)})


def _turned() -> HaircutSettings:
    """The usual parameters with those turned here or in the link; what can't be is left out."""
    settings = HaircutSettings()
    kept = view.numbers(KEPT)
    for name, _, low, high, _ in TURNED:
        if name in kept and low <= kept[name] <= high:
            turned: dict[str, Any] = {name: int(kept[name]) if name == "wait" else kept[name]}
            settings = replace(settings, **turned)
    return settings


def _defaults() -> None:
    view.put(KEPT, {})
    for name, *_ in TURNED:
        st.session_state.pop(f"haircut_set_{name}", None)
