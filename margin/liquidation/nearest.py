"""The nearest liquidation of an account, each sub-account under its own margin model."""

from dataclasses import dataclass

from margin import models
from margin.core.account import Account
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.models.marks import Marks
from margin.venues.liquidation import of_sub_account

__all__ = ["Nearest", "nearest_liquidation"]


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """account : its name or venue; sub_account : "" the cross pool, else the isolated position's symbol

    asset, price, move : whose price, USD at which liquidation starts, and the fraction it is away (0: it has begun)
    model : the margin model's key
    """

    account: str
    sub_account: str
    asset: str
    price: float
    move: float
    model: str


def nearest_liquidation(
    account: Account, market: Market, settings: Settings | None = None, model: str | None = None
) -> Nearest | None:
    """The smallest move of one price that liquidates any part of the account; None where no price does.

    model : a key, instead of the account's own venue and mode (without a venue: the portfolio method)
    Raises InputError where the model does not cover the account, or a price is missing.
    """
    chosen = settings or Settings()
    ours = account.venue == "" if model is None else ":" not in model
    rules = (
        models.for_account(account, market, chosen if ours else None)
        if model is None
        else models.get(model, market, chosen if ours else None)
    )
    marks = Marks.of_market(market, Portfolio(accounts=(account,)), chosen.as_of)
    best: Nearest | None = None
    for sub in account.sub_accounts(rules, marks):
        if not sub.positions:
            continue
        for asset, edges in of_sub_account(rules, sub, marks).items():
            spot = marks.price(asset)
            for price in (edges.down, edges.up):
                if price is None:
                    continue
                move = price / spot - 1.0
                if best is None or abs(move) < abs(best.move):
                    best = Nearest(
                        account=account.name or account.venue,
                        sub_account=sub.name if sub.isolated else "",
                        asset=asset,
                        price=price,
                        move=move,
                        model=rules.key,
                    )
    return best
