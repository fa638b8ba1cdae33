"""Tims, for comparison; see `margin.venues.clearing`."""

from margin.venues.clearing import Tims

RULEBOOK = Tims()
