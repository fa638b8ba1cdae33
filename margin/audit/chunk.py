"""One chunk of accounts through the plan: a row per account, and what the whole venue's sums need."""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from margin.audit import passes
from margin.audit.gaps import DAYS, gap_risk
from margin.audit.lines import END, margins_at_once
from margin.audit.plan import Plan
from margin.audit.shock_kernels import shock_books
from margin.audit.summary import BANDS, GROSS_ROWS, ODDS_UNIT, STEP, STEPS, TOP, AuditSummary, cents

DENSE = 9  # legs from which books are multiplied out together: a matrix product is then cheaper
TILE = 512
BEYOND = "positions larger than the last tier known here, judged at its rate"
MOST_UP = 10.0  # market moves up are followed to eleven times the price


@dataclass(frozen=True, kw_only=True, eq=False)
class Accounts:
    """n accounts: indptr (n + 1), legs (m,) asset column, usd (m,) signed value; equity (n,); labels (n,) names."""

    labels: np.ndarray
    indptr: np.ndarray
    legs: np.ndarray
    usd: np.ndarray
    equity: np.ndarray

    def __len__(self) -> int:
        return len(self.equity)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """What is known of each account, arrays (n,), USD; health NaN where nothing is required.

    requirement : to open (ladder: its margin; venue: at 10x, or the highest leverage if lower); maintenance: to keep
    closed_down, closed_up : market move at which it is closed, NaN where none; worst_equity: least over all shocks
    sigma : USD a day of equity less maintenance; odds (n, 3): of a call within 1, 3, 7 days, by closed form
    times_closed : by how many of the shocks
    """

    labels: np.ndarray
    equity: np.ndarray
    gross: np.ndarray
    net: np.ndarray
    legs: np.ndarray
    es: np.ndarray
    requirement: np.ndarray
    maintenance: np.ndarray
    health: np.ndarray
    closed_down: np.ndarray
    closed_up: np.ndarray
    worst_equity: np.ndarray
    sigma: np.ndarray
    odds: np.ndarray
    times_closed: np.ndarray

    @property
    def distance(self) -> np.ndarray:
        """(n,) days' sigmas between the account and its call; NaN where nothing moves it."""
        out: np.ndarray = np.divide(
            self.equity - self.maintenance, self.sigma, out=np.full(len(self.sigma), np.nan), where=self.sigma > 0
        )
        return out

    @property
    def liquidated_at(self) -> np.ndarray:
        """(n,) the nearer of the two market moves, NaN where none closes it."""
        down, up = np.abs(self.closed_down), np.abs(self.closed_up)
        nearer_up = np.isnan(down) | (up < down)
        return np.where(nearer_up, self.closed_up, self.closed_down)


def expected_shortfalls(plan: Plan, held: Accounts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(es, worst loss, tails) of every account, exactly: books of few legs one by one, of many by a matrix product."""
    n = len(held)
    whole, mass = plan.mass
    es, worst, tails = np.zeros(n), np.zeros(n), np.full((n, whole + 1), -1, dtype=np.int64)
    common = (plan.alone, whole, mass, es, worst, tails)
    passes.es_of_books(held.indptr, held.legs, held.usd, plan.losses, *common, DENSE)
    counts = np.diff(held.indptr)
    for dense in np.array_split(many := np.flatnonzero(counts >= DENSE), max(1, -(-len(many) // TILE))):
        if len(dense):
            book = np.zeros((len(dense), len(plan.assets)))
            rows = np.repeat(np.arange(len(dense)), counts[dense])
            ends = np.cumsum(counts[dense])
            at = np.arange(ends[-1]) + np.repeat(held.indptr[dense] - ends + counts[dense], counts[dense])
            book[rows, held.legs[at]] = held.usd[at]
            passes.es_of_rows(book @ plan.losses, dense, held.indptr, held.legs, held.usd, *common)
    return es, worst, tails


class GapSums(NamedTuple):
    """What `gap_risk` fills: sigma (n,) USD a day, odds (n, days) of a call, overlap (k, k) cents held together."""

    sigma: np.ndarray
    odds: np.ndarray
    overlap: np.ndarray


class ShockSums(NamedTuple):
    """What `shock_books` fills, by shock (K,), shock and asset (K, k) or account (n,): counts, cents, USD."""

    closed: np.ndarray
    notional: np.ndarray
    short: np.ndarray
    forced: np.ndarray
    marginal: np.ndarray
    halved: np.ndarray
    floor: np.ndarray
    times: np.ndarray


def audit_chunk(plan: Plan, held: Accounts) -> tuple[Rows, AuditSummary]:
    """Every account of the chunk, and their sums."""
    n, k = len(held), len(plan.assets)
    es, worst, tails = expected_shortfalls(plan, held)
    owner = np.repeat(np.arange(n), np.diff(held.indptr))
    size = np.abs(held.usd)
    gross, net = np.bincount(owner, size, n), np.bincount(owner, held.usd, n)
    requirement, maintenance = _requirement(plan, held, owner, es, n)
    health = np.divide(held.equity, maintenance, out=np.full(n, np.nan), where=maintenance > 0)
    books = {"indptr": held.indptr, "legs": held.legs, "usd": held.usd}
    rule = {"kind": plan.kind, "share": plan.share, "alone": plan.alone, "lines": plan.lines}
    whole, mass = plan.mass
    tail = {"es": es, "tails": tails, "table": plan.losses, "whole": whole, "mass": mass}
    moves = np.empty((n, 2))
    passes.closing_moves(**books, **rule, equity=held.equity, maintenance=maintenance, out=moves, most=MOST_UP)
    gaps = GapSums(sigma=np.zeros(n), odds=np.zeros((n, len(DAYS))), overlap=_cents(k, k))
    gap_risk(
        **books, **rule, **tail, gap=held.equity - maintenance, covariance=plan.covariance, days=np.array(DAYS),
        **gaps._asdict(),
    )  # fmt: skip
    shocks, scenarios = len(plan.names), plan.losses.shape[1]
    out = AuditSummary(assets=plan.assets, shocks=shocks, scenarios=scenarios, accounts=n, positions=len(held.usd))
    hit = ShockSums(
        closed=_cents(shocks), notional=_cents(shocks), short=_cents(shocks), forced=_cents(shocks, k),
        marginal=_cents(shocks, k), halved=_cents(shocks), floor=held.equity.copy(), times=_cents(n),
    )  # fmt: skip
    shock_books(
        **books, **rule, **tail, equity=held.equity, moves=plan.moves, uniform=plan.uniform, gap=plan.gap,
        **hit._asdict(),
    )  # fmt: skip
    by_scenario = [np.zeros(scenarios, dtype=np.int64) for _ in range(3)]
    passes.short_by_scenario(held.indptr, held.legs, held.usd, held.equity, worst, plan.losses, *by_scenario)
    for name in ("closed", "notional", "forced", "marginal", "halved"):
        setattr(out, name, getattr(hit, name).astype(object))
    out.shortfall = hit.short.astype(object)
    out.short, out.largest, out.second = (values.astype(object) for values in by_scenario)
    rows = Rows(
        labels=held.labels,
        equity=held.equity,
        gross=gross,
        net=net,
        legs=np.diff(held.indptr),
        es=es,
        requirement=requirement,
        maintenance=maintenance,
        health=health,
        closed_down=moves[:, 0],
        closed_up=moves[:, 1],
        worst_equity=hit.floor,
        sigma=gaps.sigma,
        odds=gaps.odds,
        times_closed=hit.times,
    )
    out.overlap = gaps.overlap.astype(object)
    out.odds = np.rint(gaps.odds * ODDS_UNIT).astype(np.int64).sum(axis=0).astype(object)
    _add_up(plan, out, rows, held, owner, size)
    return rows, out


def _cents(*shape: int) -> np.ndarray:
    return np.zeros(shape, dtype=np.int64)


def _requirement(
    plan: Plan, held: Accounts, owner: np.ndarray, es: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    size = np.abs(held.usd)
    if plan.kind == passes.POOLED:
        return es, plan.share * es
    if plan.kind == passes.ALONE:
        side = np.where(held.usd >= 0, 0, 1)
        alone = np.bincount(owner, np.maximum(size * plan.alone[side, held.legs], 0.0), n)
        return alone, plan.share * alone
    opened, kept = margins_at_once(plan.lines, held.legs, held.usd)
    return np.bincount(owner, opened, n), np.bincount(owner, kept, n)


def _add_up(plan: Plan, out: AuditSummary, rows: Rows, held: Accounts, owner: np.ndarray, size: np.ndarray) -> None:
    k = len(out.assets)
    out.empty = int((rows.legs == 0).sum())
    out.closed_now = int(((rows.equity < rows.maintenance) & (rows.maintenance > 0)).sum())
    out.below_zero = int((rows.equity < 0).sum())
    for name in ("equity", "gross", "requirement", "maintenance", "es"):
        setattr(out, name, cents(getattr(rows, name)))
    band = np.where(np.isnan(rows.health), len(BANDS), np.searchsorted(BANDS, rows.health, side="right") - 1)
    band = np.where(rows.health < 0, 0, band)
    out.bands = np.bincount(band, minlength=len(BANDS) + 1).astype(object)
    gross_cents = np.rint(rows.gross * 100.0).astype(np.int64)
    out.band_notional = _by(band, gross_cents, len(BANDS) + 1)
    out.near = int(gross_cents[rows.health < 1.1].sum())
    amount = np.rint(size * 100.0).astype(np.int64)
    out.long = _by(held.legs[held.usd > 0], amount[held.usd > 0], k)
    out.short_side = _by(held.legs[held.usd < 0], amount[held.usd < 0], k)
    dollars = np.rint(size).astype(np.int64)
    high, low = dollars >> 20, dollars & 0xFFFFF
    squares = [_by(held.legs, part, k) for part in (high * high, 2 * high * low, low * low)]
    out.squares = squares[0] * (1 << 40) + squares[1] * (1 << 20) + squares[2]
    for name, moves in (("down", -rows.closed_down), ("up", rows.closed_up)):
        at = moves[owner]
        inside = at <= STEPS * STEP
        row = np.clip(np.ceil(at[inside] / STEP - 1e-9).astype(np.int64) - 1, 0, STEPS - 1)
        flat = _by(held.legs[inside] * STEPS + row, amount[inside], k * STEPS)
        setattr(out, name, flat.reshape(k, STEPS))
    if plan.kind == passes.TIERED:
        beyond = int((size > plan.lines[held.legs, 0, END]).sum())
        out.remarks += Counter({BEYOND: beyond} if beyond else {})
    out.top = _top(gross_cents, held.labels)
    lost = np.rint(np.maximum(-rows.worst_equity, 0.0) * 100.0).astype(np.int64)
    out.top_short = _top(lost, held.labels)
    short_of = np.rint(lost / 100.0).astype(np.int64)
    out.lost, out.lost_squares = int(lost.sum()), sum(int(x) * int(x) for x in short_of[short_of > 0].tolist())
    row = np.clip(np.floor(10.0 * np.log10(np.maximum(rows.gross, 1e-3))).astype(np.int64) + 30, 0, GROSS_ROWS - 1)
    out.sizes = np.bincount(row[rows.legs > 0], minlength=GROSS_ROWS).astype(object)
    at, bought = row[owner], held.usd > 0
    out.sizes_long, out.sizes_short = (
        _by(at[bought], amount[bought], GROSS_ROWS),
        _by(at[~bought], amount[~bought], GROSS_ROWS),
    )


def _by(keys: np.ndarray, amounts: np.ndarray, count: int) -> np.ndarray:
    """(count,) exact sums of whole numbers by key."""
    out = np.zeros(count, dtype=np.int64)
    np.add.at(out, keys, amounts)
    return out.astype(object)


def _top(amounts: np.ndarray, labels: np.ndarray) -> list[tuple[int, str]]:
    found = np.flatnonzero(amounts > 0)
    if len(found) > 2 * TOP:
        least = np.partition(amounts[found], -TOP)[-TOP]
        found = found[amounts[found] >= least]
    rows = [(int(amounts[i]), str(labels[i])) for i in found]
    return sorted(rows, key=lambda row: (-row[0], row[1]))[:TOP]
