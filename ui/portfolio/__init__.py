"""The Portfolio page, in the order it is read."""
