"""What the sample says cross-margining saves, beside recorded prices: the table of docs/sample-data.md is true."""

import re

import numpy as np
import pandas as pd
import pytest

from data.sample import load_sample
from margin import Portfolio, compare
from margin.core.portfolio import Position
from tests.support import ROOT, shared_path

AS_OF = "2026-03-31"
BOOKS = {
    "saving, long 100,000 each of BTC, ETH, SOL": {"BTC": 100_000, "ETH": 100_000, "SOL": 100_000},
    "saving, long 100,000 BTC, short 100,000 ETH": {"BTC": 100_000, "ETH": -100_000},
    "saving, long 60,000 SPY, 40,000 GLD, 10,000 BTC": {"SPY": 60_000, "GLD": 40_000, "BTC": 10_000},
}
CRASHES, RALLIES = (f"share of a coin's 5% {kind} days that are another's too" for kind in ("worst", "best"))
COINS = list(load_sample().closes.columns[:14])


def documented() -> dict[str, tuple[float, float]]:
    """{row: (recorded, sample)} of the page's table, in percent."""
    page = (ROOT / "docs" / "sample-data.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| ([\d.]+)% \| ([\d.]+)% \|$", page, flags=re.MULTILINE)
    return {name: (float(recorded), float(sample)) for name, recorded, sample in rows}


def measured(closes: pd.DataFrame) -> dict[str, float]:
    """The same rows, in percent, on these closes."""
    out = {}
    for name, dollars in BOOKS.items():
        legs = (Position(f"{asset}/USDC:USDC", usd / closes.loc[AS_OF, asset]) for asset, usd in dollars.items())
        result = compare(Portfolio(tuple(legs)), closes, level=0.975, lookback=500, as_of=AS_OF)
        slow = slow_saving(closes, dollars)
        assert 1 - result.portfolio / result.isolated == pytest.approx(slow, abs=1e-9)
        out[name] = 100 * slow
    returns = np.log(closes[COINS].loc["2020-09-30":AS_OF]).diff().dropna()
    for name, hits in ((CRASHES, returns <= returns.quantile(0.05)), (RALLIES, returns >= returns.quantile(0.95))):
        both = hits.astype(float).T @ hits.astype(float)
        out[name] = 100 * float((both / hits.sum()).to_numpy()[np.triu_indices(len(COINS), 1)].mean())
    return out


def slow_saving(closes: pd.DataFrame, dollars: dict[str, float]) -> float:
    """1 - ES(sum of losses) / sum of ES(loss), by sorting: the worst 2.5% of 500 are 12 days and half a day."""
    common = closes[list(dollars)].loc[:AS_OF].dropna()
    step = common.index.to_series().diff().dt.days
    moves = common.pct_change()[step <= 4].tail(500)
    losses = -moves * pd.Series(dollars)

    def shortfall(loss: pd.Series) -> float:
        worst = loss.sort_values(ascending=False).to_numpy()
        return float((worst[:12].sum() + 0.5 * worst[12]) / 12.5)

    return 1 - shortfall(losses.sum(axis=1)) / sum(shortfall(losses[asset]) for asset in dollars)


def test_the_page_shows_what_the_sample_gives():
    achieved = measured(load_sample().closes)
    page = documented()
    assert set(achieved) == set(page)
    assert set(achieved) <= set(documented()) and len(achieved) > 3
    for name, value in achieved.items():
        assert round(value, 1 if "saving" in name else 0) == page[name][1], name


def test_the_page_shows_what_recorded_prices_give():
    coins = pd.read_csv(shared_path("market/daily_closes.csv"), index_col="date", parse_dates=["date"])
    stocks = pd.read_csv(shared_path("market/tradfi_daily_adjclose.csv"), index_col="date", parse_dates=["date"])
    achieved = measured(coins[COINS].join(stocks[["SPY", "GLD"]], how="outer").loc[:AS_OF])
    for name, value in achieved.items():
        assert round(value, 1 if "saving" in name else 0) == documented()[name][0], name


def test_a_long_only_book_saves_little_and_a_hedged_one_much():
    achieved = measured(load_sample().closes)
    long_only, pair, mixed = (achieved[name] for name in BOOKS)
    assert 1 < long_only < 5
    assert 50 < pair < 70
    assert long_only < mixed < pair


def pair_of(closes: pd.DataFrame) -> tuple[float, float, float, float, float]:
    """Of the pair's 500 days: correlation, deviation of the difference in percent, and the margins of BTC, ETH, both."""
    moves = closes[["BTC", "ETH"]].loc[:AS_OF].dropna().pct_change().tail(500)

    def shortfall(loss: pd.Series) -> float:
        worst = loss.sort_values(ascending=False).to_numpy()
        return float((worst[:12].sum() + 0.5 * worst[12]) / 12.5)

    apart = moves["ETH"] - moves["BTC"]
    margins = shortfall(-moves["BTC"]), shortfall(moves["ETH"]), shortfall(apart)
    return moves["BTC"].corr(moves["ETH"]), 100 * apart.std(), *margins


def test_the_page_says_why_a_pair_saves_too_much():
    coins = pd.read_csv(shared_path("market/daily_closes.csv"), index_col="date", parse_dates=["date"])
    sample, record = pair_of(load_sample().closes), pair_of(coins)
    assert (round(sample[0], 3), round(record[0], 3)) == (0.865, 0.823)
    assert (round(sample[1], 2), round(record[1], 2)) == (2.22, 2.38)
    assert [round(100 * (ours / theirs - 1)) for ours, theirs in zip(sample[2:], record[2:], strict=True)] == [
        17, -4, -10,
    ]  # fmt: skip
    rng, closes = np.random.default_rng(0), coins[["BTC", "ETH"]].loc[:AS_OF].dropna().pct_change().tail(500)
    savings = []
    for _ in range(600):
        rows = (rng.integers(0, 491, 50)[:, None] + np.arange(10)).ravel()
        btc, eth = closes.to_numpy()[rows].T
        worst = [np.sort(loss)[::-1] for loss in (-btc, eth, eth - btc)]
        alone, also, both = ((w[:12].sum() + 0.5 * w[12]) / 12.5 for w in worst)
        savings.append(100 * (1 - both / (alone + also)))
    assert np.std(savings) == pytest.approx(4.7, abs=0.3)
