"""Derive's first portfolio margin: one coin's contracts, spot of the same coin and cash."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from margin.core.account import SubAccount
from margin.core.portfolio import Portfolio
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import (
    CollateralValue,
    Grid,
    Lines,
    Mode,
    Unsupported,
    VenueMargin,
)
from margin.venues.rules.derive import portfolio_v1 as derive_portfolio_v1
from margin.venues.rules.derive.account import DeriveAccounts, contracts, dollars
from margin.venues.rules.derive.scenarios import binding_scenario, scenario_grid


class DeriveV1(DeriveAccounts):
    """Derive's first portfolio margin: one coin's contracts, spot of the same coin and cash."""

    name = "derive_v1"
    modes: ClassVar[tuple[Mode, ...]] = ("portfolio",)

    def supports(self, book: Portfolio | SubAccount, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """What of the account is not reproduced here, row by row."""
        sub = accounts.as_sub(book)
        return tuple(self._one_coin(sub, ("spot", "perpetual", "option")))

    def reckon(
        self, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> VenueMargin:
        """The account's figures, with lines where they are wanted."""
        chosen, source = settings, self.parameters.source("portfolio")
        cash, coins, others = self._account(book, marks, chosen["confidence"])
        used = {p.underlying for p in book.positions if p.instrument.kind != "loan" and p.quantity}
        coin = next((c for c in coins.values() if c.asset in used), None)
        collateral = [dollars(cash)]
        notes = []
        rest: Any = 0.0
        for asset, quantity, price in [(c.asset, c.base, c.spot) for c in coins.values() if c is not coin] + others:
            worth = quantity * price
            counted = np.minimum(worth, 0.0)
            rest = rest + counted
            collateral.append(
                CollateralValue(
                    asset=asset, quantity=quantity, price=price, market_value=worth, counted_initial=counted,
                    counted_maintenance=counted,
                )
            )  # fmt: skip
            notes.append(f"{asset} is no collateral beside another coin's contracts.")
        if coin and coin.base:
            worth = coin.base * coin.spot
            collateral.append(
                CollateralValue(
                    asset=coin.asset, quantity=coin.base, price=coin.spot, market_value=worth, counted_initial=worth,
                    counted_maintenance=worth, why="in full: its risk is in the scenarios",
                )
            )  # fmt: skip
        shared = contracts(coin, cash + rest, chosen)
        account = derive_portfolio_v1.Account(**shared, base=coin.base if coin else 0.0)
        rules = derive_portfolio_v1.Parameters(**self.parameters["portfolio"])
        scenarios = tuple(derive_portfolio_v1.Scenario(*row) for row in self.parameters["portfolio_scenarios"])
        found = derive_portfolio_v1.margin(account, scenarios, rules)
        grids: tuple[Grid, ...] = ()
        if lines.wanted:
            lines.add("Worst scenario", binding_scenario(found, scenarios), float(found.worst), source, "note")
            grids = (scenario_grid(scenarios, found.pnl),) if coin else ()
        nets = found.initial, found.maintenance, found.mtm
        said = tuple(dict.fromkeys(notes))
        result = self._result(
            book, marks, "portfolio", nets, collateral, lines, grids=grids, notes=said, uncounted=False
        )
        uncounted = sum(c.market_value - c.counted_maintenance for c in collateral)
        return replace(result, account_value=result.account_value + uncounted)
