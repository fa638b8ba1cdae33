"""Emir, for comparison; see `margin.venues.families.clearing`."""

from margin.venues.families.clearing import Emir

RULEBOOK = Emir()
