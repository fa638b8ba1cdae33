"""Can the odds be trusted for *this* book? Walk forward over its own past: forecast, wait, compare.

At every non-overlapping origin the book as it stands is given money for each of several distances (in its long-run
standard deviations over the horizon), forecast with what was known then, and labelled by what followed, at closes.
Books of one origin share their fate: what counts is the number of origins, the independent windows. docs/forecast.md.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from margin.core.errors import InputError
from margin.forecast.calibration import NONE, Calibration, fit, pool
from margin.forecast.first_passage import hit_probability
from margin.forecast.past import LEAST_DAYS, Past
from margin.forecast.paths import draw, lowest, share_reaching
from margin.forecast.scores import (
    Bin,
    Decomposition,
    Skill,
    auc,
    brier_terms,
    corp,
    equal_mass_bins,
    like_cases,
    log_terms,
    murphy,
    reliability,
    skill,
)
from margin.forecast.volatility import decay_per_step, ewma_variance

ENOUGH = 40  # independent windows below which nothing is judged
DISTANCES = tuple(np.arange(0.5, 3.51, 0.25).tolist())
PATHS = 1000
BINS = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnCheck:
    """Forecasts of this book at past origins, and what came true. All (windows, distances) arrays.

    forecasts : corrected; raw: before the correction; baseline: 2 Phi(-d) with the plain volatility of 30 or 90 days
    outcomes  : 1 where the line was reached at a close within the horizon; origins (windows,) ends of what was known
    """

    days: float
    origins: np.ndarray
    distances: tuple[float, ...]
    forecasts: np.ndarray
    raw: np.ndarray
    baseline: np.ndarray
    outcomes: np.ndarray

    @property
    def windows(self) -> int:
        """How many non-overlapping windows there are: the size of the sample."""
        return len(self.origins)

    @property
    def enough(self) -> bool:
        """Whether that is enough to judge by."""
        return self.windows >= ENOUGH

    @cached_property
    def _flat(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        clusters = np.repeat(np.arange(self.windows), len(self.distances))
        return self.forecasts.ravel(), self.outcomes.ravel(), clusters

    def _judged(self) -> None:
        if not self.enough:
            problem = f"are too few to judge: {ENOUGH} are needed"
            raise InputError("windows", self.windows, problem, "Use longer prices, or a shorter horizon.")

    @cached_property
    def reliability(self) -> tuple[Bin, ...]:
        """Equal-mass bins with 90% bands by drawing whole windows. Raises InputError where there are too few."""
        self._judged()
        p, y, clusters = self._flat
        return reliability(p, y, BINS, clusters)

    @cached_property
    def murphy(self) -> Decomposition:
        """Brier score of the binned forecasts: reliability - resolution + uncertainty."""
        self._judged()
        p, y, _ = self._flat
        return murphy(p, y, equal_mass_bins(p, BINS))

    @cached_property
    def corp(self) -> Decomposition:
        """The same without bins."""
        self._judged()
        return corp(*self._flat[:2])

    @cached_property
    def auc(self) -> float | None:
        """Share of pairs that are ordered rightly."""
        return auc(*self._flat[:2])

    def skills(self) -> dict[str, dict[str, Skill | None]]:
        """{reference: {"brier", "log"}}: improvement in percent, 95% interval by windows; None: a perfect reference.

        base rate : the share that came true, of all; a fixed health : the share at each distance (a health of this book
        is a distance). Both know the whole past, also what came later: they are harder to beat than honest ones.
        """
        self._judged()
        p, y, clusters = self._flat
        shape = self.outcomes.shape
        references = {
            "distance in sigmas": self.baseline.ravel(),
            "base rate": np.full(len(y), y.mean()),
            "a fixed health": np.broadcast_to(self.outcomes.mean(axis=0), shape).ravel(),
        }
        out: dict[str, dict[str, Skill | None]] = {}
        for name, other in references.items():
            out[name] = {}
            for kind, terms in (("brier", brier_terms), ("log", log_terms)):
                theirs = terms(other, y)
                out[name][kind] = skill(terms(p, y), theirs, clusters) if theirs.sum() > 0 else None
        return out

    def like_cases(self, odds: float) -> tuple[float, float]:
        """(p0, p1): what came true of past forecasts like `odds`, with today counted as calm and as called.

        The spread of like cases (Venn-Abers), not a confidence interval. Raises InputError for too few windows.
        """
        self._judged()
        return like_cases(*self._flat[:2], odds)

    def fitted(self) -> tuple[float, float]:
        """(a, b) of the correction fitted on this book alone. Raises InputError where there are too few windows."""
        self._judged()
        return fit(self.raw.ravel(), self.outcomes.ravel())


def own_check(
    past: Past, exposures: np.ndarray, assets: tuple[str, ...], days: float, calibration: Calibration, seed: int = 1
) -> OwnCheck:
    """Walk forward over all of `past`. exposures : (k,) USD of gap per 100% move of `assets`; days : the horizon.

    Nothing after an origin is used for its forecast. Raises InputError where not one window fits, or nothing moves.
    """
    values = past.columns(assets)
    steps = max(round(days * past.steps_per_day), 1)
    burn = round(LEAST_DAYS / 2 * past.steps_per_day)
    x = values @ exposures
    first = 2 * burn
    origins = np.arange(first, len(x) - steps + 1, steps)
    if not len(origins):
        raise InputError("prices", f"{past.days:.0f} days", f"too short for a window of {days:g} days", "Add prices.")
    sigma = np.sqrt(ewma_variance(x, decay_per_step(past.steps_per_day), float(np.var(x[:burn]))))
    usual = float(np.sqrt(np.mean(x**2)))
    if not usual > 0:
        raise InputError("positions", "no risk", "nothing here moves, so there is nothing to check")
    shocks = np.divide(x[burn:], sigma[burn:-1], out=np.zeros(len(x) - burn), where=sigma[burn:-1] > 1e-9 * usual)
    window = round((30 if past.block > 1 else 90) * past.steps_per_day)
    sums, squares = np.concatenate(([0.0], np.cumsum(x))), np.concatenate(([0.0], np.cumsum(x * x)))
    distances = np.array(DISTANCES)
    raw, baseline, hit = (np.empty((len(origins), len(distances))) for _ in range(3))
    marks = np.array([steps])
    for i, at in enumerate(origins.tolist()):
        known = shocks[: at - burn] - shocks[: at - burn].mean()
        draws = draw(len(known), steps, past.block, PATHS, "closes", seed=seed)
        lows = lowest(known, float(sigma[at]), draws, marks)[:, 0]
        lines = distances * np.sqrt(max(squares[at] / at - (sums[at] / at) ** 2, 0.0)) * np.sqrt(steps)
        closed = hit_probability(lines, float(sigma[at]), float(steps), watched="closes")
        raw[i] = pool(closed, share_reaching(lows, lines))
        count = min(window, at)
        mean = (sums[at] - sums[at - count]) / count
        plain = np.sqrt(max((squares[at] - squares[at - count]) / count - mean**2, 0.0))
        baseline[i] = hit_probability(lines, float(plain), float(steps))
        path = np.cumprod(1.0 + values[at : at + steps], axis=0) @ exposures - exposures.sum()
        hit[i] = path.min() <= -lines
    return OwnCheck(
        days=days,
        origins=past.ends[origins - 1],
        distances=DISTANCES,
        forecasts=calibration.apply(raw, days),
        raw=raw,
        baseline=np.clip(baseline, 0.0, 1.0),
        outcomes=hit,
    )


def own_calibration(
    past: Past, exposures: np.ndarray, assets: tuple[str, ...], horizons: tuple[float, ...]
) -> Calibration:
    """The correction fitted on this book's own past, by horizon. Raises InputError for too few windows."""
    found = [own_check(past, exposures, assets, days, NONE) for days in horizons]
    pairs = [check.fitted() for check in found]
    return Calibration(
        days=horizons,
        a=tuple(a for a, _ in pairs),
        b=tuple(max(b, 0.05) for _, b in pairs),
        source="own",
        sample=f"this book's own past, {past.days:.0f} days",
        rows=sum(check.outcomes.size for check in found),
        windows=min(check.windows for check in found),
    )
