"""Span, for comparison; see `margin.venues.families.clearing`."""

from margin.venues.families.clearing import Span

RULEBOOK = Span()
