"""The workshop that builds the bundled sample from recorded figures: `python -m tools.sample`."""
