"""First load of 12 assets x 2 years from one exchange: `python -m benchmarks.bench_first_load`.

Against the exchange server on loopback that the tests use, once at the pace each exchange allows (ccxt's own weights)
and once without any pause: the second is our own share of the time.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from data.exchange import client as exchanges
from data.fetch.fetch import fetch_prices
from data.store.store import Store
from tests.exchange_server import ExchangeServer

ASSETS = ["BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "AVAX", "LINK", "LTC", "DOT", "UNI", "AAVE"]
DAYS = 730


def main() -> None:
    print("$ python -m benchmarks.bench_first_load")
    fetch_prices([], 1)  # imports
    paced = exchanges._open
    for exchange in ("coinbase", "okx", "binance", "kraken"):
        took, requests, reports = load(exchange)
        exchanges._open = lambda *arguments: unpaced(paced(*arguments))
        own, _, _ = load(exchange)
        exchanges._open = paced
        print(
            f"{exchange}: {len(ASSETS)} assets x {DAYS} days in {took:.2f} s, {requests} requests, "
            f"{reports} progress reports; without the exchange's pauses {own:.2f} s ({own / took:.0%})"
        )


def load(exchange: str) -> tuple[float, int, int]:
    """(seconds, requests, progress reports) of one first load into an empty store."""
    with ExchangeServer() as server, tempfile.TemporaryDirectory() as folder:
        os.environ["MARGIN_EXCHANGE_GATEWAY"] = server.address
        store = Store(Path(folder) / "prices.db")
        reports: list[float] = []
        start = time.perf_counter()
        prices = fetch_prices(
            ASSETS, DAYS, exchanges=[exchange], store=store, progress=lambda asset, share, text: reports.append(share)
        )
        took = time.perf_counter() - start
        store.close()
        assert len(prices.assets) == len(ASSETS), prices.failures
        return took, sum(server.requests.values()), len(reports)


def unpaced(exchange: Any) -> Any:
    exchange.enableRateLimit = False
    return exchange


if __name__ == "__main__":
    main()
