"""Build the bundled sample: `python -m tools.sample` writes margin/sample/closes.csv and volumes.csv.

Reads only the recorded figures in tools/sample/facts and margin/sample; the same figures and seed give the same
sample. Writes the comparison
with the record into docs/sample-data.md. docs/sample-data.md says how the days are made.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from tools.sample.coins import simulate_coins
from tools.sample.facts import STABLECOINS, STOCKS, Facts, read_facts
from tools.sample.report import comparison
from tools.sample.stablecoins import simulate_stablecoins
from tools.sample.stocks import simulate_stocks
from tools.sample.volumes import rounded, simulate_volumes

SEED = 39  # chosen among 1 to 40: docs/sample-data.md, "Choosing the draw"
DIGITS = 7  # of a simulated close; month ends keep the digits of the record
ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "margin" / "sample"
PAGE = ROOT / "docs" / "sample-data.md"
OPENING, CLOSING = "<!-- written by python -m tools.sample -->\n", "<!-- end of what it writes -->\n"


def build(facts: Facts | None = None, seed: int = SEED) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(closes, volumes): DataFrames [day x asset] in USD, NaN where there is no close.

    Always with the same number of threads: matrix products add up in another order with another, and a last digit may
    hang on it.
    """
    with threadpool_limits(2, user_api="blas"):
        return _built(facts or read_facts(), seed)


def _built(facts: Facts, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    # One stream per part, so that a change to one part leaves the others as they are.
    streams = [np.random.Generator(np.random.PCG64(s)) for s in np.random.SeedSequence(seed).spawn(4)]
    coins = simulate_coins(facts, streams[0])
    stock_days, stocks = simulate_stocks(facts, coins, streams[1])
    closes = pd.DataFrame(index=pd.DatetimeIndex(facts.days, name="date"))
    for i, coin in enumerate(facts.coins):
        closes[coin] = prices(facts, coin, facts.days, coins[:, i])
    for i, stock in enumerate(STOCKS):
        closes[stock] = prices(facts, stock, stock_days, stocks[:, i]).reindex(closes.index)
    for i, column in enumerate(simulate_stablecoins(facts, streams[2]).T):
        closes[STABLECOINS[i]] = rounded(column, DIGITS)
    return closes, simulate_volumes(facts, closes, streams[3])


def prices(facts: Facts, asset: str, days: pd.DatetimeIndex, returns: np.ndarray) -> pd.Series:
    """Closes (n_days,) from log returns (n_days - 1,), NaN outside the asset's life.

    Every month starts anew from its recorded close, so nothing builds up; recorded closes are put in as printed.
    """
    ends = facts.month_ends[asset].dropna()
    rows = days.searchsorted(ends.index, side="right") - 1
    path = np.concatenate(([0.0], np.cumsum(np.nan_to_num(returns))))
    anchor = np.searchsorted(rows, np.arange(len(days)), side="right") - 1
    anchor = np.maximum(anchor, 0)  # days before the first recorded close hang on it from the left
    levels = ends.to_numpy()[anchor] * np.exp(path - path[rows[anchor]])
    closes = pd.Series(rounded(levels, DIGITS), index=days)
    closes.iloc[rows] = ends.to_numpy()
    return closes.where(facts.alive(asset)[facts.days.get_indexer(days)])


def as_csv(frame: pd.DataFrame) -> str:
    """The frame as CSV text: dates, then plain decimals; empty where there is no figure."""
    lines = [",".join(["date", *frame.columns])]
    for day, row in zip(frame.index, frame.to_numpy(), strict=True):
        cells = ["" if np.isnan(value) else np.format_float_positional(value, trim="-") for value in row]
        lines.append(",".join([f"{day:%Y-%m-%d}", *cells]))
    return "\n".join(lines) + "\n"


def with_tables(page: str, tables: str) -> str:
    """The page with the comparison tables between its two marks replaced."""
    before, _, rest = page.partition(OPENING)
    _, closing, after = rest.partition(CLOSING)
    if not closing:
        raise ValueError(f"{PAGE.name} has lost the marks between which the tables go")
    return f"{before}{OPENING}\n{tables}\n{CLOSING}{after}"


def main() -> int:
    facts = read_facts()
    closes, volumes = build(facts)
    (FOLDER / "closes.csv").write_text(as_csv(closes), encoding="utf-8", newline="\n")
    (FOLDER / "volumes.csv").write_text(as_csv(volumes), encoding="utf-8", newline="\n")
    if PAGE.exists():  # a container ships without docs/
        page = with_tables(PAGE.read_text(encoding="utf-8"), comparison(facts, closes))
        PAGE.write_text(page, encoding="utf-8", newline="\n")
    sys.stdout.write(f"{len(closes)} days, {len(closes.columns)} assets written to {FOLDER}\n")
    return 0
