"""Floor 4: what breaks an account, under any margin model; events, own shocks, paths, correlations, reverse stress."""

__all__ = ["correlation_breaks", "correlation_what_if", "events", "held", "paths", "reverse", "shocks"]
