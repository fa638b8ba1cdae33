"""Derive's first portfolio margin, kept beside its successor for comparison."""

from margin.venues.rules.derive.rulebook_v1 import DeriveV1

RULEBOOK = DeriveV1()
