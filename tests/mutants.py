"""`python -m tests mutants`: small faults put into the engine and the loaders, one at a time; do their tests see them?

    python -m tests mutants [--count 200] [--seed 1] [--hours 2] [--only margin/risk]

A seeded sample of cosmic-ray's mutations (a sign, a comparison, a constant, a branch) over margin/ and data/, each in a
copy of the tree, each against the tests of its own room for at most 60 seconds. Not part of the test command: it takes
hours. Survivors are printed; docs/testing.md says of each why it may live.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support import ROOT

BOUND_SECONDS = 60
COPIED = ("app.py", "conftest.py", "pyproject.toml", "README.md", "margin", "data", "ui", "pages", "tests", "tools", "docs",
          "examples", "benchmarks", "requirements.txt")  # fmt: skip
# Of cosmic-ray's operators: those that a slip of the pen makes. Replacing + by << is found by any test at all.
KINDS = (
    "core/ReplaceBinaryOperator_Add_Sub", "core/ReplaceBinaryOperator_Sub_Add", "core/ReplaceBinaryOperator_Mul_Div",
    "core/ReplaceBinaryOperator_Div_Mul", "core/ReplaceComparisonOperator_Lt_LtE", "core/ReplaceComparisonOperator_LtE_Lt",
    "core/ReplaceComparisonOperator_Gt_GtE", "core/ReplaceComparisonOperator_GtE_Gt", "core/ReplaceComparisonOperator_Lt_Gt",
    "core/ReplaceComparisonOperator_Gt_Lt", "core/ReplaceComparisonOperator_Eq_NotEq", "core/ReplaceUnaryOperator_Delete_USub",
    "core/ReplaceAndWithOr", "core/ReplaceOrWithAnd", "core/ReplaceTrueWithFalse", "core/ReplaceFalseWithTrue",
    "core/NumberReplacer", "core/AddNot",
)  # fmt: skip
NOT_MUTATED = ("__init__.py", "__main__.py")


@dataclass(frozen=True)
class Mutant:
    """One fault: an operator's occurrence in a file."""

    path: Path
    operator: str
    occurrence: int


def sites(folders: list[str]) -> Iterator[Mutant]:
    """Every mutation there is, file by file."""
    from cosmic_ray.ast import get_ast, ast_nodes  # noqa: I001
    from cosmic_ray.plugins import get_operator, operator_names

    known = set(operator_names())
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.name in NOT_MUTATED:
                continue
            tree = get_ast(path.read_text(encoding="utf-8"))
            for name in KINDS:
                if name not in known:
                    continue
                operator = get_operator(name)()
                count = sum(len(list(operator.mutation_positions(node))) for node in ast_nodes(tree))
                yield from (Mutant(path.relative_to(ROOT), name, i) for i in range(count))


def mutated(mutant: Mutant) -> str | None:
    """The file's text with the fault; None where the operator finds nothing there."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    source = (ROOT / mutant.path).read_text(encoding="utf-8")
    found: str | None = mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence)
    return found


def room_tests(path: Path) -> list[str]:
    """The tests of a file's room: the folder of the same name under tests/, and its house's where there is none."""
    house, *rest = path.parent.parts
    base = Path("tests") if house == "margin" else Path("tests", house)
    for depth in range(len(rest), 0, -1):
        folder = base.joinpath(*rest[:depth])
        if (ROOT / folder).is_dir():
            return [str(folder)]
    return [str(base)]


def survives(tree: Path, mutant: Mutant, text: str) -> bool:
    """Whether the tests of the room stay green with the fault in the copied tree; out of time counts as seen."""
    place = tree / mutant.path
    kept = place.read_text(encoding="utf-8")
    place.write_text(text, encoding="utf-8")
    try:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not browser"]
        done = subprocess.run(
            [*command, *room_tests(mutant.path)], cwd=tree, capture_output=True, timeout=BOUND_SECONDS, check=False
        )
        return done.returncode == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        place.write_text(kept, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Run the sample; the exit status is 0 where at least 85% were seen."""
    parser = argparse.ArgumentParser(prog="python -m tests mutants")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--only", nargs="*", default=["margin", "data"])
    options = parser.parse_args(arguments)
    every = list(sites(options.only))
    chosen = random.Random(options.seed).sample(every, min(options.count, len(every)))
    end = time.monotonic() + 3600.0 * options.hours
    tried, lived = 0, []
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.exists():
                shutil.copy2(source, tree / name)
        for mutant in chosen:
            if time.monotonic() > end:
                break
            text = mutated(mutant)
            if text is None:
                continue
            tried += 1
            alive = survives(tree, mutant, text)
            said = f"{mutant.path} {mutant.operator.removeprefix('core/')} #{mutant.occurrence}"
            print(f"{tried:4} {'SURVIVED' if alive else 'seen    '} {said}", flush=True)
            lived += [said] if alive else []
    share = 1.0 - len(lived) / tried if tried else 0.0
    print(f"{tried} of {len(every)} mutations tried, {share:.1%} seen")
    return 0 if share >= 0.85 else 1
