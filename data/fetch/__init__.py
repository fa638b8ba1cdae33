"""From a list of assets to a labelled price set: whom to ask, in which order, what to keep."""
