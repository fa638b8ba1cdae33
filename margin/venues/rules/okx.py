"""OKX: isolated, multi-currency cross with tiered discounts, and portfolio margin by risk unit.

Source: OKX help centre (360054690531, "Risk unit merge"); API v5 documentation, position builder.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar

import numpy as np

from margin.core.portfolio import Portfolio, Position
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import Lines, Mode, PositionMargin, Unsupported, VenueMargin
from margin.venues.families.grids import scenario_pnl, table, worst_cell
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tier, sliced, tiers_of


def isolated_liquidation_price(quantity: float, entry: float, margin: float, rate: float, fee: float) -> float:
    """USD at which an isolated position is closed: (E -/+ M / |q|) / (1 -/+ (rate + fee)); Gate has the same form."""
    side = 1.0 if quantity > 0 else -1.0
    return (entry - side * margin / abs(quantity)) / (1.0 - side * (rate + fee))


def whole_rate(rows: Sequence[tuple[float, float]], contracts: float) -> float:
    """Maintenance rate of the whole position: that of the first tier (upper bound included, rate) that holds it."""
    return next((rate for upper, rate in rows if contracts <= upper), rows[-1][1])


def unit_margin(
    value: float, delta: float, moves: Sequence[float], extreme: float, basis: float, least: float
) -> dict[str, float]:
    """MR1, MR4, MR6, MR7, maintenance and initial margin of a risk unit without options.

    value : signed USD that gains or loses with the moves; delta : the unit's delta in USD (the same, near enough)

    MR1 worst of the moves; MR4 basis; MR6 half the extreme move's loss; MR7 the least charge. The maintenance margin is
    the largest of MR1 + MR4, MR6 and MR7, the initial one 1.3 times it.
    """
    mr1 = max(0.0, *(-value * sign * move for move in moves for sign in (1.0, -1.0)))
    mr4, mr7 = abs(delta) * basis, abs(delta) * least
    loss = -abs(value) * extreme
    mr6 = 0.5 * abs(loss)
    mmr = max(mr1 + mr4, mr6, mr7)
    return {"mr1": mr1, "mr4": mr4, "mr6_pnl": loss, "mr6": mr6, "mr7": mr7, "mmr": mmr, "imr": INITIAL_FACTOR * mmr}


def borrow_margin(owed: float) -> tuple[float, float]:
    """(maintenance, initial) USD on dollars owed: 2% and 10% of them."""
    return 0.02 * owed, 0.10 * owed


INITIAL_FACTOR = 1.3


class Okx(PerpetualVenue):
    name = "okx"
    rule = "position_tiers"
    whole = True
    closed = True
    modes: ClassVar[tuple[Mode, ...]] = ("isolated", "cross", "portfolio")
    kinds = ("perpetual", "future")
    fee_to_open = False
    mode_notes: ClassVar = {
        "cross": ("A tier's rate applies to the whole position: the margin jumps at its edge.",),
        "portfolio": ("How the parts of a risk unit combine is inferred from the venue's published example.",),
    }

    def tiers(self, asset: str, inverse: bool = False) -> tuple[Tier, ...] | None:
        return self._tiers.get(asset)

    def tier_size(self, position: Position, marks: Marks) -> float:
        """Coins."""
        return abs(position.quantity)

    def closing_fee(self, position: Position, marks: Marks, settings: Mapping[str, float]) -> float:
        return accounts.contracts_value(position, marks) * self.parameters["taker_fee"]

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        rows = self.parameters["discount_tiers"].get(asset)
        if mode == "isolated" or rows is None or quantity <= 0:
            return super().counted(asset, quantity, price, mode, settings)
        value = sliced(rows, quantity) * price
        return value, value, f"{asset} counts slice by slice, from {rows[0][2]:.0%} down."

    def supports(self, portfolio: Portfolio, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        if mode != "portfolio":
            return super().supports(portfolio, mode) + self._too_large(portfolio)
        found = []
        for p in portfolio.positions:
            kind = p.instrument.kind
            if kind == "option":
                found.append(Unsupported(p.symbol, "its volatility shocks by expiry are not published"))
            elif kind != "loan" and self._group(p.underlying) is None:
                found.append(Unsupported(p.symbol, f"the basis and least charges of {p.underlying} are not published"))
        return tuple(found)

    def _too_large(self, portfolio: Portfolio) -> tuple[Unsupported, ...]:
        """Positions beyond the highest tier that is known: nothing is guessed above it."""
        found = []
        for p in portfolio.positions:
            tiers = self.tiers_for(p.underlying) if p.instrument.kind in self.kinds else None
            cap = tiers[-1].cap if tiers else None
            if cap is not None and abs(p.quantity) > cap:
                reason = f"tiers above {cap:g} {p.underlying} are not reproduced here"
                found.append(Unsupported(p.symbol, reason))
        return tuple(found)

    def _group(self, asset: str) -> dict | None:
        return next((g for g in self.parameters["risk_units"] if asset in g["assets"]), None)

    def requirement(
        self, portfolio: Portfolio, marks: Marks, mode: Mode, settings: Mapping[str, float] | None = None
    ) -> VenueMargin:
        if mode != "portfolio":
            return super().requirement(portfolio, marks, mode, settings)
        self.check(portfolio, mode)
        lines, source = Lines(), self.parameters.source("risk_units")
        chosen = self.settings(settings)
        wallet = self._collateral(portfolio, marks, mode, chosen, lines)
        held = [p for p in portfolio.positions if p.instrument.kind != "loan"]
        pnl = sum(marks.unrealised(p) for p in held if p.instrument.kind != "spot")
        rows, grids = [], []
        initial = maintenance = 0.0
        for asset, positions in accounts.of_underlying(held).items():
            group = self._group(asset)
            assert group is not None
            delta = sum(p.quantity for p in positions) * marks.price(asset)
            unit = unit_margin(delta, delta, group["moves"], group["extreme"], group["basis"], group["least"])
            lines.add(
                f"{asset}: spot moves (MR1)",
                f"{abs(delta):,.2f} x {group['moves'][-1]:.0%}",
                unit["mr1"],
                source,
                "note",
            )
            lines.add(f"{asset}: basis (MR4)", f"{abs(delta):,.2f} x {group['basis']:.2%}", unit["mr4"], source, "note")
            lines.add(f"{asset}: extreme move (MR6)", f"half of {-unit['mr6_pnl']:,.2f}", unit["mr6"], source, "note")
            lines.add(
                f"{asset}: least charge (MR7)", f"{abs(delta):,.2f} x {group['least']:.2%}", unit["mr7"], source, "note"
            )
            lines.add(f"{asset}: maintenance", "max(MR1 + MR4, MR6, MR7)", unit["mmr"], source, "maintenance")
            initial, maintenance = initial + unit["imr"], maintenance + unit["mmr"]
            moves = np.array([-m for m in group["moves"][::-1]] + [0.0, *group["moves"]])
            cells = scenario_pnl(positions, marks, 1.0 + moves, np.ones(len(moves)))[:, None]
            grids.append(
                table(f"{asset}: PnL by move (MR1)", list(moves), ("any volatility",), cells, worst_cell(cells))
            )
            for p in positions:
                value = accounts.contracts_value(p, marks)
                rows.append(PositionMargin(p.symbol, p.quantity, value, 0.0, 0.0, "in the risk unit"))
        owed = -sum(min(c.market_value, 0.0) for c in wallet)
        if owed:
            kept, opening = borrow_margin(owed)
            lines.add("Borrowed (MR8)", f"{owed:,.2f} x 2%", kept, source, "maintenance")
            initial, maintenance = initial + opening, maintenance + kept
        lines.add("Initial", f"{INITIAL_FACTOR:g} x the units' maintenance", initial, source, "initial")
        ready = sum(c.counted_initial for c in wallet)
        market = sum(c.market_value for c in wallet) + pnl
        notes = [*marks.notes, *(c.why for c in wallet if c.why), *self.mode_notes["portfolio"]]
        return VenueMargin(
            self.title, mode, initial, maintenance, ready + pnl, ready + pnl, ready, market, tuple(lines.kept),
            tuple(rows), tuple(wallet), tuple(grids), tuple(dict.fromkeys(notes)),
        )  # fmt: skip

    @cached_property
    def _tiers(self) -> dict[str, tuple[Tier, ...]]:
        return {
            asset: tiers_of(rows, whole=self.whole, closed=self.closed)
            for asset, rows in self.parameters["position_tiers"].items()
        }


RULEBOOK = Okx()
