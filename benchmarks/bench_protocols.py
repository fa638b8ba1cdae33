"""Clearing a network of 500, a shared wallet under five and six rules, a crowd of wallets.

python -m benchmarks.bench_protocols      seconds of the processor, one core
"""

import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from margin import Collateral, Market, Portfolio, Position, models
from margin.models.marks import Marks
from margin.protocols.clearing import clear
from margin.protocols.paths import recorded_paths
from margin.protocols.population import Crowd, draw, shocked
from margin.protocols.sharing import compare_rules, separate_least
from margin.protocols.terms import read_wallet
from margin.protocols.wallet import RULES
from margin.sample.load import load_sample

NODES = 500


def network(share: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Debts of 500 nodes, a tenth of the pairs; outside assets that leave many unable to pay."""
    rng = np.random.default_rng(seed)
    debts = rng.lognormal(0.0, 1.5, (NODES, NODES)) * (rng.random((NODES, NODES)) < 0.1)
    np.fill_diagonal(debts, 0.0)
    return debts, share * debts.sum(axis=1) * rng.random(NODES)


def best(work: Callable[[], object], tries: int = 7) -> float:
    """Least seconds of the processor, BLAS on one thread: a busy machine changes them little."""
    times = []
    with threadpool_limits(1):
        for _ in range(tries):
            started = time.process_time()
            work()
            times.append(time.process_time() - started)
    return min(times)


def main() -> None:
    print("$ python -m benchmarks.bench_protocols")
    for share, alpha in ((0.1, 1.0), (0.3, 1.0), (0.3, 0.8)):
        debts, outside = network(share)
        found = clear(debts, outside, alpha=alpha, beta=alpha)
        seconds = best(lambda d=debts, o=outside, a=alpha: clear(d, o, alpha=a, beta=a))  # type: ignore[misc]
        print(
            f"clearing {NODES} nodes, {int(found.defaults.sum())} default, alpha = beta = {alpha:g}: "
            f"{1000 * seconds:.1f} ms (target 50)"
        )
    prices = load_sample()
    market = Market(prices.closes, prices.volumes)
    book = Portfolio((Position("ETH/USDC:USDC", 10.0),), (Collateral("ETH", 15.0),))
    told = read_wallet(
        book, Marks.of_market(market, book), models.get("aave:cross"), models.get("hyperliquid:cross"), 10_000.0
    )
    paths = recorded_paths(market, told.wallet.assets, 7)
    drawn = best(lambda: recorded_paths(market, told.wallet.assets, 7))
    five = best(lambda: compare_rules(told.wallet, paths, 0.05, rules=RULES[:5]))
    rules = best(lambda: compare_rules(told.wallet, paths, 0.05))
    split = best(lambda: separate_least(told.wallet, paths, 0.05))
    print(
        f"wallet, 4,000 paths x 168 hours: drawn in {1000 * drawn:.0f} ms, five rules compared in {1000 * five:.0f} ms "
        f"(target 100), six in {1000 * rules:.0f} ms, separate accounts at their best in {1000 * split:.0f} ms"
    )
    crowd = Crowd(wallets=100_000, rules=(("separate", 0.5), ("lien", 0.1), ("unified", 0.2), ("double", 0.2)))
    people, moves = draw(crowd), np.zeros((168, 2))
    moves[:48] = 0.6 ** (1.0 / 48) - 1.0
    print(f"100,000 wallets x 168 steps: {best(lambda: shocked(crowd, moves, people), 3):.2f} s (target 2)")


if __name__ == "__main__":
    main()
