"""The Venues page, in the order it is read."""
