"""Scripts of Streamlit's that the first page needs, asked for with the page itself.

Streamlit's page loads what draws an element when the first such element arrives: one after another, and Plotly (5 MB of
script) last, when everything else waits for it. Named in the page, they are fetched, compiled and run while the server
still loads the engine. Nothing depends on it: what is not found is loaded as it always was.
"""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ELEMENTS = ("PlotlyChart", "Metric", "BidiComponent", "Html", "ButtonGroup", "Button")
_SCRIPTS = Path(st.__file__).parent / "static" / "static" / "js"


def script_tags(elements: Sequence[str], folder: Path = _SCRIPTS) -> bytes:
    """A script tag for each element's script, by its name without the hash; none for one that is not there."""
    names = {file.name.split(".")[0]: file.name for file in sorted(folder.glob("*.js"))}
    tag = '<script type="module" async crossorigin src="./static/js/{}"></script>'
    return "".join(tag.format(names[element]) for element in elements if element in names).encode()


class ScriptsAhead:
    """Middleware: puts the tags into each HTML page that the server sends."""

    def __init__(self, app: ASGIApp, elements: Sequence[str] = ELEMENTS) -> None:
        self.app = app
        self.tags = script_tags(elements)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start: Message = {}
        page = bytearray()

        async def through(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                start.update(message)
            elif start and message["type"] == "http.response.body":
                page.extend(message.get("body", b""))
                if not message.get("more_body"):
                    body = bytes(page).replace(b"</head>", self.tags + b"</head>", 1)
                    size = (b"content-length", str(len(body)).encode())
                    kept = [h for h in start["headers"] if h[0] not in (b"content-length", b"etag")]
                    await send({**start, "headers": [*kept, size]})
                    await send({**message, "body": body})
            else:
                await send(message)

        await self.app(scope, receive, through)


def _is_page(start: Message) -> bool:
    return bool(start["status"] == 200) and any(
        name == b"content-type" and value.startswith(b"text/html") for name, value in start["headers"]
    )
