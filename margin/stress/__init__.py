"""Floor 4: what breaks a book; events, own shocks, breaks of correlation, reverse stress."""
