"""Implied volatility of options as Deribit marks them now (`mark_iv` of its public ticker), asked once per option."""

import asyncio
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from data.errors import FetchError
from data.exchange import refusals
from data.exchange.asker import Asker, Patience
from data.exchange.event_loop import run
from data.exchange.plain import open_plain
from data.universe import is_offline
from margin.core.errors import InputError
from margin.core.instruments import Instrument, parse_symbol

__all__ = ["MarkVols", "deribit_name", "fetch_mark_vols"]

VENUE = "deribit"
MOST = 40  # options asked for at once
COIN_SETTLED = ("BTC", "ETH")  # elsewhere Deribit's options settle in USDC
HIGHEST = 10.0  # a year, 1,000%
HURRIED = Patience(timeout=4.0, tries=2)


@dataclass(frozen=True, kw_only=True)
class MarkVols:
    """vols : unified symbol -> volatility a year (0.65 is 65%); at : UTC, when it was asked

    failures : unified symbol -> one line about why it has none
    """

    vols: dict[str, float]
    failures: dict[str, str]
    at: datetime


def fetch_mark_vols(symbols: Iterable[str], patience: Patience = HURRIED) -> MarkVols:
    """What Deribit marks these options at. The caller waits; what can't be had is in `failures`.

    An option that settles in dollars elsewhere is looked up by its coin, expiry and strike. Raises InputError for what
    is no option, for more than MOST, and where the network may not be used.
    """
    wanted = {symbol: parse_symbol(symbol) for symbol in dict.fromkeys(symbols)}
    for symbol, instrument in wanted.items():
        if not instrument.is_option:
            raise InputError("symbol", symbol, "is not an option", "Only options have an implied volatility.")
    if len(wanted) > MOST:
        raise InputError("symbols", len(wanted), "are too many options at once", f"At most {MOST}.")
    if is_offline():
        raise InputError("network", "MARGIN_OFFLINE", "is set, so nothing is fetched", "Type the volatility instead.")
    return run(_all(wanted, patience))


def deribit_name(instrument: Instrument) -> str:
    """'BTC-25JUN27-100000-C', 'SOL_USDC-25JUN27-150-P': what Deribit calls an option of this coin, expiry, strike."""
    assert instrument.expiry is not None and instrument.strike is not None and instrument.option_type is not None
    coin = (
        instrument.base
        if instrument.base in COIN_SETTLED and instrument.settle != "USDC"
        else f"{instrument.base}_USDC"
    )
    day = f"{instrument.expiry.day}{instrument.expiry:%b%y}".upper()
    strike = f"{instrument.strike:f}".rstrip("0").rstrip(".").replace(".", "d")
    return f"{coin}-{day}-{strike}-{instrument.option_type[0].upper()}"


async def _all(wanted: dict[str, Instrument], patience: Patience) -> MarkVols:
    vols: dict[str, float] = {}
    failures: dict[str, str] = {}
    async with _VolClient(VENUE, patience) as client:
        answers = await asyncio.gather(*(client.vol(instrument) for instrument in wanted.values()))
    for symbol, found in zip(wanted, answers, strict=True):
        if isinstance(found, FetchError):
            failures[symbol] = found.message
        else:
            vols[symbol] = found
    return MarkVols(vols=vols, failures=failures, at=datetime.now(UTC))


class _VolClient(Asker):
    async def vol(self, instrument: Instrument) -> float | FetchError:
        name = deribit_name(instrument)
        try:
            refusals.check(name, self.id)
            if self._exchange is None:
                self._exchange = open_plain(self.id, self.patience)
            answer = await self.call(name, self._exchange.publicGetTicker, {"instrument_name": name})
            return _vol(name, answer)
        except FetchError as error:
            return error


def _vol(name: str, answer: Any) -> float | FetchError:
    """`mark_iv` is in percent. A missing or absurd one is a bad answer, never a volatility of 0."""
    info = answer.get("result") if isinstance(answer, dict) else None
    said = info.get("mark_iv") if isinstance(info, dict) else None
    try:
        value = float(said) / 100.0  # type: ignore[arg-type]
    except (TypeError, ValueError):
        value = math.nan
    if not 0.0 < value <= HIGHEST:
        return FetchError(name, VENUE, "bad answer", f"{VENUE} gave no volatility for {name}")
    return value
