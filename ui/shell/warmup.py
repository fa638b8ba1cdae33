"""Keeping reruns quick: what is loaded for good is taken out of the garbage collector's way.

To look at all objects takes 60-140 ms with pandas and plotly loaded, and holds up the run in which it falls. Frozen
objects are not visited. (Streamlit's own collection after every run is off: .streamlit/config.toml.) While the server
loads the engine nothing is collected at all: that would take a fifth of the time, and find 2,000 small objects.

Working offline, Streamlit too asks nobody: it would look up this machine's public address when a page of another host
opens a connection. (What it prints when it starts needs none: .streamlit/config.toml.)
"""

import gc
import sys

from streamlit import net_util

from data.universe import is_offline

_modules_when_frozen = 0
if is_offline():
    net_util.get_external_ip = lambda: None
    net_util.get_internal_ip = lambda: None


def settle() -> None:
    """Freeze what is loaded, again whenever a run has imported further modules.

    Called at the end of a script run, and when the server has loaded the first page.
    """
    global _modules_when_frozen
    if len(sys.modules) != _modules_when_frozen:
        _modules_when_frozen = len(sys.modules)
        if gc.isenabled():
            gc.collect()
        gc.freeze()
    gc.enable()
