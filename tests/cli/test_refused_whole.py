"""A margin model that holds nothing of a book says why, in every command; what it leaves out alone has its reason."""

import json

import pytest

from margin.cli.main import main

DOLLARS = [{"symbol": "BTC/USDT:USDT", "quantity": 1}, {"symbol": "ETH/USDT:USDT", "quantity": -30}]
COINS = [{"symbol": "BTC/USD:BTC", "quantity": 30_000}]
REASON = "contracts settled in dollars are not reproduced here"


def said_by(capsys, folder, command, positions):
    path = folder / "book.json"
    account = {"name": "mine", "positions": positions, "collateral": [{"asset": "BTC", "quantity": 1}]}
    path.write_text(json.dumps({"version": 2, "accounts": [account]}))
    status = main([command, "--sample", "--portfolio", str(path), "--model", "bitmex:cross"])
    out, err = capsys.readouterr()
    return status, out + err


@pytest.mark.parametrize("command", ["forecast", "hedge", "stress", "liquidation", "backtest"])
def test_a_book_that_is_refused_whole_says_why(capsys, tmp_path, command):
    status, said = said_by(capsys, tmp_path, command, DOLLARS)
    assert status != 0
    assert "BitMEX, cross" in said and REASON in said and "BTC/USDT:USDT" in said


def test_what_a_backtest_leaves_out_has_its_own_reason(capsys, tmp_path):
    status, said = said_by(capsys, tmp_path, "backtest", [DOLLARS[0], *COINS])
    assert status == 0
    assert f"Left out: BTC/USDT:USDT: {REASON}" in said.replace("\n", " ")
    assert "options have no price history" not in said
