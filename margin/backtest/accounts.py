"""An account that starts with exactly the required margin and is left alone: calls, liquidations, what remains.

Three accounts hold the same book through the same days: isolated accounts, one pool with portfolio margin, one
with the safeguards'. Each is opened anew every `hold` days with exactly what its method asks at that close, and gets no
more money. A margin call is a close at which its equity is below what the method asks then; when it is below
`maintenance` times that, everything in the account (or isolated account) is closed at that close.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from margin.backtest.days import Walk, days_to_walk
from margin.core.checks import whole_number
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.models.funding import days_between
from margin.risk.estimators import walked

MODES = {"isolated": "Isolated", "portfolio": "Cross, portfolio margin", "safeguarded": "Cross, with safeguards"}
PERPETUAL = "perpetual"


@dataclass(frozen=True, eq=False, kw_only=True)
class AccountRecord:
    """One mode, one entry per opening, (n,); USD.

    opened     : dates; started, final: equity at the start and at the end, the trader's, never below 0
    called     : a margin call came; liquidated: how many positions were closed by force; uncovered: loss beyond the
                 account's (or isolated account's) money, which somebody else bears
    """

    mode: str
    opened: np.ndarray
    started: np.ndarray
    final: np.ndarray
    called: np.ndarray
    liquidated: np.ndarray
    uncovered: np.ndarray

    @property
    def called_share(self) -> float:
        """Share of the accounts that had a margin call, 0..1."""
        return float(self.called.mean())

    @property
    def liquidated_share(self) -> float:
        """Share of openings in which at least one position was closed by force."""
        return float((self.liquidated > 0).mean())

    @property
    def return_on_margin(self) -> float | None:
        """Sum of final equity / sum of what was put in - 1; None where nothing was asked for."""
        put_in = float(self.started.sum())
        return float(self.final.sum()) / put_in - 1.0 if put_in > 0 else None


def simulate_accounts(
    portfolio: Portfolio,
    market: Market,
    settings: Settings | None = None,
    hold: int = 30,
    maintenance: float = 0.5,
    funding: float | Mapping[str, float] = 0.0,
    days: int = 1500,
    progress: Callable[[float], None] | None = None,
) -> tuple[AccountRecord, ...]:
    """`AccountRecord` of each mode, in the order of MODES.

    hold        : closes an account is held for; maintenance: share of the requirement below which it is closed, 0..1
    funding     : fraction of notional a day that long perpetuals pay and short ones receive; one number or by asset
    Quantities are constant. Requirements are those of each close, from prices up to it. Raises InputError as
    `backtest` does.
    """
    chosen = (settings or Settings()).with_(horizon=1)
    hold = whole_number(hold, "hold", 2, 365)
    if not 0.0 < maintenance < 1.0:
        raise InputError("maintenance", maintenance, "must lie between 0 and 1")
    walk = Walk(portfolio, market, chosen, "quantities", set(MODES))
    rows, _ = days_to_walk(walk, days)
    rates = _rates(walk, funding)
    opened = rows[: max(len(rows) - hold, 0) : hold]
    if not len(opened):
        raise InputError("hold", hold, f"is longer than the {len(rows)} days there are", "Hold for fewer days.")
    results: dict[str, list[tuple[float, ...]]] = {mode: [] for mode in MODES}
    for done, row in enumerate(opened):
        stretch = range(int(row), int(row) + hold + 1)
        needs = {mode: np.array([_need(walk, r, mode, chosen) for r in stretch]) for mode in MODES}
        gains = _gains(walk, int(row), hold, rates)
        for mode in MODES:
            dust = 1e-9 * float(np.abs(walk.values[row]).sum())
            results[mode].append(_run(gains, needs[mode], maintenance, mode == "isolated", dust))
        if progress is not None:
            progress((done + 1) / len(opened))
    dates = walk.close_dates[opened]
    return tuple(_record(mode, dates, results[mode]) for mode in MODES)


def _need(walk: Walk, row: int, mode: str, s: Settings) -> np.ndarray:
    """(p,) for isolated accounts, (1,) for a pool: USD asked at that close."""
    prepared = walk.at(row)
    estimator = s.estimator if s.estimator in walked() else "historical"
    day = walk.day(prepared, mode, estimator, s.level)
    return day.parts if mode == "isolated" else np.array([day.required])


def _rates(walk: Walk, funding: float | Mapping[str, float]) -> np.ndarray:
    """(p,) funding a day of each position, 0 for what is no perpetual."""
    rates = []
    for position in walk.portfolio.positions:
        if position.underlying == "USD":
            continue
        rate = funding.get(position.underlying, 0.0) if isinstance(funding, Mapping) else funding
        if not -0.1 <= rate <= 0.1:
            raise InputError("funding", rate, "must be a fraction a day from -0.1 to 0.1", "0.0003 is 0.01% every 8 h.")
        rates.append(rate if position.instrument.kind == PERPETUAL else 0.0)
    return np.array(rates)


def _gains(walk: Walk, row: int, hold: int, rates: np.ndarray) -> np.ndarray:
    """(hold + 1, p) USD gained since the opening by each position, each close's notional pays funding for its days."""
    values, days = walk.values[row : row + hold + 1], days_between(walk.close_dates[row : row + hold + 1])
    paid = np.concatenate((np.zeros((1, len(rates))), np.cumsum(values[:-1] * rates * days[:, None], axis=0)))
    found: np.ndarray = values - values[0] - paid
    return found


def _run(gains: np.ndarray, need: np.ndarray, maintenance: float, apart: bool, dust: float) -> tuple[float, ...]:
    """(started, final, called, positions liquidated, uncovered) of one opening; `dust` USD is rounding."""
    books = gains if apart else gains.sum(axis=1, keepdims=True)
    equity = need[0] + books
    low = equity[1:] < maintenance * need[1:] - dust
    closed = low.any(axis=0)
    end = np.where(closed, low.argmax(axis=0) + 1, len(books) - 1)
    last = equity[end, np.arange(books.shape[1])]
    last = np.where(np.abs(last) > dust, last, 0.0)
    alive = np.arange(1, len(books))[:, None] <= end
    called = bool(((equity[1:] < need[1:] - dust) & alive).any())
    positions = closed.sum() if apart else closed[0] * gains.shape[1]
    return (
        float(need[0].sum()),
        float(np.maximum(last, 0.0).sum()),
        float(called),
        float(positions),
        float(np.maximum(-last, 0.0).sum()),
    )


def _record(mode: str, dates: np.ndarray, rows: list[tuple[float, ...]]) -> AccountRecord:
    started, final, called, liquidated, uncovered = np.array(rows).T
    return AccountRecord(
        mode=mode,
        opened=dates,
        started=started,
        final=final,
        called=called > 0,
        liquidated=liquidated.astype(int),
        uncovered=uncovered,
    )
