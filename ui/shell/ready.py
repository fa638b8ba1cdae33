"""What the server does as it starts: the first page is loaded and computed while a browser still fetches Streamlit.

Streamlit runs nothing of an app before its first visitor asks. From the server's start to that moment pass 0.5 to 1 s;
pandas, the engine, the sample and the first answer need about as long. The work begins when the server listens: before,
it would only keep the browser waiting.
"""

import gc
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import streamlit as st

_OPEN_AFTER = 0.5  # seconds, by when the port is the one that was free
_LISTENS_AFTER = 0.25  # seconds from here to the first answer; Streamlit says nothing when it listens
_begun: list[threading.Thread] = []


def ready(*works: Callable[[], None]) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """For `st.App`: its lifespan. Each work begins in a thread of its own when the server listens, once a process."""
    gc.disable()  # until the first page is loaded (ui/shell/warmup.py)

    @asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        if not _begun:  # a port that is taken starts the server anew
            for work in (*works, _open_browser):
                _begun.append(threading.Timer(_LISTENS_AFTER, work))
                _begun[-1].daemon = True
                _begun[-1].start()
        yield

    return lifespan


def _open_browser() -> None:
    """As `streamlit run` does for a script, and leaves to the app where it is given one."""
    if not st.get_option("server.headless"):
        from streamlit import cli_util, config
        from streamlit.web.server import server_util

        time.sleep(_OPEN_AFTER)
        for name in ("browser.serverAddress", "server.address"):
            if config.is_manually_set(name):
                host = config.get_option(name)
                break
        else:
            host = "localhost"
        cli_util.open_browser(server_util.get_url("localhost" if host in ("0.0.0.0", "::") else host))
