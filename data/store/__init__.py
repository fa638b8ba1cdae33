"""Floor 1: the local price store; what was fetched stays, checksummed, across processes."""

__all__ = ["codec", "files", "recovery", "schema", "store"]
