"""One rulebook a file; its being here, with its parameters beside it, is the registration."""

__all__: list[str] = []  # found by their files
