"""Floor 1: portfolios and prices in and out of files, and what venues and ccxt call their positions."""
