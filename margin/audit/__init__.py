"""Floor 5: a whole venue's book, account by account: health, shocks, the fund, who and what is large."""

__all__ = ["chunk", "formats", "gaps", "make", "models", "one", "parts", "plan", "report", "scan", "summary"]
