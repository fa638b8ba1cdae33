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
    waiting : something to say that the hour since the last message still holds back
    """

    line: float
    level: int = 0
    last_sent: datetime | None = None
    blind_since: datetime | None = None
    blind_told: bool = False
    waiting: str = ""

    def hear(self, seen: Seen) -> str | None:
        """The message to send now, or None. Call `sent` when it went out; until then it is tried again."""
        reason = self._blind(seen) if seen.error is not None else self._seeing(seen)
        if reason:
            self.waiting = reason
        if not self.waiting or (self.last_sent is not None and seen.at - self.last_sent < QUIET):
            return None
        return f"{self.waiting}. {seen.text}".rstrip() if seen.text else f"{self.waiting}."

    def sent(self, at: datetime) -> None:
        """The message went out."""
        self.last_sent, self.waiting = at, ""

    def _blind(self, seen: Seen) -> str:
        if self.blind_since is None:
            self.blind_since = seen.at
        if self.blind_told or seen.at - self.blind_since < BLIND:
            return ""
        self.blind_told = True
        return f"Blind since {self.blind_since:%H:%M} UTC: {seen.error}"

    def _seeing(self, seen: Seen) -> str:
        said = []
        if self.blind_since is not None:
            if seen.at - self.blind_since >= BLIND:
                said.append(f"Sees again, was blind from {self.blind_since:%H:%M} to {seen.at:%H:%M} UTC")
            self.blind_since, self.blind_told = None, False
        assert seen.odds is not None
        level = 2 if seen.called else 1 if seen.odds >= self.line or seen.near else 0
        if level > self.level:
            said.append(
                "Below the requirement" if level == 2
                else f"The odds have passed {self.line:.0%}" if seen.odds >= self.line else "A call is near"
            )  # fmt: skip
            self.level = level
        elif level < self.level:
            if level == 0 and seen.odds < self.line / 2.0:
                said.append("Calm again")
                self.level = 0
            elif level == 1:
                self.level = 1
        return ". ".join(said)

    def to_dict(self) -> dict[str, Any]:
        """For the file between two runs of `--once`; nothing in it names an account."""
        times = {name: getattr(self, name) for name in ("last_sent", "blind_since")}
        kept = {name: None if at is None else at.isoformat() for name, at in times.items()}
        return {**kept, "level": self.level, "blind_told": self.blind_told, "waiting": self.waiting}

    @classmethod
    def from_dict(cls, data: Any, line: float) -> "Alarm":
        """What `to_dict` wrote; anything else is a fresh start."""
        try:
            at = {name: _time(data.get(name)) for name in ("last_sent", "blind_since")}
            level, told = int(data.get("level", 0)), bool(data.get("blind_told"))
            waiting = str(data.get("waiting") or "")[:500]
            return cls(line=line, level=min(max(level, 0), 2), blind_told=told, waiting=waiting, **at)
        except (AttributeError, TypeError, ValueError):
            return cls(line=line)


def _time(text: Any) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
