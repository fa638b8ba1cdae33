"""Keeping reruns quick: what is loaded for good is taken out of the garbage collector's way.

Streamlit collects garbage after every rerun, which takes 60-90 ms with pandas and plotly loaded and holds up the
messages of that very rerun. Frozen objects are not visited, which leaves well under a millisecond.
"""

import gc
import sys

_modules_when_frozen = 0


def settle() -> None:
    """Freeze what is loaded, again whenever a run has imported further modules. Call at the end of a script run."""
    global _modules_when_frozen
    if len(sys.modules) != _modules_when_frozen:
        _modules_when_frozen = len(sys.modules)
        gc.collect()
        gc.freeze()
