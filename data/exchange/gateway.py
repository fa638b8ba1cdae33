"""Sends every request of an exchange through a gateway, for hosts that an exchange blocks and for tests.

`MARGIN_EXCHANGE_GATEWAY=http://host:port` turns `https://api.kraken.com/x` into `http://host:port/api.kraken.com/x`.
ccxt's own proxyUrl option raises InvalidProxySettings in 4.5.90, so the exchange's addresses are rewritten instead.
"""

import os
from typing import Any
from urllib.parse import urlsplit

from margin.core.errors import InputError

VARIABLE = "MARGIN_EXCHANGE_GATEWAY"


def gateway() -> str | None:
    """The gateway's address without a trailing slash, or None. Raises InputError when it is not an http address."""
    text = os.environ.get(VARIABLE, "").strip().rstrip("/")
    if not text:
        return None
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InputError(VARIABLE, text, "is not an address", "Write it as http://127.0.0.1:8080.")
    return text


def through_gateway(url: str, address: str) -> str:
    """`url` with its scheme replaced by the gateway's address; anything but http(s) is left as it is."""
    scheme, separator, rest = url.partition("://")
    return f"{address}/{rest}" if separator and scheme in ("http", "https") else url


def rewrite_urls(exchange: Any, address: str) -> None:
    """Point every API address of a ccxt exchange at the gateway, its {hostname} filled in first."""

    def rewritten(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: rewritten(part) for key, part in value.items()}
        if isinstance(value, str):
            return through_gateway(value.replace("{hostname}", exchange.hostname or ""), address)
        return value

    exchange.urls = {**exchange.urls, "api": rewritten(exchange.urls["api"])}
