"""Undo, redo, import, share and download: small buttons over the tables, each panel built only when it is open."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st

from margin.ladder.compare import Comparison
from ui.blocks.copy_button import copy_button
from ui.blocks.importing import import_panel
from ui.portfolio import report
from ui.portfolio.accounts import accounts_panel
from ui.state import book, share
from ui.state.compute import Answer
from ui.state.prices import ActivePrices


def toolbar(now: Answer, active: ActivePrices) -> None:
    history = book.history()
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="toolbar"):
        st.button(
            "Undo", icon=":material/undo:", on_click=book.undo, disabled=not history.past, type="tertiary", key="undo"
        )
        st.button(
            "Redo", icon=":material/redo:", on_click=book.redo, disabled=not history.future, type="tertiary", key="redo"
        )
        st.button(
            "Compare from here",
            icon=":material/flag:",
            on_click=book.compare_from_here,
            disabled=history.present.book == history.present.baseline,
            type="tertiary",
            help="The figures show what changed since the book was opened. Start counting from the book as it is now.",
            key="rebase",
        )
        with _panel("Accounts", ":material/account_balance:", "panel_accounts") as panel:
            if panel.open:
                accounts_panel()
        with _panel("Import", ":material/upload:", "panel_import") as panel:
            if panel.open:
                import_panel()
        with _panel("Share", ":material/link:", "panel_share") as panel:
            if panel.open:
                share_panel(active)
        with _panel("Download", ":material/download:", "panel_download") as panel:
            if panel.open:
                download_panel(now, active)


def _panel(label: str, icon: str, key: str) -> Any:
    return st.popover(label, icon=icon, type="tertiary", key=key, on_change="rerun")


def share_panel(active: ActivePrices) -> None:
    """The link, and what it carries."""
    shared = book.current()
    st.markdown("This link opens **this book with these settings**.")
    if active.origin == "fetched" and shared.settings.as_of is None:
        day = active.last_day.isoformat()
        if st.toggle(
            f"Freeze prices at {day}", True, key="share_freeze", help="Off: the link follows the latest prices."
        ):
            shared = replace(shared, settings=shared.settings.with_(as_of=day))
    link = address(share.encode(shared, active.origin))
    copy_button("Copy this link", link, key="copy_link")
    st.code(link, language=None, wrap_lines=True, height=120)
    if active.origin == "upload":
        st.caption("Your price file stays with you: whoever opens the link sees the same book on other prices.")


def address(parameter: str) -> str:
    """The app's own address with the book in it."""
    parts = urlsplit(st.context.url or "")
    root = f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.netloc else "/"
    return f"{root}?{urlencode({share.PARAMETER: parameter})}"


def download_panel(now: Answer, active: ActivePrices) -> None:
    """Files are made when their button is pressed, not before."""
    portfolio, comparison = book.current().portfolio, now.comparison
    _save("Book, JSON", lambda: portfolio.to_json(), "book.json", "application/json")
    _save("Book, CSV", lambda: portfolio.to_csv(), "book.csv", "text/csv")
    if comparison is None:
        st.caption("The report and the results need a book that can be computed.")
        return
    _save("Report, HTML with charts", lambda: html_report(now, comparison, active), "margin-lab.html", "text/html")
    _save(
        "Results, JSON",
        lambda: json.dumps(comparison.to_dict(), indent=2, allow_nan=False),
        "results.json",
        "application/json",
    )
    _save("Results, CSV", lambda: report.csv(comparison), "results.csv", "text/csv")
    st.caption(f"The same figures in Python. {report.NEEDS.replace('pip install .', '`pip install .`')}")
    prices_file = None if active.origin == "sample" else "prices.csv"
    snippet = report.python_snippet(now.portfolio, comparison.settings, prices_file)
    copy_button("Copy as Python", snippet, key="copy_python")
    st.code(snippet, language=None, height=160)
    if prices_file:
        st.caption(f"It reads {prices_file}: download that on the Data page.")


def html_report(now: Answer, comparison: Comparison, active: ActivePrices) -> str:
    return report.html(comparison, now.portfolio, active.priceset)


def _save(label: str, make: Any, name: str, mime: str) -> None:
    st.download_button(
        label, make, name, mime, key=f"save_{name}", on_click="ignore", icon=":material/download:", type="tertiary"
    )
