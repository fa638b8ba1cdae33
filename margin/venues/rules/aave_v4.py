"""Aave v4: one collateral factor an asset, and liquidations that restore a target health.

Source: aave/aave-v4, docs/features/LiquidationEngine.md, commit 726fe2811a08.
"""

from collections.abc import Mapping
from typing import Any

from margin.venues import accounts
from margin.venues.base import Lines, Slider
from margin.venues.families.lending import LendingVenue


def bonus(health: float, largest: float, factor: float, full_at: float) -> float:
    """What a liquidator gets for a dollar of debt, over 1: grows from its least at a health of 1 to `largest`.

    factor : the least bonus as a share of the largest; full_at : health at and below which the largest is paid
    """
    if health <= full_at:
        return largest
    least = (largest - 1.0) * factor + 1.0
    return least + (largest - least) * (1.0 - health) / (1.0 - full_at)


def debt_to_repay(debt: float, health: float, target: float, paid: float, factor: float) -> float:
    """USD of debt whose repayment lifts the health to the target, `paid` of collateral a dollar going with it."""
    return debt * (target - health) / (target - paid * factor)


def shared_bonus(paid: float, share: float) -> tuple[float, float]:
    """(protocol, liquidator): how a bonus of `paid` - 1 a dollar of debt is divided; the fee is a share of it alone."""
    return (paid - 1.0) * share, (paid - 1.0) * (1.0 - share)


class AaveV4(LendingVenue):
    """Aave v4: debt against collateral at one factor an asset."""

    name = "aave_v4"
    nets = False
    sliders = (
        Slider(
            key="target", title="Target health of a liquidation", low=1.0, high=1.5, default=1.05, step=0.01,
            help="What a liquidation restores; each spoke sets its own, 1.05 in the protocol's tests.",
        ),
    )  # fmt: skip

    def weights(
        self, asset: str, settings: Mapping[str, float]
    ) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """(for opening, against liquidation) weights of an asset as (owned, owed); None where not reproduced here."""
        factor = self.parameters["weights"].get("USD" if accounts.is_dollar(asset) else asset)
        return None if factor is None else ((factor, 1.0), (factor, 1.0))

    def explain_liquidation(
        self, held: float, kept: float, owed: float, settings: Mapping[str, float], lines: Lines
    ) -> None:
        """What a liquidator would repay and take now."""
        rule: Mapping[str, Any] = self.parameters["liquidation"]
        source, target, health = self.parameters.source("liquidation"), settings["target"], kept / owed
        paid = bonus(health, rule["max_bonus"], rule["bonus_factor"], rule["full_bonus_at"])
        repaid = min(debt_to_repay(owed, health, target, paid, kept / held), owed)
        if owed - repaid < rule["least_left"]:
            repaid = owed
        lines.add("Bonus of a liquidator", f"at a health of {health:.4f}: {paid:.4f} a dollar", None, source, "note")
        formula = f"{owed:,.2f} x ({target:g} - {health:.4f}) / ({target:g} - {paid:.4f} x factor)"
        lines.add("Debt repaid in a liquidation now", formula, repaid, source, "note")
        taken = min(repaid * paid, held)
        fee, _ = shared_bonus(taken / repaid, rule["protocol_share"]) if repaid else (0.0, 0.0)
        fee = fee * repaid
        formula = f"{repaid:,.2f} x {paid:.4f}, {fee:,.2f} of it to the protocol"
        lines.add("Collateral taken", formula, taken, source, "note")


RULEBOOK = AaveV4()
