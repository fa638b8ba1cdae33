"""Pages of one part into the store: what was asked for stays known, also over days without a trade between two pages."""

import asyncio
from datetime import UTC, datetime
from threading import Event

import pandas as pd
import pytest

from data.exchange.client import Patience
from data.exchange.pagination import walk
from data.exchange.registry import facts_of
from data.fetch.parts import missing
from data.fetch.series import asked_from, span_of
from data.fetch.sources import Job, _fill
from data.model import SeriesKey
from data.store.store import Store

DAY = 86_400_000
NOW = datetime(2024, 6, 10, 9, tzinfo=UTC)
KEY = SeriesKey("coinbase", "BTC/USD", "1d")


class Exchange:
    """Daily candles but for some days on which nothing was traded."""

    id = "coinbase"

    def __init__(self, idle):
        self.idle = {int(pd.Timestamp(day).timestamp() * 1000) for day in idle}

    async def ask(self, start, end):
        return [[t, 1.0, 1.0, 1.0, 1.0, 5.0] for t in range(start, end + 1, DAY) if t not in self.idle]

    def pages(self, asset, interval, start, end, newest):
        return walk(self.id, start, end, DAY, self.ask)


def fetched(store, exchange, days, stop=False):
    """Fill what the store lacks of the last `days` days; the number of parts that were asked for. stop : after a page"""
    job = Job(span=span_of("1d", days, NOW), store=store, progress=print, cancel=Event(), patience=Patience())
    if stop:
        job.cancel.set()
    parts = missing(store.read(KEY), job.span)
    for part in parts:
        asyncio.run(_fill(exchange, KEY, "BTC", part, lambda _: None, job))
    return len(parts)


def test_older_pages_join_what_is_stored_over_days_without_a_trade(tmp_path):
    """The oldest day asked for at first and the one before it have none; the older part takes three pages of 300."""
    store = Store(tmp_path / "prices.db")
    exchange = Exchange(["2024-03-01", "2024-03-02"])
    assert fetched(store, exchange, 100) == 1  # from 2 March on
    assert fetched(store, exchange, 900) == 1
    series = store.read(KEY)
    assert asked_from(series) == span_of("1d", 900, NOW).since and len(series.candles) == 900 - 2
    assert fetched(store, exchange, 900) == 0  # nothing is asked for again


def test_a_page_without_a_trade_counts_as_asked_for_when_the_fetch_is_stopped_after_it(tmp_path):
    store = Store(tmp_path / "prices.db")
    exchange = Exchange(pd.date_range("2023-01-01", "2024-03-02"))
    fetched(store, exchange, 100)
    with pytest.raises(asyncio.CancelledError):
        fetched(store, exchange, 900, stop=True)
    since = int(pd.Timestamp("2024-03-02").timestamp() * 1000) - facts_of("coinbase").page * DAY
    assert asked_from(store.read(KEY)) == since
