"""What venues for dollar-settled perpetuals share: who may be held, dollars as collateral, isolated and cross."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from margin.instruments import USD_STABLECOINS
from margin.portfolio import Portfolio, Position
from margin.venues.base import (
    CollateralValue,
    Lines,
    Mode,
    PositionMargin,
    Rulebook,
    Unsupported,
    VenueMargin,
)
from margin.venues.marks import Marks
from margin.venues.tiers import Tier, liquidation_price, maintenance, tier_at

FIRST_LEVERAGE = 20.0  # where a position names none


def as_perpetuals(portfolio: Portfolio) -> Portfolio:
    """The book with every spot position held as a dollar-settled perpetual of the same coin, quantity and entry."""
    return portfolio.with_positions(
        replace(p, symbol=f"{p.underlying}/USDT:USDT") if p.instrument.kind == "spot" else p
        for p in portfolio.positions
    )


class PerpetualVenue(Rulebook):
    """Linear perpetuals, each with tiers; collateral in dollars and dollar stablecoins only.

    isolated : each position has its own margin, its initial margin, out of the wallet
    cross    : one wallet; maintenance margins are added up, nothing offsets
    """

    modes: ClassVar[tuple[Mode, ...]] = ("isolated", "cross")
    collateral_assets: ClassVar[frozenset[str]] = frozenset({"USD", *USD_STABLECOINS})
    rule: ClassVar[str] = "tiers"

    @abstractmethod
    def tiers(self, asset: str) -> tuple[Tier, ...] | None:
        """The tiers of an asset's perpetual; None where the venue does not list it, as far as is published."""

    def initial_rate(self, position: Position, tier: Tier, settings: Mapping[str, float]) -> float:
        """Share of notional asked to open."""
        leverage = min(position.leverage or FIRST_LEVERAGE, tier.leverage)
        return 1.0 / leverage

    def supports(self, portfolio: Portfolio, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        found = []
        for position in portfolio.positions:
            kind = position.instrument.kind
            if kind != "perpetual":
                found.append(Unsupported(position.symbol, f"it lists perpetuals, no {kind}"))
            elif position.instrument.is_inverse:
                found.append(Unsupported(position.symbol, "its perpetuals are settled in dollars"))
            elif self.tiers(position.underlying) is None:
                found.append(Unsupported(position.symbol, f"no tiers of {position.underlying} are known here"))
        return tuple(found)

    def requirement(
        self, portfolio: Portfolio, marks: Marks, mode: Mode, settings: Mapping[str, float] | None = None
    ) -> VenueMargin:
        self.check(portfolio, mode)
        chosen = self.settings(settings)
        lines = Lines()
        collateral = self._collateral(portfolio, marks, lines)
        wallet = sum(c.counted_maintenance for c in collateral)
        source = self.parameters.source(self.rule)
        rows = [self._row(position, marks, mode, chosen, lines, source) for position in portfolio.positions]
        initial, required = sum(r.initial for r in rows), sum(r.maintenance for r in rows)
        pnl = sum(marks.unrealised(p) for p in portfolio.positions)
        if pnl:
            lines.add("Unrealised profit", "sum of q (mark - entry)", pnl, source, "pnl")
        market = sum(c.market_value for c in collateral) + pnl
        equity = wallet + pnl
        ready = wallet if mode == "isolated" else equity
        notes = [*marks.notes, *(c.why for c in collateral if c.why)]
        if mode == "isolated":
            notes.append(
                "Isolated: each position's own margin is its initial margin; the wallet's rest does not help it."
            )
            equity = initial + pnl
        return VenueMargin(
            self.title, mode, initial, required, ready, equity, wallet, market, tuple(lines.kept), tuple(rows),
            tuple(collateral), (), tuple(dict.fromkeys(notes)),
        )  # fmt: skip

    def _collateral(self, portfolio: Portfolio, marks: Marks, lines: Lines) -> list[CollateralValue]:
        out = []
        for held in portfolio.collateral:
            price = marks.price(held.asset)
            value = held.quantity * price
            counts = held.asset in self.collateral_assets or value < 0
            why = "" if counts else f"{held.asset} does not count as collateral in these modes."
            counted = value if counts else 0.0
            out.append(CollateralValue(held.asset, held.quantity, price, value, counted, counted, why))
            formula = f"{held.quantity:,.8g} x {price:,.8g}"
            lines.add(f"Collateral {held.asset}", formula, counted, self.parameters.source(self.rule), "collateral")
        return out

    def _row(
        self, position: Position, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines, source: str
    ) -> PositionMargin:
        tiers = self.tiers(position.underlying)
        assert tiers is not None
        notional = abs(position.quantity) * marks.price(position.underlying)
        tier = tier_at(tiers, notional)
        rate = self.initial_rate(position, tier, settings)
        initial, needed = notional * rate, maintenance(tiers, notional)
        edge = "no end" if tier.cap is None else f"{tier.cap:,.0f}"
        label = f"{tier.floor:,.0f} to {edge} USD at {tier.rate:.3%}"
        lines.add(f"{position.symbol}: initial", f"{notional:,.2f} x {rate:.4%}", initial, source, "initial")
        formula = f"{notional:,.2f} x {tier.rate:.3%} - {tier.deduction:,.2f}"
        lines.add(f"{position.symbol}: maintenance", formula, needed, source, "maintenance")
        own = initial + marks.unrealised(position) if mode == "isolated" else None
        return PositionMargin(
            position.symbol, position.quantity, notional, initial, needed, label, rate, tier.rate, own
        )

    def liquidation_prices(
        self, portfolio: Portfolio, marks: Marks, mode: Mode, settings: Mapping[str, float] | None = None
    ) -> dict[str, float | None]:
        """USD price of its own underlying at which each position is closed, the others at their marks; by symbol.

        Cross: that of the whole account as this one price moves, all positions in the same underlying together.
        """
        found = self.requirement(portfolio, marks, mode, settings)
        out: dict[str, float | None] = {}
        for position, row in zip(portfolio.positions, found.positions, strict=True):
            tiers = self.tiers(position.underlying)
            assert tiers is not None
            mark = marks.price(position.underlying)
            if mode == "isolated":
                assert row.equity is not None
                out[position.symbol] = liquidation_price(position.quantity, mark, row.equity, tiers)
                continue
            same = [p for p in portfolio.positions if p.underlying == position.underlying]
            if len(same) > 1:
                out[position.symbol] = None  # several contracts of one coin: each has tiers of its own
                continue
            out[position.symbol] = liquidation_price(
                position.quantity, mark, found.equity, tiers, found.maintenance - row.maintenance
            )
        return out
