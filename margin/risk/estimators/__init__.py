"""The estimators, a file each: menus, choices of the command line, charts, docs and the backtest are made of them.

A file's name is its key, its being here the registration. An estimator is one of three things: scenarios drawn from the
history alone, one window of it chosen by the book's own losses, or a closed form that takes a correlation matrix.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol

import numpy as np

from margin.core.errors import InputError
from margin.core.settings import Settings
from margin.risk.history import History
from margin.risk.scenarios import Scenarios

__all__ = [
    "Estimator",
    "Seen",
    "closed_forms",
    "degrees_of_freedom",
    "estimator",
    "estimators",
    "matrix_estimator",
    "walked",
]


class Seen(Protocol):
    """What a backtest knew at one close: (l, k) returns of its lookback."""

    def as_they_were(self) -> np.ndarray:
        """The last `lookback` returns."""

    def at_todays_volatility(self) -> np.ndarray:
        """Each over the volatility known before it, times that of the close; never below -100%."""


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """One way to the losses of tomorrow.

    key, order   : what it is called in settings, and its place in menus
    title, short : on menus, on axes; phrase: within a sentence
    definition   : in docs/models.md; formula: LaTeX; words: one sentence for a reader
    mark         : symbol of its points on a chart
    One of these makes its figures:
    scenarios : (history, settings) -> Scenarios, from the history alone
    window    : (losses (n,) USD of the whole history, length, level) -> start of the window that is used
    dof       : (settings) -> degrees of freedom, None for a normal: a closed form from a covariance
    walk      : (seen) -> (l, k) returns, how a backtest makes the scenarios of one close; closed forms need none
    """

    key: str
    order: int
    title: str
    short: str
    phrase: str
    definition: str
    formula: str
    words: str
    mark: str = "circle"
    scenarios: Callable[[History, Settings], Scenarios] | None = None
    window: Callable[[np.ndarray, int, float], int] | None = None
    dof: Callable[[Settings], float | None] | None = None
    walk: Callable[[Seen], np.ndarray] | None = None

    def __post_init__(self) -> None:
        made = [name for name in ("scenarios", "window", "dof") if getattr(self, name) is not None]
        if len(made) != 1:
            said = " and ".join(made) or "none"
            raise InputError("estimator", self.key, f"gives {said}", "Give one of scenarios, window and dof.")

    @property
    def closed_form(self) -> bool:
        """Whether it needs no scenarios (the ones that take a correlation matrix)."""
        return self.dof is not None

    @property
    def walked(self) -> bool:
        """Whether a backtest can walk it day by day."""
        return self.closed_form or self.walk is not None


@cache
def estimators() -> tuple[Estimator, ...]:
    """Every estimator, in the order of menus."""
    found: dict[str, Estimator] = {
        m.name: import_module(f"{__name__}.{m.name}").ESTIMATOR for m in iter_modules(__path__)
    }
    for name, row in found.items():
        if row.key != name:
            raise InputError("estimator", row.key, f"stands in a file named {name}.py", "Name the file by its key.")
    return tuple(sorted(found.values(), key=lambda row: (row.order, row.key)))


def estimator(key: str) -> Estimator:
    """One estimator. Raises InputError for an unknown key."""
    for row in estimators():
        if row.key == key:
            return row
    hint = f"Choose {', '.join(row.key for row in estimators())}."
    raise InputError("estimator", key, "is not one of the choices", hint)


def closed_forms() -> tuple[str, ...]:
    """Keys of those that take a correlation matrix."""
    return tuple(row.key for row in estimators() if row.closed_form)


def walked() -> tuple[str, ...]:
    """Keys of those that a backtest walks."""
    return tuple(row.key for row in estimators() if row.walked)


def matrix_estimator(key: str) -> str:
    """The estimator of a question about a correlation matrix: the chosen one if it takes a matrix, else the first."""
    return key if estimator(key).closed_form else closed_forms()[0]


def degrees_of_freedom(settings: Settings, key: str | None = None) -> float | None:
    """Of the closed form of `key`, by default the chosen estimator's; None for a normal, and where there is none."""
    dof = estimator(settings.estimator if key is None else key).dof
    return None if dof is None else dof(settings)
