"""What perpetuals pay: one assumed rate a day, or the payments an exchange recorded.

A day ends with its close at 24:00 UTC. A payment settles the hours before it, so one at 00:00 belongs to the day that
ends there; days without a close count to the next one. docs/models.md.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from margin.core.errors import InputError
from margin.core.position import Position

__all__ = ["Daily", "Funding", "a_day", "days_between"]

Daily = tuple[tuple[str, tuple[float, ...]], ...]  # by asset, what a long pays up to each of the market's closes
MOST = 0.1  # a day; beyond it somebody wrote percent


class Funding:
    """rates : a fraction of notional a day that longs pay to shorts, or by asset or symbol such a number or a record.

    A record is a Series of fractions per payment, indexed by the time of payment (UTC), as
    `data.exchange.funding.fetch_funding_history` gives it; outside its span nothing is counted, and `notes` says so.
    """

    def __init__(self, rates: "float | Mapping[str, float | pd.Series]" = 0.0):
        self.rates = rates
        for name, rate in rates.items() if isinstance(rates, Mapping) else [("", rates)]:
            if isinstance(rate, pd.Series):
                if not isinstance(rate.index, pd.DatetimeIndex) or not np.isfinite(rate.to_numpy(dtype=float)).all():
                    raise InputError(f"funding {name}".strip(), "a Series", "must be finite rates by time of payment")
                continue
            if isinstance(rate, bool) or not isinstance(rate, int | float) or not -MOST <= rate <= MOST:
                hint = "0.0003 is 0.01% every 8 h."
                raise InputError("funding", rate, "must be a fraction a day from -0.1 to 0.1", hint)

    def _of(self, position: Position) -> "float | pd.Series":
        if not isinstance(self.rates, Mapping):
            return self.rates
        return self.rates.get(position.symbol, self.rates.get(position.underlying, 0.0))

    def between(self, position: Position, dates: np.ndarray) -> np.ndarray:
        """(n - 1,) fraction of notional paid by a long from each close to the next; 0 for what is no perpetual.

        A rate a day counts once for each day between the closes.

        dates : (n,) of the closes, which are those of 24:00 UTC
        """
        rate = self._of(position)
        if position.instrument.kind != "perpetual":
            return np.zeros(len(dates) - 1)
        if not isinstance(rate, pd.Series):
            return float(rate) * days_between(dates)
        return _payments(rate, _ends(dates))[0]

    def covers(self, position: Position, dates: np.ndarray) -> bool:
        """Whether what the position pays is known over the whole of the closes: always for a rate."""
        rate = self._of(position)
        if not isinstance(rate, pd.Series):
            return True
        first, last = pd.Timestamp(dates[0]) + pd.Timedelta(days=1), pd.Timestamp(dates[-1]) + pd.Timedelta(days=1)
        gap = pd.Timedelta(hours=8)  # the longest usual time between payments
        return bool(len(rate)) and rate.index.min() <= first + gap and rate.index.max() >= last - gap

    @property
    def recorded(self) -> bool:
        """Whether any of the rates is a record, which needs dates."""
        return isinstance(self.rates, Mapping) and any(isinstance(r, pd.Series) for r in self.rates.values())

    def notes(self) -> list[str]:
        """From when to when each record reaches."""
        if not isinstance(self.rates, Mapping):
            return []
        return [
            f"Funding of {name} as recorded from {rate.index.min():%Y-%m-%d} to {rate.index.max():%Y-%m-%d} only."
            for name, rate in self.rates.items()
            if isinstance(rate, pd.Series) and len(rate)
        ]


def a_day(payments: Mapping[str, pd.Series], dates: np.ndarray, rate: float) -> Daily:
    """What a long pays up to each close since the one before, as a fraction, by asset: a record's payments added.

    payments : fractions by time of payment (UTC); dates : (n,) of the closes, those of 24:00 UTC; before the first one
    a day is taken; rate : a fraction a day where a record has no payment
    """
    ends = _ends(dates)
    times = pd.DatetimeIndex([ends[0] - pd.Timedelta(days=1), *ends])
    days = np.concatenate(([1.0], days_between(dates)))
    out = []
    for asset, record in sorted(payments.items()):
        paid, count = _payments(record, times)
        out.append((asset, tuple(np.where(count > 0, paid, rate * days).tolist())))
    return tuple(out)


def days_between(dates: np.ndarray) -> np.ndarray:
    """(n - 1,) days from each close to the next, 1 or more."""
    found: np.ndarray = np.diff(pd.DatetimeIndex(dates).normalize().to_numpy()) / np.timedelta64(1, "D")
    return found


def _ends(dates: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(dates) + pd.Timedelta(days=1)


def _payments(record: pd.Series, ends: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
    """((n - 1,) sum, (n - 1,) count) of the payments after each of these times up to and with the next."""
    record = record.sort_index()
    paid = np.concatenate(([0.0], np.cumsum(record.to_numpy(dtype=float))))
    at = np.searchsorted(record.index.to_numpy(), ends.to_numpy(), side="right")
    return np.diff(paid[at]), np.diff(at)
