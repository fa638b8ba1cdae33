"""The gap: equity less requirement of one sub-account, and what each price move does to it.

G = equity - maintenance (liquidation) or equity_initial - initial (a call)
G / G0 = 1 + sum of w_i R_i for linear positions under flat rates, w_i = USD of gap per 100% move of asset i
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from margin.core.account import SubAccount
from margin.models.base import MarginModel, States
from margin.models.marks import Marks

Target = Literal["liquidation", "call"]
TARGETS = ("liquidation", "call")
BUMP = 1e-4  # relative move of a price by which the gap's slope is measured
STRAIGHT = 0.05  # largest departure from a straight line, of the largest effect, under which a book counts as linear


@dataclass(frozen=True, kw_only=True, eq=False)
class Gap:
    """One sub-account now, USD. exposures (k,) : by asset of `sub.assets`, USD of gap per 100% move.

    equity, requirement : of the target; straight : whether the gap is linear in prices over what is likely
    """

    sub: SubAccount
    model: MarginModel
    marks: Marks
    target: Target
    equity: float
    requirement: float
    exposures: np.ndarray
    straight: bool

    @property
    def usd(self) -> float:
        """USD between equity and requirement now."""
        return self.equity - self.requirement

    @property
    def options(self) -> bool:
        """Whether it holds options: no slope describes it, so only paths do."""
        return any(p.instrument.is_option for p in self.sub.positions)


def of_states(states: States, target: Target) -> tuple[np.ndarray, np.ndarray]:
    """(equity, requirement) that the target compares."""
    if target == "call":
        return states.equity_initial, states.initial
    return states.equity, states.maintenance


def gap_of(model: MarginModel, sub: SubAccount, marks: Marks, target: Target, returns: np.ndarray) -> Gap:
    """The gap with its slopes, by central differences. returns : (n, k) past moves over the horizon that is asked.

    The book counts as straight where no such past move leaves the tangent by more than 5% of the largest effect of any:
    the money behind it has no say in it. Raises InputError for what the model refuses.
    """
    k = len(sub.assets)
    optional = any(p.instrument.is_option for p in sub.positions)
    bumps = np.vstack([np.ones((1, k)), 1.0 + BUMP * np.eye(k), 1.0 - BUMP * np.eye(k)])
    probes = _probes(returns) if not optional else np.empty((0, k))
    rows = np.vstack([bumps, 1.0 + probes])
    equity, required = of_states(model.states(sub, marks, rows), target)
    gaps = equity - required
    exposures = (gaps[1 : k + 1] - gaps[k + 1 : 2 * k + 1]) / (2.0 * BUMP)
    effect = probes @ exposures
    off = np.abs(gaps[2 * k + 1 :] - gaps[0] - effect)
    allowed = STRAIGHT * float(np.abs(effect).max(initial=0.0))
    return Gap(
        sub=sub,
        model=model,
        marks=marks,
        target=target,
        equity=float(equity[0]),
        requirement=float(required[0]),
        exposures=exposures,
        straight=not optional and bool((off <= allowed + 1e-9 * abs(float(equity[0]))).all()),
    )


def _probes(returns: np.ndarray, count: int = 24) -> np.ndarray:
    """The past moves with the largest rise and fall in each asset and in all together, and the latest few."""
    if not len(returns):
        return returns
    extremes = np.concatenate(
        [returns.argmin(axis=0), returns.argmax(axis=0), [returns.sum(axis=1).argmin(), returns.sum(axis=1).argmax()]]
    )
    chosen = np.unique(np.concatenate([extremes[-count:], np.arange(max(len(returns) - 8, 0), len(returns))]))
    probes: np.ndarray = returns[chosen]
    return probes
