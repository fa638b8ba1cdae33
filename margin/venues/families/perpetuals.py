"""What venues for perpetuals share: who may be held, what counts as collateral, isolated and cross."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, ClassVar

from margin.core.instruments import USD_STABLECOINS
from margin.core.portfolio import Portfolio, Position
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import CollateralValue, Lines, Mode, PositionMargin, Rulebook, Unsupported, VenueMargin
from margin.venues.families.tiers import Tier, describe, maintenance, tier_at, tiers_of
from margin.venues.parameters import Parameters

FIRST_LEVERAGE = 20.0  # where a position names none


def as_perpetuals(portfolio: Portfolio) -> Portfolio:
    """The book with every spot position held as a dollar-settled perpetual of the same coin, quantity and entry."""
    return portfolio.with_positions(
        replace(p, symbol=f"{p.underlying}/USDT:USDT") if p.instrument.kind == "spot" else p
        for p in portfolio.positions
    )


class PerpetualVenue(Rulebook):
    """Perpetuals, each with tiers; by default in dollars, with dollars and dollar stablecoins as collateral.

    isolated : each position has its own margin, its initial margin, out of the wallet
    cross    : one wallet; maintenance margins are added up
    Subclasses say which assets have tiers, and override what their venue does differently: the margin of one position
    (`position_margin`), the totals (`totals`), or what a balance counts (`counted`).
    """

    modes: ClassVar[tuple[Mode, ...]] = ("isolated", "cross")
    collateral_assets: ClassVar[frozenset[str]] = frozenset({"USD", *USD_STABLECOINS})
    rule: ClassVar[str] = "tiers"
    kinds: ClassVar[tuple[str, ...]] = ("perpetual",)
    linear: ClassVar[bool] = True
    inverse: ClassVar[bool] = False
    fee_to_open: ClassVar[bool] = True  # the closing fee is part of the initial margin too
    whole: ClassVar[bool] = False  # a tier's rate applies to the whole position
    closed: ClassVar[bool] = False  # a tier holds its own upper bound
    mode_notes: ClassVar[Mapping[Mode, tuple[str, ...]]] = {}

    def __init__(self, parameters: Parameters | None = None):
        super().__init__(parameters)
        self.live: dict[str, tuple[Tier, ...]] = {}
        self.live_source = ""

    def with_tiers(self, rows: Mapping[str, Sequence[Sequence[Any]]], source: str) -> "PerpetualVenue":
        """A copy whose dollar perpetuals have these tiers, (floor, cap, rate, leverage) each, instead of those carried.

        Raises InputError for tiers that leave a gap or fall.
        """
        out = copy(self)
        out.live = {asset: tiers_of(table, whole=self.whole, closed=self.closed) for asset, table in rows.items()}
        out.live_source = source
        return out

    def tiers_for(self, asset: str, inverse: bool = False) -> tuple[Tier, ...] | None:
        """Live tiers where there are any, else those carried."""
        return (None if inverse else self.live.get(asset)) or self.tiers(asset, inverse)

    @abstractmethod
    def tiers(self, asset: str, inverse: bool = False) -> tuple[Tier, ...] | None:
        """The tiers of an asset's perpetual; None where the venue does not list it, as far as is published."""

    def tier_size(self, position: Position, marks: Marks) -> float:
        """What the tiers are measured in: USD, unless a venue counts otherwise."""
        return accounts.contracts_value(position, marks)

    def initial_rate(self, position: Position, tier: Tier, settings: Mapping[str, float]) -> float:
        """Share of notional asked to open."""
        leverage = min(position.leverage or FIRST_LEVERAGE, tier.leverage)
        return 1.0 / leverage

    def closing_fee(self, position: Position, marks: Marks, settings: Mapping[str, float]) -> float:
        """USD kept back for closing the position, part of both margins."""
        return 0.0

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        """USD that a balance counts for opening and against liquidation, and why not all of it."""
        value = quantity * price
        if asset in self.collateral_assets or value < 0:
            return value, value, ""
        return 0.0, 0.0, f"{asset} does not count as collateral in these modes."

    def totals(
        self, portfolio: Portfolio, marks: Marks, mode: Mode, rows: list[PositionMargin], lines: Lines
    ) -> tuple[float, float]:
        """(initial, maintenance) of the account, USD: the sums, unless a venue nets."""
        return sum(r.initial for r in rows), sum(r.maintenance for r in rows)

    def supports(self, portfolio: Portfolio, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        found = []
        for position in portfolio.positions:
            instrument = position.instrument
            if instrument.kind == "loan":
                continue
            if instrument.kind not in self.kinds:
                listed = " and ".join(f"{kind}s" for kind in self.kinds)
                found.append(Unsupported(position.symbol, f"{instrument.kind} is not reproduced here, only {listed}"))
            elif instrument.is_inverse and not self.inverse:
                found.append(
                    Unsupported(
                        position.symbol, "coin-settled contracts are not reproduced here, only those settled in dollars"
                    )
                )
            elif not instrument.is_inverse and not self.linear:
                found.append(
                    Unsupported(
                        position.symbol,
                        "contracts settled in dollars are not reproduced here, only those settled in the coin",
                    )
                )
            elif self.tiers_for(position.underlying, instrument.is_inverse) is None:
                found.append(Unsupported(position.symbol, f"no tiers of {position.underlying} are known here"))
        return tuple(found)

    def requirement(
        self, portfolio: Portfolio, marks: Marks, mode: Mode, settings: Mapping[str, float] | None = None
    ) -> VenueMargin:
        self.check(portfolio, mode)
        chosen = self.settings(settings)
        lines = Lines()
        source = self.parameters.source(self.rule)
        collateral = self._collateral(portfolio, marks, mode, chosen, lines)
        held = [p for p in portfolio.positions if p.instrument.kind != "loan"]
        rows = [self._row(position, marks, mode, chosen, lines) for position in held]
        initial, required = self.totals(portfolio, marks, mode, rows, lines)
        pnl = sum(marks.unrealised(p) for p in held)
        if pnl:
            lines.add("Unrealised profit", "sum of q (mark - entry)", pnl, source, "pnl")
        wallet = sum(c.counted_maintenance for c in collateral)
        ready = sum(c.counted_initial for c in collateral)
        market = sum(c.market_value for c in collateral) + pnl
        notes = [*marks.notes, *(c.why for c in collateral if c.why), *self.mode_notes.get(mode, ())]
        equity, opening = wallet + pnl, ready + pnl
        if mode == "isolated":
            notes.append(
                "Isolated: each position's own margin is its initial margin; the wallet's rest does not help it."
            )
            equity, opening = initial + pnl, ready
        return VenueMargin(
            self.title, mode, initial, required, opening, equity, ready, market, tuple(lines.kept), tuple(rows),
            tuple(collateral), (), tuple(dict.fromkeys(notes)),
        )  # fmt: skip

    def silos(
        self, portfolio: Portfolio, marks: Marks, settings: Mapping[str, float] | None = None
    ) -> tuple[Portfolio, ...]:
        found = self.requirement(portfolio, marks, "isolated", settings)
        held = [p for p in portfolio.positions if p.instrument.kind != "loan"]
        return tuple(accounts.silo(p, row.initial, marks) for p, row in zip(held, found.positions, strict=True))

    def _collateral(
        self, portfolio: Portfolio, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> list[CollateralValue]:
        out = []
        source = self.parameters.source(self.rule)
        for asset, quantity, price in accounts.tokens(portfolio, marks, spot=True):
            initial, kept, why = self.counted(asset, quantity, price, mode, settings)
            out.append(CollateralValue(asset, quantity, price, quantity * price, initial, kept, why))
            share = f" at {kept / (quantity * price):.1%}" if kept != quantity * price else ""
            lines.add(f"Collateral {asset}", f"{quantity:,.8g} x {price:,.8g}{share}", kept, source, "collateral")
        return out

    def position_margin(
        self, position: Position, marks: Marks, settings: Mapping[str, float], lines: Lines
    ) -> PositionMargin:
        """One position's own margins, each with its line."""
        live = position.underlying in self.live and not position.instrument.is_inverse
        source = self.live_source if live else self.parameters.source(self.rule)
        tiers = self.tiers_for(position.underlying, position.instrument.is_inverse)
        assert tiers is not None
        notional = accounts.contracts_value(position, marks)
        size = self.tier_size(position, marks)
        unit = notional / size if size else 0.0  # USD per unit the tiers are measured in
        tier = tier_at(tiers, size)
        rate = self.initial_rate(position, tier, settings)
        fee = self.closing_fee(position, marks, settings)
        opening = fee if self.fee_to_open else 0.0
        initial, needed = notional * rate + opening, maintenance(tiers, size) * unit + fee
        extra = f" + fee {fee:,.2f}" if fee else ""
        shown = extra if opening else ""
        lines.add(f"{position.symbol}: initial", f"{notional:,.2f} x {rate:.4%}{shown}", initial, source, "initial")
        less = f" - {tier.deduction * unit:,.2f}" if tier.deduction else ""
        formula = f"{notional:,.2f} x {tier.rate:.3%}{less}{extra}"
        lines.add(f"{position.symbol}: maintenance", formula, needed, source, "maintenance")
        return PositionMargin(
            position.symbol, position.quantity, notional, initial, needed, describe(tier), rate, tier.rate
        )

    def _row(
        self, position: Position, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> PositionMargin:
        row = self.position_margin(position, marks, settings, lines)
        return replace(row, equity=row.initial + marks.unrealised(position)) if mode == "isolated" else row
