"""From portfolio margin to what a careful clearing house would charge: each safeguard one line, in a fixed order."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from margin.core.impact import closing_cost
from margin.core.market import Market
from margin.core.settings import Safeguards, Settings
from margin.risk.exposures import Book
from margin.risk.models import ScenarioModel
from margin.risk.scenarios import History, worst_window

CORRELATION_WINDOW = 60
CORRELATION_STEP = 20
LONG_RUN = 3650  # returns: ten years of a market that never closes
VOLUME_DAYS = 90


@dataclass(frozen=True, kw_only=True)
class SafeguardLine:
    """One safeguard. `amount` USD is what it adds to the requirement before it; None when it could not be computed."""

    key: str
    label: str
    enabled: bool
    amount: float | None
    requirement_after: float
    detail: str


@dataclass(frozen=True, kw_only=True)
class Rung:
    """What the lines build on: USD margins of the rungs below, and the book with its market."""

    isolated: float
    portfolio: float
    book: Book
    past: History
    market: Market
    settings: Settings

    @cached_property
    def losses(self) -> np.ndarray:
        """(n,) USD loss of today's book under every return of the whole history."""
        return self.book.losses(self.past.horizon.values).sum(axis=1)

    @property
    def dates(self) -> np.ndarray:
        """(n,) end of each of those returns."""
        return self.past.horizon.dates

    @property
    def net(self) -> np.ndarray:
        """(k,) USD delta of the book in each of `assets`."""
        return self.book.linear_weights().sum(axis=0)

    @property
    def assets(self) -> tuple[str, ...]:
        return self.book.assets

    @property
    def daily_vol(self) -> np.ndarray:
        """(k,) EWMA volatility per day."""
        return self.book.daily_vol

    @property
    def recent_vol(self) -> np.ndarray:
        """(k,) standard deviation of the last `lookback` daily returns."""
        return self.past.daily[-self.settings.lookback :].std(axis=0)

    @property
    def correlations(self) -> "Extremes | None":
        """Correlations seen so far, None while there are too few returns."""
        returns, lookback = self.past.daily, self.settings.lookback
        if len(returns) < CORRELATION_WINDOW:
            return None
        key = ("extremes", self.past.assets, self.settings.as_of, lookback)
        return self.market.remember(key, lambda: _correlation_extremes(returns, lookback))

    def volume(self, asset: str) -> float | None:
        """Median USD traded per day."""
        return self.market.median_volume(asset, self.book.as_of, VOLUME_DAYS)

    def tail(self, losses: np.ndarray) -> float:
        """USD margin of one series of losses (n,), by the measure and level of the settings."""
        return ScenarioModel(losses[:, None], self.settings.level, self.settings.measure).total()

    @cached_property
    def stress(self) -> tuple[float, str]:
        """(USD margin in the worst window of `lookback` returns, which days those are)."""
        length = min(self.settings.lookback, len(self.losses))
        window = slice(start := worst_window(self.losses, length, self.settings.level), start + length)
        dates = self.dates[window]
        days = f"{str(dates[0])[:10]} to {str(dates[-1])[:10]}"
        return self.tail(self.losses[window]), f"the worst {length} returns ({days})"

    def scaled(self, factor: float) -> "Rung":
        """The same for a book `factor` times as large."""
        return replace(
            self, isolated=self.isolated * factor, portfolio=self.portfolio * factor, book=self.book.scaled(factor)
        )


def safeguard_lines(rung: Rung) -> tuple[SafeguardLine, ...]:
    """All lines in order; the last one's `requirement_after` is the safeguarded margin.

    Amounts are increments, so the enabled ones add up to safeguarded - portfolio. Each definition is in docs/models.md.
    """
    s = rung.settings.safeguards
    steps: list[tuple[str, str, bool, Callable[[float], tuple[float | None, str]]]] = [
        ("offset_cap", "Cap on offsets", s.offset_cap, lambda m: _offset_cap(m, rung, s)),
        ("stressed", "Stressed period", s.stressed, lambda m: _stressed(m, rung, s)),
        ("correlation_break", "Correlation break", s.correlation_break, lambda m: _correlation_break(m, rung, s)),
        ("liquidity", "Liquidity and concentration", s.liquidity, lambda m: _liquidity(m, rung, s)),
        (
            "procyclicality",
            "Anti-procyclical " + {"buffer": "buffer", "stress": "stress weight"}.get(s.procyclicality, "floor"),
            s.procyclicality != "off",
            lambda m: _procyclicality(m, rung, s),
        ),
        ("cap_at_isolated", "Never more than isolated", s.cap_at_isolated, lambda m: _cap(m, rung)),
    ]
    lines, requirement = [], rung.portfolio
    for key, label, enabled, compute in steps:
        amount, detail = compute(requirement) if enabled else (0.0, "Switched off.")
        requirement += amount or 0.0
        lines.append(
            SafeguardLine(
                key=key, label=label, enabled=enabled, amount=amount, requirement_after=requirement, detail=detail
            )
        )
    return tuple(lines)


def _offset_cap(margin: float, rung: Rung, s: Safeguards) -> tuple[float, str]:
    """Reduction at most a share of isolated - portfolio. Source: EMIR RTS 153/2013, article 27."""
    floor = rung.isolated - s.offset_cap_share * (rung.isolated - rung.portfolio)
    reduction = max(rung.isolated - rung.portfolio, 0.0)
    detail = f"At most {s.offset_cap_share:.0%} of the reduction of {_usd(reduction)} counts."
    return max(floor - margin, 0.0), detail


def _stressed(margin: float, rung: Rung, s: Safeguards) -> tuple[float, str]:
    """max(margin, weight x margin in the worst window of the history). Source: Eurex Prisma's stressed component."""
    tail, window = rung.stress
    detail = f"{s.stress_weight:.0%} of {_usd(tail)}, the margin in {window}."
    return max(s.stress_weight * tail - margin, 0.0), detail


def _correlation_break(margin: float, rung: Rung, s: Safeguards) -> tuple[float, str]:
    """weight x margin x (how much volatility would rise if every pair went to its worst correlation seen - 1)."""
    ratio = 1.0 if rung.correlations is None else break_ratio(rung.net * rung.recent_vol, rung.correlations)
    room = max(rung.isolated - rung.portfolio, 0.0)
    amount = min(s.correlation_weight * rung.portfolio * (ratio - 1.0), room)
    detail = (
        f"{s.correlation_weight:.0%} of the rise if every pair went to its worst {CORRELATION_WINDOW}-day correlation "
        f"so far (volatility x {ratio:.2f})."
    )
    return max(amount, 0.0), detail


@dataclass(frozen=True)
class Extremes:
    """Each (k, k): every pair's lowest and highest correlation over 60-return windows so far, and the present one."""

    low: np.ndarray
    high: np.ndarray
    now: np.ndarray


def break_ratio(dollars: np.ndarray, seen: Extremes) -> float:
    """root(variance with each pair at the correlation that hurts this book most / variance now), at least 1.

    dollars : (k,) USD standard deviation per asset, signed. The extremes are each pair's own, so together they are a
    bound, not a matrix that was ever seen.
    """
    if len(dollars) < 2:
        return 1.0
    products = np.outer(dollars, dollars)
    worst = np.where(products > 0, np.maximum(seen.high, seen.now), np.minimum(seen.low, seen.now))
    current, broken = float(np.sum(products * seen.now)), float(np.sum(products * worst))
    gross = float(np.abs(dollars).sum())
    if gross <= 0:
        return 1.0
    # A perfectly hedged book has no volatility to multiply; the break is then measured against 1% of its gross.
    return float(np.sqrt(max(broken, 0.0) / max(current, (0.01 * gross) ** 2))) if broken > current else 1.0


def _correlation_extremes(returns: np.ndarray, lookback: int) -> Extremes:
    starts = np.arange(len(returns) - CORRELATION_WINDOW, -1, -CORRELATION_STEP)
    windows = np.stack([returns[s : s + CORRELATION_WINDOW] for s in starts])
    corr = correlations(windows)
    return Extremes(corr.min(axis=0), corr.max(axis=0), correlations(returns[None, -lookback:])[0])


def correlations(windows: np.ndarray) -> np.ndarray:
    """(w, n, k) -> (w, k, k); 0 where an asset does not vary within a window, 1 on the diagonal."""
    centred = windows - windows.mean(axis=1, keepdims=True)
    cov = np.einsum("wni,wnj->wij", centred, centred)
    vols = np.sqrt(np.einsum("wii->wi", cov))
    scale = vols[:, :, None] * vols[:, None, :]
    corr = np.divide(cov, scale, out=np.zeros_like(cov), where=scale > 0)
    k = windows.shape[2]
    corr[:, np.arange(k), np.arange(k)] = 1.0
    return corr


def _liquidity(margin: float, rung: Rung, s: Safeguards) -> tuple[float | None, str]:
    """Sum over underlyings of what closing |net USD| costs by the square-root law (margin/core/impact.py)."""
    total, missing = 0.0, []
    for asset, usd, vol in zip(rung.assets, np.abs(rung.net), rung.daily_vol, strict=True):
        if usd == 0:
            continue
        volume = rung.volume(asset)
        if not volume:
            missing.append(asset)
            continue
        total += closing_cost(usd, volume, vol, s.impact_factor)
    if missing and not total:
        return None, f"Not computed: no traded volume for {', '.join(missing)}."
    partly = f" Not computed for {', '.join(missing)}: no traded volume." if missing else ""
    return total, f"Cost of closing by the square-root law on {VOLUME_DAYS}-day median volume.{partly}"


def _procyclicality(margin: float, rung: Rung, s: Safeguards) -> tuple[float, str]:
    """A buffer on top, part of the weight on stress, or a floor from up to ten years of history.

    Source: EMIR RTS 153/2013, article 28(1)(a), (b), (c).
    """
    if s.procyclicality == "buffer":
        return s.buffer_share * margin, f"{s.buffer_share:.0%} on top, to be used up when markets turn."
    if s.procyclicality == "stress":
        tail, window = rung.stress
        detail = f"{s.stress_share:.0%} of the weight on {_usd(tail)}, the margin in {window}."
        return max(s.stress_share * (tail - margin), 0.0), detail
    long_run = rung.losses[-LONG_RUN:]
    floor = rung.tail(long_run)
    years = (rung.dates[-1] - rung.dates[-len(long_run)]) / np.timedelta64(365, "D")
    detail = f"Not below {_usd(floor)}, the margin over {years:.1f} years of history (up to ten where there are)."
    return max(floor - margin, 0.0), detail


def _cap(margin: float, rung: Rung) -> tuple[float, str]:
    """At most the isolated margin; under VaR, where the pool alone may ask more than its silos, at most that."""
    detail = "A pool that asks more than its silos would be left for them."
    return min(max(rung.isolated, rung.portfolio) - margin, 0.0), detail


def _usd(amount: float) -> str:
    return f"${amount:,.0f}"
