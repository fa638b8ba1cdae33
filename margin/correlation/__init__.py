"""Floor 2: how pairs and whole matrices move through time."""
