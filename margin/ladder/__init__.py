"""Floor 3: our own margin model, method by method, and why they differ."""
