"""One exchange through ccxt: candles page by page, every kind of failure turned into a FetchError.

ccxt is imported when the first exchange is opened. Paging is our own: ccxt's `paginate` stops after ten calls and can
skip the oldest part without saying so.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from data import gateway
from data.errors import FetchError, Kind
from data.model import CANDLE_COLUMNS, Interval
from data.universe import KEPT, PAGE, PERPETUAL_ONLY, candidates, is_offline, step_ms

T = TypeVar("T")
SPOT_ONLY = {"binance": ["spot"], "okx": ["spot"], "bybit": ["spot"], "kucoin": ["spot"]}
PERPETUALS = {
    "binanceusdm": ["linear"], "okx": ["swap"], "bybit": ["linear"], "kucoin": ["contract"], "hyperliquid": ["swap"],
}  # fmt: skip
BLOCKED_SECONDS = 600.0


@dataclass(frozen=True)
class Patience:
    """How long to wait: seconds per request, tries per request, the first pause and the longest pause obeyed."""

    timeout: float = 10.0
    tries: int = 3
    pause: float = 0.5
    longest_pause: float = 30.0


@dataclass
class LastAnswer:
    """What the newest response of this task said, kept because ccxt's errors do not carry it."""

    status: int = 0
    retry_after: float | None = None
    looks_like_html: bool = False
    truncated: bool = False


_answer: ContextVar[LastAnswer | None] = ContextVar("last_answer", default=None)
_blocked: dict[str, float] = {}  # exchange -> monotonic time until which it is not asked again
_blocked_lock = Lock()


class Client:
    """One open ccxt exchange. `kind` is "spot" or "perpetual"; use it with `async with`."""

    def __init__(self, exchange_id: str, kind: str = "spot", patience: Patience | None = None):
        self.id, self.patience = exchange_id, patience or Patience()
        self.kind = "perpetual" if exchange_id in PERPETUAL_ONLY else kind
        self._exchange: Any = None
        self._loading = asyncio.Lock()
        self._failed: FetchError | None = None

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._exchange is not None:
            await self._exchange.close()

    async def markets(self, asset: str) -> dict[str, Any]:
        """All symbols the exchange lists, loaded once; a failure is remembered for this client."""
        async with self._loading:
            if self._failed is not None:
                raise FetchError(asset, self.id, self._failed.kind, self._failed.message)
            if self._exchange is None:
                self._exchange = _open(self.id, self.kind, self.patience)
            if not self._exchange.markets:
                try:
                    await self.call(asset, self._exchange.load_markets)
                except FetchError as error:
                    self._failed = error
                    raise
        return self._exchange.markets

    async def symbol(self, asset: str) -> str:
        """The exchange's symbol for the asset's dollar price. Raises FetchError 'not listed'."""
        listed = await self.markets(asset)
        names = candidates(self.id, asset)
        if self.kind == "perpetual" and self.id not in PERPETUAL_ONLY:
            names = [f"{asset}/{quote}:{quote}" for quote in ("USDT", "USDC")]
        for name in names:
            if name in listed:
                return name
        raise FetchError(asset, self.id, "not listed", f"{self.id} does not list {' or '.join(names)}")

    async def call(self, asset: str, function: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        """One request with retries. Raises FetchError; a block (403, 451) is remembered for ten minutes."""
        refuse_if_blocked(asset, self.id)
        for attempt in range(self.patience.tries):
            answer = LastAnswer()
            token = _answer.set(answer)
            try:
                result = await function(*arguments)
                if answer.looks_like_html or answer.truncated:
                    raise ValueError("not JSON")
                return result
            except Exception as error:  # ccxt turns odd answers into any exception at all
                failure = explain(asset, self.id, error, answer)
            finally:
                _answer.reset(token)
            if failure.kind == "blocked":
                with _blocked_lock:
                    _blocked[self.id] = time.monotonic() + BLOCKED_SECONDS
                raise failure
            pause = answer.retry_after if answer.retry_after is not None else self.patience.pause * 2**attempt
            last = attempt + 1 == self.patience.tries
            if failure.kind in ("not listed", "empty") or last or pause > self.patience.longest_pause:
                raise failure
            await asyncio.sleep(pause)
        raise AssertionError("unreachable: the last try returns or raises")

    async def candles(
        self,
        asset: str,
        interval: Interval,
        since_ms: int,
        until_ms: int,
        progress: Callable[[float], None] = lambda _: None,
        cancel: Event | None = None,
    ) -> "Candles":
        """Candles that open from `since_ms` to `until_ms`, both included, oldest first.

        Stops between pages when `cancel` is set and returns what came. Raises FetchError when nothing came at all.
        """
        symbol = await self.symbol(asset)
        step, page = step_ms(interval), PAGE[self.id]
        rows: list[list[float]] = []
        start, cancelled = since_ms, False
        kept = KEPT.get(self.id)
        if kept is not None:
            start = max(start, until_ms - (kept - 1) * step)
        pages = max(1, -(-((until_ms - start) // step + 1) // page))
        done = 0
        while start <= until_ms:
            if cancel is not None and cancel.is_set():
                cancelled = True
                break
            limit = min(page, (until_ms - start) // step + 1)
            batch = await self.call(asset, self._page, symbol, interval, start, max(limit, 2), until_ms)
            rows += [row for row in batch if start <= row[0] <= until_ms]
            newest = max((row[0] for row in batch), default=0)
            window_end = start + limit * step
            cut = len(batch) >= limit and newest >= start  # repeated candles can crowd the newest out of a full page
            start = int(newest) + step if cut or newest >= window_end else window_end
            done += 1
            progress(min(done / pages, 1.0))
        if not rows and not cancelled:
            message = f"{self.id} returned no candles of {symbol} for this span"
            raise FetchError(asset, self.id, "empty", message)
        return Candles(self.id, symbol, to_frame(rows), cancelled, _is_short(self.id, rows, since_ms, step))

    async def _page(self, symbol: str, interval: Interval, since: int, limit: int, until: int) -> list[list[float]]:
        params: dict[str, Any] = {}
        if self.id in ("bybit", "kucoin", "hyperliquid", "binance", "binanceusdm"):
            params["until"] = min(until, since + limit * step_ms(interval) - 1)  # an end on an open would add a candle
        if self.id == "okx":
            params["method"] = "publicGetMarketHistoryCandles"  # the recent endpoint ends at 1,440 candles
        batch = await self._exchange.fetch_ohlcv(symbol, interval, since, limit, params)
        if not isinstance(batch, list) or any(len(row) < 6 or row[0] is None for row in batch):
            raise ValueError("candles of an unknown form")
        return batch

    async def raw(self, asset: str, method: str, *arguments: Any) -> Any:
        """Call a ccxt method (fetch_ticker, fetch_order_book, ...) with the retries of `call`."""
        await self.markets(asset)
        return await self.call(asset, getattr(self._exchange, method), *arguments)


@dataclass(frozen=True)
class Candles:
    """What one exchange gave: `short` when it keeps no older candles than these, `cancelled` when stopped midway."""

    exchange: str
    symbol: str
    frame: pd.DataFrame
    cancelled: bool
    short: bool


def to_frame(rows: list[list[float]]) -> pd.DataFrame:
    """ccxt candle rows as a frame indexed by open time (UTC, tz-naive); missing numbers become NaN."""
    numbers = np.array([[np.nan if x is None else float(x) for x in row[:6]] for row in rows], dtype=float).reshape(
        -1, 6
    )
    index = pd.to_datetime(numbers[:, 0].astype("int64"), unit="ms")
    return pd.DataFrame(numbers[:, 1:], index=index, columns=list(CANDLE_COLUMNS))


def refuse_if_blocked(asset: str, exchange_id: str) -> None:
    """Raise FetchError when the exchange refused this host within the last ten minutes, or MARGIN_OFFLINE is set."""
    if is_offline():
        raise FetchError(asset, exchange_id, "offline", "MARGIN_OFFLINE is set, so the network is not tried")
    with _blocked_lock:
        until = _blocked.get(exchange_id, 0.0)
    if time.monotonic() < until:
        message = f"{exchange_id} refused this host a moment ago; it is asked again in {until - time.monotonic():.0f} s"
        raise FetchError(asset, exchange_id, "blocked", message)


def forget_blocks() -> None:
    """Ask exchanges again that refused this host."""
    with _blocked_lock:
        _blocked.clear()


def explain(asset: str, exchange_id: str, error: Exception, answer: LastAnswer) -> FetchError:
    """Any exception of a request as a FetchError that says what to do."""
    import ccxt.async_support as ccxt

    if isinstance(error, FetchError):
        return error
    kind: Kind
    if answer.status in (403, 451):
        kind, text = "blocked", "refuses this host's region; use a gateway or another exchange"
    elif answer.status == 429 or isinstance(error, ccxt.RateLimitExceeded | ccxt.DDoSProtection):
        kind, text = "rate limited", "asks for fewer requests; try again in a minute"
    elif answer.status >= 500:
        kind, text = "unavailable", f"answers with error {answer.status}; try again later"
    elif isinstance(error, ccxt.BadSymbol):
        kind, text = "not listed", "does not list it"
    elif isinstance(error, ccxt.RequestTimeout | asyncio.TimeoutError):
        kind, text = "timeout", "does not answer"
    elif answer.looks_like_html:
        kind, text = "bad answer", "answers with a web page instead of data; a challenge page, perhaps"
    elif answer.truncated or not isinstance(error, ccxt.BaseError):
        kind, text = "bad answer", "answers with something that cannot be read"
    elif isinstance(error, ccxt.NetworkError):
        kind, text = "unavailable", "cannot be reached"
    else:
        kind, text = "bad answer", f"refuses the request: {str(error)[:120]}"
    return FetchError(asset, exchange_id, kind, f"{exchange_id} {text}")


def _open(exchange_id: str, kind: str, patience: Patience) -> Any:
    """A ccxt exchange with its rate limit on, only the markets needed, through the gateway where one is set."""
    import ccxt.async_support as ccxt

    exchange = getattr(ccxt, exchange_id)({"enableRateLimit": True, "timeout": int(patience.timeout * 1000)})
    exchange.has["fetchCurrencies"] = False  # deposit and network details: one more request, and often a key
    types = (SPOT_ONLY if kind == "spot" else PERPETUALS).get(exchange_id)
    if types is not None:
        chosen = exchange.options.get("fetchMarkets")
        exchange.options["fetchMarkets"] = {**(chosen if isinstance(chosen, dict) else {}), "types": types}
        exchange.options["defaultType"] = "spot" if kind == "spot" else "swap"
    if exchange_id == "kucoin":
        exchange.options["fetchMarkets"]["fetchTickersFees"] = False
    exchange.on_rest_response = _remember_answer
    address = gateway.gateway()
    if address is not None:
        gateway.rewrite_urls(exchange, address)
    return exchange


def _remember_answer(
    code: int, reason: str, url: str, method: str, headers: Any, body: str, request_headers: Any, request_body: Any
) -> str:
    """ccxt's hook on every response; must return the body."""
    answer, text = _answer.get(), (body or "").strip()
    if answer is not None:
        answer.status = int(code)
        answer.retry_after = _seconds({str(k).lower(): v for k, v in dict(headers or {}).items()}.get("retry-after"))
        answer.looks_like_html = text[:1] == "<"
        answer.truncated = code == 200 and not (text[:1] in "{[" and text[-1:] in "}]")
    return text


def _seconds(value: Any) -> float | None:
    try:
        return max(float(value), 0.0)
    except (TypeError, ValueError):
        return None


def _is_short(exchange_id: str, rows: list[list[float]], since_ms: int, step: int) -> bool:
    kept = KEPT.get(exchange_id)
    return bool(kept and rows and len(rows) >= kept - 1 and min(r[0] for r in rows) > since_ms + step)
