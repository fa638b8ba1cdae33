"""The HTTP session of an exchange: an answer of bounded size, and no redirect to another host.

A few kilobytes of gzip can unpack to gigabytes, and an exchange that sends its callers elsewhere is not answering.
"""

import ssl
from functools import lru_cache
from types import SimpleNamespace
from urllib.parse import urljoin, urlsplit

import aiohttp

from data.exchange.answers import MAX_ANSWER, AnswerTooLarge, RedirectRefused


class CappedResponse(aiohttp.ClientResponse):
    """Reads its body piece by piece and stops at MAX_ANSWER unpacked bytes."""

    async def read(self) -> bytes:
        """The unpacked body. Raises AnswerTooLarge."""
        if self._body is None:
            pieces, size = [], 0
            async for piece in self.content.iter_chunked(1 << 16):
                size += len(piece)
                if size > MAX_ANSWER:
                    self.close()
                    raise AnswerTooLarge(f"more than {MAX_ANSWER >> 20} MB")
                pieces.append(piece)
            self._body = b"".join(pieces)
            await self.wait_for_close()
        return self._body


async def _redirected(
    _: aiohttp.ClientSession, __: SimpleNamespace, params: aiohttp.TraceRequestRedirectParams
) -> None:
    location = params.response.headers.get("Location", "")
    target = urlsplit(urljoin(str(params.url), location)).hostname
    if target != params.url.host:
        raise RedirectRefused(f"to {str(target)[:60]}")


@lru_cache(maxsize=4)
def _context(certificates: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificates)  # read from a file, so once


def open_session(certificates: str) -> aiohttp.ClientSession:
    """A session for one exchange, in the running loop; `certificates` is the file of those it trusts."""
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_redirected)
    connector = aiohttp.TCPConnector(ssl=_context(certificates))
    return aiohttp.ClientSession(
        connector=connector, response_class=CappedResponse, trace_configs=[trace], trust_env=True
    )
