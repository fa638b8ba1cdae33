"""`python -m tests mutants`: a seeded sample of small faults, each in a copy of the tree, each against the nearest tests.

    python -m tests mutants [--count 200] [--seed 1] [--hours 2] [--only margin/risk] [--log FILE] [--again LOG]

A fault is seen when a test fails; reaching the bound of 60 s of CPU time without a failing test is "not seen in time" and
counts as survived. The log has a line per fault, so that a run goes on where it ended (the same --log), and what survived
an earlier run is tried alone on today's tree (--again LOG). Not part of the test command: it takes hours. docs/testing.md
says of each survivor why it may live.
"""

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.mutants import covers, sites, trial
from tests.mutants.trial import CPU_SECONDS, SEEN, Tree
from tests.support import ROOT

BROKEN = 5  # tests that fail without a fault too, at one fault
ENOUGH = 0.85  # the share that is to be seen
CLEAN = "fails without a fault too"  # the verdict on a fault that only such a test saw


def main(arguments: list[str]) -> int:
    """Run the sample; the exit status is 0 where enough were seen."""
    parser = argparse.ArgumentParser(prog="python -m tests mutants")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--only", nargs="*", default=["margin", "data"], help="folders or files")
    parser.add_argument("--seconds", type=int, default=CPU_SECONDS, help="CPU time for the tests of one fault")
    parser.add_argument(
        "--part", default="1/1", help="K/N: every N-th of the sample, from the K-th; for runs side by side"
    )
    parser.add_argument("--covers", type=Path, help="a folder where the map of which tests run which lines is kept")
    parser.add_argument("--log", type=Path, help="a line of JSON for each fault; a run with a log that exists goes on")
    parser.add_argument("--again", type=Path, metavar="LOG", help="only what survived in this log, on today's tree")
    options = parser.parse_args(arguments)
    if options.again:
        chosen, drawn_from = _survivors(options.again), "survivors of an earlier run"
    else:
        drawn, every = sites.sample(ROOT, options.only, options.count, options.seed)
        chosen, drawn_from = drawn, f"{every:,} mutations, seed {options.seed}"
    turn, turns = map(int, options.part.split("/"))
    chosen = chosen[turn - 1 :: turns]
    done = _read(options.log) if options.log and options.log.exists() else {}
    found = {mutant: done[mutant] for mutant in chosen if mutant in done}
    end = time.monotonic() + 3600.0 * options.hours
    with tempfile.TemporaryDirectory() as folder:
        tree = Tree(ROOT, Path(folder))
        tree.covers = covers.taken(tree.place, options.covers or Path(folder) / "covers")
        honest: dict[str, bool] = {}
        for mutant in chosen:
            if mutant in found:
                continue
            if time.monotonic() > end:
                print("out of hours")
                break
            verdict = _judged(tree, mutant, options.seconds, honest)
            found[mutant] = verdict
            if options.log:
                with options.log.open("a", encoding="utf-8") as log:
                    print(trial.as_line(mutant, verdict), file=log)
            print(_told(len(found), mutant, verdict), flush=True)
    return _summary(found, drawn_from)


def _survivors(log: Path) -> list[sites.Mutant]:
    """What was not seen in a log, found again in today's tree by its line."""
    found = []
    for old, verdict in _read(log).items():
        if verdict.verdict != SEEN:
            new = sites.found_again(ROOT, old)
            if new is None:
                print(f"no longer there: {old.path}:{old.line} {old.before}  ->  {old.after}")
            else:
                found.append(new)
    return found


def _read(log: Path) -> dict[sites.Mutant, trial.Verdict]:
    return dict(trial.of_line(line) for line in log.read_text(encoding="utf-8").splitlines() if line.strip())


def _judged(tree: Tree, mutant: sites.Mutant, seconds: int, honest: dict[str, bool]) -> trial.Verdict:
    """The verdict; a test that fails without the fault too is never asked again."""
    for _ in range(BROKEN):
        verdict = tree.trial(mutant, seconds)
        if verdict.verdict != SEEN or _passes_clean(tree, verdict.by, honest):
            return verdict
        tree.broken.add(covers.function(verdict.by))
    return trial.Verdict(**vars(verdict) | {"verdict": CLEAN})


def _passes_clean(tree: Tree, test: str, known: dict[str, bool]) -> bool:
    """Whether the test that failed passes on the tree without a fault: else it says nothing."""
    if test not in known:
        known[test] = test == trial.ITSELF or tree.run([test]).verdict == trial.SURVIVED
    return known[test]


def _told(number: int, mutant: sites.Mutant, verdict: trial.Verdict) -> str:
    what = f"{mutant.path}:{mutant.line} {mutant.before}  ->  {mutant.after}"
    return f"{number:4} {verdict.verdict:16} {verdict.cpu:5.1f} s  {what}" + (f"  [{verdict.by}]" if verdict.by else "")


def _summary(found: dict[sites.Mutant, trial.Verdict], drawn_from: str) -> int:
    counts = Counter(verdict.verdict for verdict in found.values())
    share = counts[SEEN] / len(found) if found else 0.0
    print(f"{len(found)} faults tried of {drawn_from}: {share:.1%} seen")
    for kind, count in counts.most_common():
        print(f"  {count:4} {kind}")
    for mutant, verdict in found.items():
        if verdict.verdict != SEEN:
            print(f"  {mutant.path}:{mutant.line} ({verdict.verdict}) {mutant.before}  ->  {mutant.after}")
    return 0 if share >= ENOUGH else 1
