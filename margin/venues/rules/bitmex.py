"""BitMEX: a position's rates rise step by step with its size; inverse perpetuals, margined in bitcoin."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues.base import Mode
from margin.venues.families.perpetuals import FIRST_LEVERAGE, Basis, PerpetualVenue
from margin.venues.families.tiers import Tiers, tiers_of

STEPS = 40  # of the risk limit, beyond any account


def step_tiers(base: float, step: float, initial: float, maintenance: float, rise: float) -> Tiers:
    """Rates of the whole position by size in coins: each begun step beyond the base limit adds `rise` to both."""
    edges = [0.0, *(base + i * step for i in range(STEPS))]
    rows = []
    for i, floor in enumerate(edges):
        cap = edges[i + 1] if i + 1 < len(edges) else None
        rows.append((floor, cap, maintenance + i * rise, 1.0 / (initial + i * rise)))
    return tiers_of(rows, whole=True, closed=True)


class Bitmex(PerpetualVenue):
    """BitMEX: risk limits in steps."""

    name = "bitmex"
    rule = "risk_limit"
    whole = True
    closed = True
    one = "net"
    linear = False
    inverse = True
    in_coins = True
    fee_to_open = False
    coin_wallets: ClassVar[tuple[Mode, ...]] = ("isolated", "cross")
    kinds = ("perpetual", "future")

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        return self._tiers if asset == "BTC" else None

    def basis(self, mode: Mode, marks: Marks) -> tuple[Basis, Basis]:
        """Margins are of the position's cost: coins at entry."""
        return "entry", "entry"

    def closing_fee(self, position: Position, marks: Marks, settings: Mapping[str, float]) -> Any:
        """Commission of closing, cost x (1 + 1 / leverage), as a recorded short shows it."""
        value, _ = self.sized(position, marks, "entry")
        return value * (1.0 + 1.0 / (position.leverage or FIRST_LEVERAGE)) * self.parameters["taker_fee"]

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        """(for opening, against liquidation, note): what a collateral amount counts for, USD."""
        if asset == "BTC":
            return quantity * price, quantity * price, ""
        return super().counted(asset, quantity, price, mode, settings)

    @cached_property
    def _tiers(self) -> Tiers:
        return step_tiers(*self.parameters["risk_limit"])


RULEBOOK = Bitmex()
