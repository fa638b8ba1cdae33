"""Made-up books on recorded prices, each with what the models say of it and what then happened.

A book: 1 to 8 legs of random direction and size, maintenance 2%, dollars behind it. Its trader picks a distance of 0.4
to 3.6 long-run standard deviations of the book over the horizon. Label: does 1 + sum of w_i R_i reach 0? At any close,
or, watched all the time, by highs and lows: books of one leg exactly, those of several between two bounds.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.forecast_prices import Recorded, recorded, recorded_hours
from margin.forecast.calibration import pool
from margin.forecast.first_passage import Watched, hit_probability
from margin.forecast.paths import draw, lowest, share_reaching
from margin.forecast.volatility import filter_profits

MAINTENANCE = 0.02
PATHS = 1000
FEATURES = (
    "log distance", "d plain", "d ewma", "d long", "vol ratio", "vol ratio short", "skew", "kurtosis", "downside",
    "diversification", "trend", "net share", "first asset vol", "first asset trend", "worst day", "legs", "days",
    "logit closed", "logit paths",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Setup:
    """One experiment. step; steps per day; history in steps; plain window in steps; horizons in days."""

    step: str
    per_day: int
    history: int
    plain: int
    days: tuple[int, ...]
    books: int  # per origin
    every: int  # steps between origins


SETUPS = {
    "hour": Setup(step="hour", per_day=24, history=180 * 24, plain=30 * 24, days=(1, 3, 7), books=7, every=24),
    "day": Setup(step="day", per_day=1, history=500, plain=90, days=(1, 3, 7, 14), books=2, every=2),
}
BURN_AFTER_A_GAP = 30 * 24  # hours of new prices before the first forecast


def rows(setup: Setup, watched: Watched = "closes", seed: int = 7) -> pd.DataFrame:
    """One row per book and horizon: `origin`, `end`, `days`, `hit`, every model's odds and every feature.

    Watched all the time: books of one leg, judged by the high or low of each day.
    """
    return _rows(setup, recorded(setup.step, watched), watched, 1 if watched == "continuous" else 8, seed)


def rows_of_several_legs(seed: int = 7) -> pd.DataFrame:
    """Books of two to eight legs on hours with highs and lows: `at_closes` is the least that can have happened, `hit`
    the most (every leg at its worst of the hour at once)."""
    return _rows(SETUPS["hour"], recorded_hours(), "continuous", 8, seed, least=2)


def _rows(setup: Setup, found: Recorded, watched: Watched, legs: int, seed: int, least: int = 1) -> pd.DataFrame:
    closes, stamps = found.closes, found.stamps
    gap = np.diff(stamps) / np.timedelta64(24 // setup.per_day, "h")
    returns = closes[1:] / closes[:-1] - 1.0
    returns[gap > 4 if setup.step == "day" else gap > 1] = 0.0
    rng = np.random.default_rng(seed)
    longest = max(setup.days) * setup.per_day
    first = setup.history if found.joined is None else found.joined + BURN_AFTER_A_GAP
    out: list[dict[str, object]] = []
    draws = None
    origins = np.arange(first, len(returns) - longest)
    if watched == "continuous":  # lows are of days: a forecast stands at the end of one
        origins = origins[_midnight(stamps[origins])][:: max(setup.every // setup.per_day, 1)]
    else:
        origins = origins[:: setup.every]
    for origin in origins.tolist():
        window = returns[origin - setup.history : origin]
        ahead = slice(origin + 1, origin + longest + 1)
        usable = np.flatnonzero(~np.isnan(window).any(axis=0) & ~np.isnan(closes[origin : ahead.stop]).any(axis=0))
        if watched == "continuous":
            assert found.lows is not None and found.highs is not None
            known = ~np.isnan(found.lows[ahead])
            at_least = longest if found.joined is not None else max(setup.days)
            usable = usable[known[:, usable].sum(axis=0) >= at_least]
        if len(usable) < 2:
            continue
        moved = closes[ahead] / closes[origin] - 1.0
        for _ in range(setup.books):
            chosen, sides = _directions(rng, usable, legs, least)
            sizes = rng.lognormal(0.0, 0.6, len(chosen))
            exposures = sides * sizes - MAINTENANCE * sizes
            past, path = window[:, chosen] @ exposures, moved[:, chosen] @ exposures
            worst = path if watched == "closes" else np.minimum(path, _worst(found, origin, ahead, chosen, exposures))
            past_rows = filter_profits(past, setup.per_day)
            if draws is None:
                draws = draw(len(past_rows.shocks), longest, setup.per_day, PATHS, watched, seed=seed)
            marks = np.array([d * setup.per_day for d in setup.days])
            lows = lowest(past_rows.shocks, past_rows.sigma, draws, marks)
            long_run, plain = float(past.std()), float(past[-setup.plain :].std())
            about = _features(setup, window[:, chosen], exposures, past, past_rows.sigma, window[:, usable[0]])
            for i, days in enumerate(setup.days):
                steps = days * setup.per_day
                line = float(rng.uniform(0.4, 3.6)) * long_run * np.sqrt(steps)
                closed = float(hit_probability(line, past_rows.sigma, steps, watched=watched))
                paths = float(share_reaching(lows[:, i], line))
                out.append({
                    "origin": stamps[origin], "end": stamps[origin + steps], "days": days,
                    "hit": float(worst[:steps].min() <= -line), "at_closes": float(path[:steps].min() <= -line),
                    "legs": len(chosen),
                    "kind": "long" if (sides > 0).all() else "short" if (sides < 0).all() else "mixed",
                    "refl_win": float(hit_probability(line, plain, steps)),
                    "refl_ewma": float(hit_probability(line, past_rows.sigma, steps)),
                    "closed": closed, "fhs_block": paths, "pool": float(pool(closed, paths)),
                    **{f"x{j}": v for j, v in enumerate(
                        (*_distances(line, steps, plain, past_rows.sigma, long_run), *about, days, closed, paths))},
                })  # fmt: skip
    frame = pd.DataFrame(out)
    for name in frame.columns[frame.columns.str.startswith("x")][-2:]:
        held = np.clip(frame[name], 1e-4, 1 - 1e-4)
        frame[name] = np.log(held / (1 - held))
    return frame


def _midnight(stamps: np.ndarray) -> np.ndarray:
    found: np.ndarray = stamps == stamps.astype("datetime64[D]")
    return found


def _worst(found: Recorded, origin: int, ahead: slice, chosen: np.ndarray, exposures: np.ndarray) -> np.ndarray:
    """(steps,) USD with every leg at its worst of the step or day at once; where no extreme is known, 0."""
    assert found.lows is not None and found.highs is not None
    sides = np.where(exposures > 0, found.lows[ahead][:, chosen], found.highs[ahead][:, chosen])
    worst: np.ndarray = np.nan_to_num((sides / found.closes[origin, chosen] - 1.0) @ exposures, nan=0.0)
    return worst


def _directions(rng: np.random.Generator, usable: np.ndarray, most: int, least: int) -> tuple[np.ndarray, np.ndarray]:
    legs = int(rng.integers(least, min(most, len(usable)) + 1))
    chosen = rng.choice(usable, legs, replace=False)
    kind = rng.choice(["long", "short", "mixed", "hedged"], p=[0.4, 0.15, 0.25, 0.2])
    sides = np.ones(legs)
    if kind == "short":
        sides = -sides
    elif kind == "mixed":
        sides = rng.choice([-1.0, 1.0], legs)
    elif kind == "hedged" and legs > 1:
        sides[legs // 2 :] = -1.0
    return chosen, sides


def _distances(line: float, steps: int, plain: float, sigma: float, long_run: float) -> tuple[float, ...]:
    root = np.sqrt(steps)
    return (
        float(np.log(line / (long_run * root))),
        line / (plain * root),
        line / (sigma * root),
        line / (long_run * root),
    )


def _features(
    setup: Setup, window: np.ndarray, w: np.ndarray, past: np.ndarray, sigma: float, first: np.ndarray
) -> tuple[float, ...]:
    spread = past.std()
    z = (past - past.mean()) / spread
    days = setup.per_day
    alone = np.abs(w) @ window.std(axis=0)
    daily = past[len(past) % days :].reshape(-1, days).sum(axis=1)
    recent = first[-30 * days :]
    return (
        sigma / spread, float(past[-7 * days :].std() / spread), float((z**3).mean()), float((z**4).mean()),
        float(np.sqrt((np.minimum(z, 0) ** 2).mean())), float(spread / alone), float(past[-30 * days :].sum() / spread),
        float(w.sum() / np.abs(w).sum()), float(recent.std() / first.std()), float(recent.sum() / first.std()),
        float(daily.min() / spread), float(len(w)),
    )  # fmt: skip
