"""Auto-deleveraging: who among the winners is closed, and by how much, when a bankrupt position finds no buyer.

Every policy answers the same question: of the open positions on the other side, how many units of each are closed at
the bankrupt position's bankruptcy price? The units handed out add up to what is needed, and nobody loses more than
they hold. A winner's loss is what they forgo against the mark price.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Open positions on the side opposite to the bankrupt one, as arrays of one length.

    size    : units held, > 0 whatever the side
    entry   : USD entry price
    wallet  : USD balance behind the position, without unrealised PnL
    maintenance : USD maintenance margin (only Binance's ranking reads it)
    mark    : USD mark price, one number; side : +1 when the candidates are long, -1 when short
    """

    size: np.ndarray
    entry: np.ndarray
    wallet: np.ndarray
    maintenance: np.ndarray
    mark: float
    side: int

    @property
    def unrealised(self) -> np.ndarray:
        """(n,) USD, profit > 0."""
        return self.side * self.size * (self.mark - self.entry)

    @property
    def equity(self) -> np.ndarray:
        """(n,) USD."""
        found: np.ndarray = self.wallet + self.unrealised
        return found

    @property
    def notional(self) -> np.ndarray:
        """(n,) USD size of each candidate."""
        return self.size * self.mark


@dataclass(frozen=True)
class Deleveraging:
    """closed : (n,) units per candidate; forgone : (n,) USD given up against mark; unfilled : units left over."""

    closed: np.ndarray
    forgone: np.ndarray
    unfilled: float


def bitmex_score(c: Candidates) -> np.ndarray:
    """PnL% x effective leverage in profit, PnL% / effective leverage in loss.

    Effective leverage = |mark value| / (mark value - bankrupt value), PnL% = unrealised / entry value.
    Source: BitMEX, "Auto-deleveraging" (the same formula at Poloniex).
    """
    pnl_share = c.unrealised / (c.size * c.entry)
    leverage = _ratio(c.notional, c.equity)
    return np.where(pnl_share > 0, pnl_share * leverage, _ratio(pnl_share, leverage))


def binance_score(c: Candidates) -> np.ndarray:
    """PnL% x margin ratio; PnL% = max(0, unrealised) / max(1, wallet), ratio = maintenance / equity.

    Source: Binance support, "What is auto-deleveraging (ADL)"; ratio 0 when equity is not above 0.
    """
    pnl_share = np.maximum(c.unrealised, 0.0) / np.maximum(c.wallet, 1.0)
    found: np.ndarray = pnl_share * np.where(c.equity > 0, _ratio(c.maintenance, c.equity), 0.0)
    return found


def hyperliquid_score(c: Candidates) -> np.ndarray:
    """(mark / entry) x (notional / account value), for shorts with entry / mark.

    The venue prints one expression and does not state the treatment of shorts; a short gains as mark / entry falls, so
    the ratio is inverted for it here. Source: Hyperliquid docs, "Auto-deleveraging".
    """
    gain = c.mark / c.entry if c.side > 0 else c.entry / c.mark
    return gain * np.where(c.equity > 0, _ratio(c.notional, c.equity), 0.0)


def queue(score: Callable[[Candidates], np.ndarray]) -> Callable[[Candidates, float], np.ndarray]:
    """A policy that closes the highest scores first, each wholly before the next; ties in the order given."""

    def allocate(c: Candidates, needed: float) -> np.ndarray:
        order = np.argsort(-score(c), kind="stable")
        before = np.concatenate(([0.0], np.cumsum(c.size[order])[:-1]))
        closed = np.empty_like(c.size)
        closed[order] = np.clip(needed - before, 0.0, c.size[order])
        return closed

    return allocate


def pro_rata(c: Candidates, needed: float) -> np.ndarray:
    """Everyone on the other side gives up the same share of their position."""
    total = c.size.sum()
    return c.size * min(1.0, needed / total) if total > 0 else np.zeros_like(c.size)


def least_harm(c: Candidates, needed: float) -> np.ndarray:
    """The allocation whose largest share of profit taken from any one winner is as small as it can be.

    Closing x units forgoes x |mark - price|, the same for everyone per unit, so minimising the largest forgone share
    means filling x_i = min(size_i, level x profit_i), the level raised until the units are found (water filling). Those
    without profit are asked last, pro rata.
    """
    profit = np.maximum(c.unrealised, 0.0)
    winners = profit > 0
    closed = np.zeros_like(c.size)
    closed[winners] = _water_fill(c.size[winners], profit[winners], needed)
    rest = needed - closed.sum()
    losers = c.size * ~winners
    if rest > 0 and losers.sum() > 0:
        closed += losers * min(1.0, rest / losers.sum())
    return closed


POLICIES: dict[str, Callable[[Candidates, float], np.ndarray]] = {
    "BitMEX queue": queue(bitmex_score),
    "Binance queue": queue(binance_score),
    "Hyperliquid queue": queue(hyperliquid_score),
    "pro rata": pro_rata,
    "least harm": least_harm,
}


def deleverage(policy: str, candidates: Candidates, needed: float, price: float) -> Deleveraging:
    """Close `needed` units against the candidates at the bankruptcy `price`.

    needed : units, >= 0; price : USD
    Raises InputError for an unknown policy or a negative amount. Units nobody holds stay `unfilled`.
    """
    if policy not in POLICIES:
        raise InputError("policy", policy, "is not an ADL policy", f"One of {', '.join(POLICIES)}.")
    if not needed >= 0:
        raise InputError("needed", needed, "must not be negative")
    available = float(candidates.size.sum())
    closed = POLICIES[policy](candidates, min(needed, available)) if available > 0 else np.zeros_like(candidates.size)
    forgone = closed * candidates.side * (candidates.mark - price)
    return Deleveraging(closed, forgone, max(0.0, needed - available))


def _water_fill(cap: np.ndarray, weight: np.ndarray, needed: float) -> np.ndarray:
    """x = min(cap, level x weight) summing to min(needed, sum(cap)); exact, by sorting the levels where caps bind."""
    if needed >= cap.sum():
        return cap.copy()
    order = np.argsort(cap / weight)
    cap_sorted, weight_sorted = cap[order], weight[order]
    filled = np.concatenate(([0.0], np.cumsum(cap_sorted)[:-1]))
    open_weight = np.cumsum(weight_sorted[::-1])[::-1]
    level = (needed - filled) / open_weight
    first = int(np.argmax(level <= cap_sorted / weight_sorted))
    found: np.ndarray = np.minimum(cap, level[first] * weight)
    return found


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """numerator / denominator, infinity where the denominator is not above 0: such an account comes first."""
    safe = np.where(denominator > 0, denominator, 1.0)
    return np.where(denominator > 0, numerator / safe, np.inf)
