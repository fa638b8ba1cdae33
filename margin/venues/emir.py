"""Emir, for comparison; see `margin.venues.clearing`."""

from margin.venues.clearing import Emir

RULEBOOK = Emir()
