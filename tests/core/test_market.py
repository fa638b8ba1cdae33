"""Aligned returns against a slow twin written from the definition, and the as-of rules.

Invariants: only common dates count; a step of more than four calendar days drops the returns across it; nothing after
the as-of date matters; nothing is ever filled.
"""

import numpy as np
import pandas as pd
import pytest

from margin.core.checks import parse_date
from margin.core.errors import InputError, MissingPriceError
from margin.core.market import Market
from margin.haircut.model import haircut
from tests.support import shared_path


def frame(columns, start="2024-01-01"):
    length = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=pd.date_range(start, periods=length))


def slow_returns(closes, assets, as_of, horizon, lookback):
    """The definition, row by row."""
    rows = [(d, [closes.at[d, a] for a in assets]) for d in closes.index if d <= pd.Timestamp(as_of)]
    rows = [(d, p) for d, p in rows if not any(pd.isna(x) for x in p)]
    out = []
    for i in range(horizon, len(rows)):
        steps = [(rows[j + 1][0] - rows[j][0]).days for j in range(i - horizon, i)]
        if max(steps) <= 4:
            out.append([later / earlier - 1.0 for later, earlier in zip(rows[i][1], rows[i - horizon][1], strict=True)])
    return np.array(out[-lookback:])


@pytest.mark.parametrize("horizon", [1, 3, 10])
@pytest.mark.parametrize("lookback", [5, 200])
def test_returns_equal_the_slow_twin(closes, horizon, lookback):
    holed = closes.copy()
    rng = np.random.default_rng(1)
    holed[rng.random(holed.shape) < 0.1] = np.nan
    holed.iloc[300:309, 0] = np.nan
    holed.iloc[:100, 1] = np.nan
    got = Market(holed).returns(["BTC", "ETH"], "2023-12-01", horizon, lookback)
    np.testing.assert_array_equal(got.values, slow_returns(holed, ["BTC", "ETH"], "2023-12-01", horizon, lookback))


def test_returns_equal_the_slow_twin_on_recorded_prices():
    recorded = pd.read_csv(shared_path("market/daily_closes.csv"), index_col="date", parse_dates=True)
    tradfi = pd.read_csv(shared_path("market/tradfi_daily_adjclose.csv"), index_col="date", parse_dates=True)
    both = recorded.join(tradfi[["SPY"]])
    got = Market(both).returns(["BTC", "SPY"], "2025-06-30", 2, 300)
    np.testing.assert_array_equal(got.values, slow_returns(both, ["BTC", "SPY"], "2025-06-30", 2, 300))


def test_a_stock_and_a_coin_meet_on_the_stocks_days():
    prices = frame({"BTC": np.arange(1.0, 15.0), "SPY": np.arange(1.0, 15.0)})
    prices.loc[prices.index.day_of_week >= 5, "SPY"] = np.nan
    got = Market(prices).returns(["BTC", "SPY"])
    assert all(pd.Timestamp(d).day_of_week < 5 for d in got.dates)
    assert len(got.values) == 9


def test_a_halt_is_not_a_days_return():
    prices = frame({"FTT": [20.0, 22.0, *([np.nan] * 6), 1.0, 1.1]})
    np.testing.assert_allclose(Market(prices).returns(["FTT"]).values[:, 0], [0.1, 0.1])


def test_as_of_takes_the_last_common_date_not_after_it():
    prices = frame({"A": [1.0, 2.0, 3.0, 4.0], "B": [1.0, 2.0, np.nan, 4.0]})
    got = Market(prices).returns(["A"], "2024-01-03")
    assert got.as_of == pd.Timestamp("2024-01-03")
    assert Market(prices).aligned(["A", "B"], "2024-01-03")[0][-1] == np.datetime64("2024-01-02")


def test_later_prices_change_nothing(closes):
    early = Market(closes.iloc[:500]).returns(["BTC", "ETH"], lookback=300)
    late = closes.copy()
    late.iloc[500:] *= 7.0
    again = Market(late).returns(["BTC", "ETH"], closes.index[499], lookback=300)
    np.testing.assert_array_equal(early.values, again.values)
    np.testing.assert_array_equal(early.prices, again.prices)


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        (frame({"A": [1.0, -2.0, 3.0]}), "above zero"),
        (frame({"A": [1.0, 0.0, 3.0]}), "above zero"),
        (frame({"A": [1.0, np.inf, 3.0]}), "above zero"),
        (frame({"A": [1.0, "x", 3.0]}), "is not a number"),
        (pd.DataFrame({"A": [1.0, 2.0]}, index=["2024-01-01", "nonsense"]), "dates cannot be read"),
        (pd.DataFrame({"A": [1.0, 2.0]}, index=pd.to_datetime(["2024-01-01"] * 2)), "appears twice"),
        (pd.DataFrame([[1.0, 2.0]], index=pd.to_datetime(["2024-01-01"]), columns=["A", "A"]), "two columns"),
        (pd.DataFrame({"A": []}, index=pd.to_datetime([])), "is empty"),
        ([1, 2, 3], "must be a DataFrame"),
    ],
)
def test_bad_prices_are_named(prices, said):
    with pytest.raises(InputError) as error:
        Market(prices)
    assert said in str(error.value)


def test_unsorted_text_dates_with_a_time_zone_are_read():
    prices = pd.DataFrame({"date": ["2024-01-03T00:00:00Z", "2024-01-01", "2024-01-02"], "A": [3.0, 1.0, 2.0]})
    np.testing.assert_allclose(Market(prices).returns(["A"]).values[:, 0], [1.0, 0.5])


def test_missing_assets_get_a_suggestion():
    with pytest.raises(MissingPriceError, match="Did you mean 'SOL'"):
        Market(frame({"SOL": [1.0, 2.0]})).returns(["SOLL"])


def test_an_asset_not_yet_listed_is_an_error_with_its_first_date():
    prices = frame({"NEW": [np.nan, np.nan, 3.0, 4.0]})
    with pytest.raises(InputError, match="no close before 2024-01-03"):
        Market(prices).returns(["NEW"], "2024-01-02")


def test_a_stale_price_is_not_a_price():
    prices = frame({"LUNA": [1.0, *([np.nan] * 9)], "BTC": np.ones(10)})
    with pytest.raises(MissingPriceError, match="9 days old"):
        Market(prices).price("LUNA")
    assert Market(prices).price("LUNA", "2024-01-04") == 1.0
    assert Market(prices).price("USD") == 1.0


def test_a_stablecoin_without_a_column_is_at_par_and_says_so():
    price, note = Market(frame({"BTC": [1.0, 2.0]})).collateral_price("USDC")
    assert price == 1.0
    assert note == "USDC is taken at 1 USD: no price history"
    old = frame({"USDC": [0.9, *([np.nan] * 9)], "BTC": np.ones(10)})
    assert Market(old).collateral_price("USDC") == (1.0, "USDC is taken at 1 USD: last close is 9 days old")
    assert Market(old).collateral_price("USDC", "2024-01-02") == (0.9, "")


@pytest.mark.parametrize("value", ["soon", "2024-13-01", None, 5, "", "1066-10-14", True])
def test_dates_that_are_none(value):
    with pytest.raises(InputError):
        parse_date(value)


# Two lives of one ticker -------------------------------------------------------------------------------------------


def two_lives(days=90, pause=15, old=60.0, new=6.0):
    """LUNA: falls away, pauses, and another coin goes on under its name; BTC beside it all the time."""
    rng = np.random.default_rng(3)
    steps = np.exp(np.cumsum(rng.normal(0, 0.03, (days, 2)), axis=0))
    luna = np.concatenate((old * steps[:, 0], [old / 1e6], np.full(pause, np.nan), new * steps[:, 1]))
    volumes = np.where(np.arange(len(luna)) <= days, 1e9, 1e6)
    btc = 30_000 * np.exp(np.cumsum(rng.normal(0, 0.02, len(luna))))
    prices = frame({"LUNA": luna, "BTC": btc})
    return prices, pd.DataFrame({"LUNA": volumes, "BTC": 1e10}, prices.index)


def test_two_lives_of_one_ticker_are_not_compared_with_each_other():
    prices, volumes = two_lives()
    market, later = Market(prices, volumes), Market(prices.iloc[-90:], volumes.iloc[-90:])
    for assets in (["LUNA"], ["LUNA", "BTC"]):
        np.testing.assert_array_equal(market.returns(assets).values, later.returns(assets).values)
    assert market.median_volume("LUNA", days=200) == 1e6
    assert any("another life" in text for text in market.findings_of(["LUNA"]))


def test_as_of_in_the_first_life_of_a_ticker_sees_that_one_alone():
    prices, volumes = two_lives()
    market, before = Market(prices, volumes), Market(prices.iloc[:91], volumes.iloc[:91])
    day = prices.index[90]
    np.testing.assert_array_equal(market.returns(["LUNA"], day).values, before.returns(["LUNA"]).values)
    assert market.price("LUNA", day) == before.price("LUNA")
    assert not any("another life" in text for text in market.findings_of(["LUNA"], day))
    chosen = market.aligned(["LUNA"], life_at=day)[0]
    assert len(chosen) == 91 and chosen[-1] == day.to_datetime64()


def test_haircuts_of_a_ticker_with_two_lives_are_of_its_present_one():
    prices, volumes = two_lives()
    whole, later = (
        haircut(Market(prices, volumes), "LUNA"),
        haircut(Market(prices.iloc[-90:], volumes.iloc[-90:]), "LUNA"),
    )
    assert whole.parts == later.parts


@pytest.mark.parametrize("factor", [1 / 22, 0.5, 1.0, 4.0])
def test_a_fall_through_a_halt_is_the_same_life(factor):
    prices = frame({"FTT": [*np.linspace(20, 22, 30), *([np.nan] * 6), *(22 * factor * np.linspace(1, 1.1, 30))]})
    assert len(Market(prices).returns(["FTT"]).values) == 58


@pytest.mark.parametrize("factor", [10.5, 1000.0, 1 / 150])
def test_what_goes_on_elsewhere_after_a_pause_is_another_life(factor):
    prices = frame({"FTT": [*np.linspace(20, 22, 30), *([np.nan] * 6), *(22 * factor * np.linspace(1, 1.1, 30))]})
    assert len(Market(prices).returns(["FTT"]).values) == 29
