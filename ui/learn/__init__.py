"""The Learn page, in the order it is read."""
