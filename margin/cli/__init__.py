"""Floor 5: `python -m margin`, a file a command."""
