"""The exchanges there are: one file each in data/exchange/listed; order, menus, tables and tests are made from them."""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from data.exchange import listed
from data.exchange.facts import Exchange
from data.universe import FUNDS, STABLECOINS
from margin.core.errors import InputError, did_you_mean

YAHOO = "yahoo"


@cache
def exchanges() -> dict[str, Exchange]:
    """Every exchange by its id, in the order they are asked; those never asked for prices last."""
    found: list[Exchange] = [
        import_module(f"{listed.__name__}.{module.name}").EXCHANGE for module in iter_modules(listed.__path__)
    ]
    found.sort(key=lambda e: (e.order is None, e.order or 0, e.id))
    return {e.id: e for e in found}


def facts_of(exchange_id: str) -> Exchange:
    """The facts of one exchange. Raises InputError for an unknown one."""
    if exchange_id not in exchanges():
        raise InputError("exchange", exchange_id, "is not known", f"Known: {', '.join(exchanges())}.")
    return exchanges()[exchange_id]


EXCHANGES = tuple(e.id for e in exchanges().values() if e.order is not None)
SOURCES = (*EXCHANGES, YAHOO)
_FUNDING = sorted((e.funding_order, e.id) for e in exchanges().values() if e.funding_order)
FUNDING = tuple(name for _, name in _FUNDING)  # whom to ask for years of recorded payments


MARKING = tuple(e.id for e in sorted(exchanges().values(), key=lambda e: e.marks_order) if e.marks)


def check_exchanges(names: Iterable[str] | None) -> tuple[str, ...]:
    """The sources to ask, in order; all exchanges when None is given. "yahoo" may be one of them."""
    if names is None:
        return EXCHANGES
    chosen = tuple(dict.fromkeys(name.strip().lower() for name in names if name.strip()))
    for name in chosen:
        if name not in SOURCES:
            hint = did_you_mean(name, SOURCES) or f"Known: {', '.join(SOURCES)}."
            raise InputError("exchanges", name, "is not a source Margin Lab reads", hint)
    if not chosen:
        raise InputError("exchanges", names, "names none", f"Known: {', '.join(SOURCES)}.")
    return chosen


def candidates(exchange: str, asset: str) -> list[str]:
    """Symbols that give the asset's dollar price on an exchange, best first: USD, then dollar stablecoins."""
    quote = facts_of(exchange).perpetual_quote
    if quote:
        return [f"{asset}/{quote}:{quote}"]
    return [f"{asset}/{quote}" for quote in ("USD", "USDT", "USDC") if quote != asset]


def order_for(asset: str, sources: tuple[str, ...], candles: int) -> list[str]:
    """Whom to ask, best first: an exchange that keeps too few candles comes after those that reach back far enough.

    Not so for a stablecoin: a short series against the real dollar says more about its peg than a long one against
    another stablecoin, and comes first; the longer one is put before it.
    """
    if asset in FUNDS:
        return [YAHOO]
    if asset in STABLECOINS:
        return list(sources)
    reaching = [s for s in sources if kept(s) is None or (kept(s) or 0) > candles]  # one kept is still unfinished
    return [*reaching, *(s for s in sources if s not in reaching)]


def kept(source: str) -> int | None:
    """How many of the newest candles a source keeps; None: all, or not an exchange."""
    found = exchanges().get(source)
    return None if found is None else found.kept
