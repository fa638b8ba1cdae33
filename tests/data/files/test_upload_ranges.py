"""What an uploaded candle file carries into the engine beside its daily closes: highs, lows, finer closes."""

import numpy as np
import pandas as pd
import pytest

from data.files.read import read_prices
from margin import Collateral, Portfolio, Position
from margin.cli.main import main
from margin.core.market import Market
from margin.forecast.past import past_returns
from margin.formats.prices import read_market
from margin.stress.held import stress_book
from margin.stress.paths import recorded_path


def candles(days=150, step="1h"):
    index = pd.date_range("2024-01-01", periods=days * 24, freq="1h")
    index = pd.date_range("2024-01-01", index[-1], freq=step)
    close = 100 * np.exp(np.cumsum(np.random.default_rng(5).normal(0, 0.005, len(index))))
    table = {"Date": index, "Open": close, "High": close * 1.01, "Low": close * 0.98, "Close": close}
    return pd.DataFrame(table)


def text(frame):
    stamps = frame.iloc[:, 0].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return frame.assign(**{frame.columns[0]: stamps}).to_csv(index=False).encode()


def test_hourly_closes_of_an_upload_are_kept_where_the_forecast_uses_them():
    frame = candles()
    market = read_prices(text(frame), "BTC.csv").market()
    np.testing.assert_array_equal(market.fine["BTC"], frame["Close"])
    found = past_returns(market, ["BTC"])
    assert found.step == "hour" and len(found.values) == len(frame) - 1
    direct = Market(frame.set_index("Date")[["Close"]].rename(columns={"Close": "BTC"}))
    np.testing.assert_array_equal(direct.closes, market.closes)
    np.testing.assert_array_equal(past_returns(direct, ["BTC"]).values, found.values)


def test_a_coin_by_the_hour_and_a_share_by_the_day_keep_their_own_spacing():
    hours = candles(40)[["Date", "Close"]].rename(columns={"Close": "BTC"})
    share = hours["BTC"].where((hours["Date"].dt.hour == 0) & (hours["Date"].dt.day_of_week < 5)) * 5
    market = read_prices(text(hours.assign(SPY=share)), "p.csv").market()
    assert list(market.fine) == ["BTC"] and len(market.fine) == 40 * 24
    assert (~np.isnan(market.closes)).sum(axis=0).tolist() == [40, share.notna().sum()]


def test_a_print_that_no_market_made_is_not_in_the_finer_closes_either():
    frame = candles(30)
    frame.loc[100, "Close"] = 1e7
    fine = read_prices(text(frame), "BTC.csv").fine["BTC"]
    assert fine.max() < 200 and len(fine) == len(frame) - 1


@pytest.mark.parametrize("step", ["1h", "4h", "1D"])
def test_highs_and_lows_of_an_upload_are_the_adverse_extremes_of_a_path(step):
    frame = candles(step=step)
    market = read_prices(text(frame), "BTC.csv").market()
    day = frame.groupby(frame["Date"].dt.floor("D"))
    np.testing.assert_allclose(market.highs[:, 0], day["High"].max(), rtol=1e-12)
    np.testing.assert_allclose(market.lows[:, 0], day["Low"].min(), rtol=1e-12)
    book = stress_book(Portfolio((Position("BTC/USDT:USDT", 1.0),), (Collateral("USD", 50.0),)), market)
    assert recorded_path(book, "2024-05-01", 20).intraday == ("BTC",)


def test_the_command_line_keeps_highs_and_lows_of_a_candle_file(tmp_path):
    frame = candles(step="1D")
    path = tmp_path / "coinbase_BTC-USD.csv"
    path.write_bytes(text(frame))
    market = read_market(str(path))
    np.testing.assert_allclose(market.highs[:, 0], frame["High"])
    np.testing.assert_allclose(market.lows[:, 0], frame["Low"])


def test_adjusted_closes_go_without_the_unadjusted_highs_and_lows(tmp_path):
    frame = candles(step="1D").assign(**{"Adj Close": lambda f: f["Close"] / 2})
    assert read_prices(text(frame), "SPY.csv").highs is None
    path = tmp_path / "SPY.csv"
    path.write_bytes(text(frame))
    assert np.isnan(read_market(str(path)).highs).all()


def test_a_few_highs_alone_are_no_coarse_series():
    frame = candles(60, "1D").rename(columns={"Close": "BTC", "High": "BTC_high"})[["Date", "BTC", "BTC_high"]]
    frame.loc[frame.index % 20 != 3, "BTC_high"] = np.nan
    market = Market(frame.set_index("Date"))
    assert (~np.isnan(market.highs)).sum() == 3


def test_a_high_below_its_close_becomes_the_close_and_that_is_said():
    frame = candles(60, "1D").rename(columns={"Close": "BTC", "High": "BTC_low", "Low": "BTC_high"})
    market = Market(frame.set_index("Date")[["BTC", "BTC_high", "BTC_low"]])
    np.testing.assert_array_equal(market.highs, market.closes)
    assert any("high below the close" in line for line in market.findings_of(["BTC"]))


@pytest.mark.parametrize("given", ["BTC", "btc-usd", "BTC/USDT"])
def test_the_command_line_asks_for_the_asset_that_a_file_does_not_name(given, tmp_path, capsys):
    path = tmp_path / "my old prices.csv"
    path.write_bytes(text(candles(step="1D").rename(columns={"Date": "date"})))
    with open(tmp_path / "p.json", "w") as file:
        file.write('{"version": 2, "accounts": [{"positions": [{"symbol": "BTC/USDT:USDT", "quantity": 1}]}]}')
    command = ["compare", "--portfolio", str(tmp_path / "p.json"), "--prices", str(path)]
    assert main(command) == 2 and "--asset BTC" in capsys.readouterr().err
    assert main([*command, "--asset", given]) == 0
    assert main([*command, "--asset", "BTC-EUR"]) == 2 and "EUR" in capsys.readouterr().err
