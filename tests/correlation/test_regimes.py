"""Calm, stress and worst days; downside correlation and its bias; the market index; lead and lag."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from margin import InputError, Market
from margin.correlation.lead_lag import lead_lag
from margin.correlation.market_index import market_index, volatility_before
from margin.correlation.regimes import regime_matrices
from margin.correlation.worst_days import (
    downside_correlation,
    normal_tail_correlation,
    truncated_square,
    truncated_variance,
)
from tests.correlation.worlds import common_returns, frame, market

FRAME = frame()
MARKET = market()
NAMES = ("BTC", "ETH", "NEW", "SPY")


def slow_index(table):
    level, out, last = 1.0, [], {}
    for day, row in table.iterrows():
        moves = []
        for asset, close in row.dropna().items():
            if asset in last and day - last[asset][0] <= pd.Timedelta(days=4):
                moves.append(close / last[asset][1] - 1)
            last[asset] = (day, close)
        level *= 1 + (np.mean(moves) if moves else 0.0)
        out.append(level)
    return pd.Series(out, index=table.index)


def test_the_index_equals_a_slow_twin():
    table = FRAME.copy()
    table.loc["2024-05-05":"2024-05-06"] = np.nan
    dates, level = market_index(Market(table), FRAME.columns)
    np.testing.assert_array_equal(dates, table.index.to_numpy())
    np.testing.assert_allclose(level, slow_index(table), rtol=1e-12)


def test_volatility_is_known_before_the_day():
    _, level = market_index(MARKET, NAMES)
    vol = volatility_before(level)
    changed = level.copy()
    changed[500:] *= 1.5
    np.testing.assert_array_equal(volatility_before(changed)[:501], vol[:501])
    r = level[1:] / level[:-1] - 1
    variance = np.mean(r[:30] ** 2)
    for x in r[30:100]:
        variance = 0.94 * variance + 0.06 * x**2
    assert vol[101] == pytest.approx(np.sqrt(variance))


def test_regime_matrices_equal_a_slow_twin():
    got = regime_matrices(MARKET, NAMES, share=0.05)
    index = slow_index(FRAME[list(NAMES)])
    vol = pd.Series(volatility_before(index.to_numpy()), index=index.index)
    low, high = vol.quantile(1 / 3), vol.quantile(2 / 3)
    for i, a in enumerate(NAMES):
        for j, b in enumerate(NAMES[:i]):
            rows, dates = common_returns(FRAME, (a, b))
            both = FRAME[[a, b]].dropna().index
            start = both[both.searchsorted(dates) - 1]
            move = (index[dates].to_numpy() / index[start].to_numpy()) - 1
            worst = move <= np.quantile(move, 0.05)
            masks = {"calm": vol[dates] <= low, "stress": vol[dates] >= high, "worst": worst}
            for name, mask in masks.items():
                chosen = rows[np.asarray(mask)]
                if len(chosen) < 20:
                    assert np.isnan(getattr(got, name)[i, j])
                    continue
                assert getattr(got, name)[i, j] == pytest.approx(np.corrcoef(chosen.T)[0, 1], abs=1e-12)
                assert getattr(got, f"days_{name}")[i, j] == len(chosen)
            assert got.all_days[i, j] == pytest.approx(np.corrcoef(rows.T)[0, 1], abs=1e-12)


def test_truncated_normal_moments_equal_scipy():
    for share in (0.01, 0.05, 0.3, 0.5):
        cut = stats.truncnorm(-np.inf, stats.norm.ppf(share))
        assert truncated_variance(share) == pytest.approx(cut.var(), rel=1e-9)
        assert truncated_square(share) == pytest.approx(cut.moment(2), rel=1e-9)


@pytest.mark.parametrize("about", ["mean", "zero"])
@pytest.mark.parametrize("chosen_by", ["market", "pair"])
def test_the_bias_formula_is_what_normal_returns_show(about, chosen_by):
    rng = np.random.default_rng(0)
    z = rng.standard_normal((400_000, 3))
    x, y = z[:, 0], 0.6 * z[:, 0] + 0.8 * z[:, 1]
    outcome = x + y if chosen_by == "pair" else x + 0.5 * y + 0.7 * z[:, 2]
    worst = outcome <= np.quantile(outcome, 0.05)
    chosen = np.column_stack((x, y))[worst]
    if about == "mean":
        chosen = chosen - chosen.mean(axis=0)
    seen = (chosen[:, 0] * chosen[:, 1]).sum() / np.sqrt((chosen**2).sum(axis=0).prod())
    got = normal_tail_correlation(np.column_stack((x, y)), outcome, 0.05, about)
    assert got == pytest.approx(seen, abs=0.02)
    if (about, chosen_by) == ("mean", "pair"):
        assert got < 0  # although the correlation is 0.6: the bias the docs warn of


def test_downside_correlation_equals_a_slow_twin():
    got = downside_correlation(MARKET, ("BTC", "ETH"), 0.1, "pair")
    rows, _ = common_returns(FRAME, ("BTC", "ETH"))
    score = rows[:, 0] / rows[:, 0].std() + rows[:, 1] / rows[:, 1].std()
    worst = rows[np.argsort(score)[: got.days]]
    assert got.days == (score <= np.quantile(score, 0.1)).sum()
    assert got.value == pytest.approx(np.corrcoef(worst.T)[0, 1])
    assert got.all_days == pytest.approx(np.corrcoef(rows.T)[0, 1])
    zero = downside_correlation(MARKET, ("BTC", "ETH"), 0.1, "pair", "zero")
    assert zero.value == pytest.approx((worst.prod(axis=1)).sum() / np.sqrt((worst**2).sum(axis=0).prod()))


def test_downside_needs_days_and_movement():
    few = downside_correlation(MARKET, ("BTC", "ETH"), 0.01)
    assert few.value is None
    assert "20 are needed" in few.reason
    still = downside_correlation(MARKET, ("BTC", "USDC"))
    assert "USDC does not move" in still.reason


def lagged_market(delay):
    """Y copies X `delay` steps later."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal(700) * 0.02
    y = np.roll(x, delay) * 0.8 + rng.standard_normal(700) * 0.01
    table = frame(n=700)[["BTC", "ETH"]]
    table[:] = 100 * np.cumprod(1 + np.column_stack((x, y)), axis=0)
    return Market(table)


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_lead_lag_finds_the_delay(delay):
    found = lead_lag(lagged_market(delay), ("BTC", "ETH"))
    assert found.lags[np.argmax(found.values)] == delay
    others = np.abs(found.values[found.lags != delay])
    assert (others < 2 * found.noise).all()
    if delay <= 1:
        assert found.synchronised == pytest.approx(0.85, abs=0.12)


def test_lead_lag_equals_a_slow_twin_across_calendars_and_pauses():
    pair = ("GAP", "SPY")
    found = lead_lag(MARKET, pair, 2)
    rows, dates = common_returns(FRAME, pair)
    both = list(FRAME[list(pair)].dropna().index)
    at = {both.index(d): r for d, r in zip(dates, rows, strict=True)}
    for lag, value, count in zip(found.lags, found.values, found.counts, strict=True):
        pairs = np.array([(at[i][0], at[i + lag][1]) for i in at if i + lag in at])
        assert count == len(pairs)
        assert value == pytest.approx(np.corrcoef(pairs.T)[0, 1], abs=1e-12)
    assert (found.low <= found.values).all()
    assert (found.values <= found.high).all()


def test_half_of_the_day_in_common_is_seen_as_lead_and_mended_by_the_sum():
    """Y closes half a day before X: half of X's move reaches Y's next day, as with a coin and a stock."""
    rng = np.random.default_rng(8)
    first, second = rng.standard_normal((2, 4000)) * 0.01
    x = first + second
    y = first + np.roll(second, 1)
    table = frame(n=4000)[["BTC", "ETH"]]
    table[:] = 100 * np.cumprod(1 + np.column_stack((x, y)), axis=0)
    found = lead_lag(Market(table), ("BTC", "ETH"), 2)
    assert found.values[list(found.lags).index(0)] == pytest.approx(0.5, abs=0.05)
    assert found.values[list(found.lags).index(1)] == pytest.approx(0.5, abs=0.05)
    assert found.synchronised == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    "call",
    [
        lambda: regime_matrices(MARKET, NAMES, share=0.0),
        lambda: regime_matrices(MARKET, NAMES, as_of="2022-08-20"),
        lambda: downside_correlation(MARKET, ("BTC", "ETH"), chosen_by="me"),
        lambda: downside_correlation(MARKET, ("BTC", "ETH"), about="x"),
        lambda: downside_correlation(MARKET, ("BTC", "ETH"), share=0.6),
        lambda: lead_lag(MARKET, ("BTC", "ETH"), 0),
        lambda: lead_lag(MARKET, ("BTC", "ETH"), 20, lookback=30),
        lambda: lead_lag(MARKET, ("BTC", "USDC")),
        lambda: market_index(MARKET, ["BTC"], "1999-01-01"),
        lambda: market_index(MARKET, ["NEW"], "2022-08-20"),
    ],
)
def test_bad_input_is_one_line(call):
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_half_of_the_days_are_the_most_that_count_as_bad():
    half = downside_correlation(MARKET, ("BTC", "ETH"), 0.5, "pair")
    assert half.days > 20
    with pytest.raises(InputError, match="must be above 0"):
        downside_correlation(MARKET, ("BTC", "ETH"), 0.51, "pair")
