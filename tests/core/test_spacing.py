"""Rows are not days: finer prices become daily closes, coarser ones are refused with their spacing named."""

import numpy as np
import pandas as pd
import pytest

from margin import Portfolio, compare
from margin.backtest.walk_forward import backtest
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.settings import Settings
from margin.core.spacing import DENSE, ascending, days_of, is_dense, measure

BOOK = Portfolio.from_json('{"version": 1, "positions": [{"symbol": "BTC/USDT:USDT", "quantity": 1.0}]}')


def hourly(days: int = 120, step: str = "1h", start: str = "2024-01-01") -> pd.DataFrame:
    index = pd.date_range(start, periods=days * int(pd.Timedelta("1D") / pd.Timedelta(step)), freq=step)
    walk = np.random.default_rng(7).normal(0, 0.005, (len(index), 2)).cumsum(axis=0)
    return pd.DataFrame(np.exp(walk) * [60_000, 3_000], index, ["BTC", "ETH"])


def daily_of(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.groupby(frame.index.normalize()).last()


@pytest.mark.parametrize("step", ["5min", "15min", "30min", "1h", "4h", "8h", "12h"])
def test_finer_rows_become_daily_closes_and_say_so(step: str) -> None:
    frame = hourly(40, step)
    market = Market(frame)
    assert len(market.dates) == 40
    np.testing.assert_array_equal(market.closes, daily_of(frame).to_numpy())
    assert market.fine is not None and len(market.fine) == len(frame)
    assert "daily close" in market.findings_of(["BTC"])[0]


def test_the_margin_of_hourly_rows_is_that_of_the_same_days() -> None:
    frame = hourly()
    fine, daily = compare(BOOK, frame), compare(BOOK, daily_of(frame))
    assert fine.portfolio == daily.portfolio > 0
    assert any("every 1 hour" in note for note in fine.notes)
    assert not any("every 1 hour" in note for note in daily.notes)


def test_a_backtest_counts_days_not_rows() -> None:
    result = backtest(BOOK, Market(hourly(120)), Settings().with_(lookback=30))
    assert len(result.dates) < 120
    assert any("every 1 hour" in note for note in result.notes)


@pytest.mark.parametrize(("days", "words"), [(2, "2 days"), (3, "3 days"), (7, "7 days"), (14, "14 days")])
def test_coarser_rows_are_refused_with_the_spacing_named(days: int, words: str) -> None:
    frame = hourly(200).iloc[:: 24 * days]
    with pytest.raises(InputError, match=words):
        Market(frame)


def test_month_ends_are_refused() -> None:
    frame = pd.DataFrame({"BTC": range(1, 25)}, pd.date_range("2020-01-31", periods=24, freq="ME"))
    with pytest.raises(InputError, match=r"3[01](\.5)? days"):
        Market(frame)


def test_five_day_weeks_with_holidays_are_daily() -> None:
    days = pd.bdate_range("2024-01-01", periods=250)
    days = days[~days.strftime("%m-%d").isin(["01-01", "03-29", "05-27", "07-04", "12-25"])]
    market = Market(pd.DataFrame({"SPY": np.linspace(400, 500, len(days))}, days))
    assert len(market.dates) == len(days) and market.fine is None


def test_one_weekly_column_beside_daily_ones_is_named() -> None:
    frame = daily_of(hourly(100))
    frame.loc[frame.index[np.arange(100) % 7 != 0], "ETH"] = np.nan
    with pytest.raises(InputError, match="ETH"):
        Market(frame)


def test_an_hourly_coin_and_a_daily_share_stand_on_the_same_days() -> None:
    coin = hourly(30)[["BTC"]]
    share = pd.DataFrame({"SPY": 500.0 + np.arange(22)}, pd.bdate_range("2024-01-01", periods=22))
    market = Market(coin.join(share, how="outer"))
    assert len(market.dates) == 30
    assert int((~np.isnan(market.closes[:, 1])).sum()) == 22


def test_a_day_that_is_not_over_gives_no_close() -> None:
    frame = hourly(10).iloc[:-8]
    market = Market(frame)
    assert str(market.dates[-1])[:10] == "2024-01-09"
    assert "not over" in market.findings_of(["BTC"])[0]


@pytest.mark.parametrize("clock", ["00:00:00", "16:00:00", "21:00:00", "23:59:59"])
def test_as_of_a_day_uses_the_close_stamped_within_it(clock: str) -> None:
    frame = daily_of(hourly(60))
    stamped = frame.set_axis(frame.index + pd.Timedelta(clock))
    assert Market(stamped).price("BTC", "2024-02-10") == Market(frame).price("BTC", "2024-02-10")


def test_midnights_of_frankfurt_written_in_utc_are_the_next_day() -> None:
    local = pd.bdate_range("2025-03-03", "2025-05-30", tz="Europe/Berlin")
    days = days_of(local.tz_convert("UTC").tz_localize(None).to_numpy())
    assert (days == local.tz_localize(None).to_numpy().astype("datetime64[D]")).all()


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Tokyo", "Asia/Hong_Kong", "Asia/Kolkata", "Australia/Sydney"])
def test_a_time_zone_east_of_utc_keeps_its_own_days(zone: str) -> None:
    index = pd.date_range("2025-01-06", periods=60, tz=zone)
    market = Market(pd.DataFrame({"BTC": np.arange(60) + 1.0}, index))
    assert str(market.dates[0])[:10] == "2025-01-06"


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Europe/Berlin", "Australia/Sydney"])
def test_a_share_stamped_at_local_midnight_in_utc_trades_monday_to_friday(zone: str) -> None:
    local = pd.bdate_range("2025-01-06", periods=40, tz=zone)
    market = Market(pd.DataFrame({"X": np.arange(40) + 1.0}, local.tz_convert("UTC").tz_localize(None)))
    assert set(pd.DatetimeIndex(market.dates).day_of_week) == {0, 1, 2, 3, 4}
    assert str(market.dates[0])[:10] == "2025-01-06"


def test_text_stamps_with_a_distance_to_utc_keep_their_day() -> None:
    frame = pd.DataFrame({"date": [f"2025-01-{d:02} 00:00:00+01:00" for d in range(1, 21)], "BTC": range(1, 21)})
    assert str(Market(frame).dates[0])[:10] == "2025-01-01"


def test_highs_lows_and_instruments_are_kept_beside_the_closes() -> None:
    frame = daily_of(hourly(30))[["BTC"]]
    frame["BTC_high"], frame["BTC_low"] = frame["BTC"] * 1.02, frame["BTC"] * 0.97
    frame["BTC/USDT:USDT"] = frame["BTC"] * 1.001
    market = Market(frame)
    assert market.assets == ("BTC",) and market.instruments == ("BTC/USDT:USDT",)
    np.testing.assert_allclose(market.highs[:, 0] / market.closes[:, 0], 1.02)
    np.testing.assert_allclose(market.lows[:, 0] / market.closes[:, 0], 0.97)
    np.testing.assert_allclose(market.instrument("BTC/USDT:USDT") / market.closes[:, 0], 1.001)
    assert np.isnan(Market(daily_of(hourly(30))).highs).all()


@pytest.mark.parametrize("factor", [10.0, 0.1, 1000.0, 0.5, 1 / 3])
def test_a_jump_that_stays_is_named_and_the_result_repeats_it(factor: float) -> None:
    frame = daily_of(hourly(120))
    frame.loc[frame.index[60] :, "BTC"] *= factor
    notes = compare(BOOK, frame).notes
    assert any("jumps" in note and str(frame.index[60])[:10] in note for note in notes)


def test_a_crash_in_a_wild_market_is_no_split() -> None:
    frame = daily_of(hourly(120))
    wild = np.random.default_rng(3).normal(0, 0.25, 60).cumsum()
    frame.iloc[60:, 0] *= 0.4 * np.exp(wild)
    assert not any("jumps" in note for note in Market(frame).findings_of(["BTC"]))


def test_prices_after_as_of_change_no_note_about_jumps() -> None:
    frame = daily_of(hourly(120))
    frame.loc[frame.index[60] :, "BTC"] *= 10.0
    market, early = Market(frame), Market(frame.iloc[:50])
    assert market.findings_of(["BTC"], frame.index[49]) == early.findings_of(["BTC"])


@pytest.mark.parametrize("year", [1700, 1969, 2200, 2201])
def test_dates_outside_1970_to_2200_are_refused(year: int) -> None:
    index = pd.DatetimeIndex(pd.date_range(f"{year}-03-01", periods=20, unit="s"))
    with pytest.raises(InputError, match="1970"):
        Market(pd.DataFrame({"BTC": np.arange(20) + 1.0}, index))


@pytest.mark.parametrize("volume", [-1.0, 1e300, np.inf])
def test_volumes_below_zero_or_overflowing_are_refused(volume: float) -> None:
    frame = daily_of(hourly(20))
    volumes = frame * 0 + 1e9
    volumes.iloc[5, 1] = volume
    with pytest.raises(InputError, match="volumes ETH"):
        Market(frame, volumes)


@pytest.mark.parametrize("seed", range(8))
def test_different_values_in_order_are_those_of_numpy(seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 12, rng.integers(0, 30)).astype("datetime64[D]")
    for given in (values, np.sort(values), np.unique(values)):
        np.testing.assert_array_equal(ascending(given), np.unique(given))


def test_spacing_is_named_in_words() -> None:
    start = np.datetime64("2024-01-01")
    assert str(measure(start + np.arange(50) * np.timedelta64(15, "m"))) == "15 minutes"
    assert str(measure(start + np.arange(50) * np.timedelta64(4, "h"))) == "4 hours"
    assert str(measure(start + np.arange(50) * np.timedelta64(7, "D"))) == "7 days"


@pytest.mark.parametrize(("clock", "later"), [("10:00:00", 1), ("09:59:00", 0)])
def test_closes_from_sunday_to_thursday_at_ten_or_later_are_the_next_days(clock: str, later: int) -> None:
    """No zone changes there, but no market trades from Sunday to Thursday: each stamp is the eve of its day."""
    eve = pd.bdate_range("2025-03-02", periods=60, freq="C", weekmask="Sun Mon Tue Wed Thu")
    stamps = (eve + pd.Timedelta(clock)).to_numpy()
    found = days_of(stamps)
    np.testing.assert_array_equal(found, (eve + pd.Timedelta(days=later)).to_numpy().astype("datetime64[D]"))


def test_nine_days_of_ten_are_dense_and_a_day_fewer_is_looked_at_closely() -> None:
    days = np.datetime64("2025-01-01") + np.arange(100)
    enough = int(np.ceil(DENSE * 100))
    inner = days[1:-1]
    assert is_dense(np.concatenate([days[:1], inner[: enough - 2], days[-1:]]))
    assert not is_dense(np.concatenate([days[:1], inner[: enough - 3], days[-1:]]))
