"""One sub-account while it is followed along a path: what is left of each position, its cash, its figures ahead."""

from dataclasses import replace

import numpy as np

from margin.core.position import Position
from margin.liquidation.ledgers import Ledger
from margin.models.base import ClosingRules
from margin.models.funding import Funding
from margin.models.marks import Marks
from margin.stress.held import Held
from margin.stress.paths import PricePath, adverse, payments

DUST = 1e-12  # of a position: less is nothing


class FollowedAccount:
    """One sub-account while it is followed: what is left of each position, its cash, its figures ahead."""

    def __init__(self, held: Held, rules: ClosingRules, path: PricePath, funding: Funding):
        self.origin, self.held, self.rules = held, held, rules
        self.left = np.ones(len(held.sub.positions))
        worst = adverse(held, path) if path.has_extremes else path.closes
        self.points = np.stack((worst, path.closes), axis=1).reshape(-1, path.closes.shape[1])  # (2n, k)
        self.points[0] = path.closes[0]
        self.due = payments(held, path, funding)  # (n, positions) USD of what it holds at the start
        self.started = held.equity
        self.coins = _collateral_alone(held, self.points)
        self.coins_earned = 0.0
        self.earned = self.funding = self.impact = self.fees = 0.0
        self.surrendered = self.fund = self.adl = self.shared = 0.0
        self.called = self.closing = self.over = False
        self.measure(0)

    def measure(self, point: int) -> None:
        """Equity, initial and maintenance from `point` on, of what is left now."""
        found = self.held.states(self.points[point:])
        self.first, self.equity, self.ready = point, found.equity, found.equity_initial
        self.initial, self.maintenance = found.initial, found.maintenance

    def at(self, point: int) -> tuple[float, float]:
        """(equity, maintenance) there."""
        if self.over:
            return 0.0, 0.0
        i = point - self.first
        return float(self.equity[i]), float(self.maintenance[i])

    @property
    def empty(self) -> bool:
        """Whether nothing is left."""
        return not self.left.any()

    def pay(self, usd: float) -> None:
        """Cash changes by `usd`, here and at every price ahead."""
        self.held = replace(self.held, cash=self.held.cash + usd)
        self.equity, self.ready = self.equity + usd, self.ready + usd

    def fund_step(self, step: int) -> float:
        """USD of funding that what is left pays up to the close of `step`, paid now."""
        usd = 0.0 if self.over else float(self.due[step] @ self.left)
        if usd:
            self.pay(-usd)
            self.funding += usd
        return usd

    def earn(self, before: float, was: int, point: int) -> None:
        """Book what prices did to it since the last price of the path, `was`, where its equity was `before`."""
        self.earned += self.at(point)[0] - before
        if not self.over:
            self.coins_earned += float(self.coins[point] - self.coins[was])

    def close(self, shares: float, point: int) -> None:
        """Close a share of what is left at the prices of `point`; equity there stays what it was."""
        before = self.at(point)[0]
        self.left = self.left * (1.0 - shares)
        self.left[self.left < DUST] = 0.0
        kept = [
            replace(p, quantity=p.quantity * float(share))
            for p, share in zip(self.origin.sub.positions, self.left, strict=True)
            if share > 0
        ]
        self.held = replace(self.held, sub=replace(self.origin.sub, positions=tuple(kept)))
        self.held = replace(self.held, columns=_columns(self.held, self.origin))
        self.measure(point)
        self.pay(before - self.at(point)[0])

    def dollars(self, point: int) -> dict[str, float]:
        """Signed USD of exposure by asset of what is left, at the prices of `point`."""
        out: dict[str, float] = {}
        for asset, usd in self.lines(point):
            out[asset] = out.get(asset, 0.0) + usd
        return out

    def lines(self, point: int) -> list[tuple[str, float]]:
        """(asset, signed USD) of each position left; an option counts by its delta."""
        prices = dict(zip(self.origin.sub.assets, self._factors(point), strict=True))
        marks = self.origin.marks.moved(prices)
        out = []
        for p, share in zip(self.origin.sub.positions, self.left, strict=True):
            if share > 0 and p.underlying != "USD":
                out.append((p.underlying, float(share) * _exposure(p, marks)))
        return out

    def _factors(self, point: int) -> list[float]:
        row = self.points[point]
        return [float(row[c]) if c >= 0 else 1.0 for c in self.origin.columns]

    def ledger(self, final: float) -> Ledger:
        """Where its money went; `final` USD is left."""
        return Ledger(
            account=self.origin.name,
            started=self.started,
            earned=self.earned,
            coins=self.coins_earned,
            funding=self.funding,
            impact=self.impact,
            fees=self.fees,
            surrendered=self.surrendered,
            fund=self.fund,
            adl=self.adl,
            shared=self.shared,
            final=final,
        )


def _collateral_alone(held: Held, points: np.ndarray) -> np.ndarray:
    """(2n,) USD that its collateral counts for at every price, without any position."""
    bare = replace(held, cash=0.0, sub=replace(held.sub, positions=()))
    if not bare.sub.assets:
        return np.zeros(len(points))
    return np.asarray(replace(bare, columns=_columns(bare, held)).states(points).equity, dtype=float)


def _columns(held: Held, origin: Held) -> tuple[int, ...]:
    places = dict(zip(origin.sub.assets, origin.columns, strict=True))
    return tuple(places[asset] for asset in held.sub.assets)


def _exposure(position: Position, marks: Marks) -> float:
    """USD gained per 100% move of the price."""
    instrument = position.instrument
    spot = marks.price(position.underlying)
    if not instrument.is_option:
        return float(position.exposure(spot))
    if spot <= 0:
        return 0.0
    step = 1e-4
    up, down = (marks.moved({position.underlying: f}).mark(instrument) for f in (1.0 + step, 1.0 - step))
    return float(position.quantity * (up - down) / (2.0 * step))
