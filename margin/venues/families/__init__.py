"""Rules that several venues share: tiers, grids, perpetuals, lending, clearing."""

__all__ = ["clearing", "grids", "lending", "perpetuals", "tiers"]
