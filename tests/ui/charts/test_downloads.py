"""What a visitor takes home: the report holds the figures and nothing of a hostile name, the CSV reads back, the snippet runs."""

import csv
import io
import re
import subprocess
import sys

import pytest

from data.sample import load_sample
from margin import Collateral, Market, Portfolio, Position, Settings, compare
from tests.support import ROOT
from ui.blocks.formats import change, money, percent, short_money, signed_money
from ui.portfolio import report

PRICES = load_sample()
MARKET = Market(PRICES.closes, PRICES.volumes)
HOSTILE = "</title></script><script>alert(1)</script><img src=x onerror=alert(2)>"
BOOK = Portfolio(
    (Position("BTC/USDT:USDT", 1, 61000, 10), Position("ETH/USDT:USDT", -30)), (Collateral("USDC", 25000),), HOSTILE
)


def test_the_report_is_one_file_with_every_figure_and_no_markup_of_others():
    c = compare(BOOK, MARKET)
    text = report.html(c, BOOK, PRICES)
    assert "<script>alert(1)" not in text
    assert "<img src=x" not in text
    assert "sample, partly simulated" in text.lower()
    for amount in (c.isolated, c.portfolio, c.safeguarded, c.saved):
        assert money(amount) in text
    markup = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?https?:""", markup)
    assert "default-src 'none'" in text
    assert markup.count("plotly-graph-div") == 3


def test_the_csv_reads_back():
    c = compare(BOOK, MARKET)
    rows = {(r["figure"], r["item"]): r["USD"] for r in csv.DictReader(io.StringIO(report.csv(c)))}
    assert float(rows["margin", "isolated"]) == c.isolated
    assert float(rows["contribution", "ETH/USDT:USDT"]) == c.positions[1].contribution


@pytest.mark.parametrize(
    "settings",
    [Settings(), Settings(estimator="gaussian", correlation="what-if", what_if=(("BTC", "ETH", 0.1),), level=0.99)],
)
def test_the_snippet_runs_with_the_engine_alone_and_gives_the_same_figures(settings, tmp_path):
    c = compare(BOOK, MARKET, settings=settings)
    code = report.python_snippet(BOOK, settings)
    assert code.startswith("# Needs the engine: pip install .")
    (tmp_path / "margin").symlink_to(ROOT / "margin")  # what pip installs: neither ui nor data is there
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"isolated {c.isolated:,.2f}  portfolio {c.portfolio:,.2f}  saved {c.saved:,.2f}"


def test_the_snippet_runs_on_a_price_file(tmp_path):
    path = tmp_path / 'it\'s "mine".csv'
    PRICES.closes.to_csv(path)
    code = report.python_snippet(BOOK, Settings(), str(path))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"isolated {compare(BOOK, PRICES.closes).isolated:,.2f}" in done.stdout


def test_formats():
    assert [money(x) for x in (None, 0, -0.001, 12.5, 99.999, 1234.5, -1234.5)] == [
        "–",
        "$0",
        "$0",
        "$12.50",
        "$100",
        "$1,234",
        "−$1,234",
    ]
    assert [short_money(x) for x in (950, 12_240, 3.4e6, 5e9, -999.999)] == ["$950", "$12.2k", "$3.4M", "$5B", "−$1k"]
    assert [signed_money(x) for x in (1500, -1500, 0)] == ["+$1.5k", "−$1.5k", "$0"]
    assert [percent(x) for x in (None, 3.26, 61.2)] == ["–", "3.3%", "61%"]
    assert change(100, 200) == "$100 → $200"
    assert change(100.001, 100.002) == "$100"
