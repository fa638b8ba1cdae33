"""Venues' own rules in the batched form of an audit: tiers whose margins add up, proved against `state` before use.

A model of the registry serves where an account's maintenance is the sum of its positions' own, each the highest of its
tiers' lines rate x USD - deduction. That is not taken on trust: every asset's lines are compared with what the model's
`state` answers, in every tier, long and short, alone and together; what differs is left out by name.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from margin import models
from margin.core.account import SubAccount
from margin.core.checks import parse_date
from margin.core.errors import InputError, did_you_mean
from margin.core.market import Market
from margin.core.portfolio import Collateral, Position
from margin.models.base import MarginState, Model
from margin.models.marks import Marks

CLOSE = 1e-9
LARGEST = 5e9  # USD of one position up to which the lines are proved
Row = tuple[float, float, float, float]  # rate, deduction USD, highest leverage, share asked to open


@cache
def models_in_batch() -> tuple[str, ...]:
    """Keys of the registry that audits run on, beside the ladder's."""
    marks = Marks({"BTC": 60_000.0, "ETH": 3_000.0}, parse_date("2026-01-01"))
    every = models.keys()
    return tuple(key for key in every if key.endswith(":cross") and _tables(models.get(key), ("BTC", "ETH"), marks))


def batch_tiers(key: str, market: Market, as_of: Any = None) -> Mapping[str, Sequence[Row]]:
    """Tiers by asset of a venue's model, at the market's prices as of then, for `make_plan`.

    Raises InputError for a key that is not known or has no batched form.
    """
    if key not in models_in_batch():
        known = ", ".join(models_in_batch())
        every = models.keys()
        if key in every:
            hint = f"Batched: portfolio, isolated, netted, {known}."
            raise InputError("model", key, "does not add up position by position, so it is not batched", hint)
        hint = did_you_mean(key, models_in_batch()) or f"One of portfolio, isolated, netted, {known}."
        raise InputError("model", key, "is not a rule that audits run on", hint)
    prices = {}
    for asset in market.assets:
        try:
            prices[asset] = market.price(asset, as_of)
        except InputError:
            continue
    when = parse_date(as_of) if as_of is not None else parse_date(market.dates[-1])
    return _tables(models.get(key), tuple(prices), Marks(prices, when))


def _tables(model: Any, assets: Sequence[str], marks: Marks) -> dict[str, tuple[Row, ...]]:
    """By asset, for those whose lines are what the model answers."""
    rulebook = getattr(model, "rulebook", None)
    tiers_of = getattr(rulebook, "tiers_on", None)
    if tiers_of is None or getattr(rulebook, "whole", False) or getattr(rulebook, "in_coins", False):
        return {}
    found = {}
    for asset in assets:
        tiers = tiers_of(asset, False, marks)
        rows = _proved(model, asset, tiers, marks) if tiers is not None and tiers.continuous else None
        if rows is not None:
            found[asset] = rows
    names = sorted(found)[:2]
    if len(names) == 2 and not _adds_up(model, names, found, marks):
        return {}
    return found


def _proved(model: Model, asset: str, tiers: Any, marks: Marks) -> tuple[Row, ...] | None:
    """The tiers as rows, where `state` agrees with them in each tier on both sides; else None."""
    rows: list[Row] = []
    for tier in tiers:
        top = min(tier.cap if tier.cap is not None else 3.0 * max(tier.floor, 1e6), LARGEST)
        inside = tier.floor + 0.5 * (top - tier.floor)
        if not top > tier.floor:
            continue
        states = [_state(model, {asset: sign * inside}, marks) for sign in (1.0, -1.0)]
        if states[0] is None or states[1] is None:
            return None
        fee = states[0].maintenance - (tier.rate * inside - tier.deduction)
        rate = tier.rate + fee / inside if abs(fee) > CLOSE * inside else tier.rate
        rows.append((rate, tier.deduction, tier.leverage, states[0].initial / inside))
    proved = [size for tier in tiers for size in _sizes(tier) if size <= LARGEST]
    for size in proved:
        for sign in (1.0, -1.0):
            state = _state(model, {asset: sign * size}, marks)
            if state is None or not _agrees(state, [_asked(rows, size)], size):
                return None
    return tuple(rows)


def _sizes(tier: Any) -> tuple[float, ...]:
    """A little into the tier, half way, and almost at its end."""
    cap = tier.cap if tier.cap is not None else 3.0 * max(tier.floor, 1e6)
    span = cap - tier.floor
    return tuple(tier.floor + share * span for share in (0.01, 0.5, 0.99))


def _asked(rows: Sequence[Row], size: float) -> tuple[float, float]:
    """(initial, maintenance) of one position by the batched form."""
    lines = [rate * size - deduction for rate, deduction, _, _ in rows]
    at = max(range(len(rows)), key=lambda t: (lines[t], t))
    return size * rows[at][3], lines[at]


def _agrees(state: MarginState, asked: Sequence[tuple[float, float]], size: float) -> bool:
    initial, maintenance = (sum(a[i] for a in asked) for i in (0, 1))
    return abs(state.initial - initial) <= CLOSE * size and abs(state.maintenance - maintenance) <= CLOSE * size


def _adds_up(model: Model, names: Sequence[str], found: Mapping[str, Sequence[Row]], marks: Marks) -> bool:
    """Whether two positions together ask what they ask alone, whatever their sides, and equity is the money posted."""
    for signs in ((1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)):
        sizes = dict(zip(names, (40_000.0, 70_000.0), strict=True))
        state = _state(model, {a: s * sizes[a] for a, s in zip(names, signs, strict=True)}, marks)
        if state is None or abs(state.equity - 1e6) > 1e-3:
            return False
        if not _agrees(state, [_asked(found[a], sizes[a]) for a in names], 110_000.0):
            return False
    return True


def _state(model: Model, usd: Mapping[str, float], marks: Marks) -> MarginState | None:
    """The model's answer for perpetuals of these dollars and a million of cash; None where it refuses them."""
    positions = tuple(Position(f"{a}/USDC:USDC", v / marks.price(a)) for a, v in usd.items())
    sub = SubAccount(name="audit", positions=positions, collateral=(Collateral("USD", 1e6),))
    try:
        return model.state(sub, marks)
    except InputError:
        return None
