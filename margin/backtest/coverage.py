"""Was a margin breached as often, as randomly and as deeply as it promised? Tests of exceedances.

An exceedance is a day whose loss was larger than the requirement set the day before. Every p-value is the probability,
if the model were right, of a result at least as bad as the one seen.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import bdtr, chdtrc, gammaln, xlog1py, xlogy

from margin.core.errors import InputError


@dataclass(frozen=True)
class TestResult:
    """One test: its statistic and the p-value, both None with a reason where the test does not apply."""

    __test__ = False  # not a test class, whatever its name says to pytest

    statistic: float | None
    p_value: float | None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ExceedanceReport:
    """What a series of exceedances says about the model that set the margin."""

    observations: int
    exceedances: int
    expected: float
    rate: float
    kupiec: TestResult
    binomial: TestResult
    independence: TestResult
    conditional_coverage: TestResult
    zone: Literal["green", "yellow", "red"]


def exceedance_report(hits: np.ndarray, probability: float) -> ExceedanceReport:
    """All frequency and clustering tests at once.

    hits        : (n,) bool, True where the loss exceeded the requirement, in time order
    probability : promised exceedance probability, 1 - level
    """
    hits = _hits(hits)
    n, x = len(hits), int(hits.sum())
    pof, independence = kupiec(n, x, probability), christoffersen_independence(hits)
    return ExceedanceReport(
        observations=n,
        exceedances=x,
        expected=n * probability,
        rate=x / n,
        kupiec=pof,
        binomial=exact_binomial(n, x, probability),
        independence=independence,
        conditional_coverage=conditional_coverage(pof, independence),
        zone=traffic_light(n, x, probability),
    )


def kupiec(observations: int, exceedances: int, probability: float) -> TestResult:
    """Proportion-of-failures likelihood ratio, chi-square with one degree of freedom.

    At 250 days and 1% its nominal 5% rejects 9.5% of good models: read `exact_binomial` beside it.
    Source: Kupiec (1995), "Techniques for verifying the accuracy of risk measurement models".
    """
    n, x, p = _counts(observations, exceedances, probability)
    rate = x / n
    ratio = 2.0 * (_log_likelihood(n - x, x, rate) - _log_likelihood(n - x, x, p))
    return TestResult(max(ratio, 0.0), float(chdtrc(1, max(ratio, 0.0))))


def exact_binomial(observations: int, exceedances: int, probability: float) -> TestResult:
    """Two-sided exact p-value: total probability of all counts no likelier than the one seen.

    The statistic is the number of exceedances. Source: Clopper and Pearson (1934); the small-p-values rule is the one
    of R's binom.test and scipy.stats.binomtest.
    """
    n, x, p = _counts(observations, exceedances, probability)
    k = np.arange(n + 1)
    log_pmf = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + xlogy(k, p) + xlog1py(n - k, -p)
    pmf = np.exp(log_pmf)
    p_value = pmf[pmf <= pmf[x] * (1 + 1e-7)].sum()
    return TestResult(float(x), float(min(p_value, 1.0)))


def christoffersen_independence(hits: np.ndarray) -> TestResult:
    """Does a breach make a breach on the next day likelier? Likelihood ratio, chi-square with one degree of freedom.

    hits : (n,) bool in time order. Without any exceedance, or with nothing else, the test says nothing.
    Source: Christoffersen (1998), "Evaluating interval forecasts".
    """
    hits = _hits(hits)
    before, after = hits[:-1], hits[1:]
    n11, n01 = int((before & after).sum()), int((~before & after).sum())
    n10, n00 = int((before & ~after).sum()), int((~before & ~after).sum())
    return independence_from_counts(n00, n01, n10, n11)


def independence_from_counts(n00: int, n01: int, n10: int, n11: int) -> TestResult:
    """Christoffersen's ratio from the transition counts; n01 counts days without, then with, an exceedance."""
    if n01 + n11 == 0:
        return TestResult(None, None, "no exceedance, so nothing can cluster")
    if n10 + n11 == 0:
        return TestResult(None, None, "no day follows an exceedance")
    pooled = (n01 + n11) / (n00 + n01 + n10 + n11)
    after_calm = n01 / (n00 + n01) if n00 + n01 else 0.0
    after_breach = n11 / (n10 + n11)
    ratio = 2.0 * (
        _log_likelihood(n00, n01, after_calm)
        + _log_likelihood(n10, n11, after_breach)
        - _log_likelihood(n00 + n10, n01 + n11, pooled)
    )
    return TestResult(max(ratio, 0.0), float(chdtrc(1, max(ratio, 0.0))))


def conditional_coverage(pof: TestResult, independence: TestResult) -> TestResult:
    """Frequency and independence together: the two ratios added, chi-square with two degrees of freedom.

    Source: Christoffersen (1998).
    """
    if pof.statistic is None or independence.statistic is None:
        return TestResult(None, None, independence.reason or pof.reason)
    total = pof.statistic + independence.statistic
    return TestResult(total, float(chdtrc(2, total)))


def traffic_light(observations: int, exceedances: int, probability: float) -> Literal["green", "yellow", "red"]:
    """Basel zone: yellow from the count whose cumulative probability reaches 95%, red from 99.99%.

    250 days at 1% give the published zones 0-4, 5-9, 10 and more. Source: Basel Committee (1996), "Supervisory
    framework for the use of backtesting", table 2.
    """
    n, x, p = _counts(observations, exceedances, probability)
    cumulative = float(bdtr(x, n, p))
    return "red" if cumulative >= 0.9999 else "yellow" if cumulative >= 0.95 else "green"


def acerbi_szekely(losses: np.ndarray, var: np.ndarray, es: np.ndarray, probability: float) -> float:
    """Z2 of Acerbi and Szekely: 0 when expected shortfall was right, below 0 when losses beyond VaR were worse.

    losses, var, es : (n,) USD, loss positive; es must be above 0 on every day
    Source: Acerbi and Szekely (2014), "Backtesting expected shortfall", test 2.
    """
    losses, var, es = (np.asarray(a, dtype=float) for a in (losses, var, es))
    if not losses.shape == var.shape == es.shape:
        raise InputError("losses", losses.shape, f"must match var {var.shape} and es {es.shape}")
    if (es <= 0).any():
        raise InputError("es", float(es.min()), "must be above 0 on every day", "Leave out days without risk.")
    beyond = losses > var
    return float(1.0 - np.sum(losses[beyond] / es[beyond]) / (len(losses) * probability))


def acerbi_szekely_p_value(
    z2: float, tails: np.ndarray, es: np.ndarray, scenarios: int, probability: float, draws: int = 2000, seed: int = 1
) -> float:
    """Probability of a Z2 at most as low as `z2` when each day's loss is drawn from that day's own scenarios.

    tails : (n, k) USD, the k worst scenario losses of each day, all of them beyond that day's VaR
    es    : (n,) USD; scenarios : how many scenarios each day's model holds
    Simulated with a fixed seed. Source: Acerbi and Szekely (2014), section 4.
    """
    n, k = tails.shape
    rng = np.random.default_rng(seed)
    totals = np.zeros(draws)
    scaled = tails / es[:, None]
    hits = rng.binomial(n, k / scenarios, size=draws)
    for i, count in enumerate(hits):
        days = rng.integers(n, size=count)
        totals[i] = scaled[days, rng.integers(k, size=count)].sum()
    simulated = 1.0 - totals / (n * probability)
    return float((1 + np.sum(simulated <= z2)) / (draws + 1))


def _log_likelihood(misses: float, hits: float, p: float) -> float:
    return float(xlog1py(misses, -p) + xlogy(hits, p))


def _hits(hits: np.ndarray) -> np.ndarray:
    array = np.asarray(hits)
    if array.ndim != 1 or len(array) < 2 or array.dtype != bool:
        raise InputError("hits", getattr(array, "shape", hits), "must be at least two True/False values in time order")
    return array


def _counts(observations: int, exceedances: int, probability: float) -> tuple[int, int, float]:
    if not 0 < probability < 1:
        raise InputError("probability", probability, "must lie between 0 and 1")
    if not 0 <= exceedances <= observations or observations < 1:
        raise InputError("exceedances", exceedances, f"must lie between 0 and the {observations} observations")
    return observations, exceedances, probability
