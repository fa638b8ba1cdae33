"""Would the rule have worked? Cut or hedge when liquidation comes near, against doing nothing, on every past start.

Every close of the history is a start with today's dollar exposures and today's equity (or an equity that stands a
given number of daily sigmas from liquidation). At each close the distance (equity - maintenance) / sigma of the gap is
measured from what was known; below the trigger the rule acts **at the next close**, back to a wanted distance:

    keep f of every position:  f = (E - c gross) / (y sigma + MM - c gross),   c the cost per dollar traded

which solves E - c (1 - f) gross - f MM = y f sigma. Hedging sells the least-variance amount of the hedge asset, or the
part of it that is enough, and cuts the rest of the way. Maintenance moves with the gross. docs/hedge.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from margin.core import checks
from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE
from margin.core.market import Market
from margin.hedge.costs import BP, Costs
from margin.hedge.credit import hedge_credit
from margin.hedge.menu import menu_of, notional
from margin.hedge.study import with_hedges
from margin.models.base import MarginModel
from margin.models.marks import Marks

DAYS = 14
WARM_UP = 60  # returns before the first start
DECAY = 0.94
LIQUIDATION_COST = 0.01  # of the notional that a venue closes
DRAWS = 1000
PARTS = np.linspace(0.0, 1.0, 21)  # of the least-variance hedge
LEAST_STARTS = 40
Kind = Literal["nothing", "cut", "hedge", "mix"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Act when the distance is below `trigger` daily sigmas, back to `back_to`.

    kind   : "cut"; "hedge", then cut what it lacks; "mix": a hedge where it is enough and costs less, else a cut
    unwind : hedges are closed above this distance; None: held to the end. cooldown : days between two acts
    """

    kind: Kind
    trigger: float = 2.5
    back_to: float = 4.0
    unwind: float | None = None
    cooldown: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ("nothing", "cut", "hedge", "mix"):
            raise InputError("rule", self.kind, "is not a rule", "One of nothing, cut, hedge, mix.")
        checks.number(self.trigger, "trigger", above=0.0, most=50.0)
        checks.number(self.back_to, "back_to", above=self.trigger, most=100.0)
        if self.unwind is not None:
            checks.number(self.unwind, "unwind", above=self.back_to, most=1000.0)
        checks.number(self.cooldown, "cooldown", least=0.0, most=365.0)

    @property
    def title(self) -> str:
        """In words: "cut below 2.5, back to 4"."""
        if self.kind == "nothing":
            return "do nothing"
        end = "" if self.unwind is None else f", unwound above {self.unwind:g}"
        return f"{self.kind} below {self.trigger:g}, back to {self.back_to:g}{end}"

    @property
    def short(self) -> str:
        """For an axis: "hedge, unwound"."""
        if self.kind == "nothing":
            return "do nothing"
        return self.kind if self.unwind is None else f"{self.kind}, unwound"


NOTHING = Rule(kind="nothing")


def usual_rules(trigger: float = 2.5, back_to: float = 4.0) -> tuple[Rule, ...]:
    """Nothing, cut, hedge, hedge unwound above 1.75 x back_to, mix."""
    return (
        NOTHING,
        Rule(kind="cut", trigger=trigger, back_to=back_to),
        Rule(kind="hedge", trigger=trigger, back_to=back_to),
        Rule(kind="hedge", trigger=trigger, back_to=back_to, unwind=1.75 * back_to),
        Rule(kind="mix", trigger=trigger, back_to=back_to),
    )


RULES = usual_rules()


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean over starts with its 95% interval: months are drawn with replacement, for starts of one month overlap."""

    mean: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Plain JSON values."""
        return {"mean": self.mean, "low": self.low, "high": self.high}


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """One rule over all starts.

    liquidated : share; cost_bp : of the first gross; turnover : traded / first gross; acts : a start
    mean, worst_5 : return on equity over the window; q05 its 5% quantile, worst_5 the mean below it
    against_nothing : return less that of doing nothing; liquidated_less : the same of the share liquidated
    regret : return less the best of all these rules on the same start, at most 0
    """

    rule: Rule
    liquidated: float
    cost_bp: float
    turnover: float
    acts: float
    mean: float
    q05: float
    worst_5: float
    against_nothing: Interval
    liquidated_less: Interval
    regret: Interval
    final: np.ndarray
    gone: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        names = ("liquidated", "cost_bp", "turnover", "acts", "mean", "q05", "worst_5")
        return {
            "rule": self.rule.title,
            **{name: getattr(self, name) for name in names},
            **{name: getattr(self, name).to_dict() for name in ("against_nothing", "liquidated_less", "regret")},
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Policy:
    """starts : how many; independent : windows that do not overlap; months : clusters of the intervals."""

    outcomes: tuple[Outcome, ...]
    starts: int
    independent: int
    months: int
    days: int
    first: str
    last: str
    hedge: str | None
    funded: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        names = ("starts", "independent", "months", "days", "first", "last", "hedge")
        return {
            **{name: getattr(self, name) for name in names},
            "funding_charged": list(self.funded),
            "rules": [o.to_dict() for o in self.outcomes],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Book:
    """What the simulation needs of a sub-account, USD at today's marks.

    values : (k,) exposures of what can be cut; held : (k,) of coins held as collateral, which stay
    gross  : (k,) notional without sign of what can be cut; hedge : the column that hedges, None for none
    hedge_margin : maintenance per dollar of hedge, below 0 where the model gives it credit
    """

    assets: tuple[str, ...]
    values: np.ndarray
    held: np.ndarray
    gross: np.ndarray
    equity: float
    maintenance: float
    hedge: int | None
    hedge_margin: float
    cost: float
    hedge_cost: float


def book_of(
    sub: SubAccount, model: MarginModel, market: Market, marks: Marks, costs: Costs, hedge: str | None = "BTC",
    hedge_margin: float | None = None,
) -> Book:  # fmt: skip
    """The sub-account made linear: deltas by central differences of its equity."""
    state = model.state(sub, marks)
    moving = [a for a in sub.assets if a not in USD_LIKE]
    if not moving:
        raise InputError("positions", "only dollars", "nothing here moves", "Add a position.")
    names = tuple(dict.fromkeys([*moving, *([hedge] if hedge and hedge in market else [])]))
    factors = np.ones((2 * len(moving), len(sub.assets)))
    for row, asset in enumerate(moving):
        column = sub.assets.index(asset)
        factors[2 * row, column], factors[2 * row + 1, column] = 1.01, 0.99
    equity = model.states(sub, marks, factors).equity
    total = np.zeros(len(names))
    total[: len(moving)] = (equity[::2] - equity[1::2]) / 0.02
    held, gross = np.zeros(len(names)), np.zeros(len(names))
    for c in sub.collateral:
        if c.asset in names:
            held[names.index(c.asset)] += c.quantity * marks.price(c.asset)
    for p in sub.positions:
        if p.underlying in names:
            gross[names.index(p.underlying)] += notional(p, marks.price(p.underlying))
    held = np.where(gross > 0, held, total)  # a coin alone: all of its exposure is the balance's, after its haircut
    size = max(float(gross.sum()), 1e-12)
    rate = costs.fee_bp * BP + sum(costs.half_spread(a) * g for a, g in zip(names, gross, strict=True)) / size
    own = costs.fee_bp * BP + costs.half_spread(hedge or "")
    margin = hedge_margin if hedge_margin is not None else state.maintenance / size
    return Book(
        assets=names, values=total - held, held=held, gross=gross, equity=float(state.equity),
        maintenance=float(state.maintenance), hedge=names.index(hedge) if hedge in names else None,
        hedge_margin=float(margin), cost=rate, hedge_cost=own,
    )  # fmt: skip


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


def keep_share(equity: Any, gross: Any, maintenance: Any, sigma: Any, wanted: float, cost: float) -> np.ndarray:
    """The share of every position to keep so that equity stands `wanted` sigmas above maintenance, 0..1.

    All USD (sigma a day), arrays that fit each other. Solves E - c (1 - f) gross - f MM = y f sigma.
    """
    top, bottom = equity - cost * gross, wanted * sigma + maintenance - cost * gross
    f = np.divide(top, bottom, out=np.ones_like(np.asarray(top, dtype=float)), where=np.asarray(bottom) > 0)
    found: np.ndarray = np.clip(f, 0.0, 1.0)
    return found


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
        raise InputError("equity", book.equity, "is below maintenance already", "Ask from a distance in sigmas.")
    rates, funded = _funding(funding, book.assets, dates)
    starts = np.arange(WARM_UP, WARM_UP + count)
    covariances = _covariances(returns)
    gap = book.values + book.held
    sigma = _sigma(np.broadcast_to(gap, (count, len(gap))), covariances[starts])
    equity = np.full(count, book.equity)
    if start_sigmas is not None:
        checks.number(start_sigmas, "start_sigmas", above=0.0, most=100.0)
        equity = book.maintenance + start_sigmas * sigma
    runs = [_run(rule, book, returns, covariances, starts, days, equity, rates) for rule in rules]
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
    given: "pd.DataFrame | Mapping[str, pd.Series] | float | None", assets: tuple[str, ...], dates: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    """((n, k) what a long pays on each return's day, which assets are known); absent days are not charged."""
    out = np.zeros((len(dates), len(assets)))
    if given is None:
        return out, ()
    if isinstance(given, int | float):
        out[:] = checks.number(given, "funding", least=-0.1, most=0.1)
        return out, assets if given else ()
    frame = pd.DataFrame(given)
    known = tuple(a for a in assets if a in frame.columns)
    aligned = frame.reindex(pd.DatetimeIndex(dates).normalize())
    for asset in known:
        out[:, assets.index(asset)] = np.nan_to_num(aligned[asset].to_numpy(dtype=float))
    return out, known


def _covariances(returns: np.ndarray) -> np.ndarray:
    """(n + 1, k, k) EWMA covariance a day; row i knows returns before i only."""
    n, k = returns.shape
    out = np.empty((n + 1, k, k))
    now = returns[:30].T @ returns[:30] / max(min(n, 30), 1)
    for i in range(n):
        out[i] = now
        now = DECAY * now + (1 - DECAY) * np.outer(returns[i], returns[i])
    out[n] = now
    return out


def _sigma(exposures: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.sqrt(np.maximum(np.einsum("ni,nij,nj->n", exposures, covariance, exposures), 0.0))
    return found


@dataclass
class _Run:
    final: np.ndarray
    gone: np.ndarray
    cost: np.ndarray
    traded: np.ndarray
    acts: np.ndarray


def _run(
    rule: Rule,
    book: Book,
    returns: np.ndarray,
    covariances: np.ndarray,
    starts: np.ndarray,
    days: int,
    first: np.ndarray,
    rates: np.ndarray,
) -> _Run:
    """One rule, all starts at once. A decision taken at one close is traded at the next, at what is then known."""
    n = len(starts)
    values, held = np.tile(book.values, (n, 1)), np.tile(book.held, (n, 1))
    gross, hedge = np.tile(book.gross, (n, 1)), np.zeros(n)
    equity = first.copy()
    run = _Run(equity, np.zeros(n, dtype=bool), np.zeros(n), np.zeros(n), np.zeros(n))
    decided, rest = np.zeros(n, dtype=bool), np.zeros(n)
    column = book.hedge
    base = book.maintenance / max(float(book.gross.sum()), 1e-12)
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
        maintenance = np.maximum(base * size + book.hedge_margin * np.abs(hedge), 0.0)
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
                rule, book, act, equity, values, held, gross, hedge, maintenance, cov, base, run
            )
            rest = np.where(act, rule.cooldown, rest)
        total = values + held
        if column is not None:
            total = total.copy()
            total[:, column] += hedge
        sigma = _sigma(total, cov)
        size = gross.sum(axis=1)
        maintenance = np.maximum(base * size + book.hedge_margin * np.abs(hedge), 0.0)
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
        decided = ~run.gone & (room < rule.trigger) & (rest <= 0)
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
    base: float,
    run: _Run,
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
            sigma = _sigma(total + trial[:, None] * unit, cov)
            after = equity - book.hedge_cost * np.abs(trial)
            margin = np.maximum(base * gross.sum(axis=1) + book.hedge_margin * np.abs(hedge + trial), 0.0)
            ok = ~enough & (after - margin >= rule.back_to * sigma)
            added = np.where(ok, trial, added)
            enough |= ok
        if rule.kind == "mix":
            size = gross.sum(axis=1)
            sigma = _sigma(total, cov)
            cut = book.cost * size * (1 - keep_share(equity, size, maintenance, sigma, rule.back_to, book.cost))
            added = np.where(enough & (2 * book.hedge_cost * np.abs(added) < cut), added, 0.0)
        worse = book.hedge_margin > 0  # where a hedge asks for margin, one that takes more room than it gives is none
        if worse:
            before = (equity - maintenance) / np.maximum(_sigma(total, cov), 1e-300)
            sigma = np.maximum(_sigma(total + added[:, None] * unit, cov), 1e-300)
            margin = np.maximum(base * gross.sum(axis=1) + book.hedge_margin * np.abs(hedge + added), 0.0)
            room = (equity - book.hedge_cost * np.abs(added) - margin) / sigma
            added = np.where(room > before, added, 0.0)
        added = np.where(act, added, 0.0)
        paid = book.hedge_cost * np.abs(added)
        equity, run.cost, run.traded = equity - paid, run.cost + paid, run.traded + np.abs(added)
        hedge = hedge + added
        maintenance = np.maximum(base * gross.sum(axis=1) + book.hedge_margin * np.abs(hedge), 0.0)
        sigma = _sigma(total + added[:, None] * unit, cov)
    else:
        total = values + held
        if column is not None:
            total = total.copy()
            total[:, column] += hedge
        sigma = _sigma(total, cov)
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


def _outcome(
    rule: Rule, run: _Run, nothing: _Run, best: np.ndarray, first: np.ndarray, gross: float, month: np.ndarray
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


def by_month(values: np.ndarray, month: np.ndarray, seed: int = 7) -> Interval:
    """Mean and 95% interval of `values` (n,) when whole months are drawn with replacement."""
    names, index = np.unique(month, return_inverse=True)
    sums, counts = np.bincount(index, values), np.bincount(index)
    draws = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), DRAWS)
    means = draws @ sums / (draws @ counts)
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(mean=float(values.mean()), low=float(low), high=float(high))
