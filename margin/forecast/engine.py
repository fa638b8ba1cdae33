"""How likely is a margin call? Any account, under any margin model. Definitions: docs/forecast.md."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from margin.core.account import Account, SubAccount
from margin.core.checks import date_text
from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE
from margin.core.market import Market, as_market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.core.words import usd
from margin.forecast import calibration as corrections
from margin.forecast.accounts import judged
from margin.forecast.calibration import Calibration
from margin.forecast.first_passage import Watched, hit_probability
from margin.forecast.gap import TARGETS, Gap, Target, gap_of
from margin.forecast.own_check import own_calibration
from margin.forecast.past import Past, past_returns
from margin.forecast.paths import PATHS, SEED
from margin.forecast.results import Forecast, SubForecast, any_survival, odds_of, raised
from margin.forecast.walking import Way, effort, walk_of
from margin.models.base import MarginModel
from margin.models.marks import Marks

HORIZONS = (1.0, 3.0, 7.0)
WATCHED = ("continuous", "closes")
MAX_PATHS = 100_000


def forecast(
    portfolio: Portfolio | Account | SubAccount,
    market: Market | Any,
    settings: Settings | None = None,
    *,
    model: str | MarginModel | None = None,
    target: Target = "liquidation",
    horizons: Sequence[float] = HORIZONS,
    as_of: Any = None,
    watched: Watched = "continuous",
    paths: int = PATHS,
    seed: int = SEED,
    calibration: Calibration | Literal["table", "own"] | None = "table",
    capital: float | None = None,
    marks: Marks | None = None,
    carry: float = 0.0,
    reacts: bool = False,
    among: Sequence[str] = (),
    refuse_called: bool = True,
) -> Forecast:
    """Odds that the account is liquidated (or called) within each horizon. Definitions: docs/forecast.md.

    model    : a key or a margin model; None: each account's own venue and mode, else the portfolio method
    target   : "liquidation": equity at maintenance; "call": equity_initial at initial margin
    horizons : days, ascending; at most a quarter of the history
    watched  : "continuous", as venues mark; "closes": only at the ends of steps
    capital  : USD behind the account instead of its collateral; without any, 1.5 x the portfolio margin is assumed, and
               said
    calibration : "table", the stored correction; "own": fitted on each book's own past; None: uncorrected
    marks    : prices to start from (an account's own), else the closes of as-of
    carry    : USD a day that funding and borrowing take; reacts: a requirement that follows volatility along the path
    among    : assets of other accounts whose common days are used too, as in a forecast of all of them together
    refuse_called : whether an account that is called already as a whole is refused, else its odds are 1 (`judge`)

    Raises InputError where every sub-account is called already (unless told not to), for fewer than 120 days of prices,
    a horizon longer than a quarter of them, and for what the model does not reproduce.
    """
    days = _days(horizons)
    if target not in TARGETS:
        raise InputError("target", target, "is not one of the choices", f"Choose {', '.join(TARGETS)}.")
    if watched not in WATCHED:
        raise InputError("watched", watched, "is not one of the choices", f"Choose {', '.join(WATCHED)}.")
    if not isinstance(paths, int) or not 200 <= paths <= MAX_PATHS:
        raise InputError("paths", paths, f"must be a whole number from 200 to {MAX_PATHS:,}")
    prices = as_market(market)
    chosen = (settings or Settings()).with_(as_of=as_of)
    book = portfolio if isinstance(portfolio, SubAccount) else _portfolio(portfolio)
    start = marks or Marks.of_market(prices, _as_portfolio(book), chosen.as_of)
    chosen = chosen if chosen.as_of is not None else chosen.with_(as_of=date_text(start.as_of))
    asked, notes, assumed = judged(book, prices, chosen, model, start, capital)
    if not asked:
        raise InputError("positions", "none", "there is no position that a margin model could call")
    found = past_returns(prices, sorted({*among, *(a for _, sub in asked for a in sub.assets)}), chosen.as_of)
    if days[-1] > found.days / 4.0:
        problem = f"is longer than a quarter of the history of {found.days:.0f} days"
        raise InputError("horizons", days[-1], problem, "Ask for fewer days, or add prices.")
    correction = _correction(calibration, found, watched)
    steps = max(round(days[-1] * found.steps_per_day), 1)
    far = _horizon_moves(found, steps)
    subs = []
    for own, sub in asked:

        def gap(other: SubAccount, own: MarginModel = own) -> Gap:
            return gap_of(own, other, start, target, _columns(found, far, other.assets))

        now = gap(sub)
        if calibration == "own":
            correction = own_calibration(found, now.exposures, sub.assets, days)
        way = Way(gap=gap, steps=steps, watched=watched, paths=paths, seed=seed, calibration=correction, carry=carry,
                  reacts=reacts)  # fmt: skip
        subs.append(_one(sub, now, found, way, days))
    called = [s for s in subs if s.called]
    if refuse_called and called and len(called) == len(subs):
        raise _called(called, target)
    notes += [f"{s.name or 'the account'} is at or below its requirement already" for s in called]
    ordered = tuple(sorted(subs, key=lambda s: -s.main.probability))
    together = ordered[0].survival if len(ordered) == 1 else any_survival(ordered)
    notes += [*start.notes, *found.notes]
    return Forecast(
        as_of=date_text(start.as_of),
        step=found.step,
        target=target,
        watched=watched,
        model=", ".join(dict.fromkeys(own.key for own, _ in asked)),
        paths=paths,
        seed=seed,
        subs=ordered,
        horizons=tuple(raised(odds_of(ordered, d), together, ordered[0].walk.step_of(d)) for d in days),
        baseline=tuple(max(_baseline(s, found, d) for s in ordered) for d in days),
        calibration=ordered[0].walk.calibration,
        assumed_capital=assumed,
        notes=tuple(dict.fromkeys(notes)),
    )


def judge(
    portfolio: Portfolio | Account | SubAccount, market: Market | Any, settings: Settings | None = None, **asked: Any
) -> Forecast:
    """`forecast` of accounts that may be called already (their odds are 1): what capital they would need is known."""
    return forecast(portfolio, market, settings, refuse_called=False, **asked)


def _called(called: Sequence[SubForecast], target: Target) -> InputError:
    """Why accounts that are called already have no odds, and what would mend it."""
    worst = min(called, key=lambda s: s.gap.usd)
    what = "liquidated" if target == "liquidation" else "called"
    names = ", ".join(s.name or "the account" for s in called)
    asked = "maintenance" if target == "liquidation" else "initial"
    hint = f"Add at least {usd(math.ceil(-worst.gap.usd))}, cut the position, or choose another model."
    problem = f"is below the {asked} margin of {usd(worst.gap.requirement)}: {names} would be {what} already"
    return InputError("equity", usd(worst.gap.equity), problem, hint)


def _one(sub: SubAccount, gap: Gap, past: Past, way: Way, days: tuple[float, ...]) -> SubForecast:
    notes = []
    if gap.usd <= 0:
        notes.append("at or below its requirement already")
    walk = walk_of(gap, past, way)
    if not walk.sigma > 0 and not (walk.lowest_of < 0).any():
        notes.append(f"no move of the last {past.days:.0f} days reaches it: nothing here moves")
    if not gap.straight:
        count, every, slow = effort(gap, past, way)
        asked = "every step" if every == 1 else "one node a day"
        how = ", interpolated between some of them" if slow else ""
        notes.append(f"not linear in prices: the model is asked at {asked} of {count:,} paths{how}")
    both = sorted(a for a in sub.assets if _sides(sub, a) == {-1, 1})
    if both:
        notes.append(
            f"one price of {', '.join(both)}: what the basis between its instruments can do is not in these odds, but "
            "beside them"
        )
    if any(p.instrument.is_option for p in sub.positions):
        notes.append(
            "implied volatilities stay as they are along the paths, and what they can do stands beside the odds; "
            "options age and expire"
        )
    draft = SubForecast(
        name=sub.name, gap=gap, walk=walk, past=past, way=way, horizons=(), notes=tuple(notes)
    )  # fmt: skip
    return replace(draft, horizons=tuple(raised(odds_of((draft,), d), draft.survival, walk.step_of(d)) for d in days))


def _sides(sub: SubAccount, asset: str) -> set[int]:
    """Signs of what is held of one asset without options; coins of collateral count as long."""
    held = [p.quantity for p in sub.positions if p.underlying == asset and not p.instrument.is_option]
    held += [c.quantity for c in sub.collateral if c.asset == asset and asset not in USD_LIKE]
    return {1 if quantity > 0 else -1 for quantity in held if quantity}


def _baseline(sub: SubForecast, past: Past, days: float) -> float:
    """2 Phi(-d) with the plain volatility of the last 30 days (hourly) or 90 days (daily)."""
    window = round((30 if past.block > 1 else 90) * past.steps_per_day)
    profits = past.columns(sub.sub.assets) @ sub.gap.exposures
    sigma = float(np.std(profits[-window:]))
    return float(hit_probability(sub.gap.usd, sigma, float(sub.walk.step_of(days))))


def _days(horizons: Sequence[float]) -> tuple[float, ...]:
    try:
        days = tuple(sorted({float(d) for d in horizons}))
    except (TypeError, ValueError):
        raise InputError("horizons", horizons, "must be days", "E.g. 1,3,7.") from None
    if not days or len(days) > 20 or not all(0 < d <= 365 for d in days):
        raise InputError("horizons", horizons, "must be 1 to 20 numbers of days, each above 0 and at most 365")
    return days


def _portfolio(book: Portfolio | Account) -> Portfolio:
    return Portfolio(accounts=(book,)) if isinstance(book, Account) else book


def _as_portfolio(book: Portfolio | SubAccount) -> Portfolio:
    return Portfolio(book.positions, book.collateral) if isinstance(book, SubAccount) else book


def _correction(asked: Calibration | str | None, past: Past, watched: Watched) -> Calibration:
    if asked is None or asked == "own":
        return corrections.NONE
    if isinstance(asked, Calibration):
        return asked
    if asked != "table":
        raise InputError("calibration", asked, "is not one of the choices", "Give table, own, None or a Calibration.")
    return corrections.table(past.step, watched)


def _horizon_moves(past: Past, steps: int) -> np.ndarray:
    """(m, k) compounded moves over the whole horizon, non-overlapping."""
    count = len(past.values) // steps
    logs = np.log1p(np.maximum(past.values[len(past.values) - count * steps :], -0.95))
    moves: np.ndarray = np.expm1(logs.reshape(count, steps, -1).sum(axis=1))
    return moves


def _columns(past: Past, moves: np.ndarray, assets: tuple[str, ...]) -> np.ndarray:
    return replace(past, values=moves).columns(assets)
