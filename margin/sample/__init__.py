"""Floor 1: the bundled sample and the named events, with no network and no clock."""

__all__ = ["events", "load", "ready", "types"]
