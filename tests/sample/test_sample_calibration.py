"""The sample's statistics against the calibration, measured here with numpy, pandas and scipy alone."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from data.sample import load_sample
from tests.support import ROOT

CALIBRATION = json.loads((ROOT / "tools" / "sample" / "facts" / "calibration.json").read_text())
COINS = list(CALIBRATION["assets"])
PAIRS = np.triu_indices(len(COINS), 1)


@pytest.fixture(scope="module")
def returns() -> pd.DataFrame:
    first, last = CALIBRATION["window"]
    return np.log(load_sample().closes[COINS]).diff().loc[first:last]


def test_annual_volatility_over_all_and_by_year_within_half_a_percent(returns):
    for coin in COINS:
        figures = CALIBRATION["assets"][coin]
        assert returns[coin].std() * 365**0.5 == pytest.approx(figures["annual_vol"], rel=5e-3), coin
        for year, vol in figures["annual_vol_by_year"].items():
            mine = returns[coin][returns.index.year == int(year)]
            assert mine.std() * 365**0.5 == pytest.approx(vol, rel=5e-3), (coin, year)


def test_tails_have_the_recorded_degrees_of_freedom(returns):
    for coin in COINS:
        x = returns[coin].dropna().to_numpy() * 100

        def loss(p, x=x):
            return -stats.t.logpdf(x, np.exp(p[0]), p[1], np.exp(p[2])).sum()

        best = optimize.minimize(loss, [np.log(3), np.median(x), np.log(x.std() / 2)], method="Nelder-Mead")
        assert np.exp(best.x[0]) == pytest.approx(CALIBRATION["assets"][coin]["student_t_dof"], abs=0.1), coin


def test_absolute_returns_cluster_as_recorded(returns):
    for coin in COINS:
        x = np.abs(returns[coin].dropna().to_numpy())
        acf = np.corrcoef(x[1:], x[:-1])[0, 1]
        assert acf == pytest.approx(CALIBRATION["assets"][coin]["acf1_abs"], abs=0.01), coin


def test_clustering_lasts_for_weeks(returns):
    for lag in (2, 5, 10, 20):
        mean = np.mean([returns[coin].abs().dropna().autocorr(lag) for coin in COINS])
        assert mean > 0.04, lag


def test_no_day_foretells_the_next(returns):
    for coin in COINS:
        assert abs(returns[coin].dropna().autocorr(1)) < 0.02, coin


@pytest.mark.parametrize(
    ("name", "share", "low"),
    [("correlation_calm", 0.5, True), ("correlation_stress", 0.8, False)],
)
def test_correlations_in_calm_and_stress(returns, name, share, low):
    vol = returns.drop(columns="PAXG").mean(axis=1).rolling(20).std()
    edge = vol.quantile(share)
    close_to_record(returns[vol <= edge if low else vol >= edge], name)


def test_correlations_over_all_days(returns):
    close_to_record(returns, "correlation_all")


def test_correlations_on_the_worst_days(returns):
    market = returns.drop(columns="PAXG").mean(axis=1)
    close_to_record(returns[market <= market.quantile(0.05)], "correlation_on_5pct_worst_days")


def close_to_record(returns: pd.DataFrame, name: str) -> None:
    target = np.array([[CALIBRATION[name][a][b] for b in COINS] for a in COINS])
    gaps = np.abs(returns.corr().to_numpy() - target)[PAIRS]
    assert gaps.mean() < 0.005
    assert gaps.max() < 0.02


def test_correlations_rise_from_calm_to_stress(returns):
    vol = returns.drop(columns="PAXG").mean(axis=1).rolling(20).std()
    calm, stress = returns[vol <= vol.quantile(0.5)], returns[vol >= vol.quantile(0.8)]
    rise = (stress.corr() - calm.corr()).to_numpy()[PAIRS]
    assert rise.mean() > 0.05


def test_coins_crash_together_more_than_they_rally_together(returns):
    coins = returns.drop(columns="PAXG")

    def shared(hits: pd.DataFrame) -> float:
        both = hits.astype(float).T @ hits.astype(float)
        return float((both / hits.sum()).to_numpy()[np.triu_indices(len(coins.columns), 1)].mean())

    crashes, rallies = shared(coins <= coins.quantile(0.05)), shared(coins >= coins.quantile(0.95))
    assert crashes > 0.45
    assert crashes > rallies + 0.1


def test_weekly_correlations_with_stocks():
    first, last = CALIBRATION["window"]
    names = ["SPY", "QQQ", "GLD", "BTC", "ETH"]
    weeks = load_sample().closes[names].loc[first:last].resample("W-SUN").last()
    achieved = np.log(weeks).diff().corr()
    for a in names[:3]:
        for b in names:
            assert achieved.loc[a, b] == pytest.approx(CALIBRATION["weekly_correlation_with_tradfi"][a][b], abs=0.02)


def test_gld_follows_gold():
    closes = load_sample().closes[["GLD", "PAXG"]].dropna()
    assert np.log(closes).diff().corr().loc["GLD", "PAXG"] > 0.75
