"""Trades under any margin model: a coordinate search over sizes. Not proven optimal, and the answer says so.

A venue's rules have tiers, caps and offsets: they are not convex, so no programme is right for all of them. Each choice
is tried on a grid of sizes, the best bracket refined; further orders start from the best first ones, and the last two
sizes are moved together at the end. `tests/hedge` compares it with a brute grid of 60 x 60 sizes.
"""

import numpy as np

from margin.core.account import SubAccount
from margin.hedge.judge import Judge
from margin.hedge.menu import Menu
from margin.hedge.one_trade import smallest
from margin.hedge.pairs import lowest_pair
from margin.hedge.programme import Chosen, Costed
from margin.models.base import MarginModel
from margin.models.marks import Marks

GRID = np.geomspace(0.025, 1.0, 12)
BEAM = 3
MOST_ORDERS = 4
REFINE = 22
MOST_CHOICES = 24  # searched; of more the half that frees most per dollar, and the half that frees most
FIRST_LOOK = (0.1, 1.0)  # sizes at which they are ranked


class SearchPlanner:
    """Trades under any margin model."""

    exact = False

    def __init__(self, sub: SubAccount, model: MarginModel, marks: Marks, menu: Menu, figure: str = "initial"):
        self.menu = menu
        self.judge = Judge(sub, model, marks, menu, figure)
        self._costed = Costed(menu)
        self._known: dict[bytes | None, Chosen] = {}
        self.largest = max((c.most for c in menu.choices if not c.is_hedge), default=menu.gross)

    def figure(self, usd: np.ndarray) -> float:
        """The model's margin after trading `usd` of each choice, USD."""
        return self.judge(usd)

    def cost(self, usd: np.ndarray) -> float:
        """USD of trading, impact by its chords."""
        return self._costed.cost(usd)

    def least_cost(self, target: float, orders: int | None = None, allowed: Chosen = None) -> np.ndarray | None:
        """USD of each choice, the cheapest found that meets the target; None where none was found."""
        nothing = np.zeros(len(self.menu.choices))
        if self.figure(nothing) <= target:
            return nothing
        done: list[tuple[float, np.ndarray]] = []
        everything, allowed = allowed, self._worth(allowed)
        beam = [nothing]
        for depth in range(min(orders or MOST_ORDERS, MOST_ORDERS, len(nothing))):
            open_: list[tuple[float, np.ndarray]] = []
            for start in beam:
                self._extend(start, target, allowed, done, open_, GRID if not depth else GRID[1::2])
            open_.sort(key=lambda pair: -pair[0])
            beam = _different([usd for _, usd in open_])[:BEAM]
            if not beam:
                break
        if not done:
            lowest = self.most_freed(None, orders, everything)
            if self.figure(lowest) <= target:  # sizes that promise most alone may be too small together
                found = [
                    self._together(self._smaller(usd, target), target) for usd in (lowest, self._less(lowest, target))
                ]
                return min(found, key=self.cost)
            return self._all_cuts(target, orders, everything)
        best = min(done, key=lambda pair: pair[0])[1]
        return self._together(best, target)

    def _worth(self, allowed: Chosen) -> Chosen:
        """The choices that are searched: all of a few, of many those that promise most at a first look."""
        key = None if allowed is None else np.asarray(allowed, dtype=bool).tobytes()
        if key not in self._known:
            self._known[key] = self._ranked(allowed)
        return self._known[key]

    def _ranked(self, allowed: Chosen) -> Chosen:
        nothing = np.zeros(len(self.menu.choices))
        open_ = [j for j in range(len(nothing)) if allowed is None or allowed[j]]
        if len(open_) <= MOST_CHOICES:
            return allowed
        now, freed, score = self.figure(nothing), dict.fromkeys(open_, 0.0), dict.fromkeys(open_, 0.0)
        for j in open_:
            choice = self.menu.choices[j]
            for share in FIRST_LOOK:
                usd = nothing.copy()
                usd[j] = share * min(choice.most, self.largest if choice.is_hedge else choice.most)
                gained = now - self.figure(usd)
                freed[j] = max(freed[j], gained)
                score[j] = max(score[j], gained / max(self.cost(usd), 1e-12))
        out = np.zeros(len(nothing), dtype=bool)
        for ranking in (freed, score):
            out[sorted(open_, key=lambda j: -ranking[j])[: MOST_CHOICES // 2]] = True
        return out

    def _extend(
        self,
        start: np.ndarray,
        target: float,
        allowed: Chosen,
        done: list[tuple[float, np.ndarray]],
        open_: list[tuple[float, np.ndarray]],
        grid: np.ndarray,
    ) -> None:
        """Add one order to `start`: complete answers into `done`, the best score of each choice into `open_`."""
        before, paid = self.figure(start), self.cost(start)
        used = {order for order, amount in zip(self.menu.orders, start, strict=True) if amount > 0}
        for j, choice in enumerate(self.menu.choices):
            if start[j] > 0 or (allowed is not None and not allowed[j]):
                continue
            if self.menu.orders[j] in used and not self._flips(j, start):
                continue
            size = min(choice.most, self.largest if choice.is_hedge else choice.most)
            best: tuple[float, np.ndarray] | None = None
            below = start.copy()
            for step in grid * size:
                usd = start.copy()
                usd[j] = step
                now = self.figure(usd)
                if now <= target:
                    if done and self.cost(below) >= min(cost for cost, _ in done):
                        break  # the size that is just enough lies above `below`, and that costs too much already
                    usd[j] = smallest(lambda s, j=j: self._at(start, j, s), target, step, REFINE)  # type: ignore[misc]
                    done.append((self.cost(usd), usd))
                    break
                below = usd
                if now < before:
                    score = (before - now) / max(self.cost(usd) - paid, 1e-12)
                    if best is None or score > best[0] * (1 - 1e-6):  # of equal scores the larger size
                        best = score, usd
            if best is not None:
                gained = self.figure(np.zeros_like(start)) - self.figure(best[1])
                open_.append((gained / max(self.cost(best[1]), 1e-12), best[1]))

    def _flips(self, j: int, start: np.ndarray) -> bool:
        """Whether choice j goes on where a whole cut of the same symbol ended: one order that flips."""
        choice = self.menu.choices[j]
        return choice.is_hedge and any(
            amount >= other.most * (1 - 1e-12) and other.symbol == choice.symbol and other.side == choice.side
            for other, amount in zip(self.menu.choices, start, strict=True)
            if not other.is_hedge
        )

    def _at(self, start: np.ndarray, j: int, size: float) -> float:
        usd = start.copy()
        usd[j] = size
        return self.figure(usd)

    def _all_cuts(self, target: float, orders: int | None, allowed: Chosen) -> np.ndarray | None:
        """More orders than the search goes: cuts in the order of what they free per dollar, the last one in part."""
        if orders is not None and orders <= MOST_ORDERS:
            return None
        nothing = np.zeros(len(self.menu.choices))
        scores = []
        for j, choice in enumerate(self.menu.choices):
            if choice.is_hedge or (allowed is not None and not allowed[j]):
                continue
            usd = nothing.copy()
            usd[j] = choice.most
            scores.append(((self.figure(nothing) - self.figure(usd)) / max(self.cost(usd), 1e-12), j))
        usd = nothing.copy()
        for _, j in sorted(scores, reverse=True)[: orders or None]:
            if self._at(usd, j, self.menu.choices[j].most) <= target:
                usd[j] = smallest(lambda s, j=j: self._at(usd, j, s), target, self.menu.choices[j].most, REFINE)  # type: ignore[misc]
                return usd
            usd[j] = self.menu.choices[j].most
        return None

    def _less(self, usd: np.ndarray, target: float) -> np.ndarray:
        """All orders by the same share as small as they can be: a hedged pair is cut as a pair."""
        share: float = smallest(lambda s: self.figure(s * usd), target, 1.0, REFINE)
        return share * usd

    def _smaller(self, usd: np.ndarray, target: float) -> np.ndarray:
        """Each order as small as it can be, the dearest first."""
        for j in sorted(np.flatnonzero(usd > 0), key=lambda j: -self.menu.choices[j].tariff.bill(float(usd[j])).total):
            usd = usd.copy()
            usd[j] = smallest(lambda s, at=usd, k=j: self._at(at, k, s), target, float(usd[j]), REFINE)  # type: ignore[misc]
        return usd

    def _together(self, usd: np.ndarray, target: float) -> np.ndarray:
        """Move one size down or up and let the other make up for it, while that is cheaper."""
        used = np.flatnonzero(usd > 0)
        if len(used) < 2:
            return usd
        best, cost = usd, self.cost(usd)
        for first, second in ((used[0], used[1]), (used[1], used[0])):
            step = 0.25
            while step > 0.004:
                moved = False
                for factor in (1 - step, 1 + step):
                    trial = best.copy()
                    trial[first] = min(trial[first] * factor, self.menu.choices[first].most)
                    enough = self.menu.choices[second].most
                    reach = self._at(trial, second, enough)
                    if reach > target:
                        continue
                    trial[second] = smallest(lambda s, t=trial, k=second: self._at(t, k, s), target, enough, REFINE)  # type: ignore[misc]
                    if self.cost(trial) < cost * (1 - 1e-9):
                        best, cost, moved = trial, self.cost(trial), True
                        break
                step = step if moved else step / 2
        return best

    def most_freed(self, budget: float | None = None, orders: int | None = None, allowed: Chosen = None) -> np.ndarray:
        """USD of each choice that freed most for the budget; None: whatever it costs. Found by the same search."""
        usd = np.zeros(len(self.menu.choices))
        if orders is not None:
            allowed = self._worth(allowed)
        for _ in range(min(orders or len(usd), len(usd))):
            best: tuple[float, np.ndarray] | None = None
            before = self.figure(usd)
            for j, choice in enumerate(self.menu.choices):
                if usd[j] > 0 or (allowed is not None and not allowed[j]):
                    continue
                most = choice.most if budget is None else self._affordable(usd, j, budget)
                for step in (GRID[1::2] if budget is None else GRID[5::2]) * most:
                    if step <= 0:
                        continue
                    trial = usd.copy()
                    trial[j] = step
                    freed = before - self.figure(trial)
                    per = freed / max(self.cost(trial) - self.cost(usd), 1e-12) if budget is not None else freed
                    if freed > 1e-9 * max(before, 1e-12) and (best is None or per > best[0] * (1 + 1e-6)):
                        best = per, trial
                    elif best is not None and freed > 0 and per > best[0] * (1 - 1e-6) and step > best[1][j] > 0:
                        best = per, trial  # the same score over a larger size
            if best is None:
                break
            usd = best[1]
        return lowest_pair(self.figure, self.menu, allowed, usd) if budget is None and orders != 1 else usd

    def _affordable(self, usd: np.ndarray, j: int, budget: float) -> float:
        most = self.menu.choices[j].most

        def paid(size: float) -> float:
            trial = usd.copy()
            trial[j] = size
            return self.cost(trial)

        if paid(most) <= budget:
            return most
        low, high = 0.0, most
        for _ in range(2 * REFINE):
            middle = (low + high) / 2
            low, high = (middle, high) if paid(middle) <= budget else (low, middle)
        return low


def _different(found: list[np.ndarray]) -> list[np.ndarray]:
    """The first of each set of orders."""
    out: dict[bytes, np.ndarray] = {}
    for usd in found:
        out.setdefault((usd > 0).tobytes(), usd)
    return list(out.values())
