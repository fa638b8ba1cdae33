"""Published cases through the door that users have: an account goes in, state and liquidation price come out."""

from dataclasses import replace

import pandas as pd

from margin import venues
from margin.core.account import SubAccount
from margin.core.portfolio import Collateral, Position
from margin.models.marks import Marks
from margin.venues.liquidation import of_sub_account
from margin.venues.margin_models import VenueModel

TODAY = pd.Timestamp("2026-11-26")


def with_facts(name, **facts):
    """The venue's rulebook with other parameters: those that a case states."""
    rulebook = venues.rulebook(name)
    return type(rulebook)(replace(rulebook.parameters, facts={**rulebook.parameters.facts, **facts}))


class Account:
    """positions: (symbol, quantity[, entry], {more}); held: {asset: quantity}; prices: {asset: USD}."""

    def __init__(self, rulebook, mode, positions, held, prices, when=TODAY, isolated=False, vols=None, **settings):
        rulebook = venues.rulebook(rulebook) if isinstance(rulebook, str) else rulebook
        self.model = VenueModel(rulebook, mode, settings)
        made = tuple(p if isinstance(p, Position) else Position(*p) for p in positions)
        money = tuple(Collateral(asset, q) for asset, q in held.items())
        self.sub = SubAccount(name="case", positions=made, collateral=money, isolated=isolated)
        dollars = {c.asset: 1.0 for c in money if c.asset.startswith("USD")}
        self.marks = Marks({**dollars, **prices}, pd.Timestamp(when), vols or {})

    @property
    def state(self):
        return self.model.state(self.sub, self.marks)

    def liquidation_price(self, asset=None):
        """On the losing side of the (first) position; None where no price liquidates."""
        held = next(p for p in self.sub.positions if asset in (None, p.underlying))
        edges = of_sub_account(self.model, self.sub, self.marks)[held.underlying]
        return edges.down if held.quantity > 0 else edges.up


def isolated(rulebook, position, price=None, when=TODAY, mode="isolated", **settings):
    """One isolated position with the margin posted to it, else its initial margin at entry."""
    asset, entry = position.underlying, position.entry_price
    at = {asset: price or entry}
    model = VenueModel(venues.rulebook(rulebook) if isinstance(rulebook, str) else rulebook, mode, settings)
    margin = position.margin
    if margin is None:
        margin = model.opening_margin(position, Marks(at, pd.Timestamp(when)))
    coin = asset if position.instrument.is_inverse else "USD"
    held = {coin: margin / entry if coin != "USD" else margin}
    return Account(model.rulebook, mode, [position], held, at, when, isolated=True, **settings)
