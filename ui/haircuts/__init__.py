"""The Haircuts page, in the order it is read."""
