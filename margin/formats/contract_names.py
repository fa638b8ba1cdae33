"""What venues call their contracts, as ccxt's unified symbols: BTCUSDT, BTC-PERPETUAL, BTC-25JUN27-100000-C, PF_XBTUSD.

Each pattern is one venue's documented form; where a name means different things at different venues the venue says
which. BTCUSDT alone names a perpetual or coins: it is asked, unless a table of derivatives says so.
"""

import re
from datetime import date, datetime

from margin.core.errors import InputError
from margin.core.instruments import SYMBOL_HINT, parse_symbol
from margin.formats.price_words import COINS

QUOTES = ("FDUSD", "USDT", "USDC", "USDE", "USD")  # no TUSD, BUSD: XBTUSD and BNBUSD are in dollars
_RENAMED = {"XBT": "BTC", "XDG": "DOGE"}
_MONTHS = "FGHJKMNQUVXZ"

_DAY_MONTH = re.compile(  # Deribit, Bybit: BTC-25JUN27, SOL_USDC-25JUN27-150-C, BTC-27DEC26-100000-P-USDT
    r"(?P<base>[A-Z0-9]{1,20}?)(?:_?(?P<quote>USDC|USDT|USDE|USD))?-(?P<expiry>\d{1,2}[A-Z]{3}\d{2})"
    r"(?:-(?P<strike>\d+(?:[D.]\d+)?)-(?P<type>[CP])(?:-(?P<settle>USDT|USDC))?)?"
)
_SIX_DIGITS = re.compile(  # OKX, Binance: BTC-USD-261225, BTC-USD-261225-60000-C, BTCUSDT_261225, BTC-261225-60000-C
    r"(?P<base>[A-Z0-9]{1,20}?)[-_]?(?P<quote>USDT|USDC|USD)?(?:_UM)?[-_](?P<expiry>\d{6})"
    r"(?:-(?P<strike>\d+(?:\.\d+)?)-(?P<type>[CP]))?"
)
_PERPETUAL_WORD = re.compile(
    r"(?P<base>[A-Z0-9.]{1,20}?)[-_/ ]?(?P<quote>FDUSD|USDT|USDC|USDE|USD)?(?:_UM)?[-_/ .:]?"
    r"(?:PERPETUAL|PERP|SWAP|P)"
)
_KRAKEN = re.compile(r"(?P<kind>PF|PI|FF|FI)_(?P<base>[A-Z0-9]{2,20}?)(?P<quote>USD)(?:_(?P<expiry>\d{6}))?")
_MONTH_CODE = re.compile(rf"(?P<base>[A-Z0-9]{{2,12}}?)(?P<quote>USDT|USD)?(?P<month>[{_MONTHS}])(?P<year>\d{{2}})")
_JOINED = re.compile(rf"(?P<base>[A-Z0-9.]{{1,20}}?)[-_/ ]?(?P<quote>{'|'.join(QUOTES)})")

_LONG_YEAR = re.compile(r"(?<=\d[A-Z]{3})20(?=\d\d\b)")
_SPACED = re.compile(r" +(?=\d{1,2}[A-Z]{3}\d{2}\b)|(?<=\d[A-Z]{3}\d{2}) +(?=\d)|(?<=\d) +(?=[CP]\b)")

ASKS = "may be the perpetual or coins"  # the one question a table may leave open


def unify(name: str, venue: str = "", derivative: bool | None = True, field: str = "symbol") -> str:
    """The unified symbol that `name` means at `venue` ("" where unknown).

    derivative : True: a pair without a word for its kind is a perpetual; False: coins; None: it is asked
    Raises InputError where the name is none or says too little.
    """
    raw = name.strip()
    if ":" in raw and "/" not in raw and venue in ("hyperliquid", ""):
        dex, _, coin = raw.partition(":")  # a market of a builder at Hyperliquid
        return parse_symbol(f"{dex.upper()}-{coin.upper()}/USDC:USDC", field).symbol
    plain = re.sub(r"[\u2010-\u2013\u2212]", "-", raw.upper())
    plain = _SPACED.sub("-", _LONG_YEAR.sub("", plain))
    if "/" in plain and not _PERPETUAL_WORD.fullmatch(plain):
        symbol = parse_symbol(plain, field)
        if symbol.kind == "spot" and derivative:
            return _perpetual(symbol.base, symbol.quote, venue)
        return symbol.symbol
    for form in (_kraken, _dated, _perpetual_word, _month_code):
        found = form(plain, venue)
        if found:
            return parse_symbol(found, field).symbol
    if plain.endswith(("USDTM", "USDCM")) and (kucoin := _JOINED.fullmatch(plain[:-1])):
        return parse_symbol(_perpetual(_base(kucoin["base"]), kucoin["quote"], venue), field).symbol
    joined = _JOINED.fullmatch(plain)
    if joined:
        base, quote = _base(joined["base"]), joined["quote"]
        if derivative is None:
            hint = f"Write {base}/{quote}:{base if quote == 'USD' else quote} or {base}/{quote}."
            raise InputError(field, name, ASKS, hint)
        return parse_symbol(_perpetual(base, quote, venue) if derivative else f"{base}/{quote}", field).symbol
    if venue in ("hyperliquid", "lighter", "dydx") and re.fullmatch(r"[A-Z0-9.]{1,20}", plain):
        return parse_symbol(f"{plain}/USDC:USDC", field).symbol
    raise InputError(field, name, "is not the name of a contract that is known here", SYMBOL_HINT)


def _base(base: str) -> str:
    return _RENAMED.get(base) or COINS.get(base, base)


def _perpetual(base: str, quote: str, venue: str) -> str:
    if venue == "dydx":
        return f"{base}/USDC:USDC"
    if quote == "USD":  # coin-settled, but where everything settles in dollars
        return f"{base}/USD:{base}" if venue not in ("kraken", "coinbase") else f"{base}/USD:USD"
    return f"{base}/{quote}:{quote}"


def _perpetual_word(name: str, venue: str) -> str:
    found = _PERPETUAL_WORD.fullmatch(name)
    if not found or (name.endswith("P") and not name.endswith((".P", "PERP", "SWAP"))):
        return ""
    base = _base(found["base"])
    if found["quote"]:
        return _perpetual(base, found["quote"], venue)
    if name.endswith("PERPETUAL") and venue in ("deribit", ""):
        return f"{base}/USD:{base}"
    quote = "USDT" if venue in ("binance", "okx", "") else "USDC"
    return f"{base}/{quote}:{quote}"


def _dated(name: str, venue: str) -> str:
    found = _DAY_MONTH.fullmatch(name)
    if found:
        try:
            expiry = datetime.strptime(found["expiry"].title(), "%d%b%y").strftime("%y%m%d")
        except ValueError:
            return ""
        quote = found["quote"] or "USD"
        settle = found["quote"] if found["quote"] not in (None, "USD") else ""
        if venue == "bybit" and not found["quote"]:
            quote = settle = found["settle"] or "USDC"
        strike = (found["strike"] or "").replace("D", ".")
        return _with_expiry(_base(found["base"]), quote, settle, expiry, strike, found["type"])
    found = _SIX_DIGITS.fullmatch(name)
    if found:
        quote = found["quote"] or ("USDT" if found["strike"] else "USD")  # Binance's options settle in USDT
        settle = quote if quote != "USD" else ""
        return _with_expiry(_base(found["base"]), quote, settle, found["expiry"], found["strike"] or "", found["type"])
    return ""


def _with_expiry(base: str, quote: str, settle: str, expiry: str, strike: str, kind: str | None) -> str:
    symbol = f"{base}/{quote}:{settle or base}-{expiry}"
    return f"{symbol}-{strike}-{kind}" if strike and kind else symbol


def _kraken(name: str, venue: str) -> str:
    found = _KRAKEN.fullmatch(name)
    if not found:
        return ""
    base = _base(found["base"])
    settle = base if found["kind"].endswith("I") else "USD"
    return f"{base}/USD:{settle}" + (f"-{found['expiry']}" if found["expiry"] else "")


def _month_code(name: str, venue: str) -> str:
    """BitMEX (XBTZ26) and Bybit (BTCUSDZ26): quarterly, on the last Friday of the month."""
    found = _MONTH_CODE.fullmatch(name)
    if not found or venue not in ("bitmex", "bybit"):
        return ""
    base, quote = _base(found["base"]), found["quote"] or "USD"
    last = _last_friday(2000 + int(found["year"]), _MONTHS.index(found["month"]) + 1)
    return f"{base}/{quote}:{base if quote == 'USD' else quote}-{last:%y%m%d}"


def _last_friday(year: int, month: int) -> date:
    first = date(year + month // 12, month % 12 + 1, 1).toordinal()
    return date.fromordinal(next(d for d in range(first - 1, first - 8, -1) if date.fromordinal(d).weekday() == 4))
