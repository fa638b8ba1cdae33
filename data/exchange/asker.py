"""One exchange's requests: retries, pauses and every kind of failure as a FetchError."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from data.exchange import answers, refusals

Self = TypeVar("Self", bound="Asker")
T = TypeVar("T")
SILENCES = 2  # a request that gets no answer at all is made this often, not more: each one costs the whole timeout


@dataclass(frozen=True)
class Patience:
    """How long to wait: seconds per request, tries per request, the first pause and the longest pause obeyed.

    pace : the exchange's own pause between requests is multiplied by it; anything but 1 is for tests on loopback
    """

    timeout: float = 10.0
    tries: int = 3
    pause: float = 0.5
    longest_pause: float = 30.0
    pace: float = 1.0


class Asker:
    """An open ccxt exchange that is asked with patience; use it with `async with`."""

    def __init__(self, exchange_id: str, patience: Patience | None = None):
        self.id, self.patience = exchange_id, patience or Patience()
        self._exchange: Any = None
        self._quiet_until = 0.0  # monotonic; a 429 to one request holds back all

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; nothing may be asked afterwards."""
        if self._exchange is not None:
            await self._exchange.close()

    async def call(self, asset: str, function: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        """One request with retries. Raises FetchError; a refusal (403, 451, a long Retry-After) is remembered."""
        for attempt in range(1, self.patience.tries + 1):
            refusals.check(asset, self.id)
            await self._wait_out()
            answer = answers.Answer()
            token = answers.current.set(answer)
            try:
                result = await function(*arguments)
                if answer.is_web_page or answer.is_truncated:
                    raise ValueError("not JSON")
                return result
            except Exception as error:  # ccxt turns odd answers into any exception at all
                verdict = answers.judge(asset, self.id, error, answer)
            finally:
                answers.current.reset(token)
            kind = verdict.error.kind
            if kind == "blocked":
                refusals.remember(self.id, kind)
            pause = answer.retry_after if answer.retry_after is not None else self.patience.pause * 2 ** (attempt - 1)
            if kind == "rate limited":
                self._quiet_until = max(self._quiet_until, time.monotonic() + pause)
                if pause > self.patience.longest_pause:
                    refusals.remember(self.id, kind, pause)
            most = min(SILENCES, self.patience.tries) if kind == "timeout" else self.patience.tries
            if not verdict.again or attempt >= most or pause > self.patience.longest_pause:
                raise verdict.error
            await asyncio.sleep(pause)
        raise AssertionError("unreachable: the last try returns or raises")

    async def _wait_out(self) -> None:
        while (left := self._quiet_until - time.monotonic()) > 0:
            if left > self.patience.longest_pause:
                return  # remembered as a refusal, which the next check raises
            await asyncio.sleep(left)
