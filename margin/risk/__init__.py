"""Floor 1: tails, scenarios, covariance and estimators; what a book may lose."""

__all__ = [
    "covariance",
    "elliptical",
    "estimate",
    "estimators",
    "exposures",
    "extremes",
    "history",
    "models",
    "scenarios",
    "tail",
]
