"""Daily log returns of the crypto assets: drawn, put onto the record's pins, fitted to the calibration."""

from datetime import date

import numpy as np
import pandas as pd

from tools.sample.draws import GOLD, draw_coins
from tools.sample.facts import Facts
from tools.sample.fit import fit, within_limits
from tools.sample.pins import Groups, Pin, day_pin, group_days, record_pins
from tools.sample.stats import (
    Goal,
    clustering_goal,
    correlation_goal,
    persistence_goal,
    regimes,
    tail_goal,
    volatility_goal,
)

ROUNDS = 25
SLACK = 0.002  # free days stay this far inside the recorded worst and best day
BEST_DAY_SHARE = 0.6  # of a year's variance that one day may carry
SAME = 2e-4  # a recorded extreme this close to an event's move is that move, printed to fewer digits


def simulate_coins(facts: Facts, rng: np.random.Generator, rounds: int = ROUNDS) -> np.ndarray:
    """(n_days - 1, n_coins) log returns between successive days; NaN outside an asset's life."""
    days = facts.days
    x, spread = draw_coins(facts, days, rng)
    groups, alive = [], []
    for i, coin in enumerate(facts.coins):
        live = facts.alive(coin)
        alive.append(live[1:] & live[:-1])
        x[:, i] = np.where(alive[i], x[:, i], 0.0)
        spread[:, i] = np.where(alive[i], spread[:, i], 0.0)
        pins = record_pins(facts, coin, days) + extreme_pins(facts, coin, days)
        first = group_days(len(x), pins)
        pins += best_day_pin(facts, coin, days, first, first.bridge(x[:, i], safe(spread[:, i])), pins)
        groups.append(group_days(len(x), pins))
        x[:, i] = groups[i].bridge(x[:, i], safe(spread[:, i]))
    low, high = limits(facts)
    for i in range(len(facts.coins)):
        x[:, i] = within_limits(x[:, i], safe(spread[:, i]), groups[i], low[i], high[i])
    lives = np.stack(alive, axis=1)
    x = fit(x, spread, groups, lambda now: coin_goals(facts, now, lives), (low, high), rounds)
    return np.where(lives, x, np.nan)


def safe(spread: np.ndarray) -> np.ndarray:
    return np.maximum(spread, 1e-12)


def limits(facts: Facts) -> tuple[np.ndarray, np.ndarray]:
    """(lowest, highest) log return of the days that the record does not fix, by coin."""
    figures = [facts.calibration["assets"][coin] for coin in facts.coins]
    low = np.log1p([f["worst_day"] for f in figures]) * (1 - SLACK)
    high = np.log1p([f["best_day"] for f in figures]) * (1 - SLACK)
    return low, high


def extreme_pins(facts: Facts, coin: str, days: pd.DatetimeIndex) -> list[Pin]:
    """The recorded worst day, unless a named event already fixes that day (its figure has more digits)."""
    figures = facts.calibration["assets"][coin]
    day = date.fromisoformat(figures["worst_day_date"])
    for start, end, move in facts.moves[coin]:
        if start == end == day:
            if abs(move - figures["worst_day"]) > SAME:
                raise ValueError(f"{coin}: worst day {figures['worst_day']} contradicts the event's {move}")
            return []
    return [day_pin(days, day, figures["worst_day"])]


def best_day_pin(
    facts: Facts, coin: str, days: pd.DatetimeIndex, groups: Groups, x: np.ndarray, pins: list[Pin]
) -> list[Pin]:
    """The recorded best day, which has no date in the record: the best drawn day of the month it fits best.

    That is the month that rose most against its year's volatility, of the years whose variance has room for the day.
    """
    best = float(np.log1p(facts.calibration["assets"][coin]["best_day"]))
    if any(abs(np.log1p(move) - best) < SAME and start == end for start, end, move in facts.moves[coin]):
        return []
    vols = facts.year_vols(coin)
    months = []
    for pin in pins:
        if pin.last - pin.first < 26:  # events and single days; months have 28 days or more
            continue
        year = int(days[pin.last + 1].year)
        vol = vols.get(year, vols[max(vols)])
        n_year = int((days.year == year).sum())
        if best * best <= BEST_DAY_SHARE * vol * vol * n_year / 365:
            months.append((pin.total / vol, pin))
    month = max(months)[1]
    sizes = np.bincount(groups.label[groups.label >= 0])
    free = [t for t in range(month.first, month.last + 1) if sizes[groups.label[t]] > 7]
    day = max(free, key=lambda t: x[t])
    return [Pin(day, day, best)]


def window_of(facts: Facts) -> np.ndarray:
    """(n_returns,) bool: returns of the calibration window."""
    first, last = facts.window
    ends = facts.days[1:]
    return np.asarray((ends >= pd.Timestamp(first)) & (ends <= pd.Timestamp(last)))


def coin_goals(facts: Facts, x: np.ndarray, alive: np.ndarray) -> list[Goal]:
    """All figures of the calibration as goals at x (n_returns, n_coins)."""
    window = window_of(facts)
    years = facts.days[1:].year.to_numpy()
    goals: list[Goal] = []
    for i, coin in enumerate(facts.coins):
        figures = facts.calibration["assets"][coin]
        mine = window & alive[:, i]
        goals += [
            volatility_goal(x[:, i], i, mine & (years == year), 365.0, vol)
            for year, vol in facts.year_vols(coin).items()
        ]
        goals.append(volatility_goal(x[:, i], i, mine, 365.0, figures["annual_vol"]))
        goals.append(clustering_goal(x[:, i], i, mine, figures["acf1_abs"]))
        goals.append(persistence_goal(x[:, i], i, mine, 0.0))  # assumed: no day foretells the next one's direction
        goals.append(tail_goal(x[:, i], i, mine, figures["student_t_dof"]))
    market = [i for i, coin in enumerate(facts.coins) if coin != GOLD]
    for name, mask in regimes(np.where(alive, x, np.nan)[:, market], window):
        target = facts.matrix(name, facts.coins)
        for i in range(len(facts.coins)):
            for j in range(i):
                both = mask & alive[:, i] & alive[:, j]
                goals.append(correlation_goal(x[:, i], x[:, j], i, j, both, target[i, j]))
    return goals
