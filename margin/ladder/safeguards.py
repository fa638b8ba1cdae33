"""From portfolio margin to what a careful clearing house would charge: each safeguard one line, in a fixed order."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from margin.core.impact import square_root_impact
from margin.core.settings import Safeguards
from margin.ladder.method import VOLUME_DAYS, PooledBook, tail, worst_stretch
from margin.risk.extremes import CORRELATION_WINDOW, break_ratio

__all__ = ["SafeguardLine", "safeguard_lines"]

LONG_RUN = 3650  # returns: ten years of a market that never closes


@dataclass(frozen=True, kw_only=True)
class SafeguardLine:
    """One safeguard. `amount` USD is what it adds to the requirement before it; None when it could not be computed."""

    key: str
    label: str
    enabled: bool
    amount: float | None
    requirement_after: float
    detail: str


def safeguard_lines(book: PooledBook) -> tuple[SafeguardLine, ...]:
    """All lines in order; the last one's `requirement_after` is the safeguarded margin.

    Amounts are increments, so the enabled ones add up to safeguarded - portfolio. Each definition is in docs/models.md.
    """
    s = book.settings.safeguards
    steps: list[tuple[str, str, bool, Callable[[float], tuple[float | None, str]]]] = [
        ("offset_cap", "Cap on offsets", s.offset_cap, lambda m: _offset_cap(m, book, s)),
        ("stressed", "Stressed period", s.stressed, lambda m: _stressed(m, book, s)),
        ("correlation_break", "Correlation break", s.correlation_break, lambda m: _correlation_break(m, book, s)),
        ("basis", "Basis", s.basis, lambda m: _basis(m, book, s)),
        ("liquidity", "Liquidity and concentration", s.liquidity, lambda m: _liquidity(m, book, s)),
        (
            "procyclicality",
            "Anti-procyclical " + {"buffer": "buffer", "stress": "stress weight"}.get(s.procyclicality, "floor"),
            s.procyclicality != "off",
            lambda m: _procyclicality(m, book, s),
        ),
        ("cap_at_isolated", "Never more than isolated", s.cap_at_isolated, lambda m: _cap(m, book, s)),
    ]
    lines, requirement = [], book.portfolio
    for key, label, enabled, compute in steps:
        amount, detail = compute(requirement) if enabled else (0.0, "Switched off.")
        requirement += amount or 0.0
        lines.append(
            SafeguardLine(
                key=key, label=label, enabled=enabled, amount=amount, requirement_after=requirement, detail=detail
            )
        )
    return tuple(lines)


def _offset_cap(margin: float, book: PooledBook, s: Safeguards) -> tuple[float, str]:
    """Reduction at most a share of isolated - portfolio. Source: EMIR RTS 153/2013, article 27."""
    floor = book.isolated - s.offset_cap_share * (book.isolated - book.portfolio)
    reduction = max(book.isolated - book.portfolio, 0.0)
    detail = f"At most {s.offset_cap_share:.0%} of the reduction of {_usd(reduction)} counts."
    return max(floor - margin, 0.0), detail


def _stressed(margin: float, book: PooledBook, s: Safeguards) -> tuple[float, str]:
    """max(margin, weight x margin in the worst window of the history). Source: Eurex Prisma's stressed component."""
    worst, window = worst_stretch(book)
    detail = f"{s.stress_weight:.0%} of {_usd(worst)}, the margin in {window}."
    return max(s.stress_weight * worst - margin, 0.0), detail


def _correlation_break(margin: float, book: PooledBook, s: Safeguards) -> tuple[float, str]:
    """weight x margin x (how much volatility would rise if every pair went to its worst correlation seen - 1)."""
    seen = book.correlations
    ratio = 1.0 if seen is None else break_ratio(book.net * book.recent_vol, seen)
    room = max(book.isolated - book.portfolio, 0.0)
    amount = min(s.correlation_weight * book.portfolio * (ratio - 1.0), room)
    detail = (
        f"{s.correlation_weight:.0%} of the rise if every pair went to its worst {CORRELATION_WINDOW}-day correlation "
        f"so far (volatility × {ratio:.2f})."
    )
    return max(amount, 0.0), detail


def _basis(margin: float, book: PooledBook, s: Safeguards) -> tuple[float, str]:
    """What offsets between different instruments of one underlying are charged: their prices are not one price."""
    charge = book.basis
    if not charge.assets:
        return 0.0, "No two instruments of one underlying offset at one price."
    rates = f"{1e4 * s.basis_majors:g} bp of the smaller side for BTC and ETH, {1e4 * s.basis_others:g} bp for others"
    return charge.amount, f"Instruments of {', '.join(charge.assets)} offset at one price here: {rates}."


def _liquidity(margin: float, book: PooledBook, s: Safeguards) -> tuple[float | None, str]:
    """Sum over underlyings of what closing |net USD| costs by the square-root law (margin/core/impact.py)."""
    costs, missing = closing_costs(book.assets, book.net[None], book.volumes, book.daily_vol, s.impact_factor)
    total = float(costs[0])
    if missing and not total:
        return None, f"Not computed: no traded volume for {', '.join(missing)}."
    partly = f" Not computed for {', '.join(missing)}: no traded volume." if missing else ""
    return total, f"Cost of closing by the square-root law on {VOLUME_DAYS}-day median volume.{partly}"


def closing_costs(
    assets: tuple[str, ...], net: np.ndarray, volumes: np.ndarray, vols: np.ndarray, factor: float
) -> tuple[np.ndarray, list[str]]:
    """((r,) USD that closing |net USD| of each asset costs, assets held whose traded volume is unknown: not in it).

    assets  : of each of the n columns; one whose instruments have prices of their own stands twice, and its size is one
    net     : (r, n) USD; volumes : (n,) USD a day; vols : (n,) daily
    """
    owners = {asset: i for i, asset in enumerate(dict.fromkeys(assets))}
    places = np.array([owners[asset] for asset in assets], dtype=int)
    usd = np.abs(net @ np.eye(len(owners))[places])
    traded, moves = np.full(len(owners), np.nan), np.zeros(len(owners))
    traded[places], moves[places] = volumes, vols
    known = traded > 0
    missing = [asset for asset, i in owners.items() if (usd[:, i] > 0).any() and not known[i]]
    costs: np.ndarray = (usd[:, known] * square_root_impact(usd[:, known], traded[known], moves[known], factor)).sum(
        axis=1
    )
    return costs, missing


def _procyclicality(margin: float, book: PooledBook, s: Safeguards) -> tuple[float, str]:
    """A buffer on top, part of the weight on stress, or a floor from up to ten years of history.

    Source: EMIR RTS 153/2013, article 28(1)(a), (b), (c).
    """
    if s.procyclicality == "buffer":
        return s.buffer_share * margin, f"{s.buffer_share:.0%} on top, to be used up when markets turn."
    if s.procyclicality == "stress":
        worst, window = worst_stretch(book)
        detail = f"{s.stress_share:.0%} of the weight on {_usd(worst)}, the margin in {window}."
        return max(s.stress_share * (worst - margin), 0.0), detail
    long_run = book.losses[-LONG_RUN:]
    floor = tail(book, long_run)
    years = (book.dates[-1] - book.dates[-len(long_run)]) / np.timedelta64(365, "D")
    detail = f"Not below {_usd(floor)}, the margin over {years:.1f} years of history (up to ten where there are)."
    return max(floor - margin, 0.0), detail


def _cap(margin: float, book: PooledBook, s: Safeguards) -> tuple[float, str]:
    """At most the isolated margin; under VaR, where the pool alone may ask more than isolated accounts, at most that.

    The basis of coins held behind a position comes on top: isolated accounts do not let them hedge it.
    """
    detail = "A pool that asks more than isolated accounts would be left for them."
    coins = book.basis.coins if s.basis else 0.0
    return min(max(book.isolated, book.portfolio) + coins - margin, 0.0), detail


def _usd(amount: float) -> str:
    return f"${amount:,.0f}"
