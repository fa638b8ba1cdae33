"""Price files of the command line: only US dollar prices become assets, and what is left out is said."""

import json

import numpy as np
import pandas as pd
import pytest

from margin.cli.main import main
from margin.core.errors import InputError
from margin.formats.prices import read_market


def file(tmp_path, columns, name="p.csv", days=60):
    frame = pd.DataFrame({c: 100.0 + np.sin(np.arange(days) + i) for i, c in enumerate(columns)})
    frame.insert(0, "date", pd.date_range("2024-01-01", periods=days).strftime("%Y-%m-%d"))
    frame.to_csv(tmp_path / name, index=False)
    return str(tmp_path / name)


@pytest.mark.parametrize(
    "other", ["BTCEUR", "ETHBTC", "ETH/BTC", "BTC-GBP", "marketcap", "volume", "dominance", "HOCH"]
)
def test_columns_that_are_no_dollar_prices_are_left_out_and_named(other, tmp_path):
    market = read_market(file(tmp_path, ["SOL", other]))
    assert market.assets == ("SOL",)
    assert any(other in text for text in market.findings_of(["SOL"]))


@pytest.mark.parametrize("name", ["BTC/USD", "btc-usd", "BTCUSDT", "BTC/USDT:USDT", "BTC_close"])
def test_names_of_dollar_pairs_are_their_asset(name, tmp_path):
    assert read_market(file(tmp_path, [name])).assets == ("BTC",)


def test_a_file_of_nothing_in_dollars_is_refused(tmp_path):
    with pytest.raises(InputError, match="US dollar"):
        read_market(file(tmp_path, ["BTCEUR", "ETHBTC"]))


def test_a_candle_file_of_one_asset_is_named_by_its_file(tmp_path):
    market = read_market(file(tmp_path, ["Open", "High", "Low", "Close", "Volume"], "coinbase_BTC-USD.csv"))
    assert market.assets == ("BTC",)
    with pytest.raises(InputError, match="US dollars"):
        read_market(file(tmp_path, ["Open", "High", "Low", "Close"], "BTC-EUR.csv"))


def test_highs_lows_and_perpetuals_of_a_file_are_kept(tmp_path):
    market = read_market(file(tmp_path, ["BTC", "BTC_high", "BTC_low", "BTC/USDT:USDT"]))
    assert market.assets == ("BTC",) and market.instruments == ("BTC/USDT:USDT",)
    assert not np.isnan(market.highs).any() and not np.isnan(market.lows).any()


@pytest.mark.parametrize("command", ["compare", "correlation", "haircuts", "backtest"])
def test_every_command_refuses_weekly_rows_and_names_the_spacing(command, tmp_path, capsys):
    frame = pd.DataFrame(
        {"date": pd.date_range("2020-01-01", periods=200, freq="7D").astype(str), "BTC": range(1, 201)}
    )
    frame.to_csv(tmp_path / "p.csv", index=False)
    book = tmp_path / "b.json"
    book.write_text(json.dumps({"version": 1, "positions": [{"symbol": "BTC/USDT:USDT", "quantity": 1}]}))
    options = ["--portfolio", str(book)] if command in ("compare", "backtest") else []
    assert main([command, *options, "--prices", str(tmp_path / "p.csv")]) == 2
    assert "7 days" in capsys.readouterr().err


def test_as_of_a_day_uses_the_close_stamped_at_its_end(tmp_path):
    stamps = pd.date_range("2024-11-15 23:59:59", periods=60).strftime("%Y-%m-%d %H:%M:%S")
    pd.DataFrame({"date": stamps, "BTC": np.arange(60) + 1.0}).to_csv(tmp_path / "p.csv", index=False)
    assert read_market(str(tmp_path / "p.csv")).price("BTC", "2024-12-20") == 36.0
