"""Would the rule have worked? Cut or hedge when liquidation comes near, against doing nothing, on every past start.

Every close of the history is a start with today's dollar exposures and today's equity (or an equity that stands a
given number of daily sigmas from liquidation). At each close the distance (equity - maintenance) / sigma of the gap is
measured from what was known; below the trigger the rule acts **at the next close**, back to a wanted distance:

    keep f of every position:  f = (E - c gross) / (y sigma + MM - c gross),   c the cost per dollar traded

which solves E - c (1 - f) gross - f MM = y f sigma. Hedging sells the least-variance amount of the hedge asset, or the
part of it that is enough, and cuts the rest of the way. Maintenance moves with the gross. docs/hedge.md.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from margin.core import checks
from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.words import usd
from margin.hedge.costs import Costs
from margin.hedge.credit import hedge_credit
from margin.hedge.hedge_prices import with_hedges
from margin.hedge.linear_book import book_of
from margin.hedge.menu import menu_of
from margin.hedge.outcomes import Outcome, Policy, by_month
from margin.hedge.rule import NOTHING, RULES, Rule
from margin.hedge.simulation import Run, covariances_of, run_rule, sigma_of
from margin.models.base import MarginModel
from margin.models.marks import Marks

DAYS = 14
WARM_UP = 60  # returns before the first start
LEAST_STARTS = 40


def _hedge_margin(
    sub: SubAccount, model: MarginModel, market: Market, marks: Marks, costs: Costs, hedge: str
) -> float | None:
    """Maintenance margin per dollar of a small hedge, below 0 where it earns credit; None where it can't be asked."""
    priced, left_out = with_hedges(marks, market, sub, (hedge,), model)
    if left_out:
        return None
    menu = menu_of(sub, priced, market, costs, (hedge,))
    freed = hedge_credit(sub, model, priced, menu, "maintenance").freed_per_usd
    return None if freed is None else -freed


def policy_backtest(
    sub: SubAccount,
    model: MarginModel,
    market: Market,
    marks: Marks,
    rules: Sequence[Rule] = RULES,
    *,
    days: int = DAYS,
    costs: Costs | None = None,
    hedge: str | None = "BTC",
    hedge_margin: float | None = None,
    start_sigmas: float | None = None,
    funding: pd.DataFrame | float | None = None,
) -> Policy:
    """Every rule on every past start.

    start_sigmas : each start stands so many daily sigmas from liquidation; None: with today's equity
    funding      : [date x asset] what a long pays a day, fraction of the notional: known assets are charged; or one
                   number for all. It falls on what can be cut and on hedges, never on coins held
    hedge_margin : maintenance per dollar of hedge; default what the model asks (or gives back) for a small one
    Raises InputError for fewer than 40 starts, an account that is liquidated already (without start_sigmas).
    """
    if NOTHING.kind not in [r.kind for r in rules]:
        rules = (NOTHING, *rules)
    paid = costs or Costs()
    if hedge_margin is None and hedge is not None:
        hedge_margin = _hedge_margin(sub, model, market, marks, paid, hedge)
    book = book_of(sub, model, market, marks, paid, hedge, hedge_margin)
    found = market.returns(book.assets, marks.as_of)
    returns, dates = found.values, found.dates
    count = len(returns) - WARM_UP - days + 1
    if count < LEAST_STARTS:
        hint = f"{LEAST_STARTS + WARM_UP + days - 1} are needed: add price history."
        raise InputError("prices", f"{len(returns)} returns", f"give {max(count, 0)} starts, too few to judge", hint)
    if start_sigmas is None and book.equity <= book.maintenance:
        raise InputError(
            "equity", usd(book.equity), f"is not above the maintenance margin of {usd(book.maintenance)}",
            "It is liquidated already: ask from a distance in sigmas.",
        )  # fmt: skip
    before = found.close_dates[np.searchsorted(found.close_dates, dates) - 1]
    rates, funded = _funding(funding, book.assets, before, dates)
    starts = np.arange(WARM_UP, WARM_UP + count)
    covariances = covariances_of(returns)
    gap = book.values + book.held
    sigma = sigma_of(np.broadcast_to(gap, (count, len(gap))), covariances[starts])
    equity = np.full(count, book.equity)
    if start_sigmas is not None:
        checks.number(start_sigmas, "start_sigmas", above=0.0, most=100.0)
        equity = book.maintenance + start_sigmas * sigma
    runs = [run_rule(rule, book, returns, covariances, starts, days, equity, rates) for rule in rules]
    month = pd.DatetimeIndex(dates[starts]).to_period("M").astype(str).to_numpy()
    nothing = next(r for r, rule in zip(runs, rules, strict=True) if rule.kind == "nothing")
    best = np.max([r.final for r in runs], axis=0)
    outcomes = tuple(
        _outcome(rule, run, nothing, best, equity, float(book.gross.sum()), month)
        for rule, run in zip(rules, runs, strict=True)
    )
    notes = [
        "Trades at the close after the decision; deltas of today, maintenance in proportion to the gross.",
        f"Funding charged for {', '.join(funded)}." if funded else "Funding is not charged: no rates are at hand.",
    ]
    if all(o.acts == 0 for o in outcomes):
        notes.append("No rule ever acted: at this equity liquidation never came near.")
    return Policy(
        outcomes=outcomes, starts=count, independent=count // days, months=len(set(month)), days=days,
        first=str(dates[starts[0]])[:10], last=str(dates[-1])[:10],
        hedge=None if book.hedge is None else book.assets[book.hedge], funded=funded, notes=tuple(notes),
    )  # fmt: skip


def _funding(
    given: "pd.DataFrame | Mapping[str, pd.Series] | float | None", assets: tuple[str, ...], starts: np.ndarray,
    dates: np.ndarray,
) -> tuple[np.ndarray, tuple[str, ...]]:  # fmt: skip
    """((n, k) what a long pays over the returns from `starts` to `dates`, which assets are known).

    Each day after the start up to the end is charged; a day that the table does not hold is not.
    """
    out = np.zeros((len(dates), len(assets)))
    if given is None:
        return out, ()
    days = (dates - starts) / np.timedelta64(1, "D")
    if isinstance(given, int | float):
        out[:] = checks.number(given, "funding", least=-0.1, most=0.1) * days[:, None]
        return out, assets if given else ()
    frame = pd.DataFrame(given)
    known = tuple(a for a in assets if a in frame.columns)
    ends = pd.DatetimeIndex(dates).normalize()
    for back in range(int(days.max())):
        aligned = frame.reindex(ends - pd.Timedelta(days=back))
        for asset in known:
            paid = np.nan_to_num(aligned[asset].to_numpy(dtype=float))
            out[:, assets.index(asset)] += np.where(back < days, paid, 0.0)
    return out, known


def _outcome(
    rule: Rule, run: Run, nothing: Run, best: np.ndarray, first: np.ndarray, gross: float, month: np.ndarray
) -> Outcome:
    back = run.final / first - 1.0
    tail = np.sort(back)[: max(int(np.ceil(0.05 * len(back))), 1)]
    return Outcome(
        rule=rule,
        liquidated=float(run.gone.mean()),
        cost_bp=float(1e4 * run.cost.mean() / max(gross, 1e-12)),
        turnover=float(run.traded.mean() / max(gross, 1e-12)),
        acts=float(run.acts.mean()),
        mean=float(back.mean()),
        q05=float(np.quantile(back, 0.05)),
        worst_5=float(tail.mean()),
        against_nothing=by_month((run.final - nothing.final) / first, month),
        liquidated_less=by_month(nothing.gone.astype(float) - run.gone, month),
        regret=by_month((run.final - best) / first, month),
        final=run.final,
        gone=run.gone,
    )
