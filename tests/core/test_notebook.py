"""The example notebook runs from top to bottom, and its figures are the engine's."""

import nbformat
from nbclient import NotebookClient

from margin import Portfolio, compare, load_sample
from tests.support import ROOT


def test_the_notebook_runs_and_shows_what_compare_says(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(ROOT / "examples" / "margin_lab.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(ROOT))
    said = [
        output["data"]["text/plain"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "data" in output
    ]
    sample = load_sample()
    text = "symbol,quantity\nBTC/USDT:USDT,1\nETH/USDT:USDT,-30\nSOL/USDT:USDT,200\n"
    assert repr(compare(Portfolio.from_csv(text), sample.closes, volumes=sample.volumes)) in said
