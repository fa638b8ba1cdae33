"""Last prices followed every few seconds for as long as somebody looks at them."""

import asyncio
import atexit
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from data.exchange.client import Patience
from data.exchange.registry import EXCHANGES
from data.exchange.tickers import HASTY, Desk, LastPrice
from data.universe import FUNDS, check_asset
from margin.core.errors import InputError

EVERY_SECONDS = 4.0
FIRST_WAIT, LONGEST_WAIT = 15.0, 600.0  # after a round without any price
WANTED_SECONDS = 20.0  # what nobody asked for in so long is not followed any more
KEPT_SECONDS = 60.0  # an older price is not a last price any more
MOST_ASSETS = 60


class LiveFeed:
    """Follows what was asked for lately, in a thread of its own that ends when nobody asks. Thread-safe.

    Its connections stay open from one round to the next: opening an exchange means loading its whole list of markets.
    """

    def __init__(self, patience: Patience = HASTY):
        self._patience = patience
        self._lock = threading.Lock()
        self._wanted: dict[str, float] = {}  # asset -> when it was last asked for, monotonic
        self._marked: dict[tuple[str, str], float] = {}  # those of them held as contracts, and the venue ("" for none)
        self._tried: set[str] = set()  # what the last round looked for
        self._known: dict[str, LastPrice] = {}
        self._reachable: bool | None = None
        self._wait = 0.0
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._closes_at_exit = False

    @property
    def reachable(self) -> bool | None:
        """Whether the last round got any price; None before the first."""
        return self._reachable

    def ask(self, assets: Iterable[str], marked: Mapping[str, Iterable[str]] | None = None) -> dict[str, LastPrice]:
        """What is known, at once; newer prices are fetched behind. An asset without a fresh one is left out.

        marked : those held as contracts with the venues they are held at, as for `Desk.last_prices`
        """
        names = [name for name in map(_known_name, dict.fromkeys(assets)) if name and name not in FUNDS]
        now = datetime.now(UTC)
        with self._lock:
            self._wanted.update(dict.fromkeys(names, time.monotonic()))
            held = [(a, venue) for a, venues in (marked or {}).items() if a in names for venue in (*venues, "")]
            self._marked.update(dict.fromkeys(held, time.monotonic()))
            if self._thread is None and names:
                self._start()
            known = {name: self._known[name] for name in names if name in self._known}
        return {name: price for name, price in known.items() if (now - price.at).total_seconds() < KEPT_SECONDS}

    def _start(self) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, daemon=True, name="live-prices")
        self._thread.start()
        if not self._closes_at_exit:
            self._closes_at_exit = True
            atexit.register(self.close)

    def close(self, seconds: float = 5.0) -> None:
        """End the thread and close its connections; asking again starts anew."""
        thread = self._thread
        self._stop.set()
        if thread is not None:
            thread.join(seconds)

    def wait(self, seconds: float = 20.0) -> bool:
        """Wait for the first round to end, for scripts and tests; True when it did."""
        until = time.monotonic() + seconds
        while self._reachable is None and time.monotonic() < until:
            time.sleep(0.02)
        return self._reachable is not None

    def _run(self) -> None:
        try:
            asyncio.run(self._follow())
        finally:
            with self._lock:
                self._thread = None

    async def _follow(self) -> None:
        desk = Desk(exchanges=EXCHANGES, patience=self._patience)
        try:
            while not self._stop.is_set() and (names := self._names()):
                try:
                    found = await desk.last_prices(names, self._contracts())
                except Exception:  # whatever an exchange made of its answer: the page must not wait for a dead thread
                    found = {}
                self._take(names, found)
                await self._pause()
        finally:
            await desk.close()

    def _names(self) -> list[str]:
        limit = time.monotonic() - WANTED_SECONDS
        with self._lock:
            self._wanted = {asset: at for asset, at in self._wanted.items() if at > limit}
            return sorted(self._wanted, key=lambda asset: -self._wanted[asset])[:MOST_ASSETS]

    def _contracts(self) -> dict[str, list[str]]:
        limit = time.monotonic() - WANTED_SECONDS
        held: dict[str, list[str]] = {}
        with self._lock:
            self._marked = {key: at for key, at in self._marked.items() if at > limit}
            for asset, venue in self._marked:
                held.setdefault(asset, []).append(venue)
        return held

    def _take(self, names: list[str], found: dict[str, LastPrice]) -> None:
        with self._lock:
            self._known.update(found)
            self._tried = set(names)
            self._reachable = bool(found)
            self._wait = EVERY_SECONDS if found else min(max(2 * self._wait, FIRST_WAIT), LONGEST_WAIT)

    async def _pause(self) -> None:
        """Until the next round; sooner when something new is asked for and exchanges answer."""
        until = time.monotonic() + self._wait
        while time.monotonic() < until and not self._stop.is_set():
            await asyncio.sleep(0.1)
            names = self._names()
            if not names or (self._reachable and not self._tried.issuperset(names)):
                return


def _known_name(asset: str) -> str | None:
    try:
        return check_asset(asset)
    except InputError:
        return None
