"""Comparison of the finished sample with the record, as Markdown tables for docs/sample-data.md.

Measures the closes as they are written, with pandas and scipy's own estimators: nothing here shares code with the fit.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from tools.sample.facts import STOCKS, Facts

MATRICES = ("correlation_all", "correlation_calm", "correlation_stress", "correlation_on_5pct_worst_days")


def comparison(facts: Facts, closes: pd.DataFrame) -> str:
    """All tables, target (the record) against achieved (the sample)."""
    parts = [
        ("Pins", pin_table(facts, closes)),
        ("Volatility, tails, clustering", asset_table(facts, closes)),
        ("Worst and best day", extreme_table(facts, closes)),
        ("Annual volatility by year, record / sample", year_table(facts, closes)),
        ("Daily correlation of the 15 coins", correlation_table(facts, closes)),
        ("Correlation with BTC, record / sample", btc_table(facts, closes)),
        ("Weekly correlation, record / sample", weekly_table(facts, closes)),
    ]
    return "\n\n".join(f"### {title}\n\n{table}" for title, table in parts) + "\n"


def log_returns(facts: Facts, closes: pd.DataFrame) -> pd.DataFrame:
    """Log returns of the coins between successive days of the calibration window."""
    first, last = facts.window
    logs = closes[list(facts.coins)].map(np.log)
    return logs.diff().loc[first:last]


def day_sets(returns: pd.DataFrame) -> dict[str, pd.Series]:
    """{matrix name: bool Series}: the days that each recorded matrix is over."""
    market = returns.drop(columns="PAXG").mean(axis=1)
    vol = market.rolling(20).std()
    return {
        "correlation_all": market.notna(),
        "correlation_calm": vol <= vol.quantile(0.5),
        "correlation_stress": vol >= vol.quantile(0.8),
        "correlation_on_5pct_worst_days": market <= market.quantile(0.05),
    }


def correlations(facts: Facts, closes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    returns = log_returns(facts, closes)
    return {name: returns[days].corr() for name, days in day_sets(returns).items()}


def tail_dof(returns: pd.Series) -> float:
    """Degrees of freedom of the fitted Student t. In percent: the optimiser stops early on numbers near 0.001."""
    return float(stats.t.fit(100 * returns.dropna().to_numpy())[0])


def pin_table(facts: Facts, closes: pd.DataFrame) -> str:
    ends = facts.month_ends
    last = closes[list(ends.columns)].resample("ME").last()
    month_gap = float((last / ends - 1).abs().max().max())
    gaps = [
        abs(closes[asset].loc[pd.Timestamp(end)] / before_close(closes[asset], pd.Timestamp(start)) - 1 - move)
        for asset, moves in facts.moves.items()
        for start, end, move in moves
    ]
    rows = [
        ("month-end closes, recorded", int(ends.notna().sum().sum()) - facts.approximate, f"{month_gap:.1g}"),
        ("month-end closes, approximate: counted as simulated", facts.approximate, f"{month_gap:.1g}"),
        ("moves of named events", len(gaps), f"{max(gaps):.1g}"),
    ]
    return _table(("pin", "figures", "largest difference"), rows)


def before_close(closes: pd.Series, day: pd.Timestamp) -> float:
    return float(closes.loc[: day - pd.Timedelta(days=1)].dropna().iloc[-1])


def asset_table(facts: Facts, closes: pd.DataFrame) -> str:
    returns = log_returns(facts, closes)
    rows = []
    for coin in facts.coins:
        figures, mine = facts.calibration["assets"][coin], returns[coin].dropna()
        vol = mine.std() * np.sqrt(365)
        rows.append(
            (
                coin,
                f"{figures['annual_vol']:.4f}",
                f"{vol:.4f}",
                f"{figures['student_t_dof']:.2f}",
                f"{tail_dof(mine):.2f}",
                f"{figures['acf1_abs']:.3f}",
                f"{mine.abs().autocorr(1):.3f}",
            )
        )
    head = ("asset", "volatility", "sample", "t dof", "sample", "acf1 of abs(r)", "sample")
    return _table(head, rows)


def extreme_table(facts: Facts, closes: pd.DataFrame) -> str:
    moves = closes[list(facts.coins)].pct_change(fill_method=None)
    rows = []
    for coin in facts.coins:
        figures, mine = facts.calibration["assets"][coin], moves[coin]
        rows.append(
            (
                coin,
                f"{figures['worst_day']:.4f} on {figures['worst_day_date']}",
                f"{mine.min():.4f} on {mine.idxmin():%Y-%m-%d}",
                f"{figures['best_day']:.4f}",
                f"{mine.max():.4f} on {mine.idxmax():%Y-%m-%d}",
            )
        )
    return _table(("asset", "worst day", "sample", "best day", "sample"), rows)


def year_table(facts: Facts, closes: pd.DataFrame) -> str:
    returns = log_returns(facts, closes)
    achieved = returns.groupby(pd.DatetimeIndex(returns.index).year).std() * np.sqrt(365)
    years = sorted({year for coin in facts.coins for year in facts.year_vols(coin)})
    rows = []
    for coin in facts.coins:
        targets = facts.year_vols(coin)
        cells = [f"{targets[y]:.3f} / {achieved.loc[y, coin]:.3f}" if y in targets else "" for y in years]
        rows.append((coin, *cells))
    return _table(("asset", *(str(y) for y in years)), rows)


def correlation_table(facts: Facts, closes: pd.DataFrame) -> str:
    rows = []
    pairs = np.triu_indices(len(facts.coins), 1)
    for name, matrix in correlations(facts, closes).items():
        target, achieved = facts.matrix(name, facts.coins)[pairs], matrix.to_numpy()[pairs]
        gap = np.abs(achieved - target)
        rows.append((name, *(f"{v:.3f}" for v in (target.mean(), achieved.mean(), gap.mean(), gap.max()))))
    return _table(("matrix", "mean of 105 pairs", "sample", "mean abs. error", "largest error"), rows)


def btc_table(facts: Facts, closes: pd.DataFrame) -> str:
    achieved = {name: matrix.to_dict() for name, matrix in correlations(facts, closes).items()}
    rows = [
        (
            coin,
            *(f"{facts.calibration[name]['BTC'][coin]:.3f} / {achieved[name]['BTC'][coin]:.3f}" for name in MATRICES),
        )
        for coin in facts.coins[1:]
    ]
    return _table(("asset", "all", "calm", "stress", "5% worst days"), rows)


def weekly_correlation(facts: Facts, closes: pd.DataFrame) -> pd.DataFrame:
    """Of log returns between the last closes of calendar weeks (Monday to Sunday) in the window."""
    first, last = facts.window
    weeks = closes[[*STOCKS, "BTC", "ETH"]].loc[first:last].resample("W-SUN").last()
    return weeks.map(np.log).diff().corr()


def weekly_table(facts: Facts, closes: pd.DataFrame) -> str:
    names = [*STOCKS, "BTC", "ETH"]
    target = facts.calibration["weekly_correlation_with_tradfi"]
    achieved = weekly_correlation(facts, closes).to_dict()
    rows = [(a, *("" if a == b else f"{target[a][b]:.3f} / {achieved[a][b]:.3f}" for b in names)) for a in STOCKS]
    return _table(("", *names), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
