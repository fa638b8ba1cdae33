"""How long a holding takes to sell, and what selling it does to the price."""

from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError
from margin.haircut.settings import HaircutSettings


@dataclass(frozen=True)
class Depth:
    """What walking a book gave. covered: USD of the size that the bids hold at mid prices; cost: 1 - average / mid."""

    covered: float
    cost: float
    whole: bool


def liquidation_days(size_usd: float, volume: float, participation: float) -> float:
    """Days to sell `size_usd` when `participation` of the daily volume (USD) can be sold."""
    return size_usd / (participation * volume)


def effective_days(selling_days: float, settings: HaircutSettings) -> float:
    """Days of full exposure that carry the same variance as waiting and then selling.

    Sold evenly over D days, what is left at time t is 1 - t / D and the variance is that of D / 3 days held in full;
    sold in one block at the end, that of D days. Source: Almgren and Chriss (2001), "Optimal execution of portfolio
    transactions", the constant-rate schedule.
    """
    share = 1.0 / 3.0 if settings.liquidation == "linear" else 1.0
    return settings.wait + share * selling_days


def walk_book(bids: np.ndarray, mid: float, size_usd: float) -> Depth:
    """Sell `size_usd` (valued at mid) into the bids, best first.

    bids : (n, 2) price in USD and amount in coins, best first; mid : USD
    Raises InputError for a book that is empty, not ordered, or has a bid above mid.
    """
    bids = np.asarray(bids, dtype=float)
    if bids.ndim != 2 or bids.shape[1] != 2 or not len(bids):
        raise InputError("order book", bids.shape, "must have one row of price and amount per bid", "At least one.")
    price, amount = bids[:, 0], bids[:, 1]
    if not (np.isfinite(bids).all() and (price > 0).all() and (amount >= 0).all() and mid > 0):
        raise InputError("order book", "bids", "must hold finite prices above zero and amounts of at least zero")
    if (np.diff(price) > 0).any() or price[0] > mid:
        raise InputError("order book", float(price[0]), "bids must fall from the best one, which is not above mid")
    wanted = size_usd / mid  # coins
    before = np.concatenate(([0.0], np.cumsum(amount)))
    sold = np.clip(wanted - before[:-1], 0.0, amount)
    total = float(sold.sum())
    if total <= 0.0:
        return Depth(0.0, max(1.0 - float(price[0]) / mid, 0.0), wanted <= 0.0)
    cost = max(1.0 - float(sold @ price) / total / mid, 0.0)
    return Depth(total * mid, cost, before[-1] >= wanted * (1.0 - 1e-12))
