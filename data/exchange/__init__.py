"""Exchanges through ccxt: who lists what, candles page by page, every failure with its kind."""
