"""The nearest liquidation of an account, each sub-account under its own margin model, as Liquidation finds it."""

from dataclasses import dataclass

from margin.core.account import Account
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.liquidation.moves import fatal_moves, nearest_fatal
from margin.stress.held import StressBook, stress_book

__all__ = ["Nearest", "nearest_liquidation", "nearest_of"]


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """account : its name or venue; sub_account : the name of what is liquidated

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
    if not account.margined:
        return None
    book = stress_book(Portfolio(accounts=(account,)), market, settings, model)
    return nearest_of(book, account.name or account.venue)


def nearest_of(book: StressBook, account: str = "") -> Nearest | None:
    """The same of a book made ready; `account`: the name the result carries."""
    found = nearest_fatal(fatal_moves(book))
    if found is None or found.nearest is None or found.spot is None:
        return None
    held = next(h for h in book.held if h.name == found.account)
    return Nearest(
        account=account,
        sub_account=found.account,
        asset=found.name,
        price=found.spot * (1.0 + found.nearest),
        move=found.nearest,
        model=held.model.key,
    )
