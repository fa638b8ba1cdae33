"""The Correlations page, in the order it is read."""
