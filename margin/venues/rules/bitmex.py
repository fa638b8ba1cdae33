"""BitMEX: a position's rates rise step by step with its size; inverse perpetuals, margined in bitcoin."""

import math
from collections.abc import Mapping
from functools import cached_property

from margin.core.portfolio import Position
from margin.models.marks import Marks
from margin.venues.accounts import contracts_value
from margin.venues.base import Mode
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tier, tiers_of


def step_rates(
    size: float, base: float, step: float, initial: float, maintenance: float, rise: float
) -> tuple[float, float]:
    """(initial, maintenance) rate of the whole position: each begun step beyond the base limit adds `rise`."""
    steps = max(math.ceil((size - base) / step - 1e-12), 0)
    return initial + steps * rise, maintenance + steps * rise


def inverse_margin(contracts: float, price: float, rate: float, leverage: float = 1.0) -> float:
    """Coins of margin on an inverse contract of 1 USD each: contracts / price x rate / leverage."""
    return contracts / price * rate / leverage


STEPS = 40  # of the risk limit, beyond any account


class Bitmex(PerpetualVenue):
    name = "bitmex"
    rule = "risk_limit"
    whole = True
    closed = True
    linear = False
    inverse = True

    def tiers(self, asset: str, inverse: bool = False) -> tuple[Tier, ...] | None:
        return self._tiers if asset == "BTC" else None

    def tier_size(self, position: Position, marks: Marks) -> float:
        """Coins at the mark: the risk limit counts bitcoin."""
        return contracts_value(position, marks) / marks.price(position.underlying)

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        if asset == "BTC":
            return quantity * price, quantity * price, ""
        return super().counted(asset, quantity, price, mode, settings)

    @cached_property
    def _tiers(self) -> tuple[Tier, ...]:
        base, step, initial, maintenance, rise = self.parameters["risk_limit"]
        edges = [0.0, *(base + i * step for i in range(STEPS))]
        rows = []
        for i, floor in enumerate(edges):
            cap = edges[i + 1] if i + 1 < len(edges) else None
            rows.append((floor, cap, maintenance + i * rise, 1.0 / (initial + i * rise)))
        return tiers_of(rows, whole=self.whole, closed=self.closed)


RULEBOOK = Bitmex()
