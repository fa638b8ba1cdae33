"""Derive's scenarios as a reader sees them: which one binds, and the grid of spot and volatility."""

from typing import Any

import numpy as np

from margin.venues.base import (
    Grid,
)


def binding_scenario(found: Any, scenarios: tuple[Any, ...]) -> str:
    """The scenario of the largest loss, in words; "basis" where that one is larger."""
    return "basis" if found.basis < float(found.pnl.min()) else scenario_name(scenarios[int(found.pnl.argmin())])


def scenario_name(scenario: Any) -> str:
    """A scenario in words."""
    return f"spot x {scenario.spot:g}, volatility {scenario.vol.lower()}"


def scenario_grid(scenarios: tuple[Any, ...], pnl: np.ndarray) -> Grid:
    """The scenarios as a grid of spot and volatility state; NaN where the venue has none."""
    spots = sorted({s.spot for s in scenarios}, reverse=True)
    states = [v for v in ("Up", "None", "Down", "Linear", "Abs") if any(s.vol == v for s in scenarios)]
    values = np.full((len(spots), len(states)), np.nan)
    for s, gain in zip(scenarios, pnl, strict=True):
        values[spots.index(s.spot), states.index(s.vol)] = gain
    worst = scenarios[int(np.argmin(pnl))]
    binding = (spots.index(worst.spot), states.index(worst.vol)) if float(pnl.min()) < 0 else None
    return Grid("PnL by spot and volatility", tuple(f"{s - 1:+.1%}" for s in spots), tuple(states), values, binding)
