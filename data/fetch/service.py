"""Prices for a running app: stored ones at once, fresh ones from a background thread, last prices every few seconds.

One service serves every visitor of the process. Nothing here waits for the network in the caller's thread.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Literal

from data.exchange.client import Patience
from data.exchange.tickers import LastPrice
from data.fetch.fetch import fetch_prices, stored_prices
from data.fetch.live import LiveFeed
from data.model import Interval, PriceSet
from data.sample import load_sample
from data.store.store import Notice, Store, default_store
from data.universe import is_offline
from margin.core.errors import MarginLabError

State = Literal["idle", "running", "done", "failed"]
SNAPSHOT_SECONDS = 60.0


class PriceService:
    """Thread-safe; share one per process."""

    def __init__(self, store: Store | None = None, patience: Patience | None = None):
        self._store = store
        self._patience = patience
        self._lock = threading.Lock()
        self._snapshot: PriceSet | None = None
        self._snapshot_taken = 0.0
        self._thread: threading.Thread | None = None
        self._cancel = threading.Event()
        self._progress: dict[str, tuple[float, str]] = {}
        self._state: State = "idle"
        self._message = ""
        self._failures: dict[str, str] = {}
        self._run = 0
        self.live = LiveFeed()

    @property
    def store(self) -> Store:
        """The store that fetches are kept in."""
        with self._lock:
            if self._store is None:
                self._store = default_store()
            return self._store

    @property
    def state(self) -> State:
        """How far the fetch under way is."""
        return self._state

    @property
    def run(self) -> int:
        """The number of the refresh that was started last; who started it knows it as theirs."""
        return self._run

    @property
    def message(self) -> str:
        """One line on how the last refresh ended."""
        return self._message

    @property
    def failures(self) -> dict[str, str]:
        """Assets the last refresh could not get, and why."""
        return dict(self._failures)

    @property
    def notices(self) -> list[Notice]:
        """What the store has to say (damage, a full disk)."""
        return self.store.notices

    def snapshot(self) -> PriceSet:
        """Stored prices at once, marked stored or stale; the bundled sample when nothing is stored."""
        store = self.store
        with self._lock:
            kept, age = self._snapshot, time.monotonic() - self._snapshot_taken
        if kept is None or age > SNAPSHOT_SECONDS:  # what is stored grows old, and another process may add to it
            stored = stored_prices(store)
            fresh = load_sample() if stored.closes.empty else stored
            kept = (
                fresh if kept is None or fresh.version != kept.version or _statuses(fresh) != _statuses(kept) else kept
            )
            with self._lock:
                self._snapshot, self._snapshot_taken = kept, time.monotonic()
        return kept

    def refresh(
        self,
        assets: Iterable[str],
        days: int = 1500,
        interval: Interval = "1d",
        exchanges: Iterable[str] | None = None,
    ) -> bool:
        """Start fetching in the background; False when a refresh is already running. See `state` and `progress`."""
        names = list(dict.fromkeys(assets))
        with self._lock:
            if self._state == "running":
                return False
            self._state, self._message, self._failures = "running", "", {}
            self._cancel = threading.Event()
            self._run += 1
            self._progress = dict.fromkeys(names, (0.0, "waiting"))
        arguments = (names, days, interval, None if exchanges is None else list(exchanges), self._cancel)
        self._thread = threading.Thread(target=self._refresh, args=arguments, daemon=True, name="price-refresh")
        self._thread.start()
        return True

    def _refresh(
        self, names: list[str], days: int, interval: Interval, exchanges: list[str] | None, cancel: threading.Event
    ) -> None:
        try:
            got = fetch_prices(names, days, interval, exchanges, self.store, None, self._report, cancel, self._patience)
        except MarginLabError as error:
            self._finish("failed", str(error), {})
            return
        except Exception as error:  # a background thread must not die unseen
            self._finish("failed", f"The refresh stopped: {type(error).__name__}: {error}", {})
            return
        stored = stored_prices(self.store)
        with self._lock:
            self._snapshot, self._snapshot_taken = (None if stored.closes.empty else stored), time.monotonic()
        stopped = "Stopped; what came is kept. " if cancel.is_set() else ""
        text = f"{stopped}{len(got.assets)} of {len(names)} assets"
        self._finish("done" if got.assets else "failed", text, got.failures)

    def _report(self, asset: str, share: float, text: str) -> None:
        with self._lock:
            self._progress[asset] = (share, text)

    def _finish(self, state: State, message: str, failures: dict[str, str]) -> None:
        with self._lock:
            self._state, self._message, self._failures = state, message, dict(failures)

    def progress(self) -> dict[str, tuple[float, str]]:
        """Per asset: share done 0..1 and what is happening."""
        with self._lock:
            return dict(self._progress)

    def cancel(self) -> None:
        """Stop the refresh soon; what came is kept."""
        self._cancel.set()

    def wait(self, seconds: float = 60.0) -> bool:
        """Wait for the running refresh, for scripts and tests; True when it ended."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._state != "running"

    def last_prices(
        self, assets: Iterable[str], marked: Mapping[str, Iterable[str]] | None = None
    ) -> dict[str, LastPrice]:
        """Last prices as far as known, at once; newer ones are fetched behind the page every few seconds.

        marked : those held as contracts with the venues they are held at, whose mark prices are wanted

        Empty while no exchange has answered. After a failure the next try waits longer each time, up to ten minutes.
        """
        return {} if is_offline() else self.live.ask([asset for asset in assets if asset != "USD"], marked)


def _statuses(prices: PriceSet) -> list[tuple[str, str]]:
    return [(p.asset, p.status) for p in prices.provenance.values()]
