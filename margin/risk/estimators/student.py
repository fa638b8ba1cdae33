"""A Student-t distribution with a correlation matrix."""

from margin.risk.estimators import Estimator

ESTIMATOR = Estimator(
    key="student",
    order=4,
    title="Student-t",
    short="Student-t",
    phrase="Student-t",
    definition="the same with a Student-t of unit variance: k = t(q) / (1 - a) x (v + q^2) / (v - 1) x "
    "root((v - 2) / v); v = 4 unless set",
    formula=r"M(w)=\kappa_{\alpha,\nu}\sqrt{w^\top\Sigma w}",
    words="A Student-t distribution (fat tails) with the chosen correlation matrix: our own model.",
    mark="triangle-up",
    dof=lambda settings: settings.degrees_of_freedom,
)
