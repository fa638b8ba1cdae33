"""Mango v4: one health figure from weighted balances; `mango_arithmetic` also has orders and perpetuals."""

from collections.abc import Mapping
from typing import Any, ClassVar

from margin.core.account import SubAccount
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import Lines, Mode, Slider, VenueMargin
from margin.venues.families.lending import LendingVenue
from margin.venues.rules.mango_arithmetic import Account, Token, borrow_scale, deposit_scale, health

LIMITS = "Beyond 1 the weights for opening fall (deposits) or rise (borrows) in proportion."


class Mango(LendingVenue):
    """Mango v4: weighted health."""

    name = "mango"
    sliders: ClassVar[tuple[Slider, ...]] = (
        Slider(
            key="deposits", title="The protocol's deposits over their limit", low=0.0, high=5.0, default=0.0, step=0.1,
            unit="x", help=LIMITS,
        ),
        Slider(
            key="borrows", title="The protocol's borrows over their limit", low=0.0, high=5.0, default=0.0, step=0.1,
            unit="x", help=LIMITS,
        ),
    )  # fmt: skip

    def weights(
        self, asset: str, settings: Mapping[str, float]
    ) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """Weights for opening, scaled once the protocol's own limits are passed, and against liquidation."""
        found = self.parameters["weights"].get("USD" if accounts.is_dollar(asset) else asset)
        if found is None:
            return None
        (supplied, owed), kept = found
        scaled = supplied * deposit_scale(settings["deposits"], 1.0), owed * borrow_scale(settings["borrows"], 1.0)
        return scaled, (kept[0], kept[1])

    def weighed(self, quantity: Any, price: Any, weights: tuple[float, float]) -> Any:
        return Token(quantity, price, *weights).value(quantity)

    def reckon(
        self, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> VenueMargin:
        """The account's figures, with lines where they are wanted."""
        if lines.wanted:
            held = accounts.tokens(book, marks, spot=True)
            known = [(q, price, w) for asset, q, price in held if (w := self.weights(asset, settings)) is not None]
            for i, label in enumerate(("Health for opening", "Health against liquidation")):
                total = float(health(Account(tuple(Token(q, price, *w[i]) for q, price, w in known))))
                lines.add(label, "sum of weighed balances", total, self.parameters.source("weights"), "note")
        return super().reckon(book, marks, mode, settings, lines)


RULEBOOK = Mango()
