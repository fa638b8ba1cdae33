"""The audit's expected shortfall beside bare matrix multiplication, whole audits of files, and a cluster's workers.

python -m benchmarks.bench_audit                 ES by legs per account, 30 assets x 500 scenarios, bare GEMM beside it
python -m benchmarks.bench_audit files 1000000   write a made-up venue, audit it whole; rate and peak memory
python -m benchmarks.bench_audit cluster 1000000 the same over 1 and 2 worker processes, and 1 and 2 threads
python -m benchmarks.bench_audit all 1000000     all of these, one after the other

All float64. "Bare GEMM" is what a dense approach cannot avoid: accounts x assets times assets x scenarios, BLAS held to
one thread in each of two threads, nothing else. Rates are accounts a second, two threads, best of five; those of a
CPU-second hold on a busy machine too.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from margin import Market
from margin.audit.chunk import Accounts, expected_shortfalls
from margin.audit.make import write
from margin.audit.models import batch_tiers
from margin.audit.parts import open_source
from margin.audit.plan import Plan, make_plan
from margin.audit.scan import audit_source
from margin.audit.shocks import wide_shocks
from margin.sample.load import load_sample

ASSETS, SCENARIOS, ACCOUNTS, TILE, THREADS, TRIES = 30, 500, 400_000, 512, 2, 5


def plan_of_30() -> Plan:
    """30 correlated fat-tailed random walks, 500 scenarios."""
    rng = np.random.default_rng(3)
    common = rng.standard_t(4, (SCENARIOS + 1, 1)) * 0.02
    steps = common + rng.standard_t(4, (SCENARIOS + 1, ASSETS)) * 0.015
    days = pd.date_range("2024-01-01", periods=SCENARIOS + 1)
    closes = pd.DataFrame(100.0 * np.exp(np.cumsum(steps, axis=0)), index=days)
    closes.columns = [f"A{i:02d}" for i in range(ASSETS)]
    return make_plan(Market(closes))


def book(legs: float, accounts: int) -> Accounts:
    """A mean of so many legs: geometric up to 8, every asset from there."""
    rng = np.random.default_rng(7)
    counts = np.minimum(rng.geometric(1.0 / legs, accounts), ASSETS) if legs < 9 else np.full(accounts, ASSETS)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    place = np.arange(indptr[-1]) - np.repeat(indptr[:-1], counts)
    first = np.repeat(rng.integers(0, ASSETS, accounts), counts)
    usd = rng.normal(0.0, 1e4, int(indptr[-1]))
    return Accounts(
        labels=np.arange(accounts), indptr=indptr, legs=((first + place) % ASSETS).astype(np.int64), usd=usd,
        equity=np.full(accounts, 1e4),
    )  # fmt: skip


def halves(held: Accounts) -> list[Accounts]:
    """One piece a thread."""
    edges = np.linspace(0, len(held), THREADS + 1).astype(int)
    out = []
    for low, high in pairwise(edges.tolist()):
        inside = slice(held.indptr[low], held.indptr[high])
        out.append(
            Accounts(
                labels=held.labels[low:high],
                indptr=held.indptr[low : high + 1] - inside.start,
                legs=held.legs[inside],
                usd=held.usd[inside],
                equity=held.equity[low:high],
            )
        )
    return out


def best(work: Callable[[int], object]) -> tuple[float, float]:
    """(least wall seconds, least CPU seconds a thread) of `TRIES` runs of `work(thread)` on every thread at once."""

    def timed(thread: int) -> float:
        started = time.thread_time()
        work(thread)
        return time.thread_time() - started

    walls, cpus = [], []
    with threadpool_limits(1), ThreadPoolExecutor(THREADS) as pool:
        for _ in range(TRIES):
            started = time.perf_counter()
            spent = list(pool.map(timed, range(THREADS)))
            walls.append(time.perf_counter() - started)
            cpus.append(sum(spent))
    return min(walls), min(cpus)


def gemm(plan: Plan, accounts: int) -> tuple[float, float]:
    """(wall, CPU) rates of bare tiles."""
    tile = np.random.default_rng(1).normal(size=(TILE, ASSETS))
    out = [np.empty((TILE, SCENARIOS)) for _ in range(THREADS)]

    def work(thread: int) -> None:
        for _ in range(accounts // THREADS // TILE):
            np.matmul(tile, plan.losses, out=out[thread])

    done = (accounts // THREADS // TILE) * THREADS * TILE
    wall, cpu = best(work)
    return done / wall, done / cpu


def kernels() -> None:
    print(f"$ python -m benchmarks.bench_audit\n{machine()}")
    plan = plan_of_30()
    assert plan.losses.shape == (ASSETS, SCENARIOS)
    expected_shortfalls(plan, book(2.0, 1000))  # compiled before it is timed
    for legs in (1.0, 1.6, 2.6, 4.0, 8.0, 30.0):
        held = book(legs, ACCOUNTS if legs < 30 else ACCOUNTS // 4)
        pieces = halves(held)
        wall, cpu = best(lambda thread, pieces=pieces: expected_shortfalls(plan, pieces[thread]))  # type: ignore[misc]
        bare, bare_cpu = gemm(plan, len(held))
        mean = held.indptr[-1] / len(held)
        print(
            f"{mean:4.1f} legs: {len(held) / wall / 1e6:6.2f} M accounts a second on two threads, bare GEMM "
            f"{bare / 1e6:5.2f} M; a CPU-second {len(held) / cpu / 1e6:5.2f} M beside {bare_cpu / 1e6:5.2f} M, "
            f"ratio {len(held) / cpu / bare_cpu:.2f}"
        )


def machine() -> str:
    """What it ran on."""
    name = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "")
    return f"{os.cpu_count()} cores, {name.split(':')[-1].strip()}; load {os.getloadavg()[0]:.1f}"


def files(accounts: int) -> None:
    print(f"$ python -m benchmarks.bench_audit files {accounts}\n{machine()}")
    with tempfile.TemporaryDirectory() as folder:
        plan = make_plan(Market(load_sample().closes))
        started = time.perf_counter()
        write(plan, accounts, folder)
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        print(f"written in {time.perf_counter() - started:.1f} s, {size / 1e6:,.0f} MB")
        child = subprocess.run(
            [sys.executable, "-m", "benchmarks.bench_audit", "audit", folder],
            check=True,
            capture_output=True,
            text=True,
        )
        print(child.stdout, end="")


def audit(folder: str) -> None:
    """In a process of its own, so that its peak memory is the audit's."""
    market = Market(load_sample().closes)
    plan = make_plan(market)
    warm = open_source(str(sorted(Path(folder).glob("positions-*.parquet"))[0]))
    audit_source(plan, warm, 1)
    wide = make_plan(market, shocks=wide_shocks(market, plan.assets), assets=plan.assets)
    venue = make_plan(market, "hyperliquid:cross", tiers=batch_tiers("hyperliquid:cross", market))
    for name, rule in (("portfolio", plan), ("portfolio", wide), ("hyperliquid:cross", venue)):
        started, busy = time.perf_counter(), time.process_time()
        total = audit_source(rule, open_source(folder), THREADS)
        seconds, cpu = time.perf_counter() - started, time.process_time() - busy
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{name}: {total.accounts:,} accounts of {total.positions / total.accounts:.2f} legs, {len(rule.names)} "
            f"shocks: {seconds:.1f} s, {total.accounts / seconds / 1e6:.2f} M accounts a second; {cpu:.1f} s of the "
            f"processor, {total.accounts / cpu / 1e6:.2f} M a CPU-second; peak so far {peak:,.0f} MB"
        )


def cluster(accounts: int) -> None:
    from distributed import LocalCluster

    from margin.audit.cluster import audit_on_cluster

    print(f"$ python -m benchmarks.bench_audit cluster {accounts}\n{machine()}")
    plan = make_plan(Market(load_sample().closes))
    with tempfile.TemporaryDirectory() as folder:
        write(plan, accounts, folder, per_file=accounts // 16)
        expected = None
        for workers in (1, 2):
            with LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50,
                local_directory=folder,
            ) as made:  # fmt: skip
                times = []
                for _ in range(4):
                    started = time.perf_counter()
                    total = audit_on_cluster(plan, open_source(f"{folder}/positions-*.parquet"), made.scheduler_address)
                    times.append(time.perf_counter() - started)
            expected = expected or json.dumps(total.to_dict())
            assert json.dumps(total.to_dict()) == expected
            print(
                f"{workers} worker(s): first pass {times[0]:.2f} s, then best {min(times[1:]):.2f} s, "
                f"{accounts / min(times[1:]) / 1e6:.2f} M accounts a second"
            )
        for threads in (1, 2):
            times = []
            for _ in range(3):
                started = time.perf_counter()
                total = audit_source(plan, open_source(f"{folder}/positions-*.parquet"), threads)
                times.append(time.perf_counter() - started)
            assert json.dumps(total.to_dict()) == expected
            print(
                f"{threads} thread(s): best {min(times):.2f} s, {accounts / min(times) / 1e6:.2f} M accounts a second"
            )


if __name__ == "__main__":
    if len(sys.argv) < 2:
        kernels()
    elif sys.argv[1] == "all":
        kernels()
        files(int(sys.argv[2]))
        cluster(int(sys.argv[2]))
    elif sys.argv[1] == "audit":
        audit(sys.argv[2])
    else:
        {"files": files, "cluster": cluster}[sys.argv[1]](int(sys.argv[2]))
