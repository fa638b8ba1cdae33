"""What a stored series says of itself: from and until when everything was asked for; which series may be joined."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from data.fetch.series import Found, Span, asked_from, asked_until, best
from data.model import SeriesKey
from data.store.codec import StoredSeries


def test_the_newest_candle_that_was_finished_when_a_series_was_fetched():
    day = 86_400_000
    at = datetime(2024, 6, 4, 12, tzinfo=UTC)
    stored = StoredSeries(candles=pd.DataFrame(), fetched_at=at, complete_since=at - timedelta(days=9))
    assert asked_until(stored, day) == int(datetime(2024, 6, 3, tzinfo=UTC).timestamp() * 1000)
    assert asked_from(stored) == int((at - timedelta(days=9)).timestamp() * 1000)


DAY = 86_400_000
NOW = datetime(2024, 6, 4, 12, tzinfo=UTC)
SPAN = Span("1d", 0, int(datetime(2024, 6, 3, tzinfo=UTC).timestamp() * 1000), NOW)


def found(source: str, days: int, price: float) -> Found:
    """Closes of the last `days` days, all at one price; what is older was not asked for."""
    index = pd.date_range(end="2024-06-03", periods=days)
    candles = pd.DataFrame({name: np.full(days, price) for name in ("open", "high", "low", "close", "volume")}, index)
    series = StoredSeries(candles=candles, fetched_at=NOW, complete_since=index[0].to_pydatetime().replace(tzinfo=UTC))
    return Found(key=SeriesKey(source, "BTC/USD", "1d"), series=series, status="live")


@pytest.mark.parametrize(
    ("ratio", "joined"), [(1.0, True), (1.019, True), (1.021, False), (0.979, False), (10.0, False)]
)
def test_older_closes_of_another_exchange_are_joined_where_the_two_agree(ratio, joined):
    """A redenominated coin is not put before its new self: the medians of shared days differ by less than 2%."""
    chosen = best([found("kraken", 100, 100.0), found("coinbase", 900, 100.0 * ratio)], SPAN)
    assert chosen is not None and chosen.key.source == "kraken"
    assert len(chosen.candles) == (900 if joined else 100)


def test_series_that_share_no_day_are_not_joined():
    older = found("coinbase", 900, 100.0)
    cut = StoredSeries(candles=older.series.candles.iloc[:700], fetched_at=NOW, complete_since=None)
    apart = Found(key=older.key, series=cut, status="live")
    chosen = best([found("kraken", 100, 100.0), apart], SPAN)
    assert chosen is not None and len(chosen.candles) == 100
