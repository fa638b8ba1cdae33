"""Stock and fund prices from Yahoo, by way of yfinance.

Closes are adjusted for splits and dividends, so a whole series belongs to the day it was fetched: a later dividend
changes every earlier close. Fetch the whole span again instead of appending to it. Only tickers quoted in USD are
taken.
"""

import json
import re
import threading
import time
import warnings
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import numpy as np
import pandas as pd

from data.errors import FetchError, Kind
from data.exchange import answers, gateway
from data.model import CANDLE_COLUMNS, Interval
from data.universe import is_offline
from margin.core.errors import InputError

SOURCE = "yahoo"
TICKER = re.compile(r"\^?[A-Z0-9][A-Z0-9.=&-]{0,18}")
ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")
HOURLY_DAYS = 729  # Yahoo keeps hourly candles for 730 days and refuses a request that reaches further back
REQUEST_SECONDS, TOTAL_SECONDS = 10.0, 25.0
CHART = "/v8/finance/chart/"
HOME, MOST_REDIRECTS = ".yahoo.com", 8
IN_SHARES = ("EQUITY", "ETF", "MUTUALFUND")  # what Yahoo calls the instruments whose volume counts shares
IN_DOLLARS = ("CRYPTOCURRENCY",)

_setup = threading.Lock()
_sessions: dict[str, Any] = {}
_call = threading.local()  # of the fetch under way in this thread: deadline, status of the last chart answer


def check_ticker(text: str) -> str:
    """The ticker in upper case. InputError when it is not one; nothing else may reach a URL."""
    ticker = str(text).strip().upper()
    if not TICKER.fullmatch(ticker) or ".." in ticker:
        raise InputError("ticker", text, "is not a Yahoo ticker", "Use one like SPY, BRK-B or ^GSPC.")
    if ISIN.fullmatch(ticker):
        raise InputError("ticker", text, "is an ISIN", "Use the ticker, e.g. SPY.")
    return ticker


def fetch_yahoo(ticker: str, interval: Interval, since: datetime, until: datetime) -> pd.DataFrame:
    """Adjusted candles that open from `since` up to, not including, `until`.

    since, until : aware
    Returns a DataFrame of CANDLE_COLUMNS in USD, index UTC and tz-naive; a daily candle is dated by the exchange's own
    day. Volume is in shares; Yahoo's coins count dollars, which become coins at the close; what an index's or a
    future's counts cannot be told, and is NaN. `attrs["volume"]` says which: "shares", "dollars", "unknown". The newest
    candle may be unfinished; hourly candles open at the half hour in New York.
    Raises InputError for what is not a ticker, FetchError for everything else.
    """
    name = check_ticker(ticker)
    if since.tzinfo is None or until.tzinfo is None:
        raise ValueError("since and until must be aware")
    if is_offline():
        raise FetchError(name, SOURCE, "offline", "MARGIN_OFFLINE is set, so the network is not tried")
    if interval == "1h":
        since = max(since, datetime.now(UTC) - timedelta(days=HOURLY_DAYS))
    frame, currency, kind = _history(name, interval, since, until)
    if frame is None or frame.empty:
        raise FetchError(name, SOURCE, "empty", f"Yahoo answered without a single price for {name}")
    if currency != "USD":
        quoted = f"in {currency}, not in USD" if currency else "without saying in which currency"
        raise FetchError(name, SOURCE, "not listed", f"{name} is quoted {quoted}; only USD prices can be used")
    return _with_volume(_candles(frame, name, interval, since, until), kind)


def _with_volume(candles: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Volume in units of what is priced, whatever Yahoo counts for this kind of instrument."""
    unit = "dollars" if kind in IN_DOLLARS else "shares" if kind in IN_SHARES else "unknown"
    if unit == "dollars":
        candles["volume"] /= candles["close"]
    elif unit == "unknown":
        candles["volume"] = np.nan
    candles.attrs["volume"] = unit
    return candles


def whole_series(stored: pd.DataFrame | None, fresh: pd.DataFrame) -> pd.DataFrame:
    """`fresh` with the older candles of `stored` in front, brought to the adjustment of today.

    A dividend or split after the old fetch scales every close before it by one factor, the same for all candles older
    than the shared ones. So the factor is read off the first candle both have; volumes go the other way, which keeps
    the dollars. Without a shared candle the old ones cannot be joined on and are left out.
    """
    if stored is None or stored.empty or fresh.empty or stored.index[0] >= fresh.index[0]:
        return fresh
    shared = stored["close"].reindex(fresh.index).dropna().index
    shared = shared[(stored["close"][shared] > 0) & (fresh["close"][shared] > 0)]
    if not len(shared):
        return fresh
    factor = fresh["close"][shared[0]] / stored["close"][shared[0]]
    older = stored[stored.index < fresh.index[0]].copy()
    older[["open", "high", "low", "close"]] *= factor
    older["volume"] /= factor
    found: pd.DataFrame = pd.concat([older, fresh])
    return found


def _history(name: str, interval: Interval, since: datetime, until: datetime) -> tuple[pd.DataFrame, str, str]:
    """(table, currency, kind of instrument) as yfinance has them. Raises FetchError."""
    try:
        import yfinance
    except ImportError as error:
        raise FetchError(name, SOURCE, "unavailable", "the package yfinance is not installed") from error
    address = gateway.gateway() or ""
    _quieten(yfinance)
    _call.deadline, _call.status, _call.refused = time.monotonic() + TOTAL_SECONDS, 0, ""
    try:
        # A day more at the end: Yahoo's end is exclusive and in the exchange's own time zone.
        day = {"start": since.astimezone(UTC).date(), "end": until.astimezone(UTC).date() + timedelta(days=1)}
        share = yfinance.Ticker(name, session=_session(address))
        frame = share.history(interval=interval, **day, auto_adjust=True, actions=False, timeout=REQUEST_SECONDS)
        about = share.history_metadata
        return frame, str(about.get("currency") or ""), str(about.get("instrumentType") or "").upper()
    except Exception as error:  # yfinance lets through whatever its parsing runs into
        _forget_answers()
        if _call.refused:
            raise FetchError(name, SOURCE, "bad answer", _call.refused) from error
        kind, reason = _explain(error, _call.status)
        raise FetchError(name, SOURCE, kind, reason) from error


def _candles(frame: pd.DataFrame, name: str, interval: Interval, since: datetime, until: datetime) -> pd.DataFrame:
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) or not {"Open", "High", "Low", "Close", "Volume"} <= set(frame):
        raise FetchError(name, SOURCE, "bad answer", "Yahoo's answer has no table of prices")
    local = interval == "1d" or index.tz is None
    times = index.tz_localize(None) if local else index.tz_convert("UTC").tz_localize(None)
    candles = frame.rename(columns=str.lower)[list(CANDLE_COLUMNS)].astype(np.float64)
    candles.index = times.as_unit("us").rename("date")
    first, last = (pd.Timestamp(t).tz_convert("UTC").tz_localize(None) for t in (since, until))
    if interval == "1d":
        first = first.normalize()
    candles = candles[(candles.index >= first) & (candles.index < last)].sort_index()
    if candles["close"].notna().sum() == 0:
        raise FetchError(name, SOURCE, "empty", f"Yahoo has no price of {name} in the span asked for")
    return candles


def _quieten(yfinance: Any) -> None:
    """Errors as exceptions, not as log lines or prints; its own warnings about pandas are not the user's."""
    import logging

    with _setup:
        yfinance.config.debug.hide_exceptions = False
        logging.getLogger("yfinance").setLevel(logging.CRITICAL)
        logging.getLogger("peewee").setLevel(logging.CRITICAL)
        warnings.filterwarnings("ignore", module=r"yfinance(\.|$)")


def _forget_answers() -> None:
    """yfinance keeps answers to past requests, failed ones too, for as long as the process lives."""
    with suppress(ImportError, AttributeError):
        from yfinance.data import YfData

        YfData.cache_get.cache_clear()


def _session(address: str) -> Any:
    """One HTTP session per process and gateway: it keeps the time limit, and the last status for `_explain`.

    An answer has a bounded size, and a redirect to somebody else's host is not followed.
    """
    with _setup:
        if address not in _sessions:
            _sessions[address] = _session_class()(address)
        return _sessions[address]


def _session_class() -> type:
    try:
        from curl_cffi.requests import Session

        options: dict[str, Any] = {"impersonate": "chrome"}
    except ImportError:
        from requests import Session  # type: ignore[assignment]

        options = {}

    class GatewaySession(Session):  # type: ignore[type-arg]
        def __init__(self, address: str):
            super().__init__(**options)
            self.address = address

        def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Any:
            kwargs["allow_redirects"], kwargs["stream"] = False, True
            for _ in range(MOST_REDIRECTS):
                left = getattr(_call, "deadline", time.monotonic() + REQUEST_SECONDS) - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"no answer within {TOTAL_SECONDS:.0f} seconds")
                kwargs["timeout"] = min(kwargs.get("timeout") or REQUEST_SECONDS, REQUEST_SECONDS, left)
                if self.address and not url.startswith(self.address):
                    url = gateway.through_gateway(url, self.address)
                response = _whole(super().request(method, url, *args, **kwargs))
                if CHART in url:
                    _call.status = response.status_code
                elsewhere = (
                    response.headers.get("Location") if response.status_code in (301, 302, 303, 307, 308) else ""
                )
                if not elsewhere:
                    return response
                url = _next(url, elsewhere, self.address)
                method = method if response.status_code in (307, 308) else "GET"
                kwargs.pop("params", None)
            raise _refused(f"Yahoo sends the request on more than {MOST_REDIRECTS} times")

    return GatewaySession


def _whole(response: Any) -> Any:
    """The response with its body read piece by piece. Raises AnswerTooLarge beyond the bound."""
    pieces, size = [], 0
    try:
        for piece in response.iter_content():
            size += len(piece)
            if size > answers.MAX_ANSWER:
                raise _refused(f"Yahoo answers with more than {answers.MAX_ANSWER >> 20} MB, far more than prices take")
            pieces.append(piece)
    finally:
        response.close()
    setattr(response, "_content" if hasattr(response, "_content") else "content", b"".join(pieces))
    return response


def _next(url: str, location: str, address: str) -> str:
    """Where a redirect leads. Raises RedirectRefused for a host that is not Yahoo's."""
    asked = "https://" + url.removeprefix(f"{address}/") if address and url.startswith(f"{address}/") else url
    target = urljoin(asked, location)
    here, there = (str(urlsplit(u).hostname) for u in (asked, target))
    if there != here and not (here.endswith(HOME) and there.endswith(HOME)):
        raise _refused(f"Yahoo sends the request elsewhere (to {there[:60]}); that is not followed")
    return target


def _refused(reason: str) -> answers.AnswerRefused:
    """The exception, and its reason where `_history` finds it: yfinance may swallow what its session raises."""
    _call.refused = reason
    return answers.AnswerRefused(reason)


def _explain(error: Exception, status: int) -> tuple[Kind, str]:
    """What went wrong, from the status of the chart answer first and the exception second."""
    kinds = {type_.__name__ for type_ in type(error).__mro__}
    if status == 429 or "YFRateLimitError" in kinds:
        return "rate limited", "Yahoo allows no more requests for now; try again in some minutes"
    if status == 404:
        return "not listed", "Yahoo does not know this ticker"
    if status in (401, 403, 451):
        return "blocked", f"Yahoo refuses this computer or region (status {status})"
    if status >= 500:
        return "unavailable", f"Yahoo has a fault of its own (status {status})"
    if kinds & {"Timeout", "TimeoutError"}:
        return "timeout", "Yahoo did not answer in time"
    if "YFTickerMissingError" in kinds:
        reason = getattr(error, "yahoo_reason", None)
        return "empty", f"Yahoo has no prices: {str(reason)[:120]}" if reason else "Yahoo answered without a price"
    if isinstance(error, json.JSONDecodeError) or kinds & {"JSONDecodeError", "InvalidJSONError"}:
        return "bad answer", "Yahoo answered with something that is not price data"
    if isinstance(error, OSError) or "YFDataException" in kinds:
        return "unavailable", "Yahoo cannot be reached from here"
    return "bad answer", f"Yahoo's answer could not be read ({type(error).__name__})"
