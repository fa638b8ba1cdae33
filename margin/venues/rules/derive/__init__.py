"""Derive: standard manager and both portfolio managers of the second version."""

from margin.venues.rules.derive.rulebook import RULEBOOK

__all__ = ["RULEBOOK"]
