"""Generated markets for the correlation tests: coins that never close, stocks with weekends, late listings, a halt."""

import numpy as np
import pandas as pd

from margin import Market


def frame(n=900, seed=3, end="2024-12-31"):
    """BTC, ETH, NEW (listed late), OLD (delisted), GAP (halted for 20 days, holes), SPY, GLD (weekdays), USDC (still)."""
    rng = np.random.default_rng(seed)
    names = ["BTC", "ETH", "NEW", "OLD", "GAP", "SPY", "GLD"]
    common = rng.standard_t(4, size=n) * 0.02
    loading = np.array([1.0, 1.2, 1.1, 0.9, 1.0, 0.3, 0.0])
    moves = common[:, None] * loading + rng.standard_t(4, size=(n, len(names))) * 0.015
    closes = 100.0 * np.exp(np.cumsum(moves, axis=0))
    table = pd.DataFrame(closes, index=pd.date_range(end=end, periods=n), columns=names)
    table.iloc[: n // 2, 2] = np.nan
    table.iloc[2 * n // 3 :, 3] = np.nan
    table.iloc[200:220, 4] = np.nan
    table.iloc[[400, 403, 410], 4] = np.nan
    table.loc[table.index.day_of_week >= 5, ["SPY", "GLD"]] = np.nan
    table["USDC"] = 1.0
    return table


def market(**changes):
    return Market(frame(**changes))


def common_returns(table, pair, horizon=1):
    """Slow twin of the calendar rule: successive dates on which both have a close, no step above four days."""
    both = table[list(pair)].dropna()
    rows, dates = [], []
    for i in range(horizon, len(both)):
        steps = both.index[i - horizon + 1 : i + 1] - both.index[i - horizon : i]
        if (steps <= pd.Timedelta(days=4)).all():
            rows.append((both.iloc[i] / both.iloc[i - horizon] - 1).to_numpy())
            dates.append(both.index[i])
    return np.array(rows), pd.DatetimeIndex(dates)
