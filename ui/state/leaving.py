"""When a visitor leaves: what the visit held is dropped, and its memory goes back to the system.

Streamlit keeps the state of a visit whose connection ended, so that the visitor can come back, and lets go of it when
the next one ends. Where nobody comes after, that is never. So the visit is closed here, when the time to come back is
over.
"""

import asyncio
import ctypes
import gc
import sys
import time
from dataclasses import dataclass
from threading import Lock, Thread

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.state.visit import Things, things

GRACE = 100.0  # seconds to come back in; below server.disconnectedSessionTTL, after which nobody can close the visit
PAUSE = 1.0  # seconds; a crowd that leaves together is tidied up after once
_waiting: dict[int, asyncio.TimerHandle] = {}  # by the visit's things
_asked = Lock()


@dataclass(frozen=True, eq=False)
class Visit:
    """A visit: Streamlit's name for its session, and what it holds."""

    session: str
    things: Things


def watch() -> None:
    """Have the visit closed some time after its visitor is gone; called in every run."""
    context = get_script_run_ctx()
    if context is not None and runtime.exists():
        _stay(Visit(context.session_id, things()))


def left(visit: Visit) -> None:
    """The visitor's connection ended: close the visit after GRACE seconds, unless the visitor is back by then."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # not the server's thread: the visit itself was dropped, and nothing of it is left
        return
    if earlier := _waiting.pop(id(visit.things), None):
        earlier.cancel()
    _waiting[id(visit.things)] = loop.call_later(GRACE, _close, visit)


@st.cache_resource(scope="session", on_release=left, show_spinner=False)
def _stay(_visit: Visit) -> Visit:
    """Released by Streamlit when the connection of this visit ends."""
    return _visit


def _close(visit: Visit) -> None:
    _waiting.pop(id(visit.things), None)
    server = runtime.get_instance()
    if not server.is_active_session(visit.session):
        server.close_session(visit.session)
        visit.things.drop()
        give_back_soon()


def give_back_soon() -> None:
    """`give_back` behind the pages: once for all who ask within its pause."""
    if _asked.acquire(blocking=False):
        Thread(target=_give_back_once, name="give-memory-back", daemon=True).start()


def _give_back_once() -> None:
    time.sleep(PAUSE)
    _asked.release()
    give_back()


def give_back() -> None:
    """Free what only points to itself, and hand unused pages to the system: allocators keep them otherwise.

    ui/shell/warmup.py has frozen what was loaded for good, and with it what visits held at that moment: in a frozen
    ring nothing is ever freed. So all is looked at once, and frozen anew.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    if arrow := sys.modules.get("pyarrow"):
        arrow.default_memory_pool().release_unused()
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)
