"""Floor 1: portfolios and prices in and out of files, and what venues and ccxt call their positions."""

__all__ = [
    "books",
    "contract_names",
    "found",
    "merge",
    "pasted",
    "plain",
    "portfolio",
    "portfolio_formats",
    "portfolio_json",
    "price_names",
    "price_words",
    "prices",
    "read",
    "sizes",
    "table_numbers",
    "table_words",
    "tables",
]
