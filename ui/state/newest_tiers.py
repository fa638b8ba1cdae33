"""Tiers fetched earlier and kept on this machine, in force on every page; taken up anew when a kept file changes."""

from contextlib import suppress
from pathlib import Path
from threading import Lock

from data.store.files import data_directory
from margin import venues
from margin.core.errors import InputError

Stamp = tuple[tuple[str, int, int], ...]

_lock = Lock()
_seen: list[Stamp] = [()]


def follow() -> None:
    """Every rulebook in this process has the kept tiers; a look at the folder where nothing changed."""
    stamp = _stamp()
    with _lock:
        if stamp == _seen[0]:
            return
        venues.follow(_tables() if stamp else {})
        _seen[0] = stamp


def _stamp() -> Stamp:
    """(path, nanoseconds of its last change, bytes) of every kept file."""
    out = []
    with suppress(OSError):
        for path in sorted(Path(data_directory() / "tiers").glob("*.json")):
            found = path.stat()
            out.append((str(path), found.st_mtime_ns, found.st_size))
    return tuple(out)


def _tables() -> dict[str, venues.Newer]:
    from data.exchange import tiers  # it reads what exchanges there are: only where something is kept

    out: dict[str, venues.Newer] = {}
    for name in tiers.PUBLISHERS:
        kept = tiers.load_tiers(name)
        if kept is None:
            continue
        source = f"{venues.rulebook(name).title}, public tiers ({kept.date})"
        with suppress(InputError):  # a table with a gap is no table
            venues.check_tiers(name, kept.rows)
            out[name] = (kept.rows, source)
    return out
