"""One rule over all starts at once: moves, liquidations, and the trades at the close after each decision.

    keep f of every position:  f = (E - c gross) / (y sigma + MM - c gross),   c the cost per dollar traded

solves E - c (1 - f) gross - f MM = y f sigma. docs/hedge.md.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.hedge.linear_book import Book
from margin.hedge.rule import Rule

DECAY = 0.94
LIQUIDATION_COST = 0.01  # of the notional that a venue closes
PARTS = np.linspace(0.0, 1.0, 21)  # of the least-variance hedge


def keep_share(equity: Any, gross: Any, maintenance: Any, sigma: Any, wanted: float, cost: float) -> np.ndarray:
    """The share of every position to keep so that equity stands `wanted` sigmas above maintenance, 0..1.

    All USD (sigma a day), arrays that fit each other. Solves E - c (1 - f) gross - f MM = y f sigma.
    """
    top, bottom = equity - cost * gross, wanted * sigma + maintenance - cost * gross
    f = np.divide(top, bottom, out=np.ones_like(np.asarray(top, dtype=float)), where=np.asarray(bottom) > 0)
    found: np.ndarray = np.clip(f, 0.0, 1.0)
    return found


def covariances_of(returns: np.ndarray) -> np.ndarray:
    """(n + 1, k, k) EWMA covariance a day; row i knows returns before i only."""
    n, k = returns.shape
    out = np.empty((n + 1, k, k))
    now = returns[:30].T @ returns[:30] / max(min(n, 30), 1)
    for i in range(n):
        out[i] = now
        now = DECAY * now + (1 - DECAY) * np.outer(returns[i], returns[i])
    out[n] = now
    return out


def sigma_of(exposures: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """(n,) USD a day: the standard deviation of `exposures` (n, k) USD under `covariance` (n, k, k) a day."""
    found: np.ndarray = np.sqrt(np.maximum(np.einsum("ni,nij,nj->n", exposures, covariance, exposures), 0.0))
    return found


@dataclass
class Run:
    """One rule over n starts, arrays (n,): equity at the end, cost and trades in USD, acts; `gone` if liquidated."""

    final: np.ndarray
    gone: np.ndarray
    cost: np.ndarray
    traded: np.ndarray
    acts: np.ndarray


def run_rule(
    rule: Rule,
    book: Book,
    returns: np.ndarray,
    covariances: np.ndarray,
    starts: np.ndarray,
    days: int,
    first: np.ndarray,
    rates: np.ndarray,
) -> Run:
    """One rule, all starts at once. A decision taken at one close is traded at the next, at what is then known."""
    n = len(starts)
    values, held = np.tile(book.values, (n, 1)), np.tile(book.held, (n, 1))
    gross, hedge = np.tile(book.gross, (n, 1)), np.zeros(n)
    equity = first.copy()
    run = Run(equity, np.zeros(n, dtype=bool), np.zeros(n), np.zeros(n), np.zeros(n))
    decided, rest = np.zeros(n, dtype=bool), np.zeros(n)
    column = book.hedge
    for day in range(days + 1):
        at = starts + day
        if day:
            r = returns[at - 1]
            move = (values + held) * r
            equity = equity + np.where(run.gone, 0.0, move.sum(axis=1) - (values * rates[at - 1]).sum(axis=1))
            if column is not None:
                earned = hedge * (r[:, column] - rates[at - 1, column])
                equity = equity + np.where(run.gone, 0.0, earned)
                hedge = hedge * (1 + r[:, column])
            values, held, gross = values * (1 + r), held * (1 + r), gross * (1 + r)
        size = gross.sum(axis=1)
        maintenance = book.kept(size, hedge)
        hit = ~run.gone & (equity <= maintenance)
        fee = LIQUIDATION_COST * (size + np.abs(hedge))
        equity = np.where(hit, np.maximum(equity - fee, 0.0), equity)
        run.gone |= hit
        if rule.kind == "nothing" or day == days:
            continue
        cov = covariances[at]
        act = decided & ~run.gone
        if act.any():
            equity, values, gross, hedge = _act(
                rule, book, act, equity, values, held, gross, hedge, maintenance, cov, run
            )
            rest = np.where(act, rule.cooldown, rest)
        sigma = sigma_of(book.exposed(values, held, hedge), cov)
        size = gross.sum(axis=1)
        maintenance = book.kept(size, hedge)
        room = np.divide(equity - maintenance, sigma, out=np.full(n, np.inf), where=sigma > 0)
        if rule.unwind is not None and column is not None:
            close = ~run.gone & (hedge != 0) & (room > rule.unwind)
            paid = np.where(close, book.hedge_cost * np.abs(hedge), 0.0)
            equity, run.cost, run.traded = (
                equity - paid,
                run.cost + paid,
                run.traded + np.where(close, np.abs(hedge), 0),
            )
            hedge = np.where(close, 0.0, hedge)
        decided = ~run.gone & rule.rings(equity, maintenance, sigma) & (rest <= 0)
        rest = np.maximum(rest - 1, 0)
    if column is not None:  # what is still held is closed at the end, at its cost
        paid = np.where(run.gone, 0.0, book.hedge_cost * np.abs(hedge))
        equity, run.cost, run.traded = equity - paid, run.cost + paid, run.traded + np.where(run.gone, 0, np.abs(hedge))
    run.final = equity
    return run


def _act(
    rule: Rule,
    book: Book,
    act: np.ndarray,
    equity: np.ndarray,
    values: np.ndarray,
    held: np.ndarray,
    gross: np.ndarray,
    hedge: np.ndarray,
    maintenance: np.ndarray,
    cov: np.ndarray,
    run: Run,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Trade where `act`: the hedge that is enough (or the whole one), then the cut that is still needed."""
    n, column = len(equity), book.hedge
    added = np.zeros(n)
    if rule.kind in ("hedge", "mix") and column is not None:
        unit = np.zeros(values.shape[1])
        unit[column] = 1.0
        total = values + held + hedge[:, None] * unit
        best = -np.einsum("nj,nj->n", cov[:, column], total) / np.maximum(cov[:, column, column], 1e-300)
        enough = np.zeros(n, dtype=bool)
        added = best.copy()
        for part in PARTS:
            trial = part * best
            sigma = sigma_of(total + trial[:, None] * unit, cov)
            after = equity - book.hedge_cost * np.abs(trial)
            margin = book.kept(gross.sum(axis=1), hedge + trial)
            ok = ~enough & (after - margin >= rule.back_to * sigma)
            added = np.where(ok, trial, added)
            enough |= ok
        if rule.kind == "mix":
            size = gross.sum(axis=1)
            sigma = sigma_of(total, cov)
            cut = book.cost * size * (1 - keep_share(equity, size, maintenance, sigma, rule.back_to, book.cost))
            added = np.where(enough & (2 * book.hedge_cost * np.abs(added) < cut), added, 0.0)
        worse = book.hedge_margin > 0  # where a hedge asks for margin, one that takes more room than it gives is none
        if worse:
            before = (equity - maintenance) / np.maximum(sigma_of(total, cov), 1e-300)
            sigma = np.maximum(sigma_of(total + added[:, None] * unit, cov), 1e-300)
            margin = book.kept(gross.sum(axis=1), hedge + added)
            room = (equity - book.hedge_cost * np.abs(added) - margin) / sigma
            added = np.where(room > before, added, 0.0)
        added = np.where(act, added, 0.0)
        paid = book.hedge_cost * np.abs(added)
        equity, run.cost, run.traded = equity - paid, run.cost + paid, run.traded + np.abs(added)
        hedge = hedge + added
        maintenance = book.kept(gross.sum(axis=1), hedge)
        sigma = sigma_of(total + added[:, None] * unit, cov)
    else:
        sigma = sigma_of(book.exposed(values, held, hedge), cov)
    size = gross.sum(axis=1)
    keep = np.where(act, keep_share(equity, size, maintenance, sigma, rule.back_to, book.cost), 1.0)
    keep = np.where(equity - maintenance >= rule.back_to * sigma * (1 - 1e-9), 1.0, keep)
    sold = (1 - keep) * size
    paid = book.cost * sold
    run.cost, run.traded = run.cost + paid, run.traded + sold
    run.acts = run.acts + np.where(act & ((sold > 1e-9 * size) | (added != 0)), 1.0, 0.0)
    equity = equity - paid
    if column is not None:  # the hedge shrinks with what it hedges
        gone = (1 - keep) * np.abs(hedge)
        off = book.hedge_cost * gone
        equity, run.cost, run.traded = equity - off, run.cost + off, run.traded + gone
        hedge = hedge * keep
    return equity, values * keep[:, None], gross * keep[:, None], hedge
