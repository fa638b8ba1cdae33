"""Value at risk, expected shortfall and who contributes to them, on arrays of scenario losses."""

import math

import numpy as np

_SLACK = 1e-9  # level x n is a whole number more often than floating point admits


def expected_shortfall(losses: np.ndarray, level: float) -> np.ndarray:
    """Mean of the worst (1 - level) share of losses, the atom at the quantile split, so that it is coherent.

    losses : ndarray (n_scenarios, ...), USD, loss positive
    level  : 0 < level < 1
    Returns ndarray (...), USD. NaN in losses raises ValueError.
    Source: Acerbi and Tasche (2002), "On the coherence of expected shortfall", eq. 4.12.
    """
    losses = _checked(losses, level)
    n = len(losses)
    mass, whole = tail_mass(n, level)
    cut = n - whole - 1  # ascending position of the scenario that the quantile splits
    if cut < 0:
        found: np.ndarray = losses.mean(axis=0)
        return found
    ordered = np.partition(losses, cut, axis=0)
    average: np.ndarray = (ordered[cut + 1 :].sum(axis=0) + (mass - whole) * ordered[cut]) / mass
    return average


def value_at_risk(losses: np.ndarray, level: float) -> np.ndarray:
    """Smallest loss whose empirical distribution function reaches the level.

    losses : ndarray (n_scenarios, ...), USD, loss positive; returns ndarray (...), USD.
    Other conventions interpolate and differ by up to 28% on one account; this one is an observed loss.
    Source: Hyndman and Fan (1996), definition 1.
    """
    losses = _checked(losses, level)
    rank = max(math.ceil(level * len(losses) - _SLACK), 1) - 1
    found: np.ndarray = np.partition(losses, rank, axis=0)[rank]
    return found


def tail_weights(losses: np.ndarray, level: float, measure: str = "es") -> np.ndarray:
    """How much each scenario counts in the measure: `weights @ losses` is the ES (or the VaR).

    losses : (n,) USD. Returns (n,) summing to 1; scenarios tied at the quantile share its weight equally, so the
    result does not depend on their order.
    """
    losses = _checked(losses, level)
    n = len(losses)
    if measure == "var":
        at = losses == value_at_risk(losses, level)
        found: np.ndarray = at / at.sum()
        return found
    mass, whole = tail_mass(n, level)
    if whole >= n:
        return np.full(n, 1.0 / n)
    quantile = np.partition(losses, n - whole - 1)[n - whole - 1]
    above, at = losses > quantile, losses == quantile
    shared: np.ndarray = (above + at * ((mass - above.sum()) / at.sum())) / mass
    return shared


def tail_mass(n: int, level: float) -> tuple[float, int]:
    """(scenarios in the tail of n, whole ones among them); a mass below 1 is a part of the worst scenario."""
    mass = n * (1.0 - level)
    nearest = round(mass)
    if nearest and abs(mass - nearest) < _SLACK * n:
        mass = float(nearest)
    return mass, math.floor(mass)


def _checked(losses: np.ndarray, level: float) -> np.ndarray:
    losses = np.asarray(losses, dtype=float)
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must lie between 0 and 1, got {level!r}")
    if losses.ndim == 0 or not len(losses):
        raise ValueError("losses must hold at least one scenario")
    if np.isnan(losses).any():
        raise ValueError("losses must not hold NaN")
    return losses
