"""What lending venues share: balances only, weighted; the debts are the requirement and the assets the equity."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from margin.core.account import SubAccount
from margin.core.portfolio import Portfolio
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import CollateralValue, Lines, Mode, Rulebook, Unsupported, VenueMargin


class LendingVenue(Rulebook):
    """Supplied and borrowed balances. `weights` gives an asset's share when supplied and its factor when owed."""

    modes = ("cross",)
    purpose = "lending"
    nets = True  # one balance per asset; else what is borrowed of an asset stands beside what is supplied of it

    @abstractmethod
    def weights(
        self, asset: str, settings: Mapping[str, float]
    ) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """((supplied, owed) for opening, the same against liquidation); None where the asset is not listed."""

    def weighed(self, quantity: Any, price: Any, weights: tuple[float, float]) -> Any:
        """USD that a balance counts: supplied at its share, owed (below zero) at its factor."""
        value = quantity * price
        return np.where(np.greater_equal(value, 0), value * weights[0], value * weights[1])

    def explain(
        self, rows: Sequence[CollateralValue], owed: float, settings: Mapping[str, float], lines: Lines
    ) -> None:
        """Lines of the venue's own about the balances and what is owed, counted against liquidation."""
        kept = sum(max(r.counted_maintenance, 0.0) for r in rows)
        if 0.0 < kept < owed:
            self.explain_liquidation(sum(max(r.market_value, 0.0) for r in rows), kept, owed, settings, lines)

    def explain_liquidation(
        self, held: float, kept: float, owed: float, settings: Mapping[str, float], lines: Lines
    ) -> None:
        """Lines of an account below its threshold: `held` USD supplied, `kept` of it counted, `owed` above that."""
        return

    def weights_source(self, asset: str) -> str:
        """Where an asset's weights are from."""
        return self.parameters.source("weights")

    def supports(self, book: Portfolio | SubAccount, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """What of the account is not reproduced here, row by row."""
        chosen = self.settings(None)
        found = []
        for p in accounts.as_sub(book).positions:
            if p.instrument.kind not in ("spot", "loan"):
                found.append(
                    Unsupported(symbol=p.symbol, reason=f"{p.instrument.kind} is not reproduced here, only balances")
                )
            elif self.weights(p.underlying, chosen) is None:
                why = f"no weights of {p.underlying} are known here: not reproduced here"
                found.append(Unsupported(symbol=p.symbol, reason=why))
        return tuple(found)

    def reckon(
        self, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> VenueMargin:
        """The account's figures, with lines where they are wanted."""
        collateral, notes = [], [*marks.notes]
        supplied: list[Any] = [0.0, 0.0]
        owed: list[Any] = [0.0, 0.0]
        market: Any = 0.0
        rows = accounts.tokens(book, marks, spot=True) if self.nets else accounts.both_sides(book, marks)
        for asset, quantity, price in rows:
            value = quantity * price
            market = market + value
            weights = self.weights(asset, settings)
            if weights is None:
                weights = ((0.0, 1.0), (0.0, 1.0))
                notes.append(f"{asset} is not listed here: supplied, it counts for nothing.")
            counted = [self.weighed(quantity, price, w) for w in weights]
            for i, amount in enumerate(counted):
                supplied[i] = supplied[i] + np.maximum(amount, 0.0)
                owed[i] = owed[i] - np.minimum(amount, 0.0)
            if not lines.wanted:
                continue
            opening, kept = float(counted[0]), float(counted[1])
            collateral.append(
                CollateralValue(
                    asset=asset, quantity=quantity, price=price, market_value=value, counted_initial=opening,
                    counted_maintenance=kept,
                )
            )  # fmt: skip
            word, part = ("supplied", "collateral") if value >= 0 else ("borrowed", "maintenance")
            formula = f"{quantity:,.8g} x {price:,.8g} x {kept / value:.1%}" if value else "nothing"
            lines.add(f"{asset} {word}", formula, kept, self.weights_source(asset), part)
        if lines.wanted:
            supplied, owed = [float(x) for x in supplied], [float(x) for x in owed]
            self.explain(collateral, owed[1], settings, lines)
        return VenueMargin(
            venue=self.title, mode=mode, initial=owed[0], maintenance=owed[1], equity_initial=supplied[0],
            equity=supplied[1], collateral_value=supplied[0], account_value=market, lines=tuple(lines.kept),
            collateral=tuple(collateral), notes=tuple(dict.fromkeys(notes)),
        )  # fmt: skip
