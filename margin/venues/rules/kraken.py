"""Kraken Futures: levels of rising rates; longs and shorts in one coin are margined as the larger of the two."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from margin.core.account import SubAccount
from margin.core.instruments import parse_symbol
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import Lines, Mode, PositionMargin
from margin.venues.families.perpetuals import Basis, PerpetualVenue
from margin.venues.families.tiers import Tiers, tiers_of


def netted(margin_long: Any, margin_short: Any) -> Any:
    """Requirement of one underlying: the larger of its longs' and its shorts' margin."""
    return np.maximum(margin_long, margin_short)


def maintenance_of(initial_rates: list[float]) -> list[float]:
    """Maintenance rates: half the initial ones."""
    return [rate / 2.0 for rate in initial_rates]


class Kraken(PerpetualVenue):
    """Kraken futures: margin levels by position size."""

    name = "kraken"
    counts_contracts = True
    rule = "levels"
    whole = True
    one = "net"
    modes: ClassVar[tuple[Mode, ...]] = ("cross",)
    kinds = ("perpetual", "future")
    inverse = True
    coin_wallets: ClassVar[tuple[Mode, ...]] = ("cross",)
    mode_notes: ClassVar = {"cross": ("Longs and shorts in the same coin net: the larger side's margin is asked.",)}

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        return self._tiers.get(("inverse " if inverse else "") + asset)

    def basis(self, mode: Mode, marks: Marks) -> tuple[Basis, Basis]:
        """Levels and margins are read at the entry price."""
        return "entry", "entry"

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        """(for opening, against liquidation, note): what a collateral amount counts for, USD."""
        haircut = self.parameters["haircuts"].get(asset)
        if haircut is None or np.any(np.less_equal(quantity, 0)):
            return super().counted(asset, quantity, price, mode, settings)
        value = quantity * price * (1.0 - haircut)
        return value, value, f"{asset} counts after a haircut of {haircut:.1%}."

    def in_full(self, book: SubAccount, asset: str) -> bool:
        """A wallet of one coin that backs only contracts settled in it counts in full: it has no haircuts."""
        coins = {p.underlying if p.instrument.is_inverse else "" for p in accounts.margined(book)}
        return super().in_full(book, asset) or coins == {asset}

    def totals(
        self, book: SubAccount, marks: Marks, mode: Mode, rows: list[PositionMargin], lines: Lines
    ) -> tuple[Any, Any]:
        """Initial and maintenance margin of all positions together."""
        initial: Any = 0.0
        maintenance: Any = 0.0
        by_coin: dict[str, list[PositionMargin]] = {}
        for row in rows:
            by_coin.setdefault(parse_symbol(row.symbol).base, []).append(row)
        for asset, both in by_coin.items():
            sides = [[r for r in both if (r.quantity > 0) == long] for long in (True, False)]
            opens, keeps = (
                [sum(getattr(r, name) for r in side) for side in sides] for name in ("initial", "maintenance")
            )
            initial, maintenance = initial + netted(*opens), maintenance + netted(*keeps)
            if lines.wanted and min(keeps) > 0:
                formula = f"max of longs {keeps[0]:,.2f} and shorts {keeps[1]:,.2f}"
                source = self.parameters.source("netting")
                lines.add(f"{asset}: netted", formula, float(netted(*keeps)), source, "maintenance")
        return (float(initial), float(maintenance)) if lines.wanted else (initial, maintenance)

    @cached_property
    def _tiers(self) -> dict[str, Tiers]:
        out = {}
        for asset, levels in self.carried.items():
            floors, used = [low for low, _ in levels], [rate for _, rate in levels]
            uppers = [*floors[1:], None]
            out[asset] = tiers_of(
                list(zip(floors, uppers, maintenance_of(used), [1.0 / r for r in used], strict=True)), whole=self.whole
            )
        return out


RULEBOOK = Kraken()
