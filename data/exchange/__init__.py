"""Floor 2: exchanges through ccxt; who lists what, candles page by page, every failure with its kind."""

__all__ = [
    "answers",
    "client",
    "event_loop",
    "facts",
    "funding",
    "gateway",
    "listed",
    "orderbook",
    "pagination",
    "refusals",
    "registry",
    "session",
    "tickers",
    "tiers",
]
