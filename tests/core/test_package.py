"""The engine as a package: a wheel that installs without the app, and answers a person can read at a prompt."""

import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from margin import Portfolio, compare
from margin.sample.load import load_sample
from tests.support import ROOT


def run(*command: object) -> subprocess.CompletedProcess:
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=240)


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The bin folder of an empty environment into which the wheel was installed."""
    room = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "pip", "wheel", ROOT, "--no-deps", "--no-build-isolation", "-w", room)
    assert built.returncode == 0, built.stderr
    (wheel,) = room.glob("*.whl")
    tops = {name.split("/")[0] for name in ZipFile(wheel).namelist()}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"margin"}
    venv.create(room / "empty", with_pip=False)
    bin_folder = room / "empty" / ("Scripts" if sys.platform == "win32" else "bin")
    into = ("--python", bin_folder / "python", "install", "-q", "--no-compile")  # what is imported is compiled then
    put = run(sys.executable, "-m", "pip", *into, wheel)
    if put.returncode and "Could not find a version" in put.stderr:
        pytest.skip("no package registry can be reached from here, so the wheel's requirements cannot be installed")
    assert put.returncode == 0, put.stderr
    return bin_folder


@pytest.mark.xdist_group("wheel")
def test_the_wheel_in_an_empty_environment_compares_the_sample(installed):
    done = run(installed / "margin-lab", "compare", "--sample")
    assert done.returncode == 0 and "Pooled in one account" in done.stdout, done.stderr
    same = run(sys.executable, "-m", "margin", "compare", "--sample")
    assert done.stdout == same.stdout
    heavy = "import sys, margin, margin.cli.main; print([m for m in ('streamlit', 'plotly', 'pyarrow') if m in sys.modules])"
    assert run(installed / "python", "-c", heavy).stdout.strip() == "[]"


@pytest.mark.xdist_group("wheel")
def test_parquet_without_pyarrow_is_one_clear_line(installed, tmp_path):
    prices = tmp_path / "prices.parquet"
    load_sample().closes.to_parquet(prices)
    book = tmp_path / "book.csv"
    book.write_text("symbol,quantity\nBTC/USDT:USDT,1\n")
    commands = (
        ("compare", "--portfolio", book, "--prices", prices),
        ("audit", "--make", "1000", "--out", tmp_path / "a"),
    )
    for command in commands:
        done = run(installed / "margin-lab", *command)
        assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
        assert done.stderr.startswith("error: ") and "pyarrow" in done.stderr and "margin-lab[parquet]" in done.stderr


def test_a_comparison_prints_in_a_dozen_lines():
    found = compare(Portfolio.from_csv("symbol,quantity\nBTC/USDT:USDT,1\nETH/USDT:USDT,-30\n"), load_sample().closes)
    lines = repr(found).splitlines()
    assert len(lines) <= 12 and max(map(len, lines)) <= 100
    for name in ("isolated", "netted", "portfolio", "safeguarded"):
        assert f"{getattr(found, name):,.2f}" in repr(found)
        assert f"{getattr(found, name):,.2f}" in found._repr_html_()
