"""An exchange is one file; the layers of data/ have no circle and no upward import."""

import ast
from pathlib import Path

from data.exchange import listed
from data.exchange.registry import EXCHANGES, SOURCES, candidates, exchanges, facts_of
from tests.support import ROOT

# Each folder or file of data/ may import those before it.
ORDER = (
    "model",
    "errors",
    "universe",
    "store",
    "cleaning",
    "exchange",
    "files",
    "sample",
    "fetch",
    "accounts",
    "watch",
    "cli",
    "__main__",
)


def test_every_exchange_is_one_file_and_every_file_one_exchange():
    files = {path.stem for path in Path(listed.__path__[0]).glob("[a-z]*.py")}
    assert files == set(exchanges())
    assert list(EXCHANGES) == sorted(EXCHANGES, key=lambda e: facts_of(e).order)
    assert SOURCES[-1] == "yahoo"


def test_a_new_exchange_is_one_new_file(tmp_path, monkeypatch):
    (tmp_path / "nova.py").write_text(
        "from data.exchange.facts import Exchange\n\nEXCHANGE = Exchange(id='nova', name='Nova', order=99, page=10)\n"
    )
    monkeypatch.setattr(listed, "__path__", [*listed.__path__, str(tmp_path)])
    exchanges.cache_clear()
    try:
        assert list(exchanges())[-3:] == ["nova", "deribit", "krakenfutures"]
        assert candidates("nova", "BTC") == ["BTC/USD", "BTC/USDT", "BTC/USDC"]
    finally:
        exchanges.cache_clear()


def test_the_layers_of_data_import_downwards_only():
    upward = []
    for path in sorted((ROOT / "data").rglob("*.py")):
        own = path.relative_to(ROOT / "data").parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("data."):
                other = node.module.split(".")[1]
                if ORDER.index(other) > ORDER.index(own):
                    upward.append(f"{path.relative_to(ROOT)} imports {other}")
    assert not upward, upward
