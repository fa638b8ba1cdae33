"""What an exchange's answer means: every exception and odd response as a FetchError that says what to do."""

import asyncio
import re
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from data.errors import FetchError, Kind
from margin.core.errors import one_line

MAX_ANSWER = 48 * 1024 * 1024  # unpacked; our own bound, not a figure of any exchange


@dataclass
class Answer:
    """What the responses to one request said, kept because ccxt's errors do not carry it.

    One ccxt call may make several requests at once (the market lists); the first refusal among them counts.
    """

    status: int = 0
    retry_after: float | None = None
    is_web_page: bool = False
    is_truncated: bool = False
    text: str = ""  # the beginning of what it said


class AnswerRefused(Exception):
    """An answer that is not read to its end, or not followed."""


class AnswerTooLarge(AnswerRefused):
    """An answer of more than the session reads."""


class RedirectRefused(AnswerRefused):
    """An answer that sends the request to another host."""


class EmptyList(Exception):
    """A market list without a market."""


@dataclass(frozen=True)
class Verdict:
    """The failure, and whether the same request may succeed when it is made again."""

    error: FetchError
    again: bool


current: ContextVar[Answer | None] = ContextVar("current_answer", default=None)


def remember(
    code: int, reason: str, url: str, method: str, headers: Any, body: str, request_headers: Any, request_body: Any
) -> str:
    """ccxt's hook on every response; must return the body."""
    answer, text = current.get(), (body or "").strip()
    if answer is not None and answer.status < 400:
        answer.status = int(code)
        by_name = {str(name).lower(): value for name, value in dict(headers or {}).items()}
        answer.retry_after = seconds(by_name.get("retry-after"), datetime.now(UTC))
        answer.is_web_page = answer.is_web_page or text[:1] == "<"
        whole = text[:1] in ("{", "[") and text[-1:] in ("}", "]")
        whole = whole or (len(text) > 1 and text[0] == text[-1] == '"')  # a bare JSON string, as an account's mode is
        answer.is_truncated = answer.is_truncated or (200 <= int(code) < 300 and not whole)
        if answer.is_web_page or not whole or not answer.text:
            answer.text = said(text)
    return text


def said(text: str) -> str:
    """The beginning of a body as a person would quote it: a page's title, else its first words."""
    if not text:
        return "an empty body"
    title = re.search(r"<title[^>]*>([^<]{1,80})", text, re.IGNORECASE)
    shown = title[1] if title else text[:80]
    return repr(one_line(shown).strip())


def seconds(value: Any, now: datetime) -> float | None:
    """A Retry-After header in seconds: RFC 9110 allows a number or a date. None when it is neither."""
    try:
        wait = float(value)
    except (TypeError, ValueError):
        try:
            wait = (parsedate_to_datetime(str(value)) - now).total_seconds()
        except (TypeError, ValueError):
            return None
    return max(wait, 0.0) if wait < float("inf") else None


def judge(asset: str, exchange: str, error: Exception, answer: Answer) -> Verdict:
    """Any exception of a request, seen together with the response."""
    import ccxt.async_support as ccxt

    if isinstance(error, FetchError):
        return Verdict(error, False)
    kind: Kind
    again = True
    if answer.status in (403, 451) or isinstance(error, ccxt.RestrictedLocation | ccxt.PermissionDenied):
        kind, text, again = "blocked", "refuses this host's region; use a gateway or another exchange", False
    elif answer.status in (418, 429) or isinstance(error, ccxt.RateLimitExceeded | ccxt.DDoSProtection):
        kind, text = "rate limited", "asks for fewer requests; try again in a minute"
    elif isinstance(error, AnswerTooLarge):
        kind, text, again = "bad answer", f"answers with {error}, far more than prices take", False
    elif isinstance(error, RedirectRefused) or isinstance(error.__cause__, RedirectRefused):
        kind, text, again = "bad answer", f"sends the request elsewhere ({error}); that is not followed", False
    elif isinstance(error, EmptyList):
        kind, text = "bad answer", f"gives no market list; it says {answer.text}"
    elif answer.status >= 500:
        kind, text = "unavailable", f"answers with error {answer.status}; try again later"
    elif answer.is_web_page:
        kind, text = "bad answer", f"answers with a web page instead of data: {answer.text}"
    elif isinstance(error, ccxt.OnMaintenance | ccxt.ExchangeNotAvailable) and answer.text:
        kind, text = "unavailable", f"is not available now; it says {answer.text}"
    elif isinstance(error, ccxt.BadSymbol):
        kind, text, again = "not listed", "does not list it", False
    elif isinstance(error, ccxt.RequestTimeout | asyncio.TimeoutError):
        kind, text = "timeout", "does not answer"
    elif answer.is_truncated or not isinstance(error, ccxt.BaseError):
        kind, text = "bad answer", f"answers with something that cannot be read: {answer.text or type(error).__name__}"
    elif isinstance(error, ccxt.NetworkError):
        kind, text = "unavailable", "cannot be reached; check the network, or MARGIN_EXCHANGE_GATEWAY if it is set"
    else:
        kind, text = "bad answer", f"refuses the request: {str(error)[:120]}"
        again = not isinstance(error, ccxt.BadRequest | ccxt.AuthenticationError | ccxt.NotSupported)
    return Verdict(FetchError(asset, exchange, kind, f"{exchange} {text}"), again)
