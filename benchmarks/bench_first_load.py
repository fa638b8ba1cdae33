"""First load of 12 assets x 2 years from one exchange: `python -m benchmarks.bench_first_load`.

Against the exchange server on loopback that the tests use. What is left beside the exchange's own rate limit is ours.
"""

import os
import tempfile
import time
from pathlib import Path

import ccxt

from data.fetch import fetch_prices
from data.store import Store
from tests.exchange_server import ExchangeServer

ASSETS = ["BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "AVAX", "LINK", "LTC", "DOT", "UNI", "AAVE"]
DAYS = 730


def main() -> None:
    print("$ python -m benchmarks.bench_first_load")
    fetch_prices([], 1)  # imports
    for exchange in ("coinbase", "okx", "binance", "kraken"):
        with ExchangeServer() as server, tempfile.TemporaryDirectory() as folder:
            os.environ["MARGIN_EXCHANGE_GATEWAY"] = server.address
            store = Store(Path(folder) / "prices.db")
            steps: list[float] = []
            start = time.perf_counter()
            prices = fetch_prices(
                ASSETS, DAYS, exchanges=[exchange], store=store, progress=lambda a, s, t, log=steps: log.append(s)
            )
            took = time.perf_counter() - start
            store.close()
            requests = sum(server.requests.values())
            pause = getattr(ccxt, exchange)().rateLimit / 1000
            print(
                f"{exchange}: {len(prices.assets)} assets in {took:.2f} s; {requests} requests at one per "
                f"{1000 * pause:.0f} ms are {(requests - 1) * pause:.2f} s; {len(steps)} progress reports"
            )


if __name__ == "__main__":
    main()
