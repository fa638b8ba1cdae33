"""Floor 4: would the margin have been enough, day by day?"""

__all__ = ["accounts", "coverage", "days", "paths", "under_model", "walk_forward"]
