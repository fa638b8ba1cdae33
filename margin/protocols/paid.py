"""A shared wallet after one fall: both gaps, who called, and who is paid what, line by line to the cent."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from margin.protocols.seizure import run
from margin.protocols.wallet import Perp, Pledge, Rule, Wallet, gaps, sides


def textbook(long: float = 500.0) -> Wallet:
    """$1,000 of a coin, $400 owed, a perpetual of the same coin: docs/protocols.md has its closed forms.

    long : USD of the perpetual, below 0 for a short
    """
    coin = Pledge(asset="ETH", value=1000.0, ltv=0.805, threshold=0.83, weight=0.83)
    held = (Perp(asset="ETH", notional=long, maintenance=0.03, initial=0.15),) if long else ()
    return Wallet(collateral=(coin,), debt=400.0, perps=held)


@dataclass(frozen=True, kw_only=True)
class Paid:
    """USD after the move. collateral and result at the new prices; cash at the venue; debt: the lender's claim.

    lender_gap, venue_gap : before anything is sold; a side calls at 0 or below; called: lender, venue
    bonus        : to liquidators; lender_short, venue_short: what each side does not get back
    wallet       : what is left, and collateral + cash + result - debt - bonus + both shorts = wallet
    """

    collateral: float
    cash: float
    result: float
    debt: float
    lender_gap: float
    venue_gap: float
    lender_called: bool
    venue_called: bool
    bonus: float
    lender_short: float
    venue_short: float
    wallet: float

    @property
    def worth(self) -> float:
        """Assets less the lender's claim, before anything is sold: below 0 somebody must lose."""
        return self.collateral + self.cash + self.result - self.debt


def paid(wallet: Wallet, rule: Rule, moves: Mapping[str, float], theta: float = 0.8) -> Paid:
    """What each side is paid if prices move at once by `moves` (fractions; assets that are not named stay)."""
    row = np.array([[moves.get(asset, 0.0) for asset in wallet.assets]])
    w = wallet.under(rule)
    at = sides(wallet, row, rule)
    lender, venue = gaps(wallet, rule, at, theta)
    end = run(wallet, rule, row[None], theta, delay=0)
    return Paid(
        collateral=float(at.pledged[0]),
        cash=w.cash,
        result=float(at.result[0]),
        debt=w.debt,
        lender_gap=float(lender[0]),
        venue_gap=float(venue[0]),
        lender_called=bool(end.lender_called[0]),
        venue_called=bool(end.venue_called[0]),
        bonus=float(end.bonus[0]),
        lender_short=float(end.lender_short[0]),
        venue_short=float(end.venue_short[0]),
        wallet=float(end.wallet[0]),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Falls:
    """Along moves of all coins alike, arrays (m,), USD; worth: assets less claims, `calls` and `nothing` are moves.

    lender_call, venue_call : the first fall at which that side calls; nothing: at which the wallet is worth nothing;
                              each None where none within the moves does
    """

    moves: np.ndarray
    lender: np.ndarray
    venue: np.ndarray
    worth: np.ndarray
    lender_call: float | None
    venue_call: float | None
    nothing: float | None

    @property
    def certain(self) -> bool:
        """Whether the wallet is worth nothing before either side acts: then somebody must lose."""
        calls = [c for c in (self.lender_call, self.venue_call) if c is not None]
        return self.nothing is not None and all(self.nothing > call for call in calls)


def along_falls(wallet: Wallet, rule: Rule, theta: float = 0.8, deepest: float = -0.95, rows: int = 381) -> Falls:
    """Both gaps and the wallet's worth from no move to `deepest`, every coin alike; crossings by straight lines."""
    moves = np.linspace(0.0, deepest, rows)
    w = wallet.under(rule)
    at = sides(wallet, np.repeat(moves[:, None], len(wallet.assets), axis=1), rule)
    lender, venue = gaps(wallet, rule, at, theta)
    worth = at.pledged + w.cash + at.result - w.debt
    return Falls(
        moves=moves,
        lender=lender,
        venue=venue,
        worth=worth,
        lender_call=_first(moves, lender) if w.debt > 0 or rule == "unified" else None,
        venue_call=_first(moves, venue) if wallet.perps else None,
        nothing=_first(moves, worth),
    )


def _first(moves: np.ndarray, values: np.ndarray) -> float | None:
    """The move at which the values first reach 0 from above."""
    below = np.flatnonzero(values <= 0)
    if not len(below):
        return None
    i = int(below[0])
    if i == 0:
        return float(moves[0])
    a, b = values[i - 1], values[i]
    return float(moves[i - 1] + (moves[i] - moves[i - 1]) * a / (a - b))
