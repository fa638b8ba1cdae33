"""Recorded funding end to end against the loopback exchange: fetched by the command line, read by backtest and stress."""

import json

import pandas as pd
import pytest

from data.cli import main as data_main
from data.exchange import funding as recorded
from margin.cli.main import main as margin_main
from tests.data.exchange.conftest import QUICK
from tests.exchange_server.faults import Fault

BOOK = {"version": 2, "accounts": [{"positions": [{"symbol": "BTC/USDT:USDT", "quantity": 1.0}],
                                     "collateral": [{"asset": "USDC", "quantity": 40_000}]}]}  # fmt: skip


@pytest.fixture
def quick(monkeypatch):
    plain = recorded.fetch_funding_history
    monkeypatch.setattr(recorded, "fetch_funding_history", lambda e, a, s, u, p=None: plain(e, a, s, u, QUICK))


def fetched(tmp_path, capsys, *more):
    out = tmp_path / "funding.csv"
    status = data_main(
        ["funding", "--assets", "BTC,ETH", "--days", "20", "--until", "2026-03-10", "--out", str(out), *more]
    )
    said = capsys.readouterr()
    return status, said, out


def test_what_is_fetched_is_read_by_backtest_and_stress(server, quick, tmp_path, capsys):
    status, said, out = fetched(tmp_path, capsys, "--json")
    assert status == 0, said.err
    told = json.loads(said.out)["assets"]["BTC"]
    table = pd.read_csv(out)
    assert len(table["BTC"].dropna()) == told["payments"] >= 60
    assert table["date"].iloc[0].startswith("2026-02-19") and told["a_day"] > 0
    book, prices = tmp_path / "book.json", tmp_path / "prices.csv"
    book.write_text(json.dumps(BOOK))
    dates = pd.date_range("2025-06-01", "2026-03-20").strftime("%Y-%m-%d")
    prices.write_text("date,BTC\n" + "".join(f"{d},{60_000 + 500 * (i % 9)}\n" for i, d in enumerate(dates)))
    given = ["--portfolio", str(book), "--prices", str(prices), "--json"]
    assert margin_main(["stress", *given, "--start", "2026-02-22", "--days", "10", "--funding", str(out)]) == 0
    path = json.loads(capsys.readouterr().out)["path"]
    each = float(table["BTC"].dropna().iloc[0])
    assert path["funding"] == pytest.approx(62_000 * told["a_day"] * 10, rel=0.1) and each > 0
    assert any("Funding on this path: paid" in note for note in path["notes"])
    asked = ["backtest", *given, "--model", "hyperliquid:cross", "--days", "25", "--hold", "10", "--lookback", "60"]
    assert margin_main([*asked, "--funding", str(out)]) == 0
    noted = json.loads(capsys.readouterr().out)["model"]
    assert "as recorded from 2026-02-19" in json.dumps(noted)


def test_an_exchange_that_fails_is_followed_by_the_next(server, quick, tmp_path, capsys):
    first = recorded.FUNDING[0]
    host = {"binanceusdm": "binance", "hyperliquid": "hyperliquid", "bybit": "bybit", "okx": "okx"}.get(first, first)
    server.faults.append(Fault("500", host=host, where="other"))
    status, said, out = fetched(tmp_path, capsys)
    assert status == 0, said.err
    assert "BTC: " in said.out and out.exists()
    assert any(host in h for _, h, _ in server.log), "it was asked"
    assert {h for _, h, _ in server.log} - {h for _, h, _ in server.log if host in h}, "and another after it"


def test_where_all_fail_each_asset_says_why_and_the_status_is_1(server, quick, tmp_path, capsys):
    server.faults.append(Fault("500", where="other"))
    status, said, out = fetched(tmp_path, capsys, "--exchanges", "bybit")
    assert status == 1 and not out.exists()
    assert [line.split(":")[1].strip() for line in said.err.strip().splitlines()] == ["BTC", "ETH"]
    assert "500" in said.err and "Traceback" not in said.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--assets", ",", "--days", "5"], "names no asset"),
        (["--assets", "BTC", "--days", "0"], "--days"),
        (["--assets", "BTC", "--exchanges", "nosuch"], "nosuch"),
        (["--assets", "BTC", "--until", "yesterday"], "not a date"),
    ],
)
def test_bad_input_is_one_line(given, said, capsys):
    assert data_main(["funding", *given]) == 2
    shown = capsys.readouterr().err
    assert said in shown and shown.count("\n") == 1


def test_funding_without_a_path_is_refused(capsys):
    assert margin_main(["stress", "--sample", "--funding", "0.0003"]) == 2
    assert "Give --start too" in capsys.readouterr().err
