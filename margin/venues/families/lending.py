"""What lending venues share: balances only, weighted; the debts are the requirement and the assets the equity."""

from abc import abstractmethod
from collections.abc import Mapping

from margin.core.portfolio import Portfolio
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import CollateralValue, Lines, Mode, Rulebook, Unsupported, VenueMargin


def discount_factor(adjusted_collateral: float, liability: float) -> float:
    """Share of its value at which a liquidator buys collateral: the health score (Euler's reverse Dutch auction)."""
    return min(adjusted_collateral / liability, 1.0)


class LendingVenue(Rulebook):
    """Supplied and borrowed balances. `weights` gives an asset's share when supplied and its factor when owed."""

    modes = ("cross",)
    purpose = "lending"

    @abstractmethod
    def weights(
        self, asset: str, settings: Mapping[str, float]
    ) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """((supplied, owed) for opening, the same against liquidation); None where the asset is not listed."""

    def supports(self, portfolio: Portfolio, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        chosen = self.settings(None)
        found = []
        for p in portfolio.positions:
            if p.instrument.kind not in ("spot", "loan"):
                found.append(Unsupported(p.symbol, f"it lends coins, no {p.instrument.kind}s"))
            elif self.weights(p.underlying, chosen) is None:
                found.append(Unsupported(p.symbol, f"no weights of {p.underlying} are known here"))
        return tuple(found)

    def requirement(
        self, portfolio: Portfolio, marks: Marks, mode: Mode, settings: Mapping[str, float] | None = None
    ) -> VenueMargin:
        self.check(portfolio, mode)
        chosen = self.settings(settings)
        lines, source = Lines(), self.parameters.source("weights")
        collateral, notes = [], [*marks.notes]
        supplied, owed = [0.0, 0.0], [0.0, 0.0]
        market = 0.0
        for asset, quantity, price in accounts.tokens(portfolio, marks, spot=True):
            value = quantity * price
            market += value
            weights = self.weights(asset, chosen)
            if weights is None:
                weights = ((0.0, 1.0), (0.0, 1.0))
                notes.append(f"{asset} is not listed here: supplied, it counts for nothing.")
            opening, kept = (value * (w[0] if value >= 0 else w[1]) for w in weights)
            counted = opening, kept
            for i, amount in enumerate(counted):
                supplied[i] += max(amount, 0.0)
                owed[i] -= min(amount, 0.0)
            collateral.append(CollateralValue(asset, quantity, price, value, *counted))
            word, part = ("supplied", "collateral") if value >= 0 else ("borrowed", "maintenance")
            formula = f"{quantity:,.8g} x {price:,.8g} x {counted[1] / value:.1%}" if value else "nothing"
            lines.add(f"{asset} {word}", formula, counted[1], source, part)
        return VenueMargin(
            self.title, mode, owed[0], owed[1], supplied[0], supplied[1], supplied[0], market, tuple(lines.kept), (),
            tuple(collateral), (), tuple(dict.fromkeys(notes)),
        )  # fmt: skip
