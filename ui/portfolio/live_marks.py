"""Whose live price an account stands at.

Its own venue's mark of what it holds as a contract; else the first price that was found, the same for everybody.
"""

from collections.abc import Mapping

from data.exchange.tickers import LastPrice, held_as_contracts
from margin.core.account import Account
from margin.core.portfolio import Portfolio

PricesOf = tuple[tuple[str, float], ...]  # (asset, USD), sorted


def by_venue(portfolio: Portfolio, last: Mapping[str, LastPrice]) -> dict[str, tuple[LastPrice, ...]]:
    """The prices each asset stands at in this book, one of each exchange."""
    held = held_as_contracts(portfolio)
    out = {}
    for asset, seen in last.items():
        mine = [seen.held_at(venue) for venue in held.get(asset, [])] or [seen]
        out[asset] = tuple({one.exchange: one for one in mine}.values())
    return out


def prices_at(account: Account, last: Mapping[str, LastPrice]) -> PricesOf:
    """For one account."""
    held = held_as_contracts(Portfolio(accounts=(account,)))
    return _sorted({a: (seen.held_at(account.venue) if a in held else seen).price for a, seen in last.items()})


def pool_prices(portfolio: Portfolio, last: Mapping[str, LastPrice]) -> PricesOf:
    """For one pool, where a coin has one price: its venues' marks, weighted by the units held at each."""
    units: dict[str, float] = {}
    worth: dict[str, float] = {}
    for account in portfolio.accounts:
        for p in account.positions:
            if p.owned or p.instrument.kind == "loan" or p.underlying not in last:
                continue
            own = last[p.underlying].held_at(account.venue).price
            size = abs(p.quantity) / own if p.instrument.is_inverse else abs(p.quantity)
            units[p.underlying] = units.get(p.underlying, 0.0) + size
            worth[p.underlying] = worth.get(p.underlying, 0.0) + size * own
    return _sorted({a: worth[a] / units[a] if units.get(a) else seen.price for a, seen in last.items()})


def _sorted(prices_of: Mapping[str, float]) -> PricesOf:
    return tuple(sorted(prices_of.items()))
