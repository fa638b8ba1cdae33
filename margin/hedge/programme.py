"""The linear programmes: least cost for a target, most freed for a budget, over dollars of each choice.

Under scenarios s the loss of a group g after trading y (USD of each choice) is L_gs - sum_j D_js y_j, and

    min sum cost(y)   s.t.   sum_g max(ES_g, 0) <= target,
                             ES_g: t_g + sum_s u_gs / (S (1 - level)),  u_gs >= L_gs - D_s y - t_g,  u >= 0

which is the expected shortfall of `margin.risk.tail` exactly, its atom split included. Costs with impact are convex
and enter as chords. At most k orders: a binary per order. Source: Rockafellar and Uryasev (2000), "Optimization of
conditional value-at-risk", Journal of Risk 2(3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from margin.hedge.menu import Menu
from margin.risk.models import EllipticalModel
from margin.risk.tail import tail_mass

Chosen = Sequence[bool] | np.ndarray | None  # (m,) which choices may be used; None: all
CUTS = 200  # rounds of cutting planes before a closed form is said not to converge
CLOSE = 1e-9
ROUNDS = 12  # of taking up scenarios; the last one holds all of them
WORST = 4.0  # tails' worth of scenarios that the programme starts with


@dataclass(frozen=True, kw_only=True, eq=False)
class Solved:
    """usd : (m,) dollars of each choice; cost : USD by the chords; figure : the programme's margin after it, USD.

    price : USD of cost per USD of margin at the target (the dual of its row), None where the target does not bind
    """

    usd: np.ndarray
    cost: float
    figure: float
    price: float | None = None


class Programme(Protocol):
    """A convex margin over a menu."""

    menu: Menu

    def cost(self, usd: np.ndarray) -> float:
        """USD of trading, impact by its chords."""
        ...

    def figure(self, usd: np.ndarray) -> float:
        """Margin after trading, USD."""
        ...

    def least_cost(self, target: float, orders: int | None = None, allowed: Chosen = None) -> Solved | None:
        """Cheapest way to a margin of at most `target`, None where there is none."""
        ...

    def most_freed(self, budget: float | None = None, orders: int | None = None, allowed: Chosen = None) -> Solved:
        """Smallest margin for at most `budget` USD of cost; None: the floor, whatever it costs."""
        ...


_linprog: Any = linprog  # its stubs know no sparse matrices


class Costed:
    """What both programmes share: variables y (m), then their segments, each with its own slope."""

    def __init__(self, menu: Menu):
        self.menu = menu
        parts = [(j, *chord) for j, choice in enumerate(menu.choices) for chord in choice.tariff.chords(choice.most)]
        self.chords = [[(width, slope) for k, width, slope in parts if k == j] for j in range(len(menu.choices))]
        self.owner = np.array([j for j, _, _ in parts], dtype=int)
        self.width = np.array([width for _, width, _ in parts], dtype=float)
        self.slope = np.array([slope for _, _, slope in parts], dtype=float)
        self.most = np.array([c.most for c in menu.choices], dtype=float)
        self.order_of = np.array(menu.orders, dtype=int)

    @property
    def count(self) -> int:
        """How many choices there are."""
        return len(self.most)

    def cost(self, usd: np.ndarray) -> float:
        """USD by the chords."""
        total = 0.0
        for j in np.flatnonzero(usd):
            left = float(usd[j])
            for width, slope in self.chords[j]:
                taken = min(left, width)
                left -= taken
                total += slope * taken
        return total

    def upper(self, allowed: Chosen) -> np.ndarray:
        """(n,) most of each choice; 0 where it is not allowed."""
        return self.most if allowed is None else np.where(np.asarray(allowed, dtype=bool), self.most, 0.0)


class ScenarioProgramme(Costed):
    """ES over scenarios, summed over groups.

    losses : (G, S) USD of each group now; relief : (m, S) by how much a dollar of a choice lowers the loss
    group  : (m,) the group a choice trades in
    """

    def __init__(self, menu: Menu, losses: np.ndarray, relief: np.ndarray, group: Sequence[int], level: float):
        super().__init__(menu)
        self.losses, self.relief, self.level = np.atleast_2d(losses), np.atleast_2d(relief), level
        self.group = np.array(group, dtype=int)
        self.mass, _ = tail_mass(self.losses.shape[1], level)
        self.scale = max(float(np.abs(self.losses).max(initial=0.0)), 1e-12)

    def figure(self, usd: np.ndarray) -> float:
        """Sum over groups of max(ES, 0), USD."""
        moved = self.losses.copy()
        for j in usd.nonzero()[0]:
            moved[self.group[j]] -= usd[j] * self.relief[j]
        return float(np.maximum(self._tail(moved), 0.0).sum())

    def _tail(self, losses: np.ndarray) -> np.ndarray:
        """(G,) `expected_shortfall` of (G, S) losses; asked thousands of times, so rows stay whole and unchecked."""
        whole = int(self.mass)
        cut = losses.shape[1] - whole - 1
        if cut < 0:
            return np.asarray(losses.mean(axis=1))
        losses.partition(cut, axis=1)
        return np.asarray((losses[:, cut + 1 :].sum(axis=1) + (self.mass - whole) * losses[:, cut]) / self.mass)

    @cached_property
    def _rows(self) -> tuple[sparse.csr_array, np.ndarray, sparse.csr_array]:
        """(inequalities without the target's, their right side, equalities) over y, segments, e, t, u.

        Losses are divided by `scale`, so that the programme's numbers are near one.
        """
        groups, scenarios = self.losses.shape
        m, parts = self.count, len(self.owner)
        blocks, right = [], []
        for g in range(groups):
            own = np.where((self.group == g)[:, None], self.relief, 0.0)
            before = sparse.csr_array((scenarios, parts + groups))
            t = np.zeros((scenarios, groups))
            t[:, g] = -1.0
            u = [
                -sparse.eye_array(scenarios) if k == g else sparse.csr_array((scenarios, scenarios))
                for k in range(groups)
            ]
            blocks.append(sparse.hstack([sparse.csr_array(-own.T), before, sparse.csr_array(t), *u], format="csr"))
            right.append(-self.losses[g] / self.scale)
            es = np.zeros((1, m + parts + 2 * groups + groups * scenarios))
            es[0, m + parts + g] = -1.0
            es[0, m + parts + groups + g] = 1.0
            first = m + parts + 2 * groups + g * scenarios
            es[0, first : first + scenarios] = 1.0 / self.mass
            blocks.append(sparse.csr_array(es))
            right.append(np.zeros(1))
        link = sparse.hstack(
            [
                sparse.eye_array(m),
                -sparse.csr_array((np.ones(parts), (self.owner, np.arange(parts))), shape=(m, parts)),
                sparse.csr_array((m, 2 * groups + groups * scenarios)),
            ],
            format="csr",
        )
        return sparse.vstack(blocks, format="csr"), np.concatenate(right), link

    def _sizes(self) -> tuple[int, int, int]:
        groups, scenarios = self.losses.shape
        head = self.count + len(self.owner)
        return head, groups, head + 2 * groups + groups * scenarios

    def _solve(
        self,
        objective: np.ndarray,
        row: np.ndarray,
        most: float | None,
        orders: int | None,
        allowed: Chosen,
    ) -> tuple[np.ndarray, float | None] | None:
        """(y in USD, dual of `row @ x <= most`), None where nothing is feasible. y is kept in units of `scale`.

        Only scenarios that can be in the tail bind, so the programme starts with the worst ones and takes up those that
        its answer would break, until none is broken: the answer is then that of all scenarios.
        """
        head, groups, size = self._sizes()
        rows, right, link = self._rows
        low = np.zeros(size)
        low[head + groups : head + 2 * groups] = -np.inf
        high = np.full(size, np.inf)
        high[: self.count] = self.upper(allowed) / self.scale
        high[self.count : head] = self.width / self.scale
        for turn in range(ROUNDS):
            kept = self._columns(high)
            part, bound = rows[np.flatnonzero(self.active)][:, kept], right[self.active]
            equal, ends = link[:, kept], np.stack([low, high], axis=1)[kept]
            if most is not None:
                part = sparse.vstack([part, sparse.csr_array(row[None, kept])], format="csr")
                bound = np.append(bound, most)
            if orders is None:
                found = _linprog(
                    objective[kept], A_ub=part, b_ub=bound, A_eq=equal, b_eq=np.zeros(self.count), bounds=ends,
                    method="highs",
                )  # fmt: skip
                solved = found.x if found.status == 0 else None
            else:
                traded = self.order_of[kept[kept < self.count]]
                found, solved = None, _few(objective[kept], part, bound, equal, ends, traded, orders)
            if solved is None:
                return None
            x = np.zeros(size)
            x[kept] = solved
            broken = ~self.active & (rows @ x > right + CLOSE)
            if not broken.any():
                dual = float(found.ineqlin.marginals[-1]) if found is not None and most is not None else None
                return np.maximum(x[: self.count], 0.0) * self.scale, dual
            self.active |= broken if turn < ROUNDS - 2 else True
        return None

    @cached_property
    def active(self) -> np.ndarray:
        """(rows,) which rows the programme holds now: each group's ES and its worst scenarios; it only grows."""
        groups, scenarios = self.losses.shape
        worst = min(scenarios, int(WORST * self.mass) + 10)
        out = np.zeros(groups * (scenarios + 1), dtype=bool)
        for g in range(groups):
            first = g * (scenarios + 1)
            out[first + np.argsort(-self.losses[g], kind="stable")[:worst]] = True
            out[first + scenarios] = True
        return out

    def _columns(self, high: np.ndarray) -> np.ndarray:
        """Columns that can be other than zero: choices that are allowed, their segments, and u of active scenarios."""
        head, groups, size = self._sizes()
        keep = np.ones(size, dtype=bool)
        keep[: self.count] = high[: self.count] > 0
        keep[self.count : head] = keep[self.owner]
        scenarios = self.losses.shape[1]
        keep[head + 2 * groups :] = self.active.reshape(groups, scenarios + 1)[:, :scenarios].ravel()
        return np.flatnonzero(keep)

    def _objectives(self) -> tuple[np.ndarray, np.ndarray]:
        """(cost, margin) as rows over all variables."""
        head, groups, size = self._sizes()
        cost, margin = np.zeros(size), np.zeros(size)
        cost[self.count : head] = self.slope
        margin[head : head + groups] = 1.0
        return cost, margin

    def least_cost(self, target: float, orders: int | None = None, allowed: Chosen = None) -> Solved | None:
        """Cheapest way to a margin of at most `target` USD, None where there is none."""
        cost, margin = self._objectives()
        found = self._solve(cost, margin, target / self.scale, orders, allowed)
        return None if found is None else self._solved(*found)

    def most_freed(self, budget: float | None = None, orders: int | None = None, allowed: Chosen = None) -> Solved:
        """Smallest margin for at most `budget` USD of cost; None: the floor, whatever it costs."""
        cost, margin = self._objectives()
        found = self._solve(margin, cost, None if budget is None else budget / self.scale, orders, allowed)
        if found is None:  # no budget below zero is ever asked for: doing nothing is feasible
            return self._solved(np.zeros(self.count), None)
        return self._solved(found[0], None)

    def _solved(self, usd: np.ndarray, dual: float | None) -> Solved:
        usd = np.clip(usd, 0.0, self.most)
        price = -dual if dual is not None and dual < -1e-15 else None
        return Solved(usd=usd, cost=self.cost(usd), figure=self.figure(usd), price=price)


def _few(
    objective: np.ndarray,
    rows: sparse.csr_array,
    right: np.ndarray,
    link: sparse.csr_array,
    ends: np.ndarray,
    order_of: np.ndarray,
    orders: int,
) -> np.ndarray | None:
    """All variables of the same with at most `orders` orders: y_j <= most_j z, sum of z <= orders.

    order_of : (m,) the order that each of the first m columns belongs to; ends (columns, 2): bounds
    """
    m, size = len(order_of), len(ends)
    names = int(order_of.max()) + 1 if m else 0
    gate = sparse.hstack(
        [
            sparse.eye_array(m),
            sparse.csr_array((m, size - m)),
            -sparse.csr_array((ends[:m, 1], (np.arange(m), order_of)), shape=(m, names)),
        ]
    )
    count = sparse.hstack([sparse.csr_array((1, size)), sparse.csr_array(np.ones((1, names)))])
    wide = sparse.hstack([rows, sparse.csr_array((rows.shape[0], names))])
    equal = sparse.hstack([link, sparse.csr_array((link.shape[0], names))])
    found = milp(
        np.append(objective, np.zeros(names)),
        constraints=[
            LinearConstraint(wide, ub=right),
            LinearConstraint(equal, lb=0.0, ub=0.0),
            LinearConstraint(gate, ub=0.0),
            LinearConstraint(count, ub=orders),
        ],
        bounds=Bounds(np.append(ends[:, 0], np.zeros(names)), np.append(ends[:, 1], np.ones(names))),
        integrality=np.append(np.zeros(size), np.ones(names)),
        options={"mip_rel_gap": 1e-9},
    )
    return None if found.x is None else np.asarray(found.x[:size])


class EllipticalProgramme(Costed):
    """Margin k root(v'Cv) of a normal or Student-t, exactly, by cutting planes (Kelley 1960).

    exposures : (a,) USD delta by asset now; relief : (m, a) by how much a dollar of a choice lowers it
    """

    def __init__(self, menu: Menu, exposures: np.ndarray, relief: np.ndarray, covariance: np.ndarray, factor: float):
        super().__init__(menu)
        self.exposures, self.relief, self.covariance, self.factor = exposures, relief, covariance, factor

    def figure(self, usd: np.ndarray) -> float:
        """k root(v'Cv), USD."""
        v = self.exposures - usd @ self.relief
        found = self.factor * float(np.sqrt(max(float(v @ self.covariance @ v), 0.0)))
        alone = self.factor * float(np.abs(self.exposures) @ np.sqrt(np.diag(self.covariance)))
        return 0.0 if found <= EllipticalModel.DUST * alone else found

    def _slope(self, usd: np.ndarray) -> np.ndarray:
        v = self.exposures - usd @ self.relief
        spread = self.covariance @ v
        root = float(np.sqrt(max(float(v @ spread), 0.0)))
        return np.zeros(self.count) if root <= 0 else -self.factor * (self.relief @ spread) / root

    def _cuts(self, objective_is_cost: bool, limit: float | None, orders: int | None, allowed: Chosen) -> Solved | None:
        m, parts, names = self.count, len(self.owner), int(self.order_of.max(initial=-1)) + 1
        size = m + parts + 1 + names
        top = m + parts
        scale = max(self.figure(np.zeros(m)), 1e-12)
        cost = np.zeros(size)
        cost[m:top] = self.slope
        margin = np.zeros(size)
        margin[top] = 1.0
        link = np.zeros((m, size))
        link[:, :m] = np.eye(m)
        link[self.owner, m + np.arange(parts)] = -1.0
        gate = np.zeros((m + 1, size))
        upper = self.upper(allowed) / scale
        gate[np.arange(m), np.arange(m)] = 1.0
        gate[np.arange(m), top + 1 + self.order_of] = -upper
        gate[m, top + 1 :] = 1.0
        gate_most = np.append(np.zeros(m), names if orders is None else orders)
        high = np.concatenate([upper, self.width / scale, [np.inf], np.ones(names)])
        low = np.zeros(size)
        rows, right = [], []
        limits = [LinearConstraint(link, lb=0.0, ub=0.0), LinearConstraint(gate, ub=gate_most)]
        if limit is not None:
            if objective_is_cost:
                high[top] = limit / scale
            else:
                limits.append(LinearConstraint(cost[None, :], ub=limit / scale))
        whole = np.concatenate([np.zeros(top + 1), np.ones(names) if orders is not None else np.zeros(names)])
        usd = np.zeros(m)
        for _ in range(CUTS):
            slope, value = self._slope(usd), self.figure(usd)
            row = np.zeros(size)
            row[:m], row[top] = slope, -1.0
            rows.append(row)
            right.append((slope @ usd - value) / scale)
            found = milp(
                cost if objective_is_cost else margin,
                constraints=[*limits, LinearConstraint(np.array(rows), ub=np.array(right))],
                bounds=Bounds(low, high),
                integrality=whole,
            )
            if found.x is None:
                return None
            usd = np.clip(found.x[:m], 0.0, upper) * scale
            if self.figure(usd) <= found.x[top] * scale + CLOSE * scale:
                break
        return Solved(usd=usd, cost=self.cost(usd), figure=self.figure(usd))

    def least_cost(self, target: float, orders: int | None = None, allowed: Chosen = None) -> Solved | None:
        """Cheapest way to a margin of at most `target` USD, None where there is none."""
        return self._cuts(True, target, orders, allowed)

    def most_freed(self, budget: float | None = None, orders: int | None = None, allowed: Chosen = None) -> Solved:
        """Smallest margin for at most `budget` USD of cost; None: the floor, whatever it costs."""
        found = self._cuts(False, budget, orders, allowed)
        if found is None:
            usd = np.zeros(self.count)
            return Solved(usd=usd, cost=0.0, figure=self.figure(usd))
        return found
