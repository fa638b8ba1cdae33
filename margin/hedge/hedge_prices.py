"""Prices for what could hedge, and why a hedge can't be used."""

from collections.abc import Sequence
from dataclasses import replace

from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.core.instruments import parse_symbol
from margin.core.market import Market
from margin.hedge.menu import hedge_symbol
from margin.ladder.margin_models import LadderModel
from margin.models.base import MarginModel
from margin.models.marks import Marks


def with_hedges(
    marks: Marks, market: Market, sub: SubAccount, hedges: Sequence[str], model: MarginModel
) -> tuple[Marks, dict[str, str]]:
    """Marks with a price for each hedge, and why a hedge can't be used: no price, or no history on the book's days."""
    prices, out = dict(marks.prices), {}
    held = [p.underlying for p in sub.positions if p.underlying != "USD" and p.underlying in market]

    for name in hedges:
        asset = parse_symbol(hedge_symbol(sub, name), "with").base
        if asset not in market:
            out[name] = f"no prices of {asset}"
            continue
        try:
            prices.setdefault(asset, market.price(asset, marks.as_of))
        except InputError as error:
            out[name] = error.problem
            continue
        if isinstance(model, LadderModel) and held and not _same_days(market, held, asset, model, marks):
            out[name] = f"{asset} has no price on all of the days that this account is measured on"

    return replace(marks, prices=prices), out


def _same_days(market: Market, held: list[str], asset: str, model: LadderModel, marks: Marks) -> bool:
    if asset in held:
        return True
    settings = model.settings
    as_of = settings.as_of or marks.as_of
    key = ("hedge days", tuple(sorted(held)), asset, str(as_of), settings.horizon, settings.lookback)

    def same() -> bool:
        own = market.returns(sorted(set(held)), as_of, settings.horizon, settings.lookback).dates
        try:
            both = market.returns(sorted({*held, asset}), as_of, settings.horizon, settings.lookback).dates
        except InputError:
            return False
        return len(own) == len(both) and bool((own == both).all())

    found: bool = market.remember(key, same)
    return found
