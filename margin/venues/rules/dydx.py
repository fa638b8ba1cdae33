"""dYdX v4: one cross pool in USDC, initial margin that rises with a market's open interest, liquidation arithmetic."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from margin.core.account import SubAccount
from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues.base import Lines, Mode, PositionMargin, Slider, VenueMargin
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tiers, one_rate

PPM = 1_000_000


def effective_imf_ppm(base_ppm: int, open_interest: int, lower: int, upper: int) -> int:
    """Initial margin fraction in parts per million, scaled between the caps; integers, truncated like the chain's.

    Source: dydxprotocol/v4-chain, x/perpetuals/types/liquidity_tier.go.
    """
    if upper == 0 or open_interest <= lower:
        return base_ppm
    if open_interest >= upper:
        return PPM
    return base_ppm + (PPM - base_ppm) * (open_interest - lower) // (upper - lower)


def bankruptcy_value(
    net_collateral: float, removed_value: float, removed_maintenance: float, maintenance: float
) -> float:
    """USD that closing a part must bring so that it bears its share of the account's equity: -dNC - NC |dMMR| / MMR.

    removed_value : signed USD by which net collateral falls at the oracle price when the part is taken away
    """
    return removed_value - net_collateral * removed_maintenance / maintenance


def fillable_price(
    price: float, quantity: float, net_collateral: float, maintenance: float, position_maintenance: float,
    adjustment: float, spread_ratio: float,
) -> float:  # fmt: skip
    """Worst USD price a liquidation order may fill at; quantity signed."""
    share = min(max(adjustment * (1.0 - net_collateral / maintenance), 0.0), 1.0)
    return (price * quantity - share * spread_ratio * position_maintenance) / quantity


def insurance_fund_delta(proceeds: float, bankruptcy: float, highest_fee: float) -> float:
    """USD into (> 0, a capped fee) or out of (< 0) the insurance fund."""
    return min(proceeds - bankruptcy, highest_fee * abs(proceeds))


class Dydx(PerpetualVenue):
    """dYdX v4: one fraction a market, more with open interest."""

    name = "dydx"
    quote = "USDC"
    rule = "markets"
    summed: ClassVar[tuple[Mode, ...]] = ("cross",)
    one = "coin"
    mode_notes: ClassVar = {"isolated": ("Isolated at dYdX means a subaccount for each position.",)}
    collateral_assets = frozenset({"USDC", "USD"})
    sliders = (
        Slider(
            key="open_interest",
            title="Open interest between its caps",
            low=0.0,
            high=1.0,
            default=0.0,
            step=0.05,
            unit="",
            help="0: lower cap, 1: upper.",
        ),
        Slider(
            key="leverage_cap",
            title="My own leverage cap",
            low=1.0,
            high=100.0,
            default=100.0,
            step=1.0,
            unit="x",
            help="For opening only; never liquidates.",
        ),
    )

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        found = self._markets.get(asset)
        return None if found is None else found[0]

    def initial_rate(self, position: Position, leverage: Any, settings: Mapping[str, float]) -> Any:
        """The market's own fraction, scaled by open interest; more where the account chose a lower leverage."""
        market = None if position.underlying in self.live else self._markets.get(position.underlying)
        least = 1.0 / leverage
        if market is not None and position.max_leverage is None:  # the venue's own print of it wins
            _, base, lower, upper = market
            used = int(lower + settings["open_interest"] * (upper - lower))
            least = effective_imf_ppm(int(base * PPM), used, int(lower), int(upper)) / PPM
        return max(least, 1.0 / min(position.leverage or settings["leverage_cap"], settings["leverage_cap"]))

    def withdrawable(self, equity: Any, initial: Any, rows: Sequence[PositionMargin]) -> Any:
        """Free collateral."""
        return np.maximum(equity - initial, 0.0)

    def reckon(
        self, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> VenueMargin:
        """The account's figures, with lines where they are wanted."""
        found = super().reckon(book, marks, mode, settings, lines)
        if not lines.wanted or not found.liquidated:
            return found
        self._liquidation(found, lines)
        return replace(found, lines=tuple(lines.kept))

    def _liquidation(self, found: VenueMargin, lines: Lines) -> None:
        """What closing each position may cost: an order's worst price, and what the fund takes or pays."""
        source, rules = self.parameters.source("liquidation"), self.parameters["liquidation"]
        for row in found.positions:
            side = 1.0 if row.quantity > 0 else -1.0
            price = row.notional / abs(row.quantity)
            worst = fillable_price(
                price, row.quantity, found.equity, found.maintenance, row.maintenance, rules["adjustment"],
                rules["spread_to_maintenance"],
            )  # fmt: skip
            broke = bankruptcy_value(found.equity, side * row.notional, row.maintenance, found.maintenance)
            paid = insurance_fund_delta(row.quantity * worst, broke, rules["highest_fee"])
            lines.add(f"{row.symbol}: worst price of a liquidation", f"{worst:,.6g}", None, source, "note")
            lines.add(
                f"{row.symbol}: to the insurance fund at it",
                f"at most {rules['highest_fee']:.1%}",
                paid,
                source,
                "note",
            )

    @cached_property
    def _markets(self) -> dict[str, tuple[Tiers, float, float, float]]:
        out = {}
        for asset, number in self.carried.items():
            base, fraction, lower, upper = self.parameters["liquidity_tiers"][number]
            out[asset] = (one_rate(base * fraction, 1.0 / base), base, lower, upper)
        return out


RULEBOOK = Dydx()
