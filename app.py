"""Margin Lab: the only entry for `streamlit run`. Page settings, navigation, the visitor's book; the rest is in ui/."""

import streamlit as st

st.set_page_config(
    page_title="Margin Lab: what cross-margining frees",
    page_icon="ui/shell/icon.png",
    layout="wide",
    initial_sidebar_state="collapsed",
    menu_items={"About": "**Margin Lab** shows how much capital cross-margining frees for a portfolio, and why."},
)

from ui.shell import entrance  # noqa: E402  (page settings come first)
from ui.shell.address import keep_in_address  # noqa: E402
from ui.shell.header import header  # noqa: E402
from ui.shell.navigation import navigation  # noqa: E402
from ui.shell.warmup import settle  # noqa: E402
from ui.state.session import open_session  # noqa: E402

entry, page = navigation()
open_session()
entrance.resume()
header(entry)
page.run()
keep_in_address(entry.question)
settle()
