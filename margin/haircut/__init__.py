"""Floor 2: what collateral counts for, by asset and size."""
