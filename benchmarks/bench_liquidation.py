"""A market of 100,000 accounts through 1,000 steps, beside a plain loop over accounts.

python -m benchmarks.bench_liquidation
"""

import time
from dataclasses import replace

import numpy as np

from margin.liquidation.population import MODES, World, cascade, draw, outside_moves

LARGE = World(accounts=100_000, steps=1_000)
LOOP_ACCOUNTS, LOOP_STEPS = 2_000, 50


def loop(world: World) -> float:
    """Seconds that one account after the other takes in plain Python, without impact: the least a loop must do."""
    people, moves = draw(world), outside_moves(world)
    started = time.perf_counter()
    for quantities, equity in zip(people.quantities, people.equity, strict=True):
        (a, b), money, x, y = quantities, equity, 1.0, 1.0
        for first, second in moves:
            money += a * x * first + b * y * second
            x, y = x * (1 + first), y * (1 + second)
            if money < world.maintenance * (abs(a * x) + abs(b * y)):
                break
    return time.perf_counter() - started


def main() -> None:
    print("$ python -m benchmarks.bench_liquidation")
    per_step = (
        loop(replace(LARGE, accounts=LOOP_ACCOUNTS, steps=LOOP_STEPS, shock_steps=5)) / LOOP_ACCOUNTS / LOOP_STEPS
    )
    plain = per_step * LARGE.accounts * LARGE.steps
    for mode in MODES:
        times = []
        for _ in range(3):
            started = time.perf_counter()
            found = cascade(LARGE, mode)
            times.append(time.perf_counter() - started)
        ours = float(np.median(times))
        print(
            f"{LARGE.accounts:,} accounts x {LARGE.steps:,} steps, {mode}, with and without impact: median {ours:.2f} "
            f"s of 3 ({found.closed_accounts:,} accounts hit); plain loop about {plain:.0f} s, ratio {plain / ours:.0f}"
        )


if __name__ == "__main__":
    main()
