"""CONTRIBUTING.md holds what it says: its examples, written into a copy of the project, pass their own tests there."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests import docs_tables
from tests.support import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = dict(EXAMPLE.findall(TEXT))
COPIED = (
    "app.py",
    "conftest.py",
    "pyproject.toml",
    "CONTRIBUTING.md",
    ".streamlit",
    "margin",
    "data",
    "ui",
    "pages",
    "tools",
    "docs",
)
SHARED = (
    "tests/support.py",
    "tests/core/test_layers.py",
    "tests/core/layers.py",
    "tests/core/house_map.py",
    "tests/docs_tables.py",
)


def test_the_tables_of_the_docs_are_made_from_facts():
    assert not docs_tables.stale(), "python -m tests.docs_tables writes them anew"
    with pytest.raises(KeyError):
        docs_tables.renewed("<!-- made: nothing -->\n<!-- end -->")


def test_there_is_an_example_of_each_and_none_replaces_a_file():
    kinds = (
        "pages/",
        "margin/risk/estimators/",
        "margin/venues/rules/",
        "data/exchange/listed/",
        "data/files/readers/",
    )
    for kind in kinds:
        assert [name for name in FILES if name.startswith(kind)], f"CONTRIBUTING.md shows no file of {kind}"
    assert not [name for name in FILES if (ROOT / name).exists()]
    tests = [name for name in FILES if name.startswith("tests/")]
    assert len(tests) == len(kinds)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The project with the examples added, nothing else changed."""
    folder = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "images"))
        else:
            shutil.copy(ROOT / name, folder / name)
    for name in SHARED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def ran(folder, *words):
    given = {**os.environ, "PYTHONPATH": str(folder), "MARGIN_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, env=given, capture_output=True, text=True, check=False, timeout=240
    )
    return done.returncode, done.stdout + done.stderr


def test_the_examples_pass_their_own_tests_and_the_layering(copy):
    tests = [name for name in FILES if name.startswith("tests/")]
    layers = "tests/core/test_layers.py::test_every_import_follows_the_table_downwards_and_in_no_circle"
    status, said = ran(copy, "pytest", "-q", "-n0", "-p", "no:cacheprovider", *tests, layers)
    assert status == 0, said
    assert f"{len(tests) + 1} passed" in said


def test_the_examples_are_formatted_and_linted(copy):
    names = [name for name in FILES if name.endswith(".py")]
    assert ran(copy, "ruff", "check", *names) == (0, "All checks passed!\n")
    status, said = ran(copy, "ruff", "format", "--check", *names)
    assert status == 0, said
