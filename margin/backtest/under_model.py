"""Would a margin model's margin have been enough for this book, and where would it have been closed?

Day by day: the account opened at a close with exactly what the model asks, against the loss over the horizon that
followed. By opening: opened every `hold` days, left alone, closed where its equity falls below maintenance, at a close
or, where the market has highs and lows, within the day. Definitions: docs/backtest.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from margin import models
from margin.backtest.paths import LadderPaths, Path, Paths, RulebookPaths
from margin.core.checks import whole_number
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.models.funding import Funding

__all__ = ["ModelBacktest", "Opening", "backtest_model", "default_model"]

DUST = 1e-9  # of the gross notional: what floating point may miss

HOLD = 30  # closes that an opening is left alone


@dataclass(frozen=True, kw_only=True)
class Opening:
    """One opening left alone. USD.

    closed    : day on which something in it was first closed by force, None where nothing was; at: where
    names     : sub-accounts closed by force, in the order of their days
    final     : the trader's money at the end, never below 0; uncovered: loss beyond the accounts' money
    called    : at some close its equity was below initial margin
    """

    opened: np.datetime64
    started: float
    closed: np.datetime64 | None
    at: Literal["close", "intraday"] | None
    names: tuple[str, ...]
    final: float
    uncovered: float
    called: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelBacktest:
    """A book under one margin model through time, arrays (n,) by day, USD.

    initial, maintenance : asked at the close; losses: of the account over the horizon that followed, loss positive
    hits      : a sub-account lost more than its initial margin; uncovered: USD by which, added up
    closed    : a sub-account opened with exactly its initial margin was below maintenance at a close within the horizon
    closed_intraday : ... or at a day's adverse extreme, all assets at once (the worst case); None without extremes
    extremes  : assets whose highs and lows are known; skipped: days whose horizon crossed a pause in the prices
    """

    model: str
    title: str
    settings: Settings
    money: Literal["asked", "own"]
    hold: int
    dates: np.ndarray
    initial: np.ndarray
    maintenance: np.ndarray
    losses: np.ndarray
    hits: np.ndarray
    uncovered: np.ndarray
    closed: np.ndarray
    closed_intraday: np.ndarray | None
    openings: tuple[Opening, ...]
    extremes: tuple[str, ...]
    left_out: tuple[str, ...]
    skipped: int
    notes: tuple[str, ...]

    @property
    def rate(self) -> float:
        """Share of days whose loss was larger than the initial margin."""
        return float(self.hits.mean())

    @property
    def closed_rate(self) -> float:
        """Share of days after which the account would have been closed within the horizon, extremes included."""
        return float((self.closed if self.closed_intraday is None else self.closed_intraday).mean())

    @property
    def liquidated(self) -> tuple[Opening, ...]:
        """The openings in which something was closed by force."""
        return tuple(o for o in self.openings if o.closed is not None)


def default_model(portfolio: Portfolio) -> str:
    """The account's own venue and mode; of an account without a venue, or of several, the portfolio method."""
    if len(portfolio.accounts) != 1 or not portfolio.account.venue:
        return "portfolio"
    return models.for_account(portfolio.account).key


def backtest_model(
    portfolio: Portfolio,
    market: Market,
    model: str | None = None,
    settings: Settings | None = None,
    *,
    days: int = 1500,
    hold: int | None = None,
    money: Literal["asked", "own"] = "asked",
    funding: "float | Mapping[str, float | pd.Series]" = 0.0,
    progress: Callable[[float], None] | None = None,
) -> ModelBacktest:
    """The book under `model` (`default_model` unless given) over the last `days` closes up to settings.as_of.

    hold    : closes an opening is held for; by default 30, or as many as the days walked where those are fewer
    money   : "asked": opened with exactly the initial margin (isolated positions with what was posted); "own": with the
              account's own collateral, owned coins included
    funding : fraction of notional a day that long perpetuals pay, or by asset or symbol such a number or a record of
              payments (margin/models/funding.py)
    Quantities are constant, entry prices those of the opening. Several accounts are pooled. Options are left out, by
    name. Raises InputError for what the model does not reproduce and for too little history.
    """
    chosen, key = settings or Settings(), model or default_model(portfolio)
    whole_number(days, "days", 20, 100_000)
    held = None if hold is None else whole_number(hold, "hold", 1, 5_000)
    if money not in ("asked", "own"):
        raise InputError("money", money, "is not one of the choices", "asked or own.")
    paid = Funding(funding)
    judge = models.get(key, market=market, settings=chosen)
    ours = ":" not in key
    found: Paths = (
        LadderPaths(portfolio, market, key, chosen, money == "own", paid)
        if ours
        else RulebookPaths(portfolio.pooled, market, judge, chosen, money == "own", paid)
    )
    horizon = chosen.horizon
    rows, skipped = _rows(found, horizon, days)
    hold = min(HOLD, len(rows)) if held is None else held
    opened = rows[: max(len(rows) - hold + horizon, 0) : hold]
    if not len(opened):
        raise InputError("hold", hold, f"is longer than the {len(rows)} days there are", "Hold for fewer days.")
    parts = []
    work = len(rows) + len(opened)
    for done, row in enumerate(rows):
        parts.append(_day(list(found.paths(int(row), horizon)), money == "own"))
        if progress is not None and done % 50 == 0:
            progress(done / work)
    openings = []
    for done, row in enumerate(opened):
        reach = min(hold, len(found.dates) - 1 - int(row))
        openings.append(
            _open(list(found.paths(int(row), reach)), found.dates[row : row + reach + 1], judge.closing.keeps_rest)
        )
        if progress is not None:
            progress((len(rows) + done + 1) / work)
    initial, maintenance, losses, hits, uncovered, closed, low = np.array(parts).T
    seen = bool(found.extremes)
    return ModelBacktest(
        model=key,
        title=judge.title,
        settings=chosen,
        money=money,
        hold=hold,
        dates=found.dates[rows],
        initial=initial,
        maintenance=maintenance,
        losses=losses,
        hits=hits > 0,
        uncovered=uncovered,
        closed=closed > 0,
        closed_intraday=(closed + low) > 0 if seen else None,
        openings=tuple(openings),
        extremes=found.extremes,
        left_out=found.left_out,
        skipped=skipped,
        notes=(*found.notes, *paid.notes(), *market.findings_of(portfolio.underlyings, chosen.as_of)),
    )


def _rows(found: Paths, horizon: int, days: int) -> tuple[np.ndarray, int]:
    """(closes to open on: every `horizon`-th back from the last whose loss is known, how many a pause left out)."""
    last = len(found.dates) - 1 - horizon
    rows = np.arange(last, max(found.first - 1, last - days), -horizon)[::-1]
    steps = np.diff(found.dates) > np.timedelta64(4, "D")
    pauses = np.concatenate(([0], np.cumsum(steps)))
    fine = pauses[rows + horizon] == pauses[rows] if len(rows) else np.empty(0, bool)
    kept = rows[fine]
    if len(kept) < 20:
        hint = "Use a shorter lookback or horizon, or assets with longer history."
        raise InputError("days", len(kept), "are left to walk, 20 are needed", hint)
    return kept, int((~fine).sum())


def _day(paths: list[Path], own: bool) -> tuple[float, ...]:
    """(initial, maintenance, loss, hit, uncovered, closed at a close, closed at an extreme) of one day."""
    totals = np.zeros(7)
    for p in paths:
        dust = DUST * p.gross
        loss = float(p.equity[0] - p.equity[-1])
        beyond = loss - float(p.started if own else p.initial[0])
        low = p.low is not None and p.low_maintenance is not None and bool((p.low < p.low_maintenance - dust).any())
        closed = bool((p.equity[1:] < p.maintenance[1:] - dust).any())
        totals[:3] += p.initial[0], p.maintenance[0], loss
        totals[3:] += beyond > dust, max(beyond, 0.0), closed, low
    return tuple(totals.tolist())


def _open(paths: list[Path], dates: np.ndarray, keeps_rest: bool) -> Opening:
    """One opening: each sub-account until it is closed, or to the end."""
    final = uncovered = 0.0
    called, ends = False, []
    for p in paths:
        end, at, equity = _end(p)
        called |= bool((p.equity_initial[1 : end + 1] < p.initial[1 : end + 1] - DUST * p.gross).any())
        if at is not None:
            ends.append((end, at, p.name))
        final += 0.0 if at is not None and keeps_rest else max(equity, 0.0)
        uncovered += max(-equity, 0.0)
    ends.sort(key=lambda e: e[0])
    return Opening(
        opened=dates[0],
        started=sum(p.started for p in paths),
        closed=dates[ends[0][0]] if ends else None,
        at=ends[0][1] if ends else None,
        names=tuple(name for _, _, name in ends),
        final=final,
        uncovered=uncovered,
        called=called,
    )


def _end(p: Path) -> tuple[int, Literal["close", "intraday"] | None, float]:
    """(close of the end, where it was closed by force, equity then, USD).

    Within a day it is closed where the straight line from the close before to the extreme meets maintenance; at a
    close, where no extreme is known to have come before, at what the close left.
    """
    dust = DUST * p.gross
    for i in range(1, len(p.equity)):
        if p.low is not None and p.low_maintenance is not None and p.low[i - 1] < p.low_maintenance[i - 1] - dust:
            before = max(float(p.equity[i - 1] - p.maintenance[i - 1]), 0.0)
            below = float(p.low_maintenance[i - 1] - p.low[i - 1])
            share = before / (before + below)
            return i, "intraday", float(p.equity[i - 1] + share * (p.low[i - 1] - p.equity[i - 1]))
        if p.equity[i] < p.maintenance[i] - dust:
            return i, "close", float(p.equity[i])
    return len(p.equity) - 1, None, float(p.equity[-1])
