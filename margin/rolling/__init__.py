"""Floor 1: rolling correlations, as fast as the machine allows."""
