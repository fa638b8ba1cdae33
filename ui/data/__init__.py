"""The Data page, in the order it is read."""
