"""The local price store: what was fetched stays, checksummed, across processes."""
