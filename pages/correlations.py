"""Correlations: how stable is the hedge, and what would the book need if it were not?"""

from ui.correlations import page as correlations
from ui.shell import entrance

entrance.through_app("pages/correlations.py")
correlations.page()
