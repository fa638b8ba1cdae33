"""When to speak: odds that pass the line, a call that is near, being blind and seeing again; once an hour at most."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

QUIET = timedelta(hours=1)  # between two messages
BLIND = timedelta(minutes=15)  # without a look before it is worth a message


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One look. at : UTC; odds : None where nothing could be seen, `error` then says why; text : the look in a line.

    near : less than one day's standard deviation from the line; called : below the requirement already
    """

    at: datetime
    odds: float | None = None
    text: str = ""
    near: bool = False
    called: bool = False
    error: str | None = None


@dataclass(kw_only=True)
class Alarm:
    """What was said and seen so far. line : odds from which to speak.

    level : 0 calm, 1 the odds are above the line or a call is near, 2 called. It calms down below half of the line.
    waiting, sight : what is still to be said of the odds and of being blind: held back by the hour since the last
    message, or not yet got out; neither takes the other's place
    """

    line: float
    level: int = 0
    last_sent: datetime | None = None
    blind_since: datetime | None = None
    blind_told: bool = False
    waiting: str = ""
    sight: str = ""

    def hear(self, seen: Seen) -> str | None:
        """The message to send now, or None. Call `sent` when it went out; until then it is tried again."""
        if seen.error is not None:
            self.sight = self._blind(seen) or self.sight
        else:
            self.sight = self._sees(seen) or self.sight
            self.waiting = self._seeing(seen) or self.waiting
        said = ". ".join(part for part in (self.sight, self.waiting) if part)
        if not said or (self.last_sent is not None and seen.at - self.last_sent < QUIET):
            return None
        return f"{said}. {seen.text}".rstrip() if seen.text else f"{said}."

    def sent(self, at: datetime) -> None:
        """The message went out."""
        self.last_sent, self.waiting, self.sight = at, "", ""

    def _blind(self, seen: Seen) -> str:
        if self.blind_since is None:
            self.blind_since = seen.at
        if self.blind_told or seen.at - self.blind_since < BLIND:
            return ""
        self.blind_told = True
        return f"Blind since {self.blind_since:%H:%M} UTC: {seen.error}"

    def _sees(self, seen: Seen) -> str:
        since, self.blind_since, self.blind_told = self.blind_since, None, False
        if since is None or seen.at - since < BLIND:
            return ""
        return f"Sees again, was blind from {since:%H:%M} to {seen.at:%H:%M} UTC"

    def _seeing(self, seen: Seen) -> str:
        assert seen.odds is not None
        level = 2 if seen.called else 1 if seen.odds >= self.line or seen.near else 0
        if level > self.level:
            self.level = level
            if level == 2:
                return "Below the requirement"
            return f"The odds have passed {self.line:.0%}" if seen.odds >= self.line else "A call is near"
        if level == 1:
            self.level = 1
        elif level < self.level and seen.odds < self.line / 2.0:
            self.level = 0
            return "Calm again"
        return ""

    def to_dict(self) -> dict[str, Any]:
        """For the file between two runs of `--once`; nothing in it names an account."""
        times = {name: getattr(self, name) for name in ("last_sent", "blind_since")}
        kept = {name: None if at is None else at.isoformat() for name, at in times.items()}
        return {**kept, "level": self.level, "blind_told": self.blind_told, "waiting": self.waiting,
                "sight": self.sight}  # fmt: skip

    @classmethod
    def from_dict(cls, data: Any, line: float) -> "Alarm":
        """What `to_dict` wrote; anything else is a fresh start."""
        try:
            at = {name: _time(data.get(name)) for name in ("last_sent", "blind_since")}
            level, told = int(data.get("level", 0)), bool(data.get("blind_told"))
            waiting, sight = (str(data.get(name) or "")[:500] for name in ("waiting", "sight"))
            return cls(line=line, level=min(max(level, 0), 2), blind_told=told, waiting=waiting, sight=sight, **at)
        except (AttributeError, TypeError, ValueError):
            return cls(line=line)


def _time(text: Any) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
