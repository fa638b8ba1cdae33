"""Was the lower margin enough? Each day's requirement from data up to that day, against the loss that followed.

The figures of a day are those `compare` gives with that as-of (a test holds the two equal); here the whole history is
walked at once. Definitions and sources: docs/backtest.md.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from margin.backtest.coverage import ExceedanceReport, acerbi_szekely, acerbi_szekely_p_value, exceedance_report
from margin.backtest.day import Day
from margin.backtest.days import Walk, days_to_walk
from margin.core.checks import whole_number
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.ladder.names import keys, title
from margin.risk.estimators import estimator, walked

KEYS = keys()
ESTIMATORS = walked()
PROGRESS_EVERY = 50


@dataclass(frozen=True)
class Method:
    """One way to set the margin. level None: that of the settings."""

    key: str
    estimator: str = "historical"
    level: float | None = None

    @property
    def name(self) -> str:
        """The method as a reader sees it."""
        text = title(self.key)
        if self.estimator != "historical":
            text += f", {estimator(self.estimator).phrase}"
        return text if self.level is None else f"{text}, {100 * self.level:g}%"


METHODS = (
    Method("isolated"),
    Method("netted"),
    Method("portfolio"),
    Method("safeguarded"),
    Method("portfolio", "filtered"),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class MethodRecord:
    """One method through time, arrays (n,) by day, USD.

    required : the margin set that day; var, es: of its own scenarios (None where the method has none of its own)
    losses   : the book's loss over the horizon that followed, loss positive
    hits     : the loss was larger than the margin; for isolated: any position lost more than its own margin
    uncovered : USD by which, the isolated accounts' shortfalls added up
    tails    : (n, k) worst scenario losses of each day, for the test of expected shortfall; None where there are none
    """

    method: Method
    level: float
    dates: np.ndarray
    required: np.ndarray
    losses: np.ndarray
    hits: np.ndarray
    uncovered: np.ndarray
    var: np.ndarray | None
    es: np.ndarray | None
    tails: np.ndarray | None
    scenarios: int

    @property
    def rate(self) -> float:
        """Share of days on which the margin was exceeded."""
        return float(self.hits.mean())

    @property
    def average(self) -> float:
        """Average margin, USD: what it costs to hold."""
        return float(self.required.mean())

    @property
    def expected(self) -> float:
        """1 - level: what a quantile of that level is exceeded; an expected shortfall less."""
        return 1.0 - self.level

    @property
    def peak_to_trough(self) -> float | None:
        """Largest margin / smallest; None where it was 0 once."""
        least = float(self.required.min())
        return float(self.required.max()) / least if least > 0 else None

    def largest_rise(self, days: int = 20) -> float | None:
        """Largest rise of the margin over so many calendar days, a fraction; None without a margin above 0 before one.

        Each day's margin against that of the first record at least `days` days later, whatever the horizon.
        """
        later = np.searchsorted(self.dates, self.dates + np.timedelta64(days, "D"))
        fine = (later < len(self.dates)) & (self.required > 0)
        rises = self.required[later[fine]] / self.required[fine] - 1.0
        return float(rises.max()) if len(rises) else None

    @cached_property
    def report(self) -> ExceedanceReport:
        """Frequency and clustering of the days on which the *VaR* was exceeded, or the margin where there is none."""
        hits = self.hits if self.var is None else self.losses > self.var
        return exceedance_report(hits, self.expected)

    @cached_property
    def shortfall_test(self) -> tuple[float, float] | None:
        """(Z2 of Acerbi and Szekely, its p-value); None where the method has no expected shortfall of its own."""
        if self.var is None or self.es is None or self.tails is None or not (self.es > 0).all():
            return None
        z2 = acerbi_szekely(self.losses, self.var, self.es, self.expected)
        return z2, acerbi_szekely_p_value(z2, self.tails, self.es, self.scenarios, self.expected)


@dataclass(frozen=True, eq=False, kw_only=True)
class Backtest:
    """records in the order of the methods asked for; dates (n,) on which margins were set.

    gross : (n,) USD gross exposure by day; skipped: days whose horizon crossed a pause in the prices
    left_out : symbols of options, which have no price history to walk through; a note names them
    """

    records: tuple[MethodRecord, ...]
    dates: np.ndarray
    gross: np.ndarray
    settings: Settings
    constant: str
    skipped: int
    notes: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def record(self, key: str, estimator: str = "historical") -> MethodRecord:
        """The record of one method at the settings' own level. Raises InputError where it was not walked."""
        for found in self.records:
            if (found.method.key, found.method.estimator, found.method.level) == (key, estimator, None):
                return found
        raise InputError("method", f"{key}, {estimator}", "was not walked")

    def saved_pct(self, found: MethodRecord) -> float | None:
        """Average margin of a method below that of isolated margin, 0..100 (the frontier's axis)."""
        isolated = self.record("isolated").average
        return 100.0 * (1.0 - found.average / isolated) if isolated > 0 else None


def backtest(
    portfolio: Portfolio,
    market: Market,
    settings: Settings | None = None,
    methods: tuple[Method, ...] = METHODS,
    days: int = 1500,
    constant: str = "quantities",
    progress: Callable[[float], None] | None = None,
) -> Backtest:
    """Walk forward over the last `days` dates up to settings.as_of that have `lookback` returns before them.

    constant : "quantities": the book as it is, at each day's prices; "dollars": today's dollar amounts every day
    progress : called with the share done, 0..1; an exception it raises ends the walk
    Margins are looked at every `horizon` days, so that the losses that follow do not overlap. Options are left
    out, by name (their history is not known). Raises InputError for a book of nothing else, for the stressed estimator,
    and for too little history.
    """
    chosen = settings or Settings()
    whole_number(days, "days", 20, 100_000)
    if constant not in ("quantities", "dollars"):
        raise InputError("constant", constant, "is not one of the choices", "quantities or dollars.")
    for method in methods:
        if method.key not in KEYS or method.estimator not in ESTIMATORS:
            hint = f"Methods: {', '.join(KEYS)}. Estimators: {', '.join(ESTIMATORS)}."
            raise InputError("method", f"{method.key}, {method.estimator}", "cannot be walked", hint)
    if not methods:
        raise InputError("methods", "none", "nothing to walk", "Give at least one Method.")
    walk = Walk(portfolio, market, chosen, constant, {m.key for m in methods})
    rows, skipped = days_to_walk(walk, days)
    collected: list[list[Day]] = [[] for _ in methods]
    for done, row in enumerate(rows):
        prepared = walk.at(int(row))
        for kept, method in zip(collected, methods, strict=True):
            kept.append(walk.day(prepared, method.key, method.estimator, method.level or chosen.level))
        if progress is not None and (done % PROGRESS_EVERY == 0 or done == len(rows) - 1):
            progress((done + 1) / len(rows))
    dates, losses = walk.close_dates[rows], walk.losses_after(rows)
    records = tuple(_record(m, kept, dates, losses, chosen) for m, kept in zip(methods, collected, strict=True))
    notes = (*walk.notes, *market.findings_of(portfolio.underlyings, chosen.as_of))
    return Backtest(
        records=records,
        dates=dates,
        gross=walk.gross(rows),
        settings=chosen,
        constant=constant,
        skipped=skipped,
        notes=notes,
        left_out=walk.left_out,
    )


def _record(method: Method, kept: list[Day], dates: np.ndarray, losses: np.ndarray, s: Settings) -> MethodRecord:
    required = np.array([day.required for day in kept])
    total = losses.sum(axis=1)
    if method.key == "isolated":  # every position, every isolated account on its own
        beyond = np.maximum(losses - np.array([day.parts for day in kept]), 0.0)
    elif method.key == "netted":
        parts, labels = np.array([day.parts for day in kept]), kept[0].labels
        beyond = np.maximum(losses @ np.eye(parts.shape[1])[labels] - parts, 0.0)
    else:
        beyond = np.maximum(total - required, 0.0)[:, None]
    own = kept[0].var is not None
    return MethodRecord(
        method=method,
        level=method.level or s.level,
        dates=dates,
        required=required,
        losses=total,
        hits=(beyond > 1e-9 * np.maximum(required, 1.0)[:, None]).any(axis=1),
        uncovered=beyond.sum(axis=1),
        var=np.array([day.var for day in kept]) if own else None,
        es=np.array([day.es for day in kept]) if own else None,
        tails=np.stack([day.tail for day in kept if day.tail is not None])
        if own and kept[0].tail is not None
        else None,
        scenarios=kept[0].scenarios,
    )


def frontier(
    portfolio: Portfolio,
    market: Market,
    settings: Settings | None = None,
    levels: tuple[float, ...] = (0.9, 0.95, 0.975, 0.99, 0.995),
    days: int = 1500,
    constant: str = "quantities",
    progress: Callable[[float], None] | None = None,
) -> Backtest:
    """One record per method, estimator and level: what each saves on average, and how often it was exceeded."""
    chosen = settings or Settings()
    methods = [Method("isolated")]
    methods += [Method("isolated", level=level) for level in levels if level != chosen.level]
    methods += [Method("netted"), Method("safeguarded")]
    for key in ESTIMATORS:
        methods.append(Method("portfolio", key))
        methods += [Method("portfolio", key, level) for level in levels if level != chosen.level]
    return backtest(portfolio, market, chosen, tuple(methods), days, constant, progress)


def settings_for(settings: Settings) -> Settings:
    """The settings with an estimator that can be walked: historical where the book uses the stressed one."""
    return settings if settings.estimator in ESTIMATORS else replace(settings, estimator="historical")
