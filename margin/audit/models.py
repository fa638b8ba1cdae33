"""Venues' own rules in the batched form of an audit: margins that add up, proved against `state` before use.

A model of the registry serves where an account's margin is the sum of its positions' own, each of the form of
margin/audit/lines.py within its tier. None of it is taken on trust: the numbers of every tier are solved for from what
the model's `state` answers at several sizes and prices, compared with its answers at others, and accounts of several
positions, drawn at random, must ask the sum. What does not fit is refused, with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from margin import models
from margin.audit.lines import (
    COINS,
    CONST,
    END,
    FIXED,
    FLOOR,
    MOVING,
    OPEN,
    OPEN_CONST,
    OPEN_QUAD,
    QUAD,
    RATE,
    WIDTH,
    margin_of,
)
from margin.audit.lines import margins_at_once as _asked_now
from margin.core.account import SubAccount
from margin.core.checks import parse_date
from margin.core.errors import InputError, did_you_mean
from margin.core.instruments import USD_STABLECOINS
from margin.core.market import Market
from margin.core.portfolio import Collateral, Position
from margin.models.base import Model, States
from margin.models.marks import Marks

CLOSE = 1e-9
LARGEST = 5e9  # USD of one position up to which a tier without an end is proved
CASH = 1e7
SYMBOLS = ("{}/USDC:USDC", "{}/USDT:USDT")
TRIED = ("BTC", "ETH", "SOL")  # assets and tiers on which a model is judged; those of an audit are proved one by one
FIRST_TIERS = 2


@dataclass(frozen=True, kw_only=True)
class Batch:
    """How a model's accounts are written down, and why it is not offered ("" where it is).

    single : an account is one position with its margin: the rule of an isolated mode
    """

    key: str
    symbol: str = SYMBOLS[0]
    single: bool = False
    why: str = ""


@cache
def batches() -> Mapping[str, Batch]:
    """Every model of the registry beside the ladder's, offered or refused with the reason."""
    marks = Marks({"BTC": 60_000.0, "ETH": 3_000.0, "SOL": 150.0}, parse_date("2026-01-01"))
    known = models.keys()
    return {key: _batch(key, marks) for key in known if ":" in key}


@cache
def models_in_batch() -> tuple[str, ...]:
    """Keys of the registry that audits run on, beside the ladder's."""
    return tuple(key for key, found in batches().items() if not found.why)


def _batch(key: str, marks: Marks) -> Batch:
    model: Any = models.get(key)
    single = key.endswith(":isolated")
    for symbol in SYMBOLS:
        made = Batch(key=key, symbol=symbol, single=single)
        known = [a for a in TRIED if _states(model, made, {a: 20_000.0}, marks) is not None]
        if known:
            return _judged(model, made, known, marks)
    rulebook = getattr(model, "rulebook", None)
    if not getattr(rulebook, "linear", True):
        return Batch(key=key, why="its contracts are settled in coins")
    if "perpetual" not in getattr(rulebook, "kinds", ()):
        return Batch(key=key, why="it lends, or holds balances: it has no perpetuals")
    return Batch(key=key, why="no table of its tiers is carried: it prints each position's own")


def _judged(model: Any, made: Batch, known: Sequence[str], marks: Marks) -> Batch:
    tables, why = {}, ""
    for asset in known:
        found = _lines(model, made, asset, marks, FIRST_TIERS)
        if isinstance(found, str):
            why = found
        else:
            tables[asset] = found
    if tables:
        why = "" if made.single else _adds_up(model, made, tables, marks)
    return replace(made, why=why)


def batch_tiers(key: str, market: Market, as_of: Any = None) -> Mapping[str, np.ndarray]:
    """Lines (T, 14) by asset of a venue's model, at the market's prices as of then, for `make_plan`.

    Raises InputError for a key that is not known or has no batched form, with the reason.
    """
    if key not in models_in_batch():
        hint = f"Batched: portfolio, isolated, netted, {', '.join(models_in_batch())}."
        if key in batches():
            raise InputError("model", key, f"is not batched: {batches()[key].why}", hint)
        raise InputError("model", key, "is not a rule that audits run on", did_you_mean(key, models_in_batch()) or hint)
    prices = {}
    for asset in market.assets:
        try:
            prices[asset] = market.price(asset, as_of)
        except InputError:
            continue
    prices |= dict.fromkeys(USD_STABLECOINS, 1.0)  # a book's dollars are dollars, whatever coin they stand in
    when = parse_date(as_of) if as_of is not None else parse_date(market.dates[-1])
    marks, model, made = Marks(prices, when), models.get(key), batches()[key]
    found = {asset: _lines(model, made, asset, marks, None) for asset in prices if asset not in USD_STABLECOINS}
    return {asset: lines for asset, lines in found.items() if not isinstance(lines, str)}


def _lines(model: Any, made: Batch, asset: str, marks: Marks, most: int | None) -> np.ndarray | str:
    """(T, 14) of one asset, of its first `most` tiers, or why not."""
    price = marks.price(asset)
    rows: list[np.ndarray] = []
    for floor, cap, coins, closed in _tiers(model, asset, price, marks)[:most]:
        top = min(cap, LARGEST) if cap < np.inf else max(2e7, 3.0 * floor)
        if not top > floor:
            break
        row = _solved(model, made, asset, floor, top, coins, marks)
        if row is None:
            return f"{asset}: its margin from {floor:,.0f} USD on is not the form of a tier"
        row[END] = cap
        row[FLOOR] = np.nextafter(floor, np.inf) if closed and floor else floor
        rows.append(row)
    if not rows:
        return f"{asset}: not carried"
    high = 1e5  # below which least amounts are looked for
    while (small := _below(model, made, asset, rows[0], high, marks)) is not None:
        if isinstance(small, str):
            return small
        high = float(rows[0][FLOOR])
        rows = [small, *rows]
    for base in (rows[0][COINS], 1.0 - rows[0][COINS]):  # the size of now, or that of the entry, decides on the tier
        lines = np.array(rows)
        lines[:, COINS] = base
        if _edges_hold(model, made, asset, lines, marks):
            return lines
    return f"{asset}: what decides on its tier is neither its value nor its size"


def _below(
    model: Any, made: Batch, asset: str, first: np.ndarray, high: float, marks: Marks
) -> np.ndarray | str | None:
    """The tier of small sizes that a least amount makes (`first` then begins above it); None where there is none."""

    def off(size: float) -> bool:
        found = _states(model, made, {asset: size}, marks)
        if found is None:
            return False
        ours = _asked_now(first[None, None], np.zeros(1, dtype=np.int64), np.array([size]))
        theirs = (float(found.initial[0]), float(found.maintenance[0]))
        return any(abs(a - float(b[0])) > 1e-9 * size for a, b in zip(theirs, ours, strict=True))

    if not off(1.0):
        return None
    low = 1.0
    while low < (middle := 0.5 * (low + high)) < high:
        low, high = (middle, high) if off(middle) else (low, middle)
    row = _solved(model, made, asset, 0.5 * low, low, bool(first[COINS]), marks)
    if row is None:
        return f"{asset}: its margin below {low:,.0f} USD is not the form of a tier"
    first[FLOOR] = high
    return row


def _edges_hold(model: Any, made: Batch, asset: str, lines: np.ndarray, marks: Marks) -> bool:
    """Whether positions that a move of the price takes over an edge of a tier are asked what the lines say."""
    for floor in lines[1 : 2 * FIRST_TIERS, FLOOR].tolist():
        for part, factor in ((0.97, 1.05), (1.03, 0.95)):
            found = _states(model, made, {asset: part * floor}, marks, np.array([factor]))
            if found is None:
                return False
            ours = margin_of(lines, part * floor, factor)
            if abs(float(found.maintenance[0]) - ours) > CLOSE * max(ours, 1.0):
                return False
    return True


def _tiers(model: Any, asset: str, price: float, marks: Marks) -> list[tuple[float, float, bool, bool]]:
    """(floor, cap, whether sizes are coins, whether a tier holds its upper bound), USD at the price of now."""
    rulebook = getattr(model, "rulebook", None)
    find = getattr(rulebook, "tiers_on", None)
    tiers = find(asset, False, marks) if find is not None else None
    if not tiers:
        return [(0.0, np.inf, False, False)]
    coins = bool(getattr(rulebook, "in_coins", False))
    unit = price if coins else 1.0
    return [
        (t.floor * unit, np.inf if t.cap is None else t.cap * unit, coins, bool(getattr(t, "closed", False)))
        for t in tiers
    ]


def _solved(
    model: Any, made: Batch, asset: str, floor: float, top: float, coins: bool, marks: Marks
) -> np.ndarray | None:
    """One tier's row, solved for from the model's answers and checked on others; None where it has another form."""
    row = np.zeros(WIDTH)
    row[COINS] = float(coins)
    sizes = [floor + share * (top - floor) for share in (0.05, 0.35, 0.9, 0.02, 0.6, 0.98)]
    wide = min(0.2, 0.2 * (top - floor) / top)
    factors = np.array([1.0, 1.0 - wide, 1.0 + wide])
    for side, sign in enumerate((1.0, -1.0)):
        kept, opened = [], []
        for size in sizes:
            base = size if coins else min(max(size, floor / (1.0 - wide) * 1.001), top / (1.0 + wide) * 0.999)
            found = _states(model, made, {asset: sign * base}, marks, factors)
            if found is None:
                return None
            kept += [(base, f, need) for f, need in zip(factors.tolist(), found.maintenance.tolist(), strict=True)]
            opened.append((base, 1.0, float(found.initial[0])))
        terms = _fit(kept, lambda b, f: (b * f, b, b * b * f, 1.0, f), 9)
        first = _fit(opened, lambda b, f: (b, b * b, 1.0), 3)
        if terms is None or first is None:
            return None
        row[RATE + side], row[FIXED + side] = terms[0], terms[1]
        row[OPEN + side] = first[0]
        shared = (terms[2], terms[3], terms[4], first[1], first[2])
        if side == 0:
            row[[QUAD, CONST, MOVING, OPEN_QUAD, OPEN_CONST]] = shared
        elif not np.allclose(row[[QUAD, CONST, MOVING, OPEN_QUAD, OPEN_CONST]], shared, rtol=1e-7, atol=1e-12):
            return None
    return row


def _fit(probes: Sequence[tuple[float, float, float]], terms: Any, used: int) -> np.ndarray | None:
    """Coefficients that give the first `used` answers, where they give the others too; those that do nothing are 0."""
    size = np.array([b for b, _, _ in probes])
    table = np.array([terms(b, f) for b, f, _ in probes]) / size[:, None]
    answers = np.array([y for _, _, y in probes]) / size
    scale = np.abs(table).max(axis=0)
    best: np.ndarray | None = None
    columns = list(range(table.shape[1]))
    few = ([0], [0, 1], [0, 2], [0, 3], [0, 4], [0, 1, 2], [0, 1, 3], [0, 1, 4], [0, 2, 3], [0, 1, 2, 3], columns)
    for chosen in few:
        kept = [c for c in chosen if c < table.shape[1]]
        scaled = (table / scale)[:used, kept]
        found, *_ = np.linalg.lstsq(scaled, answers[:used], rcond=1e-14)
        full = np.zeros(table.shape[1])
        full[kept] = found / scale[kept]
        if (np.abs(table @ full - answers) <= 1e-12 * np.abs(answers) + 1e-16).all():
            return full
        if best is None and (np.abs(table @ full - answers) <= 1e-11 * np.abs(answers)).all():
            best = full
    return best


def _adds_up(model: Any, made: Batch, tables: Mapping[str, np.ndarray], marks: Marks) -> str:
    """ "" where accounts of several positions ask the sum of what each asks and hold what was posted; else why not."""
    rng, names = np.random.default_rng(7), sorted(tables)
    for draw in range(16):
        count = 1 + draw % len(names)
        picked = [names[i] for i in rng.choice(len(names), count, replace=False)]
        usd = {a: float(rng.choice((-1.0, 1.0)) * 10 ** rng.uniform(1, np.log10(_room(tables[a])))) for a in picked}
        found = _states(model, made, usd, marks)
        if found is None:
            return "several positions together are not reproduced here"
        equity, initial, maintenance = (
            float(side[0]) for side in (found.equity, found.initial, found.maintenance)
        )  # fmt: skip
        if abs(equity - CASH) > 1e-6 * CASH:
            return "an account's equity is not its dollars and profits"
        opened = kept = 0.0
        for asset, value in usd.items():
            one = _asked_now(tables[asset][None], np.zeros(1, dtype=np.int64), np.array([value]))
            opened, kept = opened + float(one[0][0]), kept + float(one[1][0])
        if abs(maintenance - kept) > CLOSE * kept or abs(initial - opened) > CLOSE * opened:
            return "positions of one account offset each other or weigh on each other: the sum is not its margin"
    return ""


def _room(lines: np.ndarray) -> float:
    """USD up to which the tiers that were proved here reach, at most 300,000."""
    return min(3e5, 0.9 * float(lines[-1, END]))


def _states(
    model: Model, made: Batch, usd: Mapping[str, float], marks: Marks, factors: np.ndarray | None = None
) -> States | None:
    """The model's answers for perpetuals of these dollars, entered at `marks`; None where it refuses them.

    factors : (n,) multiples of the one asset's price; default: all stand at `marks`
    """
    positions = tuple(Position(made.symbol.format(a), v / marks.price(a)) for a, v in usd.items())
    sub = SubAccount(name="audit", positions=positions, collateral=(Collateral("USD", CASH),), isolated=made.single)
    moved = np.ones((1, len(usd))) if factors is None else factors[:, None]
    try:
        return None if model.refuses(sub) else model.states(sub, marks, moved)
    except InputError:
        return None
