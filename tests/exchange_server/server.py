"""The server itself: one port for all exchanges, `/<host>/<path>` as the app's gateway asks for them."""

import asyncio
import gzip
import json
import threading
import time
from collections import Counter
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from aiohttp import web

from tests.exchange_server.faults import ANSWERS, DAMAGE, MARK_UP, ODD_MARKS, Fault, damaged
from tests.exchange_server.prices import candles

_NAMES = sorted(m.name for m in iter_modules([str(Path(__file__).parent)]) if m.name not in ("server", "__main__"))
_MODULES = [import_module(f"tests.exchange_server.{name}") for name in _NAMES]
EXCHANGES = [module for module in _MODULES if hasattr(module, "HOSTS")]  # a file an exchange, found by being here
SIMPLE = {
    "null": ("null", 200), "blank": ("", 200), "204": ("", 204),
    "invalid": ('{"code": -1121, "msg": "Invalid symbol."}', 400),
    "maintenance": ('{"status": "maintenance", "msg": "System maintenance."}', 200),
}  # fmt: skip
CHALLENGE = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"


class Ask:
    """One request as the exchange modules see it."""

    def __init__(
        self, server: "ExchangeServer", host: str, path: str, query: dict[str, str], body: Any, rules: list[Fault]
    ):
        self.server, self.host, self.path, self.query, self.body = server, host, path, query, body
        self.damage = {rule.kind for rule in rules if rule.kind in DAMAGE}
        self.unlisted = {rule.asset for rule in rules if rule.kind == "unlisted"}
        self.now_ms = server.now_ms()
        self.emptied = False  # the answer is to hold no candles

    def candles(self, asset: str, start_ms: int, end_ms: int, step_ms: int, shift_ms: int = 0) -> list[tuple]:
        rows = [] if self.emptied else candles(asset, start_ms, end_ms, step_ms, self.now_ms, shift_ms)
        return damaged(rows, self.damage, self.now_ms) if self.damage else rows

    def marked(self, rows: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
        """Tickers whose mark prices are gone or odd where a rule wants it so."""
        odd = next((ODD_MARKS[kind] for kind in self.damage if kind in ODD_MARKS), None)
        if "mark up" in self.damage:
            return [{**row, key: type(row[key])(float(row[key]) * MARK_UP)} for row in rows]
        return rows if odd is None else [{**row, key: odd} for row in rows]

    def listed(self, assets: list[str]) -> list[str]:
        """Those of the exchange's assets that no rule takes off the market."""
        return [asset for asset in assets if asset not in self.unlisted]


class ExchangeServer:
    """Runs on a free loopback port in its own thread; `with ExchangeServer() as s: s.address`.

    faults : rules, first match answers; requests : count per (host, what); log : addresses in order
    now : fixed server time in seconds, None for the clock
    """

    def __init__(self, port: int = 0, now: float | None = None):
        self.port, self.now = port, now
        self.faults: list[Fault] = []
        self.requests: Counter[str] = Counter()
        self.log: list[tuple[float, str, str]] = []
        self.unknown: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def now_ms(self) -> int:
        return int((time.time() if self.now is None else self.now) * 1000)

    def __enter__(self) -> "ExchangeServer":
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the exchange server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def reset(self) -> None:
        self.faults.clear()
        self.requests.clear()
        self.log.clear()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self.serve())
        waiting = asyncio.all_tasks(self._loop)  # answers that hang
        for task in waiting:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))
        self._loop.close()

    async def serve(self) -> None:
        """Serve until stopped."""
        self._stop = asyncio.Event()
        app = web.Application()
        app.router.add_post("/_faults", self._control)
        app.router.add_get("/_requests", self._counts)
        app.router.add_route("*", "/{host}/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()
        await asyncio.sleep(0.05)  # its connections are closed a turn of the loop later

    async def _control(self, request: web.Request) -> web.Response:
        """POST /_faults with a JSON list of rules replaces the rules; for tests that drive another process."""
        try:
            self.faults[:] = [Fault(**rule) for rule in await request.json()]
        except (TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"faults": len(self.faults)})

    async def _counts(self, _: web.Request) -> web.Response:
        return web.json_response(dict(self.requests))

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        host, path = request.match_info["host"], "/" + request.match_info["path"]
        text = await request.text()
        body = json.loads(text) if text[:1] in ("{", "[") else None
        module = next((m for m in EXCHANGES if host in m.HOSTS), None)
        if module is None:
            self.unknown.append(f"{host}{path}")
            return web.json_response({"error": "no such host"}, status=404)
        where = module.where(path, body)
        address = f"{host}{path}?{request.query_string}{text}"
        self.requests[f"{host} {where}"] += 1
        self.log.append((time.monotonic(), host, f"{path}?{request.query_string}"))
        rules = [rule for rule in self.faults if rule.applies(host, where, address)]
        answer = next((rule for rule in rules if rule.kind in ANSWERS), None)
        if answer is not None and answer.kind not in ("truncated", "empty"):
            return await _failure(answer)
        ask = Ask(self, host, path, dict(request.query), body, rules)
        if answer is not None and answer.kind == "empty":
            ask.emptied = True
        try:
            status, data = module.answer(ask)
        except KeyError as error:
            self.unknown.append(f"{host}{path} {error}")
            status, data = 404, {"error": f"unknown: {error}"}
        if isinstance(data, str):
            return web.Response(text=data, status=status)
        text = "{}" if answer is not None and answer.kind == "empty" and where == "markets" else json.dumps(data)
        if answer is not None and answer.kind == "truncated":
            text = text[: max(len(text) // 2, 1)]
        return web.Response(text=text, status=status, content_type="application/json")


async def _failure(rule: Fault) -> web.StreamResponse:
    if rule.kind == "hang":
        await asyncio.sleep(60)
    if rule.kind == "html":
        return web.Response(text=CHALLENGE, content_type="text/html")
    if rule.kind in SIMPLE:
        text, status = SIMPLE[rule.kind]
        return web.Response(text=text or None, status=status, content_type="application/json")
    if rule.kind == "bomb":
        packed = gzip.compress(b'{"result": "' + b"0" * 300_000_000 + b'"}', 1)
        return web.Response(body=packed, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})
    if rule.kind == "redirect":
        return web.Response(status=302, headers={"Location": "http://localhost:9/elsewhere"})
    headers = {"Retry-After": str(rule.retry_after)} if rule.retry_after is not None else {}
    status = int(rule.kind) if rule.kind.isdigit() else 500
    return web.json_response({"message": f"refused with {status}"}, status=status, headers=headers)
