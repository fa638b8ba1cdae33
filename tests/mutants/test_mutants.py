"""The mutants' tool: where faults are put, which tests are asked first, and what a trial's verdict is."""

import json
import shutil
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest

from tests.mutants import nearest
from tests.support import ROOT

SOURCE = """
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    LIMIT = 1
__all__ = ["a" * 2]
VERSION = 3


@dataclass(frozen=True)
class Held:
    share: Literal[4] = 5

    def of(self, usd: Literal[6] = 7) -> Literal[8]:
        if usd < 0:
            raise InputError("usd", usd + 9, f"is {usd * 10} too low")
        return usd + 11 - 12
"""


def numbers(source):
    pytest.importorskip("cosmic_ray")
    from tests.mutants import sites

    lines = source.splitlines()
    found = sites.sites_of(source, "margin/held.py", ["core/NumberReplacer"])
    return [int("".join(c for c in lines[s.line - 1][s.column :].split()[0] if c.isdigit())) for s in found][::2]


def test_no_fault_is_put_where_no_behaviour_could_show_it():
    """Not in annotations, decorators, labels, what is imported for types, and what is raised."""
    assert numbers(SOURCE) == [5, 7, 0, 11, 12]


def test_the_sample_is_the_same_for_a_seed_with_one_fault_to_an_operator_and_a_line(tmp_path):
    pytest.importorskip("cosmic_ray")
    from tests.mutants import sites

    (tmp_path / "margin").mkdir()
    (tmp_path / "margin" / "held.py").write_text(SOURCE)
    first, every = sites.sample(tmp_path, ["margin"], 100, 1)
    again, _ = sites.sample(tmp_path, ["margin"], 100, 1)
    assert first == again and len(first) == every
    assert len({(m.line, m.operator) for m in first}) == every
    assert sites.sample(tmp_path, ["margin"], 3, 1)[0] == first[:3]
    numbers_of_the_sum = [m for m in first if "11 - 12" in m.before and "Number" in m.operator]
    assert len(numbers_of_the_sum) == 1 and numbers_of_the_sum[0].around == "of"
    moved = SOURCE.replace("class Held:", "class Other:\n    more = 1\n\n\nclass Held:")
    (tmp_path / "margin" / "held.py").write_text(moved)
    for mutant in first:
        new = sites.found_again(tmp_path, mutant)
        assert (new.before, new.after) == (mutant.before, mutant.after)
    assert sites.found_again(tmp_path, replace(first[0], before="gone")) is None


def test_tests_that_import_the_module_come_first_and_pages_last():
    order = nearest.ordered(ROOT, "margin/risk/tail.py")
    assert order[0] == "tests/risk/test_tail.py"
    assert {"tests/risk/test_estimators.py", "tests/hedge/test_programmes.py"} <= set(order)
    late = [name.startswith(nearest.SLOW) for name in nearest.ordered(ROOT, "margin/liquidation/nearest.py")]
    assert late == sorted(late) and any(late)
    assert not any("browser" in name for name in order)
    assert nearest.ordered(ROOT, "margin/core/settings.py")  # also of what the engine's own front door imports


def test_what_was_compiled_with_a_file_is_compiled_anew():
    assert nearest.compiled_with(ROOT, "margin/audit/kernels.py") >= {"kernels", "passes", "gaps"}
    assert nearest.compiled_with(ROOT, "margin/risk/tail.py") == set()


TRIALS = """
import json, os, sys
from pathlib import Path
os.environ["MUTANTS_TEST_SECONDS"] = "0.5"
from tests.mutants.trial import Tree
tree = Tree(Path(sys.argv[1]), Path(sys.argv[2]))
for text, seconds in [("1", 20), ("2", 20), ("spin()", 20), ("spin(guarded=True)", 1)]:
    (tree.place / "margin" / "one.py").write_text(text.join(["from margin.spin import spin\\nONE = ", "\\n"]))
    found = tree.run(["tests/one/test_one.py"], cpu=seconds)
    print(json.dumps([found.verdict, found.by, found.reason]))
"""


def test_a_fault_is_seen_by_a_failing_test_alone_and_never_by_the_clock(tmp_path):
    """A loop without end is seen by the bound on one test; where the whole bound comes first, it is not seen in time."""
    project, work = tmp_path / "project", tmp_path / "work"
    for folder in ("margin", "tests/one"):
        (project / folder).mkdir(parents=True)
    work.mkdir()
    shutil.copytree(ROOT / "tests" / "mutants", project / "tests" / "mutants")
    shutil.copy2(ROOT / "tests" / "support.py", project / "tests" / "support.py")
    (project / "margin" / "one.py").write_text("ONE = 1\n")
    (project / "margin" / "spin.py").write_text(
        "def spin(guarded=False):\n    while True:\n        try:\n            while True:\n                pass\n"
        "        except AssertionError:\n            if not guarded:\n                raise\n"
    )
    (project / "tests" / "one" / "test_one.py").write_text(
        "def test_one():\n    import margin.one\n    assert margin.one.ONE == 1\n"
    )
    (project / "pyproject.toml").write_text('[tool.pytest.ini_options]\nmarkers = ["browser"]\npythonpath = ["."]\n')
    command = [sys.executable, "-c", textwrap.dedent(TRIALS), str(project), str(work)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=250, check=False)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    by = "tests/one/test_one.py::test_one"
    verdicts = [["survived", ""], ["seen", by], ["seen", by], ["not seen in time", ""]]
    assert [line[:2] for line in told] == verdicts, done.stderr
    assert "took more than" in told[2][2]
