"""The watch itself: look, print, speak, wait; an outage ends nothing."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from data.errors import FetchError
from data.store.files import data_directory
from data.watch.alarm import Alarm, Seen
from data.watch.notify import Send
from margin.core.errors import InputError, one_line

LEAST_SECONDS, MOST_SECONDS = 10.0, 86_400.0
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """Seconds from "60", "60s", "5m" or "1h". Raises InputError outside ten seconds to a day."""
    said = str(text).strip().lower()
    number, unit = (said[:-1], UNITS[said[-1]]) if said[-1:] in UNITS else (said, 1.0)
    try:
        found = float(number) * unit
    except ValueError:
        found = -1.0
    if not LEAST_SECONDS <= found <= MOST_SECONDS:
        raise InputError("--every", text, "must be from 10 seconds to a day", "E.g. 60, 5m or 1h.")
    return found


def watch(
    look: Callable[[datetime], Seen],
    send: Send,
    alarm: Alarm,
    say: Callable[[str], None],
    *,
    every: float = 60.0,
    once: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None],
    looks: int | None = None,
) -> bool:
    """Look until stopped (`once`, or `looks` times); whether the last look saw anything.

    What cannot be watched at all raises InputError at the first look; later it is one more reason to be blind.
    """
    done = 0
    while True:
        at = clock()
        found = _looked(look, at, first=done == 0)
        say(f"{at:%Y-%m-%d %H:%M:%S} UTC  {found.text if found.error is None else f'blind: {found.error}'}")
        message = alarm.hear(found)
        if message is not None:
            if send(message):
                alarm.sent(at)
                say(f"told: {message}")
            else:
                say("not told: the message did not get out, it is tried again at the next look")
        done += 1
        if once or (looks is not None and done >= looks):
            return found.error is None
        sleep(max(every - (clock() - at).total_seconds(), 1.0))


def _looked(look: Callable[[datetime], Seen], at: datetime, first: bool) -> Seen:
    try:
        return look(at)
    except InputError as error:
        if first:
            raise
        return Seen(at=at, error=one_line(str(error)))
    except (FetchError, OSError) as error:
        return Seen(at=at, error=one_line(str(error)))


def state_file(*about: object) -> Path:
    """Where `--once` keeps what it said last, per watch; the name is a digest, and `about` holds no address."""
    digest = hashlib.sha256(json.dumps([str(a) for a in about]).encode()).hexdigest()[:16]
    return data_directory() / f"watch-{digest}.json"


def kept(path: Path, line: float) -> Alarm:
    """The alarm as the last run left it; a file that cannot be read is a fresh start."""
    try:
        return Alarm.from_dict(json.loads(path.read_text(encoding="utf-8")), line)
    except (OSError, ValueError):
        return Alarm(line=line)


def keep(path: Path, alarm: Alarm) -> None:
    """Write it, whole or not at all. Raises InputError where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        draft.write_text(json.dumps(alarm.to_dict()), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise InputError(str(path), error.strerror, "cannot be written", "Set MARGIN_DATA_DIR.") from None
