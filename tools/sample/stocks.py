"""Daily log returns of SPY, QQQ and GLD on the stock market's days, given the coins.

The record holds their month ends and their weekly correlations, with each other, BTC and ETH. Volatilities, tails and
the tie of GLD to gold's token PAXG are assumptions, named below.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tools.sample.draws import autoregression, leaning, year_scale
from tools.sample.facts import FIRST, LAST, STOCKS, Facts
from tools.sample.fit import fit
from tools.sample.pins import group_days, record_pins
from tools.sample.stats import Goal, clustering_goal, correlation_goal, persistence_goal, tail_goal, volatility_goal
from tools.sample.trading_days import us_trading_days

# Assumed, in round figures: degrees of freedom and first autocorrelation of |r|, and annual volatility on 252 days.
ASSUMED = {"SPY": (3.5, 0.20), "QQQ": (4.0, 0.18), "GLD": (4.0, 0.12)}
VOLS = {
    "SPY": {2020: 0.16, 2021: 0.13, 2022: 0.24, 2023: 0.13, 2024: 0.13, 2025: 0.19, 2026: 0.14},
    "QQQ": {2020: 0.22, 2021: 0.18, 2022: 0.32, 2023: 0.18, 2024: 0.18, 2025: 0.23, 2026: 0.18},
    "GLD": {2020: 0.16, 2021: 0.14, 2022: 0.15, 2023: 0.13, 2024: 0.15, 2025: 0.20, 2026: 0.40},
}
GOLD_TIE = 0.85  # assumed daily correlation of GLD with PAXG over the same days: both are gold
QQQ_TIE = 0.94  # the record's weekly correlation with SPY
COIN_TIE = 0.40  # of the first draw of SPY with the mean of BTC and ETH; the fit then restores the weekly figures
DOWN_TIE, UP_TIE = 1.5, 0.5  # assumed: the tie is stronger when coins fall
STOCK_LEAN = -0.2  # assumed, as the coins' leanings in draws.py
DAYS_A_YEAR = 252.0
LIMIT = 0.11  # no day moves further
ROUNDS = 20
PARTNERS = ("BTC", "ETH")


@dataclass(frozen=True)
class CoinMoves:
    """What the stocks are drawn against.

    market : (m,) mean log return of BTC and ETH between stock closes; gold : (m,) PAXG's; gold_alive : (m,) bool
    weeks : (m,) the calendar week (Monday to Sunday) of each stock return inside the window, -1 outside
    by_week : {coin: (n_weeks,) log return}
    """

    market: np.ndarray
    gold: np.ndarray
    gold_alive: np.ndarray
    weeks: np.ndarray
    by_week: dict[str, np.ndarray]


def simulate_stocks(
    facts: Facts, coins: np.ndarray, rng: np.random.Generator, rounds: int = ROUNDS
) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """(trading days (m + 1,), log returns (m, 3)) given the coins' log returns (n_days - 1, n_coins)."""
    days = us_trading_days(FIRST, LAST)
    moves = coin_moves(facts, coins, days)
    x, spread = draw_stocks(days, moves, rng)
    groups = [group_days(len(x), record_pins(facts, stock, days)) for stock in STOCKS]
    for i, group in enumerate(groups):
        x[:, i] = group.bridge(x[:, i], spread[:, i])
    limits = (np.full(len(STOCKS), -LIMIT), np.full(len(STOCKS), LIMIT))
    return days, fit(x, spread, groups, lambda now: stock_goals(facts, now, days, moves), limits, rounds)


def coin_moves(facts: Facts, coins: np.ndarray, days: pd.DatetimeIndex) -> CoinMoves:
    rows = facts.days.get_indexer(days)
    column = {coin: i for i, coin in enumerate(facts.coins)}
    paths = np.vstack([np.zeros(coins.shape[1]), np.cumsum(np.nan_to_num(coins), axis=0)])
    between = np.diff(paths[rows], axis=0)
    daily_weeks = week_of(facts, facts.days[1:])
    inside = daily_weeks >= 0
    by_week = {coin: np.bincount(daily_weeks[inside], weights=coins[inside, column[coin]]) for coin in PARTNERS}
    market = between[:, [column[coin] for coin in PARTNERS]].mean(axis=1)
    alive = facts.alive("PAXG")[rows][1:]
    return CoinMoves(market, between[:, column["PAXG"]], alive, week_of(facts, days[1:]), by_week)


def week_of(facts: Facts, days: pd.DatetimeIndex) -> np.ndarray:
    """(n,) number of the calendar week of each day; -1 in the window's first week (which has no return) and outside."""
    first, last = (pd.Timestamp(day) for day in facts.window)
    number = np.asarray((days - (first - pd.Timedelta(days=first.weekday()))).days // 7)
    return np.where((number >= 1) & np.asarray(days <= last), number - 1, -1)


def draw_stocks(days: pd.DatetimeIndex, moves: CoinMoves, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(log returns, variances), each (m, 3), before pins and fit."""
    n = len(days) - 1
    years = days[1:].year.to_numpy()
    heat = autoregression(rng, n, 0.97, 0.30)
    gold_heat = autoregression(rng, n, 0.96, 0.25)
    shared, size = leaning(rng, (n, 1), 2.0, STOCK_LEAN)
    own, own_size = leaning(rng, (n, 2), 2.0, 0.0)
    by_year = {year: moves.market[years == year].std() for year in np.unique(years)}
    crash = np.where(moves.market < 0, DOWN_TIE, UP_TIE) * moves.market / np.array([by_year[y] for y in years])
    scale = np.exp(np.stack([heat, heat, gold_heat], axis=1))
    tie = np.sqrt(1 - COIN_TIE**2)
    spy = scale[:, 0] * (COIN_TIE * crash + tie * shared[:, 0])
    qqq = QQQ_TIE * spy + np.sqrt(1 - QQQ_TIE**2) * scale[:, 1] * own[:, 0]
    gold = np.where(moves.gold_alive, moves.gold / moves.gold[moves.gold_alive].std(), 0.0)
    gold_own = np.where(moves.gold_alive, np.sqrt(1 - GOLD_TIE**2), 1.0)
    gld = GOLD_TIE * gold + gold_own * scale[:, 2] * own[:, 1]
    x = np.stack([spy, qqq, gld], axis=1)
    variance = scale**2 * np.stack([size[:, 0], size[:, 0], own_size[:, 1]], axis=1)
    for i, stock in enumerate(STOCKS):
        factor = year_scale(x[:, i] ** 2, years, VOLS[stock], DAYS_A_YEAR)
        x[:, i] *= np.sqrt(factor)
        variance[:, i] *= factor
    return x, variance


def stock_goals(facts: Facts, x: np.ndarray, days: pd.DatetimeIndex, moves: CoinMoves) -> list[Goal]:
    """The record's weekly correlations and the assumed daily figures as goals at x (m, 3)."""
    years = days[1:].year.to_numpy()
    everywhere = np.ones(len(x), dtype=bool)
    goals: list[Goal] = []
    for i, stock in enumerate(STOCKS):
        dof, clustering = ASSUMED[stock]
        goals += [
            volatility_goal(x[:, i], i, years == year, DAYS_A_YEAR, vol)
            for year, vol in VOLS[stock].items()
            if (years == year).sum() > 30
        ]
        goals.append(clustering_goal(x[:, i], i, everywhere, clustering))
        goals.append(persistence_goal(x[:, i], i, everywhere, 0.0))
        goals.append(tail_goal(x[:, i], i, everywhere, dof))
    weekly = facts.calibration["weekly_correlation_with_tradfi"]
    for i, stock in enumerate(STOCKS):
        for j in range(i):
            goals.append(weekly_goal(x, i, x[:, j], j, moves.weeks, weekly[stock][STOCKS[j]]))
            # Assumed: daily as weekly.
            goals.append(correlation_goal(x[:, i], x[:, j], i, j, everywhere, weekly[stock][STOCKS[j]]))
        goals += [weekly_goal(x, i, moves.by_week[coin], None, moves.weeks, weekly[stock][coin]) for coin in PARTNERS]
    goal = correlation_goal(x[:, 2], moves.gold, 2, -1, moves.gold_alive, GOLD_TIE)
    goals.append(Goal(goal.miss, {2: goal.gradient[2]}))
    return goals


def weekly_goal(x: np.ndarray, i: int, partner: np.ndarray, j: int | None, weeks: np.ndarray, target: float) -> Goal:
    """Correlation of weekly sums: of columns i and j, or of column i and a coin's given weekly returns (j None)."""
    inside = weeks >= 0
    mine = np.bincount(weeks[inside], weights=x[inside, i])
    other = np.bincount(weeks[inside], weights=partner[inside]) if j is not None else partner
    goal = correlation_goal(mine, other, 0, 1, np.ones(len(mine), dtype=bool), target)
    columns = {0: i} if j is None else {0: i, 1: j}
    return Goal(goal.miss, {columns[k]: np.where(inside, goal.gradient[k][weeks], 0.0) for k in columns})
