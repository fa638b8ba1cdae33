"""How often one visitor may look addresses up: a public page must not become somebody's scraper."""

from collections import OrderedDict, deque
from threading import Lock

MOST = 6
SPAN_SECONDS = 60.0
MAX_VISITORS = 10_000


class Limiter:
    """At most `most` look-ups per visitor in any `span` seconds; remembers MAX_VISITORS visitors, the newest ones."""

    def __init__(self, most: int = MOST, span: float = SPAN_SECONDS):
        self.most, self.span = most, span
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = Lock()

    def wait(self, visitor: str, now: float) -> float:
        """0 where the look-up may be made (it is counted), else the seconds until the next one. `now`: seconds."""
        with self._lock:
            times = self._asked.setdefault(visitor, deque())
            self._asked.move_to_end(visitor)
            while len(self._asked) > MAX_VISITORS:
                self._asked.popitem(last=False)
            while times and times[0] <= now - self.span:
                times.popleft()
            if len(times) >= self.most:
                return times[0] + self.span - now
            times.append(now)
            return 0.0
