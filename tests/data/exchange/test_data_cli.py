"""`python -m data fetch` as a script would call it."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from tests.exchange_server import ExchangeServer, Fault
from tests.support import ROOT


@pytest.fixture
def run(tmp_path):
    """The command in a process of its own, against a server on the real clock."""
    with ExchangeServer() as server:
        environment = {
            **os.environ,
            "MARGIN_EXCHANGE_GATEWAY": server.address,
            "MARGIN_DATA_DIR": str(tmp_path / "store"),
        }
        environment.pop("MARGIN_OFFLINE", None)

        def call(*arguments, **more):
            command = [sys.executable, "-W", "error", "-m", "data", "fetch", *arguments]
            return subprocess.run(
                command, cwd=ROOT, env={**environment, **more}, capture_output=True, text=True, check=False, timeout=120
            )

        call.server = server
        yield call


def test_provenance_csv_and_a_second_run_from_the_store(run, tmp_path):
    out = tmp_path / "C.csv"
    done = run("--assets", "BTC,BNB", "--days", "90", "--exchanges", "coinbase,okx", "--out", str(out))
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("BTC: 90 1d closes ")
    assert "from coinbase BTC/USD, live, fetched" in first
    assert "from okx BNB/USDT" in second and "USDT taken as USD" in second
    closes = pd.read_csv(out)
    assert list(closes.columns) == ["date", "BTC", "BNB"]
    assert len(closes) == 90
    offline = run("--assets", "BTC", "--days", "90", MARGIN_OFFLINE="1")
    assert offline.returncode == 0
    assert "stored" in offline.stdout


def test_live_is_not_said_of_a_series_that_ended(run):
    run.server.faults.append(Fault("delisted", asset="BNB"))
    arguments = ("--assets", "BTC,BNB", "--days", "90", "--exchanges", "okx")
    done = run(*arguments)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("BNB: ")]
    assert ", ended, fetched" in line and "live" not in line
    assert "note: BNB: delisted" in done.stdout + done.stderr
    answer = json.loads(run(*arguments, "--json").stdout)
    assert {a: s["status"] for a, s in answer["series"].items()} == {"BNB": "ended", "BTC": "stored"}


def test_what_could_not_be_had_is_named_and_the_rest_written(run, tmp_path):
    run.server.faults.append(Fault("451", host="okx"))
    out = tmp_path / "C.csv"
    done = run("--assets", "BTC,BNB", "--days", "40", "--exchanges", "coinbase,okx", "--out", str(out), "--json")
    assert done.returncode == 1
    assert done.stderr.startswith("error: BNB: ")
    assert "refuses this host" in done.stderr
    assert "Traceback" not in done.stderr
    answer = json.loads(done.stdout)
    assert set(answer["series"]) == {"BTC"}
    assert set(answer["failures"]) == {"BNB"}
    assert list(pd.read_csv(out).columns) == ["date", "BTC"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--assets", "BTC", "--exchanges", "krakn"], "Did you mean 'kraken'?"),
        (["--assets", "BTC", "--timeframe", "5m"], "Use 1d or 1h"),
        (["--assets", "BTC", "--days", "0"], "days"),
        (["--assets", "BTC", "--days", "many"], "--days"),
        (["--assets", ","], "assets"),
        (["--assets", "BTC;rm -rf"], "is not an asset"),
        ([], "arguments"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(run, arguments, said):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
