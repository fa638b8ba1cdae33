"""Volatility of the book's own profit and loss, exponentially weighted, and how well it is known."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from margin.core.errors import InputError
from margin.forecast import by_step

DAILY_DECAY = 0.94  # RiskMetrics' decay of a day
BURN_IN_DAYS = 60


@dataclass(frozen=True, kw_only=True)
class Filtered:
    """A series of profits divided by the volatility known before each.

    sigma  : volatility of the next step; path (n + 1,) : of each step before it happened, the last one is `sigma`
    shocks : (n - burn-in,) profit / volatility, centred
    decay  : per step
    sigma_error : relative standard error of `sigma`
    """

    sigma: float
    path: np.ndarray
    shocks: np.ndarray
    decay: float
    sigma_error: float

    @property
    def burn_in(self) -> int:
        """Returns used up before the first filtered shock."""
        return len(self.path) - 1 - len(self.shocks)


def decay_per_step(steps_per_day: float) -> float:
    """The decay of one step of which there are `steps_per_day`."""
    return float(DAILY_DECAY ** (1.0 / steps_per_day))


def ewma_variance(profits: np.ndarray, decay: float, start: np.ndarray | float) -> np.ndarray:
    """(n + 1, ...) variance of each step before it happened: v' = decay v + (1 - decay) x^2, mean zero."""
    squares = np.asarray(profits, dtype=float) ** 2
    first = np.broadcast_to(np.asarray(start, dtype=float), squares.shape[1:])
    if not len(squares):
        return first[None].copy()
    loops: Any = (
        by_step if squares.size <= by_step.FEW else import_module("margin.forecast.kernels")
    )  # which imports numba
    out = np.empty((len(squares) + 1, first.size))
    out[0] = first.ravel()
    loops.smoothed(squares.reshape(len(squares), -1), decay, out)
    return out.reshape(len(out), *first.shape)


def filter_profits(profits: np.ndarray, steps_per_day: float) -> Filtered:
    """profits : (n,) of successive steps, any money. Started with the variance of the first 60 days, which burn in.

    The error is root((kurtosis - 1) / (4 n)), n = (1 + decay) / (1 - decay) effective steps.
    Raises InputError for fewer than twice the burn-in.
    """
    x = np.asarray(profits, dtype=float)
    burn = round(BURN_IN_DAYS * steps_per_day)
    if len(x) < 2 * burn:
        raise InputError("prices", f"{len(x)} steps", f"too little history: {2 * burn} are needed", "Add prices.")
    decay = decay_per_step(steps_per_day)
    path = np.sqrt(ewma_variance(x, decay, float(np.var(x[:burn]))))
    before = path[burn:-1]
    # Below a billionth of the usual size a step is rounding: a hedge that is exact does not move.
    usual = float(np.sqrt(np.mean(x**2)))
    shocks = np.divide(x[burn:], before, out=np.zeros(len(x) - burn), where=before > 1e-9 * usual)
    shocks -= shocks.mean()
    spread = float(np.mean(shocks**2))
    kurtosis = float(np.mean(shocks**4)) / spread**2 if spread > 0 else 3.0
    effective = (1.0 + decay) / (1.0 - decay)
    error = float(np.sqrt(max(kurtosis - 1.0, 0.0) / (4.0 * effective)))
    return Filtered(sigma=float(path[-1]), path=path, shocks=shocks, decay=decay, sigma_error=error)
