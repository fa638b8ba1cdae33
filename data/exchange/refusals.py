"""Which exchanges refused this host a moment ago, so that they are left alone for a while. Shared by the process."""

import time
from threading import Lock

from data.errors import FetchError, Kind
from data.universe import is_offline

BLOCKED_SECONDS = 600.0
LONGEST_SECONDS = 3600.0

_refused: dict[str, tuple[float, Kind]] = {}  # exchange -> (monotonic time until which it is not asked, why)
_lock = Lock()


def remember(exchange: str, kind: Kind, seconds: float = BLOCKED_SECONDS) -> None:
    """Leave the exchange alone for so many seconds, an hour at most."""
    until = time.monotonic() + min(seconds, LONGEST_SECONDS)
    with _lock:
        if until > _refused.get(exchange, (0.0, kind))[0]:
            _refused[exchange] = until, kind


def check(asset: str, exchange: str) -> None:
    """Raise FetchError when the exchange is to be left alone, or MARGIN_OFFLINE is set."""
    if is_offline():
        raise FetchError(asset, exchange, "offline", "MARGIN_OFFLINE is set, so the network is not tried")
    with _lock:
        until, kind = _refused.get(exchange, (0.0, "blocked"))
    left = until - time.monotonic()
    if left > 0:
        what = "refused this host" if kind == "blocked" else "asked for fewer requests"
        raise FetchError(asset, exchange, kind, f"{exchange} {what} a moment ago; it is asked again in {left:.0f} s")


def forget() -> None:
    """Ask all exchanges again."""
    with _lock:
        _refused.clear()
