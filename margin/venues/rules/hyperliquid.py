"""Hyperliquid: maintenance margin is half the initial margin at the highest leverage, tier by tier."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from margin.core.account import SubAccount
from margin.core.portfolio import Portfolio
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import Lines, Mode, PositionMargin, Unsupported, VenueMargin
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tiers, tiers_of

BORROW_OFFSET = 20.0  # USDC
THRESHOLD = 0.95
LEAST_LEFT = 0.10  # of all notional stays in the account when money leaves


def leverage_tiers(rows: Sequence[Sequence[float]]) -> Tiers:
    """Tiers from (lower notional, highest leverage): the maintenance rate is 1 / (2 x leverage)."""
    uppers = [row[0] for row in rows[1:]] + [None]
    return tiers_of([(low, up, half_of(lev), lev) for (low, lev), up in zip(rows, uppers, strict=True)])


def half_of(leverage: float) -> float:
    """Maintenance rate: half the initial margin at the highest leverage."""
    return 1.0 / (2.0 * leverage)


def portfolio_ratio(
    cross_maintenance: Any, borrowed_value: Any, balance: Any, lent_on: Any, borrow_cap: float
) -> tuple[Any, Any]:
    """(requirement, liquidation value) USD of the venue's portfolio margin for one borrowed token.

    requirement = 20 USDC + cross maintenance + borrowed value; liquidation value = balance + min(borrow cap, lent on);
    liquidated above a ratio of 0.95. lent_on : sum of min(balance, supply cap) x oracle x (0.5 + 0.5 LTV) of the coins
    """
    return BORROW_OFFSET + cross_maintenance + borrowed_value, balance + np.minimum(borrow_cap, lent_on)


class Hyperliquid(PerpetualVenue):
    """Hyperliquid: margin tables, cross and isolated, and portfolio margin."""

    name = "hyperliquid"
    quote = "USDC"
    least_order_usd = 10.0  # the venue's documentation, 2026
    rule = "leverage_tiers"
    summed: ClassVar[tuple[Mode, ...]] = ("cross",)
    one = "coin"
    modes: ClassVar[tuple[Mode, ...]] = ("isolated", "cross", "portfolio")
    collateral_assets = frozenset({"USDC", "USD"})
    mode_notes: ClassVar = {
        "portfolio": (
            "Coins lend value at a loan-to-value ratio up to the account's caps; perpetuals' margins still add up.",
        )
    }

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        return self._tiers.get(asset)

    def supports(self, book: Portfolio | SubAccount, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """Also refused in a cross account: markets of builders whose margin is isolated only."""
        found, sub = super().supports(book, mode), accounts.as_sub(book)
        if mode == "isolated" or sub.isolated:
            return found
        known = {u.symbol for u in found}
        why = "its builder has not switched cross margin on: it is held isolated only"
        return found + tuple(
            Unsupported(symbol=p.symbol, reason=why, alone=True)
            for p in sub.positions
            if p.underlying in self.parameters["isolated_only"] and p.symbol not in known
        )

    def rate_at(self, leverage: float) -> float | None:
        """Maintenance rate at a highest leverage; None where unknown."""
        return half_of(leverage)

    def withdrawable(self, equity: Any, initial: Any, rows: Sequence[PositionMargin]) -> Any:
        """Equity less the larger of initial margin and 10% of all notional."""
        return np.maximum(equity - np.maximum(initial, LEAST_LEFT * sum(r.notional for r in rows)), 0.0)

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        """(for opening, against liquidation, note): what a collateral amount counts for, USD."""
        ltv = self.parameters["portfolio_ltv"].get(asset)
        if mode != "portfolio" or np.any(np.less_equal(quantity, 0)) or ltv is None:
            return super().counted(asset, quantity, price, mode, settings)
        value = min(quantity, self.parameters["portfolio_caps"][asset]) * price
        return value * ltv, value * (0.5 + 0.5 * ltv), f"{asset} lends {ltv:.0%} of its value, up to the caps."

    def reckon(
        self, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> VenueMargin:
        """The account's figures, with lines where they are wanted."""
        found = super().reckon(book, marks, mode, settings, lines)
        return self._portfolio(found, lines) if mode == "portfolio" and not book.isolated else found

    def _portfolio(self, found: VenueMargin, lines: Lines) -> VenueMargin:
        """Dollars below zero are borrowed, against coins; maintenance is what the ratio of 0.95 asks of the value."""
        cap, source = self.parameters["portfolio_caps"]["borrow"], self.parameters.source("portfolio_ltv")
        coins = [c for c in found.collateral if c.asset in self.parameters["portfolio_ltv"]]
        lent = sum(c.counted_maintenance for c in coins)
        limit = np.minimum(cap, sum(c.counted_initial for c in coins))
        dollars = found.equity - lent
        borrowed, balance = np.maximum(-dollars, 0.0), np.maximum(dollars, 0.0)
        required, value = portfolio_ratio(found.maintenance, borrowed, balance, lent, cap)
        needed: Any = np.where(
            np.less(0, sum(abs(r.notional) for r in found.positions) + borrowed), required / THRESHOLD, 0.0
        )
        if lines.wanted:
            lines.add("Borrowed", "dollars below zero", float(borrowed), source, "note")
            formula = f"(20 + {found.maintenance:,.2f} + {borrowed:,.2f}) / {THRESHOLD:g}"
            said = formula if needed > 0 else "nothing is held on margin and nothing is borrowed"
            lines.add("Liquidated at a ratio of 0.95", said, float(needed), source, "maintenance")
        # Nothing opens that would be liquidated at once.
        initial: Any = np.maximum(found.initial, needed - borrowed)
        free: Any = dollars + limit
        if lines.wanted:
            needed, initial, value, free = float(needed), float(initial), float(value), float(free)
        return replace(
            found, equity=value, maintenance=needed, initial=initial, equity_initial=free,
            withdrawable=None, lines=tuple(lines.kept),
        )  # fmt: skip

    @cached_property
    def _tiers(self) -> dict[str, Tiers]:
        return {asset: leverage_tiers(rows) for asset, rows in self.carried.items()}


RULEBOOK = Hyperliquid()
