"""A ccxt exchange without its market list, for single public endpoints."""

from typing import Any

from data.exchange import answers, gateway
from data.exchange.asker import Patience


def open_plain(exchange_id: str, patience: Patience) -> Any:
    """With its rate limit on, through the gateway where one is set; its session is closed by ccxt."""
    from data.exchange.session import open_session  # aiohttp is loaded when the first exchange is asked

    exchange = bare(exchange_id, patience)
    exchange.session = open_session(exchange.cafile)
    through_the_gateway(exchange)
    return exchange


def bare(exchange_id: str, patience: Patience) -> Any:
    """ccxt's exchange with its rate limit at our pace, its answers remembered; nothing else is set."""
    import ccxt.async_support as ccxt

    exchange = getattr(ccxt, exchange_id)({"enableRateLimit": True, "timeout": int(patience.timeout * 1000)})
    if patience.pace != 1.0:
        exchange.rateLimit, exchange.tokenBucket = exchange.rateLimit * patience.pace, None
        exchange.init_rest_rate_limiter()
    exchange.on_rest_response = answers.remember
    return exchange


def through_the_gateway(exchange: Any) -> None:
    """Send its requests through the gateway, where one is set."""
    address = gateway.gateway()
    if address is not None:
        gateway.rewrite_urls(exchange, address)
