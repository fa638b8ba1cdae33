"""Who may import whom: the table of docs/architecture.md against every import; and what importing the engine must not load."""

import ast
import re
import subprocess
import sys

import pytest

from tests.core.house_map import drawn
from tests.core.layers import breaches, circles, read_sources, read_table
from tests.support import ROOT

TABLE = read_table((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
SOURCES = read_sources(ROOT)
BEFORE = set(breaches(SOURCES, TABLE))

OUTSIDE_ENGINE = {"streamlit", "plotly", "ccxt", "yfinance", "requests", "aiohttp", "data", "ui", "pages"}
LAZY = {"ccxt", "yfinance"}


def test_every_import_follows_the_table_downwards_and_in_no_circle():
    assert not BEFORE, "\n".join(["docs/architecture.md says who may import whom:", *sorted(BEFORE)])


PLANTED = [
    ("upward", "margin.risk.planted", "from margin.ladder.compare import compare", "margin.ladder, upward"),
    ("sideways", "margin.ladder.planted", "import margin.venues.base", "may not import margin.venues"),
    ("sideways back", "margin.venues.planted", "import margin.ladder.compare", "may not import margin.ladder"),
    ("in a function", "margin.core.planted", "def f():\n    import margin.risk.tail", "may not import margin.risk"),
    ("for types", "margin.core.planted", "if TYPE_CHECKING:\n    from margin.models.base import MarginModel", "upward"),
    ("relative", "margin.core.planted", "from ..stress import shocks", "may not import margin.stress"),
    ("relative package", "margin.core.planted", "from .. import cli", "may not import margin.cli"),
    ("by name", "margin.core.planted", 'import_module("margin.cli.main")', "may not import margin.cli"),
    ("by a made name", "margin.core.planted", 'importlib.import_module(f"margin.cli.{x}")', "may not import margin.cli"),
    ("another house", "margin.core.planted", "import ui.blocks.theme", "may not import ui.blocks"),
    ("the engine's fetcher", "margin.sample.planted", "from data.fetch.fetch import fetch_prices", "data.fetch"),
    ("a page in data", "data.cleaning.planted", "import pages.venues", "may not import pages"),
    ("two files", "margin.risk.planted", "import margin.risk.other", "circle of files: margin.risk.other -> "),
    ("a new folder", "margin.planted.one", "import numpy", "lies in no room: add a row"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "source", "said"), [p[1:] for p in PLANTED], ids=[p[0] for p in PLANTED])
def test_a_planted_import_is_found(module, source, said):
    planted = {**SOURCES, module: source, "margin.risk.other": "import margin.risk.planted"}
    if module != "margin.risk.planted":
        del planted["margin.risk.other"]
    new = set(breaches(planted, TABLE)) - BEFORE
    assert any(said in line and module in line for line in new), new


def test_a_table_that_climbs_and_a_row_without_files_are_found():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    row = "| `margin/core/` | 0 |"
    assert row in text
    climbing = breaches(SOURCES, read_table(text.replace(row, f"{row} `margin/cli/`")))
    assert any("the table lets margin.core (floor 0) import margin.cli" in line for line in climbing)
    empty = breaches(SOURCES, read_table(text.replace(row, f"| `margin/nobody/` | 0 | | |\n{row}")))
    assert "margin.nobody has a row in docs/architecture.md and no file" in empty
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c", "a"]]


def test_every_room_of_the_table_is_drawn():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    found = re.search(r"```mermaid\n(.*?)```", text, re.DOTALL)
    for room in TABLE:
        house, _, name = room.partition(".")
        if name.startswith("__"):
            assert name not in found[1], f"{room} is a door, not a room of the map"
            continue
        box = rf'^ +{house}\w*\["\d+: [^"]*\b{name}\b' if name else rf"^ +{house}\["
        assert re.search(box, found[1], re.MULTILINE), f"{room} is not on the map: python -m tests.docs_tables"
    row = "| `margin/nobody/` | 1 | `margin/core/` | |\n| `margin/core/` | 0 |"
    assert "1: nobody" in drawn(read_table(text.replace("| `margin/core/` | 0 |", row)))


def test_every_package_says_its_floor_and_what_it_holds():
    for module, source in SOURCES.items():
        package = module.removesuffix(".__init__")
        if package == module or package.split(".")[0] in ("tools", "pages"):
            continue
        tree = ast.parse(source)
        made = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        made |= {getattr(n, "name", "") for n in tree.body}
        made |= {a.asname or a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
        given = [n for n in tree.body if "__all__" in ast.unparse(n).partition("=")[0]]
        assert given, f"{package} has no __all__"
        for name in ast.literal_eval(given[0].value):
            inside = f"{package}.{name}" in SOURCES or f"{package}.{name}.__init__" in SOURCES
            assert inside or name in made, f"{package} names {name} in __all__ and has no such thing"
        if package in TABLE:
            floor = f"Floor {TABLE[package].floor}: "
            assert (ast.get_docstring(tree) or "").startswith(floor), f"{package}: its first line begins '{floor}'"


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
    assert len(sources(room)) > 10
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
