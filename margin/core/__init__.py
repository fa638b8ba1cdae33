"""Floor 0 of the engine: errors, checks, instruments, portfolio, market, settings, options."""
