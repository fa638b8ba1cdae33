"""`states` of cross accounts that only add positions up, compiled: the same figures as `reckon` on arrays.

An account whose perpetuals are margined one by one at the mark is a few numbers: its equity is linear in the prices,
and each position's margins are those of the tier its value lies in. docs/margin-models.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from margin.core.account import SubAccount
from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import Lines, Mode, Rulebook
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tier

__all__ = ["LEAST_ROWS", "Plan", "adds_up", "plan", "states"]

LEAST_ROWS = 50_000  # below, numpy is as quick as loading the compiled loop


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """An account as the compiled loop reads it; see `margin.venues.states_kernel.summed`."""

    equity: np.ndarray
    opening: np.ndarray
    column: np.ndarray
    value: np.ndarray
    fee: np.ndarray
    fee_share: np.ndarray
    first: np.ndarray
    caps: np.ndarray
    rates: np.ndarray
    deductions: np.ndarray
    initial_rates: np.ndarray
    printed: np.ndarray
    to_open: bool
    closed: bool
    still: tuple[int, ...]

    def covers(self, factors: np.ndarray) -> bool:
        """Whether the columns that move all figures at once stand still: the price of what the contracts settle in."""
        return not self.still or bool(np.all(factors[:, self.still] == 1.0))


def adds_up(rulebook: Rulebook, sub: SubAccount, mode: Mode) -> bool:
    """Whether the venue only adds up what each coin's perpetuals are asked: linear ones, in a cross account."""
    if not isinstance(rulebook, PerpetualVenue) or mode not in rulebook.summed or sub.isolated:
        return False
    return all(p.instrument.kind == "perpetual" and not p.instrument.is_inverse for p in sub.positions)


def plan(rulebook: Rulebook, sub: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float]) -> Plan | None:
    """The account as numbers, columns in the order of `sub.assets`; None where the venue does more than add up.

    sub : pinned (margin.models.base.pinned), supported by the rulebook in this mode
    """
    if not isinstance(rulebook, PerpetualVenue) or not adds_up(rulebook, sub, mode):
        return None
    if rulebook.basis(mode, marks) != ("mark", "mark"):
        return None
    assets = sub.assets
    worth = rulebook.worths(sub, marks, mode) or {}
    held = [p for p in accounts.merged(accounts.margined(sub), rulebook.one) if p.quantity]
    equity, opening = _balances(rulebook, sub, marks, mode, settings)
    for p in accounts.margined(sub):
        at = marks.contract(p.instrument)
        each = worth.get(str(p.instrument.settle), 1.0)
        gained, now = marks.unrealised(p) * each, p.quantity * at * each
        for line in (equity, opening):
            line[assets.index(p.underlying)] += now
            line[-1] += gained - now
    fees = [_fee(rulebook, p, marks, settings) for p in held]
    tables = [_tiers(rulebook, p, marks, settings) for p in held]
    rows = [tier for table, _, _ in tables for tier in table]
    turned = np.array([worth.get(str(p.instrument.settle), 1.0) for p in held])
    by_tier = np.repeat(turned, [len(table) for table, _, _ in tables])
    moving = {str(p.instrument.settle) for p in held} & set(assets) if rulebook.valued else set()
    return Plan(
        equity=equity, opening=opening,
        column=np.array([assets.index(p.underlying) for p in held], dtype=np.int64),
        value=np.array([abs(p.quantity) * marks.contract(p.instrument) for p in held]),
        fee=np.array([f[0] for f in fees]) * turned, fee_share=np.array([f[1] for f in fees]) * turned,
        first=np.cumsum([0, *(len(table) for table, _, _ in tables)]).astype(np.int64),
        caps=np.array([np.inf if t.cap is None else t.cap for t in rows]),
        rates=np.array([t.rate for t in rows]) * by_tier, deductions=np.array([t.deduction for t in rows]) * by_tier,
        initial_rates=np.array([rate for _, rates, _ in tables for rate in rates]) * by_tier,
        printed=np.array([printed for _, _, printed in tables], dtype=np.bool_), to_open=rulebook.fee_to_open,
        closed=rulebook.closed, still=tuple(assets.index(a) for a in sorted(moving)),
    )  # fmt: skip


def states(made: Plan, factors: np.ndarray) -> np.ndarray:
    """(4, n): equity, equity for opening, initial and maintenance margin under price factors (n, k). Loads numba."""
    from margin.venues.states_kernel import summed

    factors = np.ascontiguousarray(factors, dtype=float)
    out = np.empty((4, len(factors)))
    if not len(factors):
        return out
    low, high = (_reached(made, edge) for edge in (factors.min(axis=0), factors.max(axis=0)))
    summed(
        factors, made.equity, made.opening, made.column, made.value, made.fee,
        made.fee_share, float(made.to_open), low, high, made.caps, made.rates, made.deductions, made.initial_rates,
        made.printed, made.closed, out,
    )  # fmt: skip
    return out


def _reached(made: Plan, edge: np.ndarray) -> np.ndarray:
    """Number of the tier that each position lies in at the factors `edge` (k,)."""
    out = np.empty(len(made.column), dtype=np.int64)
    for i, (column, value) in enumerate(zip(made.column.tolist(), made.value.tolist(), strict=True)):
        first, last = int(made.first[i]), int(made.first[i + 1]) - 1
        side: Literal["left", "right"] = "left" if made.closed else "right"
        out[i] = first + int(np.searchsorted(made.caps[first:last], value * edge[column], side=side))
    return out


def _balances(
    rulebook: PerpetualVenue, sub: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """What the balances count, per asset's factor, against liquidation and for opening; dollars' own at the end."""
    equity, opening = np.zeros(len(sub.assets) + 1), np.zeros(len(sub.assets) + 1)
    for c in rulebook.wallet(sub, marks, mode, settings, Lines(wanted=False)):
        at = sub.assets.index(c.asset) if c.asset in sub.assets else -1
        equity[at] += c.counted_maintenance
        opening[at] += c.counted_initial
    return equity, opening


def _fee(
    rulebook: PerpetualVenue, position: Position, marks: Marks, settings: Mapping[str, float]
) -> tuple[float, float]:
    """Its closing fee as (USD whatever the price does, share of the value at the mark)."""
    value = abs(position.quantity) * marks.contract(position.instrument)
    one, two = (
        float(rulebook.closing_fee(position, marks.moved({position.underlying: by}), settings)) for by in (1.0, 2.0)
    )
    return 2.0 * one - two, (two - one) / value


def _tiers(
    rulebook: PerpetualVenue, position: Position, marks: Marks, settings: Mapping[str, float]
) -> tuple[list[Tier], list[float], bool]:
    """(its tiers in dollars, the initial rate within each, whether the venue printed them)."""
    tiers, printed = rulebook.position_tiers(position, marks)
    rates = [float(rulebook.initial_rate(position, t.leverage, settings)) for t in tiers]
    if rulebook.counts_coins(position) and not printed:  # a size in coins stays in its tier
        at = int(tiers.which(np.array([abs(position.quantity)]))[0])
        coins = abs(position.quantity)
        rate = float(tiers.maintenance(coins)) / coins
        return [Tier(floor=0.0, cap=None, rate=rate, leverage=tiers[at].leverage, deduction=0.0)], [rates[at]], printed
    return list(tiers), rates, printed
