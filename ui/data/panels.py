"""The parts of the Data page: which prices are in use, what is known of them, refresh, upload, download."""

import io
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from data.exchange.registry import EXCHANGES
from data.files.layout import AssetNotNamed
from data.files.read import prices_to_csv, prices_to_parquet, read_prices
from data.universe import NAMES, is_offline
from margin.core.errors import InputError
from ui import charts
from ui.blocks.exporting import chart
from ui.blocks.tables import data_table
from ui.blocks.text import plain
from ui.state import book, prices
from ui.state.prices import ORIGIN_NAMES, ActivePrices

SPANS = {"1 year": 365, "2 years": 730, "4 years": 1460, "8 years": 2920}
STATUS_NAMES = {
    "live": "just fetched",
    "stored": "fresh",
    "stale": "stale, waiting to be refreshed",
    "sample": "sample, partly simulated",
    "upload": "your file",
    "ended": "ended: delisted, renamed or no longer recorded",
}
MAX_ASSETS = 40  # a refresh of more would keep one visitor's wishes before everybody else's


def choice(active: ActivePrices) -> None:
    """Which price set the pages compute on, and its size in figures."""
    if len(prices.origins()) > 1:
        picked = st.segmented_control(
            "Prices in use",
            prices.origins(),
            default=active.origin,
            required=True,
            format_func=ORIGIN_NAMES.__getitem__,
            key=f"origin_{active.version}",
        )
        if picked != active.origin:
            prices.choose(picked)
            st.rerun()
    if active.origin == "sample":
        st.caption(
            "Sample, partly simulated: month ends and named crash days are as recorded, the days between and the "
            "volumes are simulated to come close to the record. To use others, refresh or bring a file below."
        )
    held = active.priceset.closes.notna()
    with st.grid(4, min_column_width=150, key="data_cards"):
        st.metric("Assets", len(active.assets), border=True, height="stretch")
        st.metric("First close", active.first_day.isoformat(), border=True, height="stretch")
        st.metric("Last close", active.last_day.isoformat(), border=True, height="stretch")
        st.metric("Closes", f"{int(held.to_numpy().sum()):,}", border=True, height="stretch")


def coverage(active: ActivePrices) -> None:
    alt = f"From when to when each of {len(active.assets)} assets has closes; the table below has the dates."
    chart(charts.coverage(active.priceset), "chart_coverage", alt)


def provenance(active: ActivePrices) -> None:
    """Where each series comes from and how fresh it is."""
    rows = [
        {
            "Asset": asset,
            "Name": NAMES.get(asset, ""),
            "Source": p.source,
            "Symbol there": p.symbol,
            "Freshness": STATUS_NAMES[active.priceset.word_of(asset)],
            "First": _day(p.first),
            "Last": _day(p.last),
            "Closes": p.rows,
            "Fetched": f"{p.fetched_at:%Y-%m-%d %H:%M} UTC" if p.fetched_at else "",
            "Note": "" if p.note == STATUS_NAMES[active.priceset.word_of(asset)] else p.note,
        }
        for asset, p in active.priceset.provenance.items()
    ]
    if all(row["Symbol there"] == row["Asset"] for row in rows):
        rows = [{name: value for name, value in row.items() if name != "Symbol there"} for row in rows]
    data_table(pd.DataFrame(rows), key="table_provenance", alt="Source and freshness of each asset")


def cleaning(active: ActivePrices) -> None:
    """What was noticed in the prices and what was done about it."""
    findings = active.priceset.findings
    if not findings:
        st.caption("Nothing was out of the ordinary.")
        return
    rows = [
        {
            "Asset": f.asset,
            "What": f.kind,
            "Candles": f.count,
            "First": _day(f.first),
            "Last": _day(f.last),
            "Done": f.action,
            "Detail": f.detail,
        }
        for f in findings
    ]
    data_table(pd.DataFrame(rows), key="table_findings", alt="What cleaning found in the prices")


def refresh_form() -> None:
    """Choose what to fetch and start it; the fragment below shows how it goes."""
    if is_offline():
        st.info(
            "This app runs offline, so nothing is fetched: use the sample or bring a file.", icon=":material/cloud_off:"
        )
        return
    usual = list(dict.fromkeys((*book.current().portfolio.assets, *prices.UNIVERSE)))  # not what others fetched
    assets = st.multiselect(
        "Assets",
        sorted({*usual, *NAMES}),
        default=usual[:MAX_ASSETS],
        accept_new_options=True,
        max_selections=MAX_ASSETS,
        format_func=lambda asset: f"{asset} · {NAMES[asset]}" if asset in NAMES else asset,
        help="Coins from exchanges, SPY, QQQ, GLD, TLT and other tickers from Yahoo. Type one that is not listed.",
        key="refresh_assets",
    )
    with st.container(horizontal=True, vertical_alignment="bottom", key="refresh_row"):
        span = st.selectbox("How far back", list(SPANS), 2, key="refresh_span", width=160)
        interval = st.segmented_control(
            "Candles",
            ["1d", "1h"],
            default="1d",
            required=True,
            format_func=lambda i: {"1d": "Daily", "1h": "Hourly"}[i],
            help="The pages compute on daily closes. Hourly ones fill days that those lack; Forecast uses them.",
            key="refresh_interval",
        )
    exchanges = st.multiselect(
        "Exchanges, in the order they are asked", EXCHANGES, default=EXCHANGES, key="refresh_exchanges"
    )
    busy = prices.service().state == "running"
    st.button(
        "Refresh",
        type="primary",
        icon=":material/refresh:",
        disabled=busy or not assets or not exchanges,
        on_click=_start_refresh,
        args=(tuple(assets), SPANS[span], interval, tuple(exchanges)),
        key="refresh_start",
    )
    progress(busy)


def _start_refresh(assets: tuple[str, ...], days: int, interval: Any, exchanges: tuple[str, ...]) -> None:
    try:
        if not prices.refresh(assets, days, interval, exchanges):
            st.toast("A refresh is running already.", icon=":material/hourglass_top:")
    except InputError as error:
        st.session_state["refresh_error"] = str(error)
    else:
        st.session_state.pop("refresh_error", None)


def progress(busy: bool) -> None:
    """How the running refresh goes, asset by asset; renewed twice a second, and only while there is one."""
    if error := st.session_state.get("refresh_error"):
        st.error(plain(error), icon=":material/error:")
    st.fragment(_progress, run_every=0.5 if busy else None)(busy)


def _progress(busy: bool) -> None:
    service = prices.service()
    if busy and service.state != "running":
        st.rerun()  # the whole page: new prices, the button free again
    if service.state == "running" and not prices.refresh_is_mine():
        st.markdown(
            ":material/hourglass_top: Prices are being refreshed; another refresh can start when this one is over."
        )
        return
    if service.state == "running":
        st.button("Stop, keep what came", icon=":material/stop:", on_click=prices.stop_refresh, key="refresh_stop")
        with st.grid("auto", min_column_width=220, gap="xsmall", key="refresh_bars"):
            for asset, (share, text) in service.progress().items():
                st.progress(min(max(share, 0.0), 1.0), f"{plain(asset)}: {plain(text)}")
        return
    if not prices.refresh_is_mine():
        return
    if service.message:
        icon = ":material/check_circle:" if service.state == "done" else ":material/warning:"
        st.markdown(f"{icon} {plain(service.message)}")
    for asset, reason in service.failures.items():
        st.caption(f"{plain(asset)}: {plain(reason)}")


def upload() -> None:
    """A price file of the visitor's own, read with a report; it stays in this session."""
    st.markdown(
        "A CSV or Parquet file with a `date` column and one column of USD closes per asset, or one row per date "
        "and asset (`date, asset, close[, volume]`). At most 2 MB; it stays in this session."
    )
    file = st.file_uploader("Price file", ["csv", "parquet", "txt"], key="upload_file", label_visibility="collapsed")
    if file is None:
        prices.forget_looked()
        return
    try:
        found = _looked(file)
        if found is None:
            return
        priceset = found.priceset
    except InputError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    closes = priceset.closes
    count = int(closes.notna().to_numpy().sum())
    st.markdown(
        f"Read **{count:,} closes** of **{len(closes.columns)} assets**, {closes.index[0]:%Y-%m-%d} to "
        f"{closes.index[-1]:%Y-%m-%d}: {plain(', '.join(closes.columns[:12]))}"
        f"{'…' if len(closes.columns) > 12 else ''}."
    )
    for finding in priceset.findings[:20]:
        detail = f": {plain(finding.detail)}" if finding.detail else ""
        st.caption(f"{plain(finding.asset)}, {plain(finding.kind)}: {finding.count} {plain(finding.action)}{detail}")
    st.button(
        "Use these prices",
        type="primary",
        icon=":material/check:",
        on_click=prices.use_upload,
        key="use_upload",
    )


def _looked(file: Any) -> ActivePrices | None:
    """The file that was brought; None while one that holds one asset waits for its visitor to say which."""
    box = f"upload_asset_{file.file_id}"
    given = str(st.session_state.get(box) or "").strip()
    if given:
        _which_asset(box)
    try:
        with st.spinner("Reading the file"):
            return prices.look_at(
                (file.file_id, given), lambda: read_prices(file.getvalue(), file.name, asset=given or None)
            )
    except AssetNotNamed:
        prices.forget_looked()
        _which_asset(box)
        return None


def _which_asset(box: str) -> None:
    st.text_input(
        "Which asset does this file hold?",
        placeholder="BTC",
        help="It holds the prices of one asset, and neither its columns nor its name say which.",
        key=box,
    )


def download(active: ActivePrices) -> None:
    """The closes in use, as a file the command line and the upload read too."""
    name = f"closes_{active.last_day.isoformat()}"
    with st.container(horizontal=True, key="download_row"):
        st.download_button(
            "CSV",
            lambda: prices_to_csv(active.priceset),
            f"{name}.csv",
            "text/csv",
            on_click="ignore",
            key="save_prices_csv",
            icon=":material/download:",
        )  # fmt: skip
        st.download_button(
            "Parquet", lambda: io.BytesIO(prices_to_parquet(active.priceset)), f"{name}.parquet",
            "application/vnd.apache.parquet", on_click="ignore", key="save_prices_parquet", icon=":material/download:",
        )  # fmt: skip
    if active.origin == "sample":
        st.caption("The file holds the sample, partly simulated: say so where you show it.")


def store_notices() -> None:
    """What the price store has to say (damage, a full disk): rare, and then important."""
    for notice in filter(lambda line: prices.sees(line.asset), prices.service().notices):
        st.warning(plain(notice), icon=":material/database:")


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d}"
