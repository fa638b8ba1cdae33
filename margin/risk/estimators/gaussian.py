"""A normal distribution with a correlation matrix."""

from margin.risk.estimators import Estimator

ESTIMATOR = Estimator(
    key="gaussian",
    order=3,
    title="Gaussian",
    short="Gaussian",
    phrase="gaussian",
    definition="closed form `k root(w' C w)`, k = phi(z) / (1 - a) for ES, z for VaR; C = daily covariance x horizon",
    formula=r"M(w)=\kappa_\alpha\sqrt{w^\top\Sigma w},\quad \kappa_\alpha=\varphi(z_\alpha)/(1-\alpha)",
    words="A normal distribution with the chosen correlation matrix: our own model, no venue takes one.",
    mark="square",
    dof=lambda settings: None,
)
