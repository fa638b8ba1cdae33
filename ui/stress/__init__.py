"""The Stress page, in the order it is read."""
