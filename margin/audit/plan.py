"""What an audit asks of every account: prices, scenarios, the rule of the margin, shocks; sent to every worker."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.audit.lines import FIRST_LEVERAGE, of_tiers, stacked
from margin.audit.passes import ALONE, POOLED, TIERED
from margin.audit.shocks import Shock, default_shocks
from margin.core.errors import InputError, did_you_mean
from margin.core.instruments import USD_STABLECOINS
from margin.core.market import Market
from margin.core.settings import Settings
from margin.risk.tail import expected_shortfall, tail_mass

LADDER_KINDS = {"portfolio": POOLED, "isolated": ALONE, "netted": ALONE}
DECAY = 0.94  # RiskMetrics' of a day
MAINTENANCE = 0.5  # share of the ladder's requirement below which an account is closed


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """assets (k) with prices (k,) USD; losses (k, S) per dollar held long; alone (4, k): ES and worst, long and short.

    kind, share, lines (k, T, 14) : the rule (margin/audit/passes.py, margin/audit/lines.py)
    covariance (k, k) of a day's returns, EWMA; single: an account is one position, the rule of an isolated mode
    moves (K, k) of the shocks, uniform (K,) where all assets move alike; gap: adverse move between trigger and close
    """

    model: str
    as_of: str
    assets: tuple[str, ...]
    prices: np.ndarray
    losses: np.ndarray
    alone: np.ndarray
    level: float
    kind: int
    share: float
    lines: np.ndarray
    names: tuple[str, ...]
    moves: np.ndarray
    uniform: np.ndarray
    gap: float
    covariance: np.ndarray
    single: bool = False
    notes: tuple[str, ...] = ()

    def digest(self) -> str:
        """A fingerprint of everything that an account's figures depend on."""
        found = hashlib.sha256(repr([self.model, self.as_of, self.assets, self.level, self.kind, self.share]).encode())
        found.update(repr([self.names, self.gap, self.single]).encode())
        for name, values in vars(self).items():
            if isinstance(values, np.ndarray):
                found.update(name.encode() + np.ascontiguousarray(values).tobytes())
        return found.hexdigest()

    @property
    def mass(self) -> tuple[int, float]:
        """(whole scenarios in the tail, the tail's mass in scenarios)."""
        mass, whole = tail_mass(self.losses.shape[1], self.level)
        return int(whole), float(mass)


def make_plan(
    market: Market,
    model: str = "portfolio",
    settings: Settings | None = None,
    shocks: Sequence[Shock] | None = None,
    tiers: Mapping[str, Any] | None = None,
    gap: float = 0.0,
    share: float = MAINTENANCE,
    assets: Sequence[str] | None = None,
) -> Plan:
    """The plan of an audit as of settings.as_of.

    model  : "portfolio", "isolated" or "netted" (the ladder), else any name together with `tiers`
    tiers  : by asset, rows of (maintenance rate, deduction USD, highest leverage), or lines (T, 14) of
             margin/audit/lines.py: a venue's rule; margin.audit.models makes them from a model of the registry
    assets : which to judge (default: every asset of the market whose returns fill the lookback)
    Raises InputError for an unknown model, a share outside 0 to 1, or a market without a common stretch of returns.
    """
    chosen = settings or Settings()
    if tiers is None and model not in LADDER_KINDS:
        hint = did_you_mean(model, LADDER_KINDS) or f"One of {', '.join(LADDER_KINDS)}, or a venue's key."
        raise InputError("model", model, "is not a rule that audits run on", hint)
    if not 0.0 < share <= 1.0 or not 0.0 <= gap < 1.0:
        raise InputError("share", share, "must be above 0 and at most 1, and the gap from 0 to below 1")
    names = tuple(assets) if assets is not None else with_history(market, chosen)
    notes = []
    if tiers is not None:
        untold = [name for name in names if name not in tiers]
        if untold:
            notes.append(f"No tier known here for {', '.join(untold)}: their positions count as without a rule.")
        names = tuple(name for name in names if name in tiers)
    if not names:
        raise InputError("prices", "no asset", f"has {chosen.lookback} returns", "Ask for a shorter lookback.")
    past = market.returns(list(names), chosen.as_of, chosen.horizon, chosen.lookback)
    losses = np.ascontiguousarray(-past.values.T)
    if losses.shape[1] < 2:
        raise InputError("lookback", losses.shape[1], "leaves too few scenarios")
    alone = np.stack(
        [expected_shortfall(side, chosen.level) for side in (losses.T, -losses.T)] + [losses.max(1), -losses.min(1)]
    )
    grid = list(default_shocks(names)) if shocks is None else list(shocks)
    moves = np.array([[shock.moves.get(a, 0.0) for a in names] for shock in grid]).reshape(len(grid), len(names))
    if not ((moves >= -1.0) & (moves <= 100.0)).all():
        raise InputError("shocks", "a move", "must be a fraction from -1 to 100")
    return Plan(
        model=model,
        as_of=str(past.as_of)[:10],
        assets=names,
        prices=past.prices,
        losses=losses,
        alone=alone,
        level=chosen.level,
        kind=TIERED if tiers is not None else LADDER_KINDS[model],
        share=share,
        lines=stacked([_lines(tiers, name) for name in names]),
        names=tuple(shock.name for shock in grid),
        moves=moves,
        uniform=np.array([len(set(row.tolist())) == 1 for row in moves], dtype=np.bool_),
        gap=gap,
        covariance=_covariance(market, names, chosen),
        single=tiers is not None and model.endswith(":isolated"),
        notes=tuple(notes),
    )


def _covariance(market: Market, names: Sequence[str], settings: Settings) -> np.ndarray:
    """(k, k) of a day's returns, exponentially weighted (0.94), mean zero: what a book's own EWMA volatility is."""
    daily = market.returns(list(names), settings.as_of, 1, settings.lookback).values
    weights = DECAY ** np.arange(len(daily))[::-1]
    weights /= weights.sum()
    out: np.ndarray = (daily * weights[:, None]).T @ daily
    return np.ascontiguousarray(out)


def with_history(market: Market, settings: Settings) -> tuple[str, ...]:
    """Assets that share the calendar of most: the same last `lookback` returns' dates up to as-of; dollars out.

    So every account is judged on the scenarios it would have alone. A stock's five days a week are another calendar.
    """
    found: dict[bytes, list[str]] = {}
    for asset in market.assets:
        if asset in USD_STABLECOINS:
            continue
        try:
            known = market.returns([asset], settings.as_of, settings.horizon, settings.lookback)
        except InputError:
            continue
        if len(known.values) >= settings.lookback:
            found.setdefault(known.dates.tobytes(), []).append(asset)
    return tuple(max(found.values(), key=lambda names: len(list(names)))) if found else ()


def _lines(tiers: Mapping[str, Any] | None, asset: str) -> np.ndarray:
    rows = (tiers or {}).get(asset, ())
    if isinstance(rows, np.ndarray):
        return rows
    return of_tiers(rows) if len(rows) else of_tiers([(0.0, 0.0, FIRST_LEVERAGE)])
