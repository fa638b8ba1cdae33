"""What a symbol means: ccxt's unified symbols, parsed once and strictly."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Literal

from margin.core.errors import InputError

Kind = Literal["spot", "perpetual", "future", "option", "loan"]

USD_STABLECOINS = frozenset(
    (
        "USDC",
        "USDT",
        "DAI",
        "USDS",
        "TUSD",
        "FDUSD",
        "PYUSD",
        "USDP",
        "GUSD",
        "BUSD",
        "USDE",
        "LUSD",
        "FRAX",
        "USDD",
        "UST",
        "USTC",
    )
)
MAX_SYMBOL = 100
USD_LIKE = USD_STABLECOINS | {"USD"}

_CODE = r"[A-Z0-9][A-Z0-9.]{0,19}"
# A base may carry the market's prefix, as ccxt writes contracts of builders at Hyperliquid: XYZ-SPCX/USDC:USDC.
_SYMBOL = re.compile(
    rf"(?P<base>{_CODE}(?:-{_CODE})?)/(?P<quote>{_CODE})"
    rf"(?::(?P<settle>{_CODE})(?:-(?P<expiry>\d{{6}})(?:-(?P<strike>\d{{1,12}}(?:\.\d{{1,8}})?)-(?P<type>[CP]))?)?)?"
)
_ASSET = re.compile(_CODE)
_JOINED = re.compile(r"([A-Z0-9]{2,12}?)(USDT|USDC|USD)")  # an exchange's own spelling, e.g. BTCUSDT

SYMBOL_HINT = (
    "Write it as ccxt does: 'BTC/USD' (spot), 'BTC/USDT:USDT' (perpetual), 'BTC/USDT:USDT-261225' (dated future), "
    "'BTC/USD:BTC-261225-60000-C' (option), or 'BTC' alone for a lent or borrowed balance."
)


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """One tradable thing. `base` is the asset whose USD price moves it; strike in quote units."""

    symbol: str
    kind: Kind
    base: str
    quote: str = "USD"
    settle: str | None = None
    expiry: date | None = None
    strike: float | None = None
    option_type: Literal["C", "P"] | None = None

    @property
    def underlying(self) -> str:
        """The asset whose price moves it."""
        return self.base

    @property
    def is_option(self) -> bool:
        """True for calls and puts."""
        return self.kind == "option"

    @cached_property
    def is_inverse(self) -> bool:
        """Margined and paid in the coin itself (`BTC/USD:BTC`)."""
        return self.settle is not None and self.settle == self.base and self.kind in ("perpetual", "future")


def parse_symbol(symbol: str, field: str = "symbol") -> Instrument:
    """The instrument a unified symbol names.

    symbol : `BASE/QUOTE[:SETTLE[-YYMMDD[-STRIKE-C|P]]]`, or a bare asset code for a loan balance
    Raises InputError (naming `field`) when the text is not such a symbol or the quote is not a US dollar.
    Source: ccxt manual, "Contract Naming Conventions".
    """
    if not isinstance(symbol, str):
        raise InputError(field, symbol, "a symbol must be text", SYMBOL_HINT)
    if len(symbol) > MAX_SYMBOL:
        raise InputError(field, symbol, f"is {len(symbol)} characters long, too long for a symbol", SYMBOL_HINT)
    return _parse(symbol, field)


@lru_cache(maxsize=4096)
def _parse(symbol: str, field: str) -> Instrument:
    text = symbol.strip()
    if _ASSET.fullmatch(text) and (text in USD_LIKE or not _JOINED.fullmatch(text)):
        return Instrument(symbol=text, kind="loan", base=text)
    match = _SYMBOL.fullmatch(text)
    if match is None:
        raise InputError(field, symbol, "not a symbol", _symbol_hint(text))
    parts = match.groupdict()
    base, quote, settle = parts["base"], parts["quote"], parts["settle"]
    if quote not in USD_LIKE:
        hint = f"Express the pair as two positions against USD, e.g. '{base}/USD' and '{quote}/USD'."
        raise InputError(field, symbol, f"quoted in {quote}, but Margin Lab counts in US dollars", hint)
    if settle is None:
        return Instrument(symbol=text, kind="spot", base=base, quote=quote)
    if settle not in (base, quote) and settle not in USD_LIKE:
        raise InputError(field, symbol, f"settles in {settle}, which is neither its base nor a dollar", SYMBOL_HINT)
    if parts["expiry"] is None:
        return Instrument(symbol=text, kind="perpetual", base=base, quote=quote, settle=settle)
    expiry = _parse_expiry(parts["expiry"], symbol, field)
    if parts["strike"] is None:
        return Instrument(symbol=text, kind="future", base=base, quote=quote, settle=settle, expiry=expiry)
    strike = float(parts["strike"])
    if strike <= 0:
        raise InputError(field, symbol, "the strike must be above zero")
    option_type: Literal["C", "P"] = "C" if parts["type"] == "C" else "P"
    return Instrument(
        symbol=text,
        kind="option",
        base=base,
        quote=quote,
        settle=settle,
        expiry=expiry,
        strike=strike,
        option_type=option_type,
    )


def _parse_expiry(text: str, symbol: str, field: str) -> date:
    try:
        return datetime.strptime(text, "%y%m%d").date()
    except ValueError:
        hint = "Expiries are written YYMMDD, e.g. 261225 for 25 December 2026."
        raise InputError(field, symbol, f"{text} is not a date", hint) from None


def _symbol_hint(text: str) -> str:
    """The likely intended symbol for the commonest slips (no separator, dash for slash, lower case)."""
    upper = text.upper()
    joined = _JOINED.fullmatch(upper)
    if joined:
        return f"Did you mean '{joined[1]}/{joined[2]}'?"
    for candidate in (upper, re.sub(r"[-_ ]", "/", upper, count=1)):
        if candidate != text and (_SYMBOL.fullmatch(candidate) or _ASSET.fullmatch(candidate)):
            return f"Did you mean '{candidate}'?"
    return SYMBOL_HINT
