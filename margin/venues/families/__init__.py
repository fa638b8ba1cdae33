"""Rules that several venues share: tiers, grids, perpetuals, lending, clearing."""
