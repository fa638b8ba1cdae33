"""The map of which tests run which lines, and the choice of tests that follows from it."""

import shutil
from pathlib import Path

import pytest

from tests.mutants import choice, covers
from tests.mutants.sites import Mutant
from tests.support import ROOT

ONE = """LIMIT = 3


def kept(usd, most=LIMIT):
    if usd > most:
        return most
    return (usd +
            1)


class Held:
    share: float = 0.5
"""
OTHER = "from margin.one import kept\n\n\ndef asked(usd):\n    return kept(usd)\n"


@pytest.fixture
def root(tmp_path):
    for name, text in {"margin/one.py": ONE, "margin/other.py": OTHER}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for name in ("one", "far", "new"):
        (tmp_path / "tests").mkdir(exist_ok=True)
        (tmp_path / "tests" / f"test_{name}.py").write_text("from margin.one import kept\n" * (name != "far"))
    return tmp_path


def made(root, contexts):
    """A map of what these tests ran: (test and phase, file, lines)."""
    from coverage import CoverageData

    data = CoverageData(str(root / "coverage"))
    for context, name, lines in contexts:
        data.set_context(context)
        data.add_lines({str(root.resolve() / name): lines})
    data.write()
    (root / "times").write_text("tests/test_one.py::test_a[1]\t0.5\ntests/test_one.py::test_a[2]\t0.25\nx::test_p\t9\n")
    (root / "tests" / "test_new.py").unlink()
    found = covers._read(covers._gathered(root, root / "coverage", root / "times"))
    (root / "tests" / "test_new.py").write_text("from margin.one import kept\n")
    return found


CONTEXTS = [
    ("", "margin/one.py", [1, 4, 11, 12]),
    ("tests/test_one.py::test_a[1]|run", "margin/one.py", [5, 6]),
    ("tests/test_far.py::test_b|setup", "margin/one.py", [5, 7, 8]),
    ("tests/test_far.py::test_c|run", "margin/other.py", [5]),
]
A, B, C = "tests/test_one.py::test_a", "tests/test_far.py::test_b", "tests/test_far.py::test_c"


def test_a_line_is_run_by_all_cases_of_a_test_and_what_a_fixture_runs_by_its_whole_file(root):
    found = made(root, CONTEXTS)
    assert found.seconds == {A: 0.75, B: 0.0, C: 0.0}
    assert found.tests(root, "margin/one.py", 6) == {A}
    assert found.tests(root, "margin/one.py", 5) == {A, B, C}
    assert found.tests(root, "margin/one.py", 8) == found.tests(root, "margin/one.py", 7) == {B, C}


def test_a_line_is_found_again_where_the_file_has_changed(root):
    found = made(root, CONTEXTS)
    (root / "margin" / "one.py").write_text("# a word\n\n" + ONE)
    assert found.tests(root, "margin/one.py", 8) == {A}
    assert found.tests(root, "margin/one.py", 2) == set()


def test_a_default_and_a_constant_are_asked_of_those_who_use_them(root):
    found = made(root, CONTEXTS)
    assert found.tests(root, "margin/one.py", 4) == {A, B, C}, "the function's own lines"
    assert found.tests(root, "margin/one.py", 1) == {C}, "its one user is a head, which runs at import: who calls it"
    compiled = made(root, [CONTEXTS[3]])
    assert compiled.tests(root, "margin/one.py", 5) == {C}, "no line of it is followed: the callers'"


@pytest.mark.parametrize(
    ("line", "first", "last", "names"),
    [
        (1, 1, 1, {"LIMIT"}),
        (4, 4, 8, {"kept"}),
        (5, 5, 5, {"kept"}),
        (8, 7, 8, {"kept"}),
        (12, 12, 12, {"Held", "share"}),
    ],
)
def test_a_line_s_statement_and_the_names_to_look_for(line, first, last, names):
    assert covers.statement(ONE, line) == (first, last, names)


def mutant(line):
    return Mutant(path="margin/one.py", line=line, column=0, operator="", occurrence=0, before="", after="", around="")


def test_first_the_tests_that_run_the_line_then_the_others_and_none_twice(root):
    found = made(root, CONTEXTS)
    first, others = choice.chosen(found, root, mutant(6))
    assert set(first.files) == {"tests/test_new.py", "tests/test_one.py"} and not first.left_out, (
        "what is new is asked too"
    )
    assert set(others.files) == {f"tests/test_{name}.py" for name in ("new", "one", "far")} and others.left_out == {A}
    (part,) = choice.chosen(covers.Covers(), root, mutant(6))
    assert set(part.files) == set(others.files) and not part.left_out
    far = choice.chosen(found, root, mutant(8))[0]
    assert "tests/test_far.py" in far.files and far.left_out == frozenset()


def test_what_runs_at_import_is_asked_of_the_list_of_defaults_first():
    assert (ROOT / choice.DEFAULTS).exists()
    where = {
        line: choice.at_import(ROOT, Mutant(**{**vars(mutant(line)), "path": "tests/mutants/choice.py"}))
        for line in (1, 12)
    }
    assert where == {1: True, 12: True}
    body = next(i for i, text in enumerate(Path(choice.__file__).read_text().splitlines(), 1) if "near = " in text)
    assert not choice.at_import(ROOT, Mutant(**{**vars(mutant(body)), "path": "tests/mutants/choice.py"}))


PROPERTY = """
import pytest
from hypothesis import given, strategies as st
from margin.one import kept

@pytest.mark.parametrize("usd", [1, 2, 5])
def test_a(usd):
    assert kept(usd) in (2, 3)

@given(st.integers(5, 9))
def test_p(usd):
    assert kept(usd) == 3
"""


def test_a_run_of_the_tests_makes_the_map(root):
    """Two cases of a test are followed, and no property: what only these run is unknown."""
    shutil.copytree(ROOT / "tests" / "mutants", root / "tests" / "mutants")
    shutil.copy2(ROOT / "tests" / "support.py", root / "tests" / "support.py")
    for name in ("one", "far", "new"):
        (root / "tests" / f"test_{name}.py").write_text(PROPERTY if name == "one" else "")
    for test in (root / "tests" / "mutants").glob("test_*.py"):
        test.unlink()
    (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\nmarkers = ["browser"]\npythonpath = ["."]\n')
    covers._run(root, root / "kept", workers=0)
    found = covers._read(covers._gathered(root, root / "kept" / "coverage", root / "kept" / "times"))
    assert found.tests(root, "margin/one.py", 7) == {A}, (root / "kept" / "said").read_text()
    assert found.lines["margin/one.py"].get(6, set()) == set() and set(found.seconds) == {A}
