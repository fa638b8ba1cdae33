"""The ladder: the same book under isolated, netted, portfolio and safeguarded margin, and what explains each step.

    isolated   = sum over positions of ES(loss)             every position its own isolated account
    netted     = sum over underlyings of ES(sum of losses)  long and short in one underlying offset
    portfolio  = ES(sum of all losses)                      everything offsets, as history allows
    safeguarded = portfolio + safeguards                    see margin/ladder/safeguards.py

netting = isolated - netted, diversification = netted - portfolio, given back for safety = safeguarded - portfolio.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from margin.core.checks import date_text
from margin.core.errors import InputError
from margin.core.market import Market, as_market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.ladder.account import Account, account, hold
from margin.ladder.as_held import AsHeld, as_held
from margin.ladder.method import MeasuredBook
from margin.ladder.notes import book_notes, var_note
from margin.ladder.safeguards import SafeguardLine, safeguard_lines
from margin.risk.elliptical import Elliptical, simulate
from margin.risk.estimate import estimate, observations
from margin.risk.estimators import estimators
from margin.risk.exposures import Book, Exposure, value_book
from margin.risk.history import History, history, price_series
from margin.risk.models import RiskModel
from margin.risk.scenarios import Scenarios


@dataclass(frozen=True)
class Attribution:
    """USD. isolated - netting - diversification + safeguards = safeguarded, exactly."""

    netting: float
    diversification: float
    safeguards: float


@dataclass(frozen=True, kw_only=True)
class PositionResult:
    """One position: USD value (signed), margin alone, Euler contribution to the portfolio margin, and its greeks."""

    symbol: str
    kind: str
    underlying: str
    quantity: float
    price: float
    value: float
    delta_usd: float
    standalone: float
    contribution: float
    share: float | None
    delta: float
    gamma: float
    vega: float
    theta: float
    implied_vol: float | None


@dataclass(frozen=True, kw_only=True)
class UnderlyingResult:
    """One underlying: net USD delta, margin of its positions alone and netted, and the book's greeks in it."""

    underlying: str
    delta_usd: float
    isolated: float
    netted: float
    delta: float
    gamma: float
    vega: float


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Comparison:
    """The result of `compare`. Money is USD; `saved_pct` is 0..100, None when isolated margin is 0.

    positions : those that are margined; owned spot stands in account.collateral
    as_held   : for several accounts, or one at a venue, what each account's own rules ask; else None
    """

    as_of: pd.Timestamp
    scenarios: int
    settings: Settings
    isolated: float
    netted: float
    portfolio: float
    safeguarded: float
    attribution: Attribution
    positions: tuple[PositionResult, ...]
    underlyings: tuple[UnderlyingResult, ...]
    safeguard_lines: tuple[SafeguardLine, ...]
    account: Account
    notes: tuple[str, ...]
    book: Book
    scenario_set: Scenarios | Elliptical
    measured: MeasuredBook
    as_held: AsHeld | None = None

    def __repr__(self) -> str:
        rows = [f"  {name:<12}{usd:>18,.2f}" for name, usd in self._methods()]
        if self.saved_pct is not None:
            rows.append(f"  {'saved':<12}{self.saved:>18,.2f} ({self.saved_pct:.1f}%)")
        how = f"{self.settings.measure.upper()} {self.settings.level:.2%}"
        head = f"Comparison as of {date_text(self.as_of)}, {how}, {len(self.positions)} positions, USD"
        return "\n".join([head, *rows])

    def _repr_html_(self) -> str:
        """A small table for notebooks; names of methods and numbers only, nothing a visitor wrote."""
        row = "<tr><td>{}</td><td style='text-align:right'>{:,.2f}</td></tr>"
        rows = "".join(row.format(name, usd) for name, usd in self._methods())
        return f"<table><tr><th>margin</th><th>USD, {date_text(self.as_of)}</th></tr>{rows}</table>"

    def _methods(self) -> list[tuple[str, float]]:
        return [(name, getattr(self, name)) for name in ("isolated", "netted", "portfolio", "safeguarded")]

    @property
    def saved(self) -> float:
        """USD that the pooled account needs less than isolated ones."""
        return self.isolated - self.portfolio

    @property
    def saved_pct(self) -> float | None:
        """Percent of isolated margin saved; None where that is 0."""
        return 100.0 * self.saved / self.isolated if self.isolated > 0 else None

    @property
    def basis(self) -> float:
        """USD the basis line charges: instruments of one underlying that offset do not have one price."""
        return next((line.amount or 0.0 for line in self.safeguard_lines if line.key == "basis"), 0.0)

    @property
    def asked(self) -> float:
        """USD that a sentence may call the need of the pooled account: portfolio margin, jointly with coins held.

        Where that is smaller than the basis line, which it knows nothing of, the safeguarded figure.
        """
        a = self.account
        return a.requirement_safeguarded if a.requirement < self.basis else a.requirement

    @cached_property
    def drawn(self) -> Scenarios:
        """The scenarios behind the figures; for a closed form, draws with exactly its covariance (for charts)."""
        return simulate(self.scenario_set) if isinstance(self.scenario_set, Elliptical) else self.scenario_set

    @cached_property
    def losses(self) -> np.ndarray:
        """(n, m) USD loss of each position under each scenario of `drawn`."""
        return self.book.losses(self.drawn.returns)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: the contract of `compare --json` and more."""
        held: dict[str, Any] = {}
        if self.as_held is not None:
            held = {
                "as_held": self.as_held.initial,
                "pooled": self.as_held.pooled,
                "as_held_saved": self.as_held.saved,
                "accounts": [asdict(row) for row in self.as_held.accounts],
            }
        return {
            **held,
            "as_of": date_text(self.as_of),
            "scenarios": self.scenarios,
            "measure": self.settings.measure,
            "level": self.settings.level,
            "horizon": self.settings.horizon,
            "lookback": self.settings.lookback,
            "estimator": self.settings.estimator,
            "settings": self.settings.to_dict(),
            "isolated": self.isolated,
            "netted": self.netted,
            "portfolio": self.portfolio,
            "safeguarded": self.safeguarded,
            "saved": self.saved,
            "saved_pct": self.saved_pct,
            "attribution": asdict(self.attribution),
            "positions": [asdict(p) for p in self.positions],
            "underlyings": [asdict(u) for u in self.underlyings],
            "safeguards": [asdict(line) for line in self.safeguard_lines],
            "account": asdict(self.account),
            "notes": list(self.notes),
        }


def compare(
    portfolio: Portfolio,
    prices: "pd.DataFrame | Market",
    level: float | None = None,
    horizon: int | None = None,
    lookback: int | None = None,
    measure: str | None = None,
    estimator: str | None = None,
    as_of: Any = None,
    settings: Settings | Mapping[str, Any] | None = None,
    volumes: pd.DataFrame | None = None,
) -> Comparison:
    """What `portfolio` needs under every method of the ladder at as-of, and why the methods differ.

    prices  : DataFrame of USD closes [date x asset], or a Market
    volumes : DataFrame of the same form, USD traded per day; without it the liquidity add-on is not computed (a Market
              brings its own)
    settings: Settings or its dict; the other arguments override single fields of it
    Raises InputError (also for a price that is missing or a contract that had expired), naming what and how to mend it.
    """
    base = Settings.from_dict(settings) if isinstance(settings, Mapping) else settings or Settings()
    chosen = base.with_(
        level=level, horizon=horizon, lookback=lookback, measure=measure, estimator=estimator, as_of=as_of
    )
    if not portfolio.positions:
        raise InputError("positions", "none", "the portfolio is empty", "Add a position, e.g. 1 of BTC/USD.")
    market = _market(prices, volumes)
    if not portfolio.assets:
        raise InputError("positions", "only dollars", "nothing in the portfolio moves", "Add an asset with a price.")
    settled = portfolio.settled
    series = price_series(market, [p.instrument for p in settled.positions or portfolio.positions], chosen)
    past = history(market, series, chosen)
    known = past.horizon
    book = value_book(settled.positions, known.assets, known.prices, past.daily_vol, known.as_of, chosen)
    scenario_set, model = estimate(book, past, chosen)
    result = _result(settled, market, book, past, chosen, scenario_set, model)
    result = replace(result, notes=(*portfolio.notes, *result.notes))
    if len(portfolio.accounts) == 1 and not portfolio.account.venue:
        return result
    pooled = result.account.requirement_safeguarded
    dated = chosen.with_(as_of=date_text(result.as_of))
    return replace(result, as_held=as_held(portfolio, market, dated, pooled))


def compare_methods(
    portfolio: Portfolio, prices: "pd.DataFrame | Market", settings: Settings, volumes: pd.DataFrame | None = None
) -> list[tuple[str, "Comparison | InputError"]]:
    """`compare` under every estimator, in the order of Settings; what cannot be computed is the error itself."""
    market = _market(prices, volumes)
    rows: list[tuple[str, Comparison | InputError]] = []
    for estimator in (row.key for row in estimators()):
        try:
            rows.append((estimator, compare(portfolio, market, settings=settings.with_(estimator=estimator))))
        except InputError as error:
            rows.append((estimator, error))
    return rows


def _market(prices: "pd.DataFrame | Market", volumes: pd.DataFrame | None) -> Market:
    if isinstance(prices, Market) and volumes is not None:
        hint = "Build the market with them: Market(closes, volumes)."
        raise InputError("volumes", "a DataFrame", "cannot be added to a Market", hint)
    return as_market(prices, volumes)


def _result(
    portfolio: Portfolio,
    market: Market,
    book: Book,
    past: History,
    settings: Settings,
    scenario_set: Scenarios | Elliptical,
    model: RiskModel,
) -> Comparison:
    names = portfolio.underlyings
    labels = [names.index(p.underlying) for p in portfolio.positions]
    standalone, by_underlying = model.standalone(), model.groups(labels, len(names))
    isolated, netted, pooled = float(standalone.sum()), float(by_underlying.sum()), model.total()
    contributions = model.contributions()
    if settings.measure == "es" or isinstance(scenario_set, Elliptical):
        netted = no_rounding_above(netted, isolated, isolated)
        pooled = no_rounding_above(pooled, netted, isolated)
    measured = MeasuredBook(isolated=isolated, portfolio=pooled, book=book, past=past, market=market, settings=settings)
    held = hold(portfolio.collateral, measured, model, by_underlying)
    measured = replace(measured, basis=held.basis)
    lines = safeguard_lines(measured)
    safeguarded = lines[-1].requirement_after
    holder = account(held, measured, safeguarded)
    count = observations(scenario_set)
    notes = (
        *book_notes(market, book, settings, count),
        *var_note(isolated, netted, pooled),
        *scenario_set.notes,
        *holder.notes,
    )
    return Comparison(
        as_of=book.as_of,
        scenarios=count,
        settings=settings,
        isolated=isolated,
        netted=netted,
        portfolio=pooled,
        safeguarded=safeguarded,
        attribution=Attribution(isolated - netted, netted - pooled, safeguarded - pooled),
        positions=tuple(
            _position(e, float(alone), float(part), pooled)
            for e, alone, part in zip(book.exposures, standalone, contributions, strict=True)
        ),
        underlyings=tuple(
            _underlying(
                name, [e for e, label in zip(book.exposures, labels, strict=True) if label == i], alone, netted_u
            )
            for i, (name, alone, netted_u) in enumerate(
                zip(names, np.bincount(np.array(labels, dtype=int), standalone, len(names)), by_underlying, strict=True)
            )
        ),
        safeguard_lines=lines,
        account=holder,
        notes=notes,
        book=book,
        scenario_set=scenario_set,
        measured=measured,
    )


def no_rounding_above(lower: float, upper: float, scale: float) -> float:
    """`lower`, which theory puts at or below `upper`, without the excess of floating point next to `scale` USD."""
    return min(lower, upper) if lower <= upper + 1e-9 * scale else lower


def _position(e: Exposure, alone: float, part: float, pooled: float) -> PositionResult:
    return PositionResult(
        symbol=e.position.symbol,
        kind=e.instrument.kind,
        underlying=e.instrument.base,
        quantity=e.position.quantity,
        price=e.price,
        value=e.value,
        delta_usd=e.delta_usd,
        standalone=alone,
        contribution=part,
        share=part / pooled if pooled > 0 else None,
        delta=e.delta,
        gamma=e.gamma,
        vega=e.vega,
        theta=e.theta,
        implied_vol=e.implied_vol,
    )


def _underlying(name: str, held: list[Exposure], isolated: float, netted: float) -> UnderlyingResult:
    return UnderlyingResult(
        underlying=name,
        delta_usd=sum(e.delta_usd for e in held),
        isolated=float(isolated),
        netted=float(netted),
        delta=sum(e.delta for e in held),
        gamma=sum(e.gamma for e in held),
        vega=sum(e.vega for e in held),
    )
