"""Who may import whom (docs/architecture.md), read from the source, and what importing the engine must not load."""

import ast
import subprocess
import sys

import pytest

from tests.support import ROOT

OUTSIDE_ENGINE = {"streamlit", "plotly", "ccxt", "yfinance", "requests", "aiohttp", "data", "ui", "pages"}
LAZY = {"ccxt", "yfinance"}


def imports(path, top_level_only=False):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def sources(room):
    found = sorted((ROOT / room).rglob("*.py"))
    assert found, f"{room}/ holds no Python file"
    return found


@pytest.mark.parametrize("path", sources("margin"), ids=lambda p: str(p.relative_to(ROOT)))
def test_engine_reaches_no_other_room(path):
    assert not OUTSIDE_ENGINE & set(imports(path))


@pytest.mark.parametrize("path", sources("data"), ids=lambda p: str(p.relative_to(ROOT)))
def test_data_imports_no_page_and_loads_fetchers_lazily(path):
    assert not {"streamlit", "plotly", "ui", "pages"} & set(imports(path))
    assert not LAZY & set(imports(path, top_level_only=True))


@pytest.mark.parametrize("room", ["ui", "pages"])
def test_pages_never_import_fetchers_at_the_top(room):
    for path in sources(room):
        assert not LAZY & set(imports(path, top_level_only=True)), path


def test_the_engine_reads_no_clock():
    for path in sources("margin"):
        text = path.read_text(encoding="utf-8")
        for clock in ("datetime.now", "datetime.utcnow", "date.today", "time.time(", "Timestamp.now", "perf_counter"):
            assert clock not in text, f"{path} reads the clock: {clock}"


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        (["margin"], ["streamlit", "plotly", "ccxt", "yfinance", "numba", "scipy.stats", "sklearn", "cvxpy"]),
        (
            ["margin.sample.load", "data.store.store", "data.fetch.fetch", "data.fetch.service"],
            ["ccxt", "yfinance", "streamlit", "plotly"],
        ),
    ],
)
def test_importing_loads_nothing_heavy(modules, heavy):
    code = f"import sys, {', '.join(modules)}; sys.exit(' '.join(set({heavy}) & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("room", ["margin", "data", "ui", "pages"])
def test_nothing_can_be_executed_from_input(room):
    for path in sources(room):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec"), f"{path}:{node.lineno}"
            if isinstance(node, ast.keyword) and node.arg == "unsafe_allow_html":
                raise AssertionError(f"{path}: unsafe_allow_html")
        assert not {"pickle", "marshal", "shelve", "dill"} & set(imports(path)), path
