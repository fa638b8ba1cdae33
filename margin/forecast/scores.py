"""How good was a probability? Proper scores, their decompositions, reliability, intervals by clusters.

forecasts (n,) in 0..1, outcomes (n,) of 0 and 1. Lower scores are better.
"""

from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError

LEAST_PROBABILITY = 1e-4


@dataclass(frozen=True, kw_only=True)
class Decomposition:
    """Brier score = miscalibration - discrimination + uncertainty, exactly."""

    brier: float
    miscalibration: float
    discrimination: float
    uncertainty: float


@dataclass(frozen=True, kw_only=True)
class Bin:
    """One bin of a reliability curve: mean forecast, observed share, how many, band in which a calibrated one lies."""

    forecast: float
    observed: float
    count: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Skill:
    """Improvement over a reference, percent of the reference's mean score, with an interval by clusters."""

    percent: float
    low: float
    high: float
    clusters: int


def checked(forecasts: np.ndarray, outcomes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as floats of one length. Raises InputError for probabilities outside 0..1, outcomes other than 0 and 1."""
    p, y = np.asarray(forecasts, dtype=float), np.asarray(outcomes, dtype=float)
    if p.shape != y.shape or p.ndim != 1 or not len(p):
        raise InputError("forecasts", p.shape, "must be as many as outcomes, at least one")
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError("forecasts", p[~((p >= 0) & (p <= 1))][0], "must lie in 0..1")
    if not np.isin(y, (0.0, 1.0)).all():
        raise InputError("outcomes", y[~np.isin(y, (0.0, 1.0))][0], "must be 0 or 1")
    return p, y


def brier_terms(forecasts: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """(n,) squared errors; their mean is the Brier score (Brier 1950)."""
    p, y = checked(forecasts, outcomes)
    squares: np.ndarray = (p - y) ** 2
    return squares


def log_terms(forecasts: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """(n,) minus the log of the probability given to what happened, nothing below 1 in 10,000."""
    p, y = checked(forecasts, outcomes)
    p = np.clip(p, LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY)
    terms: np.ndarray = -(y * np.log(p) + (1.0 - y) * np.log1p(-p))
    return terms


def auc(forecasts: np.ndarray, outcomes: np.ndarray) -> float | None:
    """Share of pairs (hit, no hit) that the forecast orders rightly, ties half; None where all are alike."""
    p, y = checked(forecasts, outcomes)
    hits = int(y.sum())
    if not hits or hits == len(y):
        return None
    _, inverse, counts = np.unique(p, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    return float((ranks[y == 1].sum() - hits * (hits + 1) / 2.0) / (hits * (len(y) - hits)))


def equal_mass_bins(forecasts: np.ndarray, bins: int = 10) -> np.ndarray:
    """(n,) bin of each forecast; equal forecasts always share one, so there may be fewer than `bins`."""
    p = np.asarray(forecasts, dtype=float)
    edges = np.unique(np.quantile(p, np.arange(1, bins) / bins))
    return np.unique(np.searchsorted(edges, p, side="left"), return_inverse=True)[1]


def calibration_error(forecasts: np.ndarray, outcomes: np.ndarray, bins: int = 10) -> float:
    """Mean absolute distance of forecast and observed share over equal-mass bins, weighted by their mass (ECE)."""
    return sum(b.count * abs(b.forecast - b.observed) for b in reliability(forecasts, outcomes, bins)) / len(forecasts)


def murphy(forecasts: np.ndarray, outcomes: np.ndarray, labels: np.ndarray | None = None) -> Decomposition:
    """Reliability - resolution + uncertainty of the binned forecast (each bin's mean stands for its members).

    labels : (n,) bin of each; every distinct forecast its own bin when left out. Source: Murphy (1973), "A new vector
    partition of the probability score", Journal of Applied Meteorology 12.
    """
    p, y = checked(forecasts, outcomes)
    _, label = np.unique(p if labels is None else labels, return_inverse=True)
    mass = np.bincount(label)
    mean_p, mean_y = np.bincount(label, p) / mass, np.bincount(label, y) / mass
    base = float(y.mean())
    return Decomposition(
        brier=float(np.mean((mean_p[label] - y) ** 2)),
        miscalibration=float(mass @ (mean_p - mean_y) ** 2 / len(y)),
        discrimination=float(mass @ (mean_y - base) ** 2 / len(y)),
        uncertainty=base * (1.0 - base),
    )


def recalibrated(forecasts: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """(n,) observed shares made to rise with the forecast: isotonic regression, equal forecasts equal."""
    from scipy.optimize import isotonic_regression  # slow to import, and a first page needs none of it

    p, y = checked(forecasts, outcomes)
    _, label, mass = np.unique(p, return_inverse=True, return_counts=True)
    means = np.bincount(label, y) / mass
    return np.asarray(isotonic_regression(means, weights=mass).x)[label]


def corp(forecasts: np.ndarray, outcomes: np.ndarray) -> Decomposition:
    """The decomposition without bins: what isotonic recalibration would save, and what it still would know.

    Source: Dimitriadis, Gneiting and Jordan (2021), "Stable reliability diagrams for probabilistic classifiers", PNAS
    118(8).
    """
    p, y = checked(forecasts, outcomes)
    best = recalibrated(p, y)
    base = float(y.mean())
    score, ideal = float(np.mean((p - y) ** 2)), float(np.mean((best - y) ** 2))
    uncertainty = base * (1.0 - base)
    return Decomposition(
        brier=score, miscalibration=score - ideal, discrimination=uncertainty - ideal, uncertainty=uncertainty
    )


def resample(clusters: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """(count, m) how often each of m distinct clusters is drawn, with replacement: the block bootstrap's weights."""
    m = len(np.unique(clusters))
    return np.random.default_rng(seed).multinomial(m, np.full(m, 1.0 / m), size=count)


def cluster_sums(values: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """(m,) sum of `values` within each distinct cluster, in ascending order of the clusters."""
    _, label = np.unique(clusters, return_inverse=True)
    return np.bincount(label, np.asarray(values, dtype=float))


def skill(
    scores: np.ndarray, reference: np.ndarray, clusters: np.ndarray, confidence: float = 0.95, draws: int = 2000
) -> Skill:
    """100 (1 - mean score / mean score of the reference), interval by drawing whole clusters (weeks, origins).

    scores, reference : (n,) terms of one score for the same cases. Raises InputError where the reference is perfect.
    """
    if not np.sum(reference) > 0:
        raise InputError("reference", float(np.sum(reference)), "scores 0: nothing can be better than it")
    ours, theirs = cluster_sums(scores, clusters), cluster_sums(reference, clusters)
    weights = resample(clusters, draws)
    below = weights @ theirs
    drawn = 100.0 * (1.0 - (weights @ ours)[below > 0] / below[below > 0])
    low, high = np.quantile(drawn, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0])
    percent = 100.0 * (1.0 - float(np.sum(scores)) / float(np.sum(reference)))
    return Skill(percent=percent, low=float(low), high=float(high), clusters=len(ours))


def reliability(
    forecasts: np.ndarray,
    outcomes: np.ndarray,
    bins: int = 10,
    clusters: np.ndarray | None = None,
    confidence: float = 0.90,
    draws: int = 1000,
) -> tuple[Bin, ...]:
    """Equal-mass bins; with clusters a band for each bin's observed share, by drawing whole clusters."""
    p, y = checked(forecasts, outcomes)
    label = equal_mass_bins(p, bins)
    out = []
    weights = None if clusters is None else resample(clusters, draws)
    for b in range(label.max() + 1):
        own = label == b
        low = high = None
        if weights is not None:
            hits, mass = weights @ cluster_sums(own * y, clusters), weights @ cluster_sums(own, clusters)  # type: ignore[arg-type]
            shares = hits[mass > 0] / mass[mass > 0]
            low, high = (float(q) for q in np.quantile(shares, [(1 - confidence) / 2, (1 + confidence) / 2]))
        out.append(
            Bin(forecast=float(p[own].mean()), observed=float(y[own].mean()), count=int(own.sum()), low=low, high=high)
        )
    return tuple(out)


def like_cases(forecasts: np.ndarray, outcomes: np.ndarray, new: float) -> tuple[float, float]:
    """(p0, p1): isotonic fits of the past with the new forecast labelled 0 and 1 - the spread of like cases.

    Source: Vovk and Petej (2014), "Venn-Abers predictors". Time series are not exchangeable: no confidence interval.
    """
    p, y = checked(forecasts, outcomes)
    ends = [float(recalibrated(np.append(p, new), np.append(y, label))[-1]) for label in (0.0, 1.0)]
    return ends[0], ends[1]
