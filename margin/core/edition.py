"""The edition of the rules in force in this process: what was remembered under an older one is not used again."""

_edition = [0]


def current() -> int:
    """Number of the edition; it grows when newer tables of a venue are taken up."""
    return _edition[0]


def advance() -> None:
    """Another edition begins."""
    _edition[0] += 1
