"""Live margin tiers of several venues side by side, within a bound of time, and stopped at will."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Event

from data.errors import FetchError
from data.exchange.client import Patience
from data.exchange.tiers import LiveTiers, fetch_tiers
from margin.core.errors import InputError

SECONDS = 10.0
STEP = 0.05
PATIENCE = Patience(timeout=4.0, tries=2)


@dataclass(frozen=True)
class TierAnswers:
    """What came (by venue), and why the rest did not (one line each)."""

    tiers: dict[str, LiveTiers]
    failures: dict[str, str]


def fetch_all_tiers(
    venues: Iterable[str],
    assets: Iterable[str],
    seconds: float = SECONDS,
    cancel: Event | None = None,
    patience: Patience = PATIENCE,
    arrived: Callable[[LiveTiers], None] | None = None,
    progress: Callable[[float], None] | None = None,
) -> TierAnswers:
    """Tiers of the assets at every venue, asked at the same time.

    seconds  : after so many what has come counts; a silent venue is in `failures`
    cancel   : set it to return within a moment with what has come
    arrived  : gets each venue's tiers as they come, in this thread
    progress : called often with the share of venues that have answered; what it raises ends the asking
    Never raises for the network; InputError of a venue or asset is in `failures` too.
    """
    names, wanted = list(dict.fromkeys(venues)), list(assets)
    tiers: dict[str, LiveTiers] = {}
    failures: dict[str, str] = {}
    lock = threading.Lock()

    def ask(venue: str) -> None:
        try:
            found = fetch_tiers(venue, wanted, patience)
        except (FetchError, InputError) as error:
            with lock:
                failures[venue] = error.message if isinstance(error, FetchError) else str(error)
        except Exception as error:  # one venue's oddity must not take the others down
            with lock:
                failures[venue] = f"{venue} failed: {type(error).__name__}"
        else:
            with lock:
                tiers[venue] = found

    # Daemons: a silent venue is left to its own time limit, nobody waits for it.
    threads = [threading.Thread(target=ask, args=(name,), daemon=True, name=f"tiers-{name}") for name in names]
    for thread in threads:
        thread.start()
    until = time.monotonic() + seconds
    handed: set[str] = set()

    def hand_over() -> None:
        with lock:
            new = {name: found for name, found in tiers.items() if name not in handed}
            answered = len(tiers) + len(failures)
        for name, found in new.items():
            handed.add(name)
            if arrived is not None:
                arrived(found)
        if progress is not None:
            progress(answered / max(len(names), 1))

    while any(t.is_alive() for t in threads) and time.monotonic() < until and not (cancel and cancel.is_set()):
        hand_over()
        time.sleep(STEP)
    hand_over()
    with lock:
        stopped = "stopped before it answered" if cancel and cancel.is_set() else f"no answer within {seconds:g} s"
        missing = {name: stopped for name in names if name not in tiers and name not in failures}
        return TierAnswers(dict(tiers), {**failures, **missing})
