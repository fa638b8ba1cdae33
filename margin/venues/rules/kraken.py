"""Kraken Futures: levels of rising rates; longs and shorts in one coin are margined as the larger of the two."""

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

from margin.core.portfolio import Portfolio
from margin.models.marks import Marks
from margin.venues.accounts import of_underlying
from margin.venues.base import Lines, Mode, PositionMargin
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tier, tiers_of


def netted(margin_long: float, margin_short: float) -> float:
    """Requirement of one underlying: the larger of its longs' and its shorts' margin."""
    return max(margin_long, margin_short)


def maintenance_of(initial_rates: list[float]) -> list[float]:
    """Maintenance rates: half the initial ones."""
    return [rate / 2.0 for rate in initial_rates]


class Kraken(PerpetualVenue):
    name = "kraken"
    rule = "levels"
    whole = True
    modes: ClassVar[tuple[Mode, ...]] = ("cross",)
    kinds = ("perpetual", "future")
    inverse = True
    mode_notes: ClassVar = {"cross": ("Longs and shorts in the same coin net: the larger side's margin is asked.",)}

    def tiers(self, asset: str, inverse: bool = False) -> tuple[Tier, ...] | None:
        return self._tiers.get(("inverse " if inverse else "") + asset)

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        haircut = self.parameters["haircuts"].get(asset)
        if haircut is None or quantity <= 0:
            return super().counted(asset, quantity, price, mode, settings)
        value = quantity * price * (1.0 - haircut)
        return value, value, f"{asset} counts after a haircut of {haircut:.1%}."

    def totals(
        self, portfolio: Portfolio, marks: Marks, mode: Mode, rows: list[PositionMargin], lines: Lines
    ) -> tuple[float, float]:
        source = self.parameters.source("netting")
        held = [p for p in portfolio.positions if p.instrument.kind != "loan"]
        row_of = dict(zip(map(id, held), rows, strict=True))
        initial = maintenance = 0.0
        for asset, positions in of_underlying(held).items():
            sides = [[row_of[id(p)] for p in positions if (p.quantity > 0) == long] for long in (True, False)]
            opens, keeps = (
                [sum(getattr(r, name) for r in side) for side in sides] for name in ("initial", "maintenance")
            )
            initial, maintenance = initial + netted(*opens), maintenance + netted(*keeps)
            if min(keeps) > 0:
                formula = f"max of longs {keeps[0]:,.2f} and shorts {keeps[1]:,.2f}"
                lines.add(f"{asset}: netted", formula, netted(*keeps), source, "maintenance")
        return initial, maintenance

    @cached_property
    def _tiers(self) -> dict[str, tuple[Tier, ...]]:
        out = {}
        for asset, levels in self.parameters["levels"].items():
            floors, used = [low for low, _ in levels], [rate for _, rate in levels]
            uppers = [*floors[1:], None]
            out[asset] = tiers_of(
                list(zip(floors, uppers, maintenance_of(used), [1.0 / r for r in used], strict=True)), whole=self.whole
            )
        return out


RULEBOOK = Kraken()
