"""One file per exchange: its facts, as `EXCHANGE`. Adding an exchange is adding a file here."""

__all__: list[str] = []  # found by their files
