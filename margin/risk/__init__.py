"""Floor 1: tails, scenarios, covariance and estimators; what a book may lose."""
