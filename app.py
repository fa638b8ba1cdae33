"""Margin Lab: the only entry for `streamlit run`. Page settings, navigation, the visitor's book; the rest is in ui/.

Streamlit reads this file twice: the server, for `app`, when it starts; and each run of a visitor's page, as a script.
"""

import streamlit as st

if __name__ == "__main__":  # a visitor's run
    st.set_page_config(
        page_title="Margin Lab: what cross-margining frees",
        page_icon="ui/shell/icon.png",
        layout="wide",
        initial_sidebar_state="collapsed",
        menu_items={"About": "**Margin Lab** shows how much capital cross-margining frees for a portfolio, and why."},
    )

    from ui.shell import entrance
    from ui.shell.address import keep_in_address
    from ui.shell.header import header
    from ui.shell.navigation import navigation
    from ui.shell.warmup import settle
    from ui.state.session import open_session

    entry, page = navigation()
    open_session()
    entrance.resume()
    header(entry)
    page.run()
    keep_in_address(entry.question)
    settle()
else:  # the server, as it starts
    from starlette.middleware import Middleware

    from ui.portfolio.opening import first_page
    from ui.shell.ahead import ScriptsAhead
    from ui.shell.ready import ready

    app = st.App(__file__, lifespan=ready(first_page), middleware=[Middleware(ScriptsAhead)])
