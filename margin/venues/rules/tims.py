"""Tims, for comparison; see `margin.venues.families.clearing`."""

from margin.venues.families.clearing import Tims

RULEBOOK = Tims()
