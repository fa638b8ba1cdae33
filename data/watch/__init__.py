"""Floor 4: looks at an account every minute and says when a margin call has become likely. docs/forecast.md."""

__all__ = ["alarm", "command", "look", "loop", "notify"]
