"""Loss allocation under each auto-deleveraging policy: the same bankrupt positions put to the same winners."""

from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError
from margin.liquidation.adl import POLICIES, Candidates, deleverage
from margin.liquidation.population import World, draw

ENTRY_SPREAD = 0.05  # standard deviation of the logarithm of entry prices around the price before the shock
GROUPS = 5  # winners by what their position earned on their money, a fifth each


@dataclass(frozen=True, eq=False, kw_only=True)
class PolicyResult:
    """One policy. USD unless said otherwise.

    restored     : share of the bankrupt units that found a counterparty, 0..1
    haircut      : forgone / all winners' profit, 0..1; largest: largest share of one winner's profit taken
    touched      : share of winners who lose anything; overshoot: forgone / deficit covered - 1, 0 when not too much is
    paid_by      : (5,) share of what is forgone, by fifths of winners from the lowest return on money to the highest
    """

    policy: str
    restored: float
    forgone: float
    haircut: float
    largest: float
    touched: float
    overshoot: float
    paid_by: np.ndarray


def compare_policies(world: World) -> tuple[float, tuple[PolicyResult, ...]]:
    """(deficit USD, one result per policy): the population's positions in the first coin after its shock, no fund.

    Entry prices scatter by 5% around the price before it. Those whose loss is larger than their money are bankrupt;
    they are closed against the other side at their average bankruptcy price. Raises InputError where nobody is
    bankrupt or nobody wins.
    """
    people = draw(world)
    alone = people.quantities[:, 1] == 0
    size, money = people.quantities[alone, 0], people.equity[alone]
    mark = 1.0 + world.shock[0]
    after = money + size * (mark - 1.0)
    losing = np.sign(size) == (1.0 if mark < 1.0 else -1.0)
    broke = losing & (after < 0)
    winning = ~losing & (size != 0) & (after > 0)
    if not broke.any() or not winning.any():
        raise InputError("shock", world.shock[0], "leaves nobody bankrupt, or nobody to pay", "Make it larger.")
    needed = float(np.abs(size[broke]).sum())
    deficit = float(-after[broke].sum())
    side = int(np.sign(size[winning][0]))
    price = mark + side * deficit / needed  # where the bankrupt accounts have exactly nothing left
    held = np.abs(size[winning])
    entry = np.exp(ENTRY_SPREAD * np.random.default_rng(world.seed + 2).standard_normal(len(held)))
    candidates = Candidates(
        size=held,
        entry=entry,
        wallet=money[winning] - side * held * (1.0 - entry),
        maintenance=world.maintenance * held * mark,
        mark=mark,
        side=side,
    )
    profit = np.maximum(candidates.unrealised, 0.0)
    rank = np.argsort(np.argsort(profit / money[winning], kind="stable"), kind="stable")
    group = rank * GROUPS // len(rank)
    results = []
    for policy in POLICIES:
        found = deleverage(policy, candidates, needed, price)
        forgone = -found.forgone if found.forgone.sum() < 0 else found.forgone
        total = float(forgone.sum())
        taken = np.divide(forgone, profit, out=np.zeros_like(profit), where=profit > 0)
        filled = needed - found.unfilled
        results.append(
            PolicyResult(
                policy=policy,
                restored=filled / needed,
                forgone=total,
                haircut=total / float(profit.sum()),
                largest=float(taken.max()),
                touched=float((forgone > 1e-9).mean()),
                overshoot=total / (deficit * filled / needed) - 1.0,
                paid_by=np.bincount(group, forgone, GROUPS) / total if total > 0 else np.zeros(GROUPS),
            )
        )
    return deficit, tuple(results)
