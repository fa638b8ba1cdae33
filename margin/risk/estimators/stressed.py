"""The stretch of history that would hurt this book most."""

from margin.risk.estimators import Estimator
from margin.risk.scenarios import worst_window

ESTIMATOR = Estimator(
    key="stressed",
    order=5,
    title="Stressed period",
    short="Stressed",
    phrase="stressed",
    definition="of all windows of `lookback` successive returns, the one with the largest ES of this book",
    formula=r"L_{i,s}=-q_iP_iR_{s,a(i)},\quad s\in\text{worst window}",
    words="The stretch of history that would hurt this book most.",
    window=worst_window,
)
