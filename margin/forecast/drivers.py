"""Where odds come from: a waterfall from the long-run volatility to the corrected odds, and the part of each leg."""

from dataclasses import dataclass, replace

import numpy as np

from margin.forecast.first_passage import hit_probability
from margin.forecast.gap import Gap, of_states
from margin.forecast.past import Past
from margin.forecast.volatility import decay_per_step, ewma_variance, filter_profits
from margin.forecast.walk import Walk

TENTH = 0.9


@dataclass(frozen=True, kw_only=True)
class Driver:
    """One step of the waterfall: what it is, the odds after it, and what it added to them."""

    name: str
    odds: float
    change: float


@dataclass(frozen=True, kw_only=True)
class Leg:
    """What cutting one position by a tenth does to the odds (below 0: it lowers them), and its exposure in USD."""

    symbol: str
    change: float
    exposure: float


def drivers(gap: Gap, walk: Walk, past: Past, days: float) -> tuple[Driver, ...]:
    """Five odds, each with one more thing known.

    long-run volatility and correlations (closed form) -> today's volatility of each leg -> today's correlations (the
    EWMA of the book's own profits) -> fat tails, days that cluster and what is not linear (the paths, pooled) -> the
    correction by how such odds came true. The changes add up to the odds. With options only the last two are known.
    """
    if walk.only_paths:
        raw, found = float(walk.raw(gap.usd, days)), float(walk.odds(gap.usd, days))
        return (
            Driver(name="Paths of the whole account", odds=raw, change=raw),
            Driver(name="Correction", odds=found, change=found - raw),
        )
    values = past.columns(gap.sub.assets)
    w = gap.exposures
    long_run = float(np.sqrt(np.mean((values @ w) ** 2)))
    decay = decay_per_step(past.steps_per_day)
    now = np.sqrt(ewma_variance(values, decay, np.mean(values**2, axis=0))[-1])
    usual = np.sqrt(np.mean(values**2, axis=0))
    louder = np.divide(now, usual, out=np.ones_like(now), where=usual > 0)
    legs_now = float(np.sqrt(np.mean((values @ (w * louder)) ** 2)))
    time = float(walk.step_of(days))
    steps = [
        (name, float(hit_probability(gap.usd, sigma, time, walk.drift, walk.watched)))
        for name, sigma in (
            ("Long-run volatility", long_run),
            ("Today's volatility", legs_now),
            ("Today's correlations", walk.sigma),
        )
    ]
    steps.append(("Fat tails, rough days", float(walk.raw(gap.usd, days))))
    steps.append(("Correction", float(walk.odds(gap.usd, days))))
    before = 0.0
    out = []
    for name, odds in steps:
        out.append(Driver(name=name, odds=odds, change=odds - before))
        before = odds
    return tuple(out)


def legs(gap: Gap, walk: Walk, past: Past, days: float) -> tuple[Leg, ...]:
    """Each position cut by a tenth: its own requirement and volatility, on the same paths with the book's shocks.

    The shape of the shocks is kept, their size is that of the smaller book. Equity stays: the profit is realised.
    """
    before = float(walk.odds(gap.usd, days))
    values = past.columns(gap.sub.assets)
    ones = np.ones((1, len(gap.sub.assets)))
    out = []
    for i, position in enumerate(gap.sub.positions):
        smaller = replace(position, quantity=TENTH * position.quantity)
        sub = replace(gap.sub, positions=(*gap.sub.positions[:i], smaller, *gap.sub.positions[i + 1 :]))
        _, required = of_states(gap.model.states(sub, gap.marks, ones), gap.target)
        change = _slope(gap, i)
        exposures = gap.exposures.copy()
        if position.underlying in gap.sub.assets:
            exposures[gap.sub.assets.index(position.underlying)] -= (1.0 - TENTH) * change
        sigma = filter_profits(values @ exposures, past.steps_per_day).sigma
        line = gap.equity - float(required[0])
        odds = _odds(walk, line, sigma, days)
        out.append(Leg(symbol=position.symbol, change=odds - before, exposure=change))
    return tuple(sorted(out, key=lambda leg: leg.change))


def _odds(walk: Walk, line: float, sigma: float, days: float) -> float:
    """Odds of a walk of another volatility on the same paths; by the closed form where these paths do not move."""
    if not sigma > 0:
        return 0.0 if line > 0 else 1.0
    if walk.sigma > 0:
        return float(walk.odds(line * walk.sigma / sigma, days))
    closed = hit_probability(line, sigma, float(walk.step_of(days)), walk.drift, walk.watched)
    return float(walk.calibration.apply(closed, days))


def _slope(gap: Gap, index: int) -> float:
    """USD of gap per 100% move that position `index` brings, its share of the requirement left out."""
    position = gap.sub.positions[index]
    instrument = position.instrument
    if instrument.is_option:
        up, down = (float(gap.marks.moved({instrument.base: f}).mark(instrument)) for f in (1.001, 0.999))
        return position.quantity * (up - down) / 0.002
    if position.underlying == "USD":
        return 0.0
    return position.exposure(gap.marks.contract(instrument))
