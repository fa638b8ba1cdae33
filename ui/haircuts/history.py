"""Was the haircut enough, and what do venues publish?"""

import pandas as pd
import streamlit as st

from margin.core.errors import InputError
from margin.haircut.history import HaircutHistory, haircut_history
from margin.haircut.model import haircut
from margin.haircut.published import PublishedHaircut, not_found, published_haircuts, read_on
from margin.haircut.settings import HaircutSettings
from margin.sample.events import load_events
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, percent, share
from ui.blocks.tables import data_table
from ui.blocks.text import dollars, plain
from ui.charts import haircuts as charts_haircuts
from ui.state import compute
from ui.state.prices import ActivePrices

_history = compute.remembered(haircut_history, 16)


def through_time(active: ActivePrices, settings: HaircutSettings, size: float, as_of: str | None) -> None:
    """Each day's haircut against the price drop that followed it."""
    assets = [a for a in active.assets if a != "USD"]
    first = assets.index("BTC") if "BTC" in assets else 0
    asset = st.selectbox("Asset", assets, first, key="haircut_time_asset", bind="query-params", persist_state="session")
    found = _history(active.market, asset, size_usd=size, settings=settings, as_of=as_of, every=1)
    exceeded = 100.0 * found.exceedances / found.known if found.known else 0.0
    said = (
        f"{plain(asset)}: the drop that followed was larger than the haircut on **{found.exceedances:,} of "
        f"{found.known:,} days** ({percent(exceeded, 2)}); a level of {100 * settings.level:g}% allows "
        f"{percent(100 * found.allowed, 1)}."
    )
    st.markdown(said)
    if found.exceedances:
        st.markdown(f"The worst drop went {percent(100 * found.largest_shortfall, 1)} of the price beyond it.")
    alt = f"Haircut of {asset} through time and the drops that followed: exceeded {found.exceedances} of {found.known}."
    chart(charts_haircuts.through_time(found, load_events()), "haircut_history", alt)
    days = found.haircuts[-1].horizon_days
    st.caption(
        dollars(
            f"A holding of {money(size)}; the drop is to the close when all would have been sold, {days:.1f} days "
            "later at today's volume. Each haircut uses prices up to its own day only. Dotted: named market events. "
            "Days overlap, so drops come in clusters."
        )
    )
    csv_button("This series", lambda: history_table(found), f"haircut_history_{asset}")


def history_table(found: HaircutHistory) -> pd.DataFrame:
    parts = {f"{name}": found.parts[:, i] for i, name in enumerate(charts_haircuts.NAMES)}
    figures = {"haircut": found.totals, **parts, "drop": found.drops, "worst_drop": found.worst_drops}
    days = pd.DatetimeIndex(found.dates).strftime("%Y-%m-%d")
    return pd.DataFrame({"date": days, **figures, "exceeded": found.exceeded})


def beside_venues(active: ActivePrices, settings: HaircutSettings, size: float, as_of: str | None) -> None:
    """Our haircut beside every published one we have, each with its date and source."""
    table = pd.DataFrame([_row(p, active, settings, size, as_of) for p in published_haircuts()])
    written = dict.fromkeys(("Published", "Ours"), share)
    data_table(table, key="haircut_venues", alt="Published haircuts beside ours", formats=written)
    st.caption(
        dollars(
            f"For a holding of {money(size)}. Venues change these figures often: the date is that of publication, and "
            f"all were read on {read_on()}. Empty: tiers without known sizes, or no prices here."
        )
    )
    for row in not_found():
        st.caption(f"{plain(row['venue'])}: {plain(row['what'])}. Known: {plain(row['formula'])}.")
    csv_button("This table", lambda: table, "haircuts_of_venues")


def _row(
    p: PublishedHaircut, active: ActivePrices, settings: HaircutSettings, size: float, as_of: str | None
) -> dict[str, object]:
    ours = price = None
    if p.asset in active.market:
        try:
            found = haircut(active.market, p.asset, size, as_of, settings)
            ours, price = found.total, found.price
        except InputError:
            pass  # no recent price: the cell stays empty
    sized = price is not None or p.unit != "coin" or size == 0
    published = p.at(size, price or 1.0) if sized else None
    return {
        "Venue": p.venue,
        "Asset": p.asset,
        "Published": published,
        "Ours": ours,
        "First tier": f"{100 * p.rates[0]:g}%",
        "Kind": p.kind,
        "Date": p.date or "not dated",
        "Source": p.source,
        "Note": p.note,
    }
