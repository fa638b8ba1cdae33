"""Morpho: markets of one collateral and one loan each; the whole position is open to a liquidator at its threshold.

Source: morpho-org/morpho-blue, src/Morpho.sol and src/libraries/ConstantsLib.sol, commit 3085651a7955 (2026-07-23).
"""

from collections.abc import Mapping

from margin.core.account import SubAccount
from margin.core.portfolio import Portfolio
from margin.venues import accounts
from margin.venues.base import Lines, Mode, Slider, Unsupported
from margin.venues.families.lending import LendingVenue


def incentive(lltv: float, cursor: float, most: float) -> float:
    """Collateral that a liquidator takes for a dollar of debt: 1 / (1 - cursor (1 - LLTV)), at most `most`."""
    return min(most, 1.0 / (1.0 - cursor * (1.0 - lltv)))


class Morpho(LendingVenue):
    """Morpho: one coin against one debt, at the market's own threshold."""

    name = "morpho"
    sliders = (
        Slider(
            key="lltv", title="Threshold of the market (LLTV)", low=0.0, high=0.98, default=0.86, step=0.005,
            help="Set for ever when a market is made; 86%, 91.5% and 94.5% are among those that governance allows.",
        ),
    )  # fmt: skip

    def weights(
        self, asset: str, settings: Mapping[str, float]
    ) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """(for opening, against liquidation) of an asset as (owned, owed): collateral at the threshold, for both."""
        known = accounts.is_dollar(asset) or asset in self.parameters["collateral"]
        return ((settings["lltv"], 1.0), (settings["lltv"], 1.0)) if known else None

    def weights_source(self, asset: str) -> str:
        """Where the threshold's rule is from."""
        return self.parameters.source("collateral")

    def supports(self, book: Portfolio | SubAccount, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """Also refused: a second collateral or a second debt, which are markets of their own."""
        found, sub = super().supports(book, mode), accounts.as_sub(book)
        amounts: dict[str, float] = {}
        for asset, quantity in [(c.asset, c.quantity) for c in sub.collateral] + [
            (p.underlying, p.quantity) for p in sub.positions if p.instrument.kind in ("spot", "loan")
        ]:
            amounts[asset] = amounts.get(asset, 0.0) + quantity
        why = "a market has one collateral and one loan: further ones are markets of their own, not reproduced here"
        further = [asset for sign in (1, -1) for asset in [a for a, q in amounts.items() if q * sign > 0][1:]]
        return found + tuple(Unsupported(symbol=asset, reason=why) for asset in further)

    def explain_liquidation(
        self, held: float, kept: float, owed: float, settings: Mapping[str, float], lines: Lines
    ) -> None:
        """What repaying all of it would take, and what lenders would lose."""
        rule, source = self.parameters["incentive"], self.parameters.source("incentive")
        paid = incentive(settings["lltv"], rule["cursor"], rule["most"])
        lines.add("A liquidator takes for a dollar of debt", f"LLTV {settings['lltv']:.1%}", paid, source, "note")
        taken = min(owed * paid, held)
        lines.add("Collateral taken for the whole debt", f"{owed:,.2f} x {paid:.4f}", taken, source, "note")
        lost = max(owed - held / paid, 0.0)
        if lost:
            lines.add("Charged to lenders", f"{owed:,.2f} - {held:,.2f} / {paid:.4f}", lost, source, "note")


RULEBOOK = Morpho()
