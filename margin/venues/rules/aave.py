"""Aave v3: loan-to-value, liquidation threshold, efficiency modes, health factor and close factor.

Source: aave-dao/aave-v3-origin, GenericLogic.sol and LiquidationLogic.sol (v3.3), commit 08cfaa31e827.
"""

from collections.abc import Mapping, Sequence

from margin.venues import accounts
from margin.venues.base import CollateralValue, Lines, Slider
from margin.venues.families.lending import LendingVenue

CLOSE_FACTOR_HEALTH = 0.95
CLOSE_FACTOR_VALUE = 2_000.0  # USD
LEAST_LEFT = 1_000.0  # USD


def health_factor(collateral: Sequence[tuple[float, float]], debt: float) -> float | None:
    """Sum of value x liquidation threshold over debt, USD; None without debt. Liquidated below 1."""
    return sum(value * threshold for value, threshold in collateral) / debt if debt > 0 else None


def average(collateral: Sequence[tuple[float, float]]) -> float | None:
    """Value-weighted loan-to-value or threshold of (USD, share) pairs; None where nothing is supplied."""
    total = sum(value for value, _ in collateral)
    return sum(value * share for value, share in collateral) / total if total > 0 else None


def close_factor(health: float, collateral_usd: float, debt_usd: float) -> float:
    """Share of the total debt a liquidator may repay: half while health > 0.95 and both sides are at least $2,000."""
    large = collateral_usd >= CLOSE_FACTOR_VALUE and debt_usd >= CLOSE_FACTOR_VALUE
    return 0.5 if health > CLOSE_FACTOR_HEALTH and large else 1.0


def seized(debt_repaid: float, bonus: float) -> float:
    """USD of collateral a liquidator receives: the debt repaid x (1 + bonus)."""
    return debt_repaid * (1.0 + bonus)


class Aave(LendingVenue):
    """Aave v3: debt against liquidation thresholds."""

    name = "aave"
    nets = False
    sliders = (
        Slider(
            key="emode", title="Efficiency mode for dollar coins", low=0.0, high=1.0, default=0.0, step=1.0,
            help="1: its category's shares apply.",
        ),
    )  # fmt: skip

    def weights(
        self, asset: str, settings: Mapping[str, float]
    ) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """(for opening, against liquidation) weights of an asset as (owned, owed); None where not reproduced here."""
        shares = self.parameters[self._fact(asset)].get(self._row(asset))
        if shares is None:
            return None
        if settings["emode"] >= 0.5 and accounts.is_dollar(asset):
            shares = self.parameters["emode"]
        return (shares[0], 1.0), (shares[1], 1.0)

    def explain(
        self, rows: Sequence[CollateralValue], owed: float, settings: Mapping[str, float], lines: Lines
    ) -> None:
        """The account's averages, its health factor, and what one liquidation may repay and seize."""
        source, bonus = self.parameters.source("weights"), self.parameters["liquidation_bonus"]
        held = [r for r in rows if r.market_value > 0]
        for label, name in (("Average loan-to-value", "counted_initial"), ("Average threshold", "counted_maintenance")):
            share = average([(r.market_value, getattr(r, name) / r.market_value) for r in held])
            if share is not None:
                lines.add(label, f"{share:.2%}", None, source, "note")
        health = health_factor([(r.market_value, r.counted_maintenance / r.market_value) for r in held], owed)
        if health is None:
            return
        lines.add("Health factor", f"{health:.4f}", None, source, "note")
        if health < 1.0:
            share = close_factor(health, sum(r.market_value for r in held), owed)
            lines.add("A liquidator repays at most", f"{share:.0%} of the debt", share * owed, source, "note")
            lines.add("and receives", f"that x (1 + {bonus:.1%})", seized(share * owed, bonus), source, "note")

    def weights_source(self, asset: str) -> str:
        return self.parameters.source(self._fact(asset))

    def _fact(self, asset: str) -> str:
        """Live shares where the asset's were seen, else those of the protocol's tests."""
        return "weights_live" if asset in self.parameters["weights_live"] else "weights"

    def _row(self, asset: str) -> str:
        return "USD" if accounts.is_dollar(asset) and self._fact(asset) == "weights" else asset


RULEBOOK = Aave()
