"""The Liquidation page, in the order it is read."""
