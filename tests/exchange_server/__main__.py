"""`python -m tests.exchange_server --port N`: serve until killed."""

import argparse
import asyncio

from tests.exchange_server.server import ExchangeServer


def main() -> None:
    parser = argparse.ArgumentParser(description="Exchanges on loopback, for trying the app without the network.")
    parser.add_argument("--port", type=int, default=8600)
    port = parser.parse_args().port
    print(f"MARGIN_EXCHANGE_GATEWAY=http://127.0.0.1:{port}", flush=True)
    asyncio.run(ExchangeServer(port).serve())


if __name__ == "__main__":
    main()
