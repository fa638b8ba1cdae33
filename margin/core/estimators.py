"""The estimators, a row each: menus, choices of the command line, names, formulas and the table of docs are made of it.

A new one is a row here and a scenario set in margin/risk/estimators.py; a test holds the two and docs/models.md
together.
"""

from dataclasses import dataclass

from margin.core.errors import InputError

__all__ = ["ESTIMATORS", "ROWS", "Estimator", "closed_forms", "estimator", "walked"]


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """One way to the losses of tomorrow.

    title, short : on menus, on axes; phrase: within a sentence
    definition   : in docs/models.md; formula: LaTeX; words: one sentence for a reader
    closed_form  : from a correlation matrix, without scenarios (the ones that take a matrix of the visitor's)
    walked       : whether a backtest can walk it day by day
    mark         : symbol of its points on a chart
    """

    key: str
    title: str
    short: str
    phrase: str
    definition: str
    formula: str
    words: str
    closed_form: bool = False
    walked: bool = True
    mark: str = "circle"


ROWS = (
    Estimator(
        key="historical",
        title="Historical",
        short="Historical",
        phrase="historical",
        definition="the last `lookback` returns",
        formula=r"L_{i,s}=-q_iP_iR_{s,a(i)}",
        words="Each past day is one scenario, applied to today's prices.",
    ),
    Estimator(
        key="filtered",
        title="Filtered historical",
        short="Filtered",
        phrase="filtered",
        definition="each return x (EWMA volatility today / EWMA volatility known before that return), lambda 0.94, "
        "started with the mean square of the first 30 returns known (all of them while there are fewer)",
        formula=r"L_{i,s}=-q_iP_i\,R_{s,a(i)}\,\sigma_{\text{today}}/\sigma_s",
        words="Each past return is divided by the volatility known before it and multiplied by today's.",
        mark="diamond",
    ),
    Estimator(
        key="gaussian",
        title="Gaussian",
        short="Gaussian",
        phrase="gaussian",
        definition="closed form `k root(w' C w)`, k = phi(z) / (1 - a) for ES, z for VaR; "
        "C = daily covariance x horizon",
        formula=r"M(w)=\kappa_\alpha\sqrt{w^\top\Sigma w},\quad \kappa_\alpha=\varphi(z_\alpha)/(1-\alpha)",
        words="A normal distribution with the chosen correlation matrix: our own model, no venue takes one.",
        closed_form=True,
        mark="square",
    ),
    Estimator(
        key="student",
        title="Student-t",
        short="Student-t",
        phrase="Student-t",
        definition="the same with a Student-t of unit variance: k = t(q) / (1 - a) x (v + q^2) / (v - 1) x "
        "root((v - 2) / v); v = 4 unless set",
        formula=r"M(w)=\kappa_{\alpha,\nu}\sqrt{w^\top\Sigma w}",
        words="A Student-t distribution (fat tails) with the chosen correlation matrix: our own model.",
        closed_form=True,
        mark="triangle-up",
    ),
    Estimator(
        key="stressed",
        title="Stressed period",
        short="Stressed",
        phrase="stressed",
        definition="of all windows of `lookback` successive returns, the one with the largest ES of this book",
        formula=r"L_{i,s}=-q_iP_iR_{s,a(i)},\quad s\in\text{worst window}",
        words="The stretch of history that would hurt this book most.",
        walked=False,
    ),
)
ESTIMATORS = tuple(row.key for row in ROWS)


def estimator(key: str) -> Estimator:
    """The row of one estimator. Raises InputError for an unknown key."""
    for row in ROWS:
        if row.key == key:
            return row
    raise InputError("estimator", key, "is not one of the choices", f"Choose {', '.join(ESTIMATORS)}.")


def closed_forms() -> tuple[str, ...]:
    """Keys of those that take a correlation matrix."""
    return tuple(row.key for row in ROWS if row.closed_form)


def walked() -> tuple[str, ...]:
    """Keys of those that a backtest walks."""
    return tuple(row.key for row in ROWS if row.walked)
