"""Where prices come from: exchanges, Yahoo, files, the bundled sample, the local store."""

__all__ = ["cleaning", "cli", "errors", "exchange", "fetch", "files", "model", "sample", "store", "universe"]
