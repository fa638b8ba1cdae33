"""The last returns as they were."""

from margin.risk.estimators import Estimator
from margin.risk.scenarios import historical

ESTIMATOR = Estimator(
    key="historical",
    order=1,
    title="Historical",
    short="Historical",
    phrase="historical",
    definition="the last `lookback` returns",
    formula=r"L_{i,s}=-q_iP_iR_{s,a(i)}",
    words="Each past day is one scenario, applied to today's prices.",
    scenarios=lambda past, settings: historical(past, settings.lookback),
    walk=lambda seen: seen.as_they_were(),
)
