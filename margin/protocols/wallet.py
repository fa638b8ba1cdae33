"""One wallet at a lender and a perpetuals venue: what each side sees under a stated sharing rule, and who is paid what.

Rules, by how much of the lender's collateral the perpetuals venue counts as margin (its credit):
    separate   nothing                                borrowed   nothing; the margin itself was borrowed from the lender
    lien       theta x what the lender does not need  unified    one account, one test
    double     all of it, as if the lender had no claim
    wrong-way  as lien, the coin being the venue's own: it falls by own_beta x (the venue's loss / its backing) besides
Definitions and who ranks before whom: docs/protocols.md.
"""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from margin.core.errors import InputError, did_you_mean

Rule = Literal["separate", "borrowed", "lien", "unified", "double", "wrong-way"]
RULES: tuple[Rule, ...] = get_args(Rule)
NAMES: dict[Rule, str] = {
    "separate": "Separate accounts",
    "borrowed": "Borrowed margin",
    "lien": "Second lien",
    "unified": "Unified account",
    "double": "Counted twice",
    "wrong-way": "The venue's own coin",
}


@dataclass(frozen=True, kw_only=True)
class Pledge:
    """A coin held at the lender, USD. ltv: lent against it; threshold: counted against the debt; weight: by the venue.

    own_beta : extra fall of a coin that the venue itself issued, per unit of the venue's loss / backing; read under the
               wrong-way rule alone
    """

    asset: str
    value: float
    ltv: float
    threshold: float
    weight: float
    own_beta: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Perp:
    """A perpetual position: signed USD notional at the start, and the venue's rates on its notional."""

    asset: str
    notional: float
    maintenance: float
    initial: float


@dataclass(frozen=True, kw_only=True)
class Wallet:
    """collateral at the lender, debt in dollars, positions and cash margin at the venue; bonus of who liquidates.

    backing : dollars behind each dollar of position that stands on the venue's own coin (wrong-way alone)
    Raises InputError for values below 0, rates outside 0 to 1, or no collateral at all.
    """

    collateral: tuple[Pledge, ...]
    debt: float
    perps: tuple[Perp, ...] = ()
    cash: float = 0.0
    bonus: float = 0.05
    backing: float = 1.0

    def __post_init__(self) -> None:
        if not self.collateral or not sum(p.value for p in self.collateral) > 0:
            raise InputError("collateral", "none", "there is nothing to share", "Add a coin as collateral.")
        for p in self.collateral:
            for name in ("ltv", "threshold", "weight"):
                if not 0.0 <= getattr(p, name) <= 1.0:
                    raise InputError(f"collateral {p.asset} {name}", getattr(p, name), "must be from 0 to 1")
            if not (np.isfinite(p.own_beta) and p.own_beta >= 0):
                raise InputError(f"collateral {p.asset} own_beta", p.own_beta, "must be 0 or more")
            if not p.value >= 0 or p.ltv > p.threshold:
                raise InputError(f"collateral {p.asset}", p.value, "must be 0 USD or more, lent below its threshold")
        for name in ("debt", "cash", "bonus"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise InputError(name, getattr(self, name), "must be 0 or more")
        if not (np.isfinite(self.backing) and self.backing > 0):
            raise InputError("backing", self.backing, "must be above 0 USD for each dollar of position")
        for q in self.perps:
            if not np.isfinite(q.notional) or not 0.0 <= q.maintenance <= q.initial <= 1.0:
                raise InputError(f"perps {q.asset}", q.notional, "needs rates with 0 <= maintenance <= initial <= 1")

    @property
    def assets(self) -> tuple[str, ...]:
        """Coins whose price moves the wallet, sorted: the columns of every array of returns."""
        return tuple(sorted({p.asset for p in self.collateral} | {q.asset for q in self.perps}))

    @property
    def value(self) -> float:
        """USD of the collateral."""
        return sum(p.value for p in self.collateral)

    def under(self, rule: Rule) -> "Wallet":
        """As the rule finds it: with borrowed margin the cash was lent, so the debt is larger by it."""
        return replace(self, debt=self.debt + self.cash) if rule == "borrowed" else self


@dataclass(frozen=True, kw_only=True, eq=False)
class Sides:
    """What the two sides look at, arrays of the shape of the moves without their last axis, USD.

    pledged   : collateral at market; counted: at its thresholds; weighted: at the venue's weights
    result    : profit of the positions; required: their maintenance margin
    """

    pledged: np.ndarray
    counted: np.ndarray
    weighted: np.ndarray
    result: np.ndarray
    required: np.ndarray


def check_rule(rule: str) -> Rule:
    """The rule itself; InputError for an unknown one."""
    if rule not in RULES:
        raise InputError(
            "rule", rule, "is not a sharing rule", did_you_mean(rule, RULES) or f"One of {', '.join(RULES)}."
        )
    return rule


def venue_loss(wallet: Wallet, result: np.ndarray) -> np.ndarray:
    """The venue's loss / its backing where positions like this one stand on its own coin, the shape of `result`.

    What they lose beyond their cash is owed to the winners in dollars, and the venue holds its own coin against it:
    max(0, -(cash + result)) a dollar of position / backing. Zero without positions.
    """
    size = sum(abs(q.notional) for q in wallet.perps)
    lost: np.ndarray = np.maximum(-(wallet.cash + result), 0.0)
    return lost / (size * wallet.backing) if size > 0 else np.zeros_like(lost)


def sides(wallet: Wallet, moves: np.ndarray, rule: Rule = "separate") -> Sides:
    """What both sides see. moves : (..., k) returns since the start of `wallet.assets`; rule matters for wrong-way."""
    moves = np.asarray(moves, dtype=float)
    if moves.shape[-1] != len(wallet.assets):
        raise InputError("moves", moves.shape, f"must end in {len(wallet.assets)} columns, one per asset of the wallet")
    if not np.isfinite(moves).all() or (moves < -1.0).any():
        raise InputError("moves", "a value", "must be finite returns of at least -1")
    column = {asset: i for i, asset in enumerate(wallet.assets)}
    shape = moves.shape[:-1]
    total = {name: np.zeros(shape) for name in ("pledged", "counted", "weighted", "result", "required")}
    for q in wallet.perps:
        move = moves[..., column[q.asset]]
        total["result"] += q.notional * move
        total["required"] += q.maintenance * abs(q.notional) * (1.0 + move)
    drag = venue_loss(wallet, total["result"]) if check_rule(rule) == "wrong-way" else None
    for p in wallet.collateral:
        price = 1.0 + moves[..., column[p.asset]]
        if drag is not None:
            price = np.maximum(price - p.own_beta * drag, 0.0)
        worth = p.value * price
        total["pledged"] += worth
        total["counted"] += p.threshold * worth
        total["weighted"] += p.weight * worth
    return Sides(**total)


def stale(at: Sides, start: float, lag: int) -> Sides:
    """The same where the lender sees prices of `lag` steps ago; start: what it counts before the first step, USD.

    at : arrays (n, t). Sales are at the prices of now; only what the lender counts is late.
    """
    if not lag:
        return at
    steps = at.counted.shape[1]
    if not 0 <= lag <= steps:
        raise InputError("oracle_lag", lag, f"must be 0 to {steps} steps")
    counted = np.full_like(at.counted, start)
    counted[:, lag:] = at.counted[:, : steps - lag]
    return replace(at, counted=counted)


def gaps(wallet: Wallet, rule: Rule, at: Sides, theta: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """(lender's gap, venue's gap), USD: a side calls at 0 or below. Unified: both are the one gap.

    theta : share of what the lender does not need that the venue lends on (lien, wrong-way)
    """
    w = wallet.under(check_rule(rule))
    lender = at.counted - w.debt
    venue = w.cash + at.result - at.required
    if rule == "unified":
        both = lender + venue
        return both, both
    return lender, venue + credit(rule, lender, at.weighted, theta)


def credit(rule: Rule, lender_gap: np.ndarray, weighted: np.ndarray, theta: float) -> np.ndarray | float:
    """USD of the lender's collateral that the venue counts as margin."""
    if rule in ("lien", "wrong-way"):
        lien: np.ndarray = theta * np.maximum(lender_gap, 0.0)
        return lien
    return weighted if rule == "double" else 0.0
