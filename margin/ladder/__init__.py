"""Floor 3: our own margin model, method by method, and why they differ."""

__all__ = [
    "account",
    "as_held",
    "compare",
    "equal_risk",
    "explain",
    "freed_capital",
    "isolated_accounts",
    "many",
    "margin_models",
    "method",
    "notes",
    "payoff",
    "safeguards",
]
