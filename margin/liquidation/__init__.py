"""Floor 4: where an account is closed, and what follows in a market of accounts."""
