"""What a stored series is called and what a candle frame holds; the labelled price set itself is the engine's."""

from dataclasses import dataclass

from margin.sample.types import Finding, Interval, PriceSet, Provenance, Status

__all__ = ["CANDLE_COLUMNS", "Finding", "Interval", "PriceSet", "Provenance", "SeriesKey", "Status"]

# Candle frames: index = candle open time (UTC, tz-naive, sorted, unique); `volume` is in units of the asset.
CANDLE_COLUMNS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class SeriesKey:
    """One stored series: e.g. ("kraken", "BTC/USD", "1d"). `source` is a ccxt exchange id or "yahoo"."""

    source: str
    symbol: str
    interval: Interval
