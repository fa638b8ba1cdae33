"""Span, for comparison; see `margin.venues.clearing`."""

from margin.venues.clearing import Span

RULEBOOK = Span()
