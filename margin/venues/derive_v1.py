"""Derive's first portfolio margin, kept beside its successor for comparison."""

from margin.venues.derive import DeriveV1

RULEBOOK = DeriveV1()
