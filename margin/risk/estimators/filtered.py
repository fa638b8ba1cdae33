"""Past returns at the volatility of today."""

from margin.risk.estimators import Estimator
from margin.risk.scenarios import filtered

ESTIMATOR = Estimator(
    key="filtered",
    order=2,
    title="Filtered historical",
    short="Filtered",
    phrase="filtered",
    definition="each return x (EWMA volatility today / EWMA volatility known before that return), lambda 0.94, "
    "started with the mean square of the first 30 returns known (all of them while there are fewer)",
    formula=r"L_{i,s}=-q_iP_i\,R_{s,a(i)}\,\sigma_{\text{today}}/\sigma_s",
    words="Each past return is divided by the volatility known before it and multiplied by today's.",
    mark="diamond",
    scenarios=lambda past, settings: filtered(past, settings.lookback),
    walk=lambda seen: seen.at_todays_volatility(),
)
