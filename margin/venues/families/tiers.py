"""Margin tiers: slices of notional at rising rates, and the liquidation price with the tier that applies there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from margin.core.errors import InputError


@dataclass(frozen=True)
class Tier:
    """Notional from `floor` to `cap` (USD; None: no end): maintenance = rate x notional - deduction."""

    floor: float
    cap: float | None
    rate: float
    leverage: float
    deduction: float
    closed: bool = False  # the cap itself still lies in this tier


def tiers_of(rows: Sequence[Sequence[Any]], whole: bool = False, closed: bool = False) -> tuple[Tier, ...]:
    """Tiers from rows of (floor, cap, maintenance rate, highest leverage), in order.

    Deductions make the requirement continuous: d_n = d_(n-1) + floor_n (rate_n - rate_(n-1)); where a venue charges
    the `whole` position at its tier's rate there are none, and the requirement jumps. Raises InputError for tiers that
    leave a gap or fall.
    """
    out: list[Tier] = []
    for floor, cap, rate, leverage in rows:
        deduction = 0.0
        if out:
            before = out[-1]
            if before.cap != floor or rate < before.rate:
                raise InputError("tiers", floor, "must follow the tier before, at a rate that is not lower")
            deduction = 0.0 if whole else before.deduction + floor * (rate - before.rate)
        out.append(
            Tier(float(floor), None if cap is None else float(cap), float(rate), float(leverage), deduction, closed)
        )
    return tuple(out)


def describe(tier: Tier) -> str:
    edge = "no end" if tier.cap is None else f"{tier.cap:,.0f}"
    return f"{tier.floor:,.0f} to {edge} at {tier.rate:.3%}"


def sliced(rows: Sequence[Sequence[Any]], amount: float) -> float:
    """What counts of an amount whose slices (floor, cap, share) count at their own share, as collateral tiers do."""
    return sum(
        share * max(min(amount, float("inf") if cap is None else cap) - floor, 0.0) for floor, cap, share in rows
    )


def tier_at(tiers: Sequence[Tier], notional: float) -> Tier:
    """The tier of a notional, USD; at an exact edge the lower one where the venue says so, else the upper."""
    return next((t for t in tiers if t.cap is None or notional < t.cap or (t.closed and notional == t.cap)), tiers[-1])


def maintenance(tiers: Sequence[Tier], notional: float) -> float:
    """USD maintenance margin of a notional."""
    tier = tier_at(tiers, notional)
    return tier.rate * notional - tier.deduction


def liquidation_price(
    quantity: float, mark: float, equity: float, tiers: Sequence[Tier], other_maintenance: float = 0.0
) -> float | None:
    """USD price at which equity falls to the maintenance margin; None where no price above 0 does.

    quantity : net units of the underlying; equity : USD of the account at `mark`; other_maintenance : of the rest
    equity + q (p - mark) = other + rate |q| p - deduction, solved in every tier; the solution counts whose notional
    lies in its own tier. Of several the first one met on the losing side of the mark.
    """
    if quantity == 0:
        return None
    found = []
    for tier in tiers:
        slope = quantity - tier.rate * abs(quantity)
        if slope == 0:
            continue
        price = (other_maintenance - tier.deduction - equity + quantity * mark) / slope
        notional = abs(quantity) * price
        if (
            price > 0
            and notional >= tier.floor * (1 - 1e-12)
            and (tier.cap is None or notional <= tier.cap * (1 + 1e-12))
        ):
            found.append(price)
    losing = [p for p in found if (mark - p) * quantity >= 0]
    if losing:
        return max(losing) if quantity > 0 else min(losing)
    return None
