"""The margin model's figure of a sub-account after trades, asked as seldom and as little as the model's rules allow.

Where margins only add up coin by coin (`MarginModel.adds_up`), a trade in one coin leaves what the others are asked as
it is: that coin's positions are asked alone, and the difference is added. A search over a hundred positions then asks
for one or two. The same figure, but for rounding in its last digits (a test says so).
"""

from dataclasses import replace

import numpy as np

from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.hedge.menu import Menu, after
from margin.models.base import MarginModel
from margin.models.marks import Marks

FIGURES = ("initial", "maintenance")


class Judge:
    """The model's figure of the sub-account after trades; each set of trades is asked once.

    figure : "initial" or "maintenance"; apart : whether coins may be asked one by one where the model adds them up
    """

    def __init__(
        self, sub: SubAccount, model: MarginModel, marks: Marks, menu: Menu, figure: str = "initial", apart: bool = True
    ):
        if figure not in FIGURES:
            raise InputError("figure", figure, "is not a figure", f"One of {', '.join(FIGURES)}.")
        self.sub, self.model, self.marks, self.menu, self.name = sub, model, marks, menu, figure
        self.asked: dict[bytes, float] = {}
        self._coins = {c: _Coin(self, c) for c in _coins(menu)} if apart and model.adds_up(sub) else None
        self._coin_of = [c.asset for c in menu.choices]

    def __call__(self, usd: np.ndarray) -> float:
        """USD. A book that the model refuses after the trade has an infinite figure: the search goes round it."""
        usd = np.asarray(usd, dtype=float)
        key = usd.tobytes()
        if key not in self.asked:
            used = np.flatnonzero(usd).tolist()
            self.asked[key] = self._whole(usd) if self._coins is None or not used else self._added(usd, used)
        return self.asked[key]

    def _whole(self, usd: np.ndarray) -> float:
        book = after(self.sub, self.marks, self.menu, usd.tolist())
        try:
            return self.of(book)
        except InputError:
            if not np.any(usd):
                raise
            return float("inf")

    def _added(self, usd: np.ndarray, used: list[int]) -> float:
        assert self._coins is not None
        total = Judge.__call__(self, np.zeros_like(usd))  # the model's own figure, whatever a subclass makes of it
        for coin in dict.fromkeys(self._coin_of[j] for j in used):
            total += self._coins[coin].change(usd)
        return total

    def of(self, book: SubAccount) -> float:
        """The figure of a book, USD. Raises InputError where the model refuses it."""
        return float(getattr(self.model.figures(book, self.marks), self.name))


class _Coin:
    """One coin's positions and choices: what trading it changes, each set of its sizes asked once."""

    def __init__(self, judge: Judge, coin: str):
        rows = [i for i, p in enumerate(judge.sub.positions) if p.underlying == coin]
        self.judge = judge
        self.columns = [j for j, c in enumerate(judge.menu.choices) if c.asset == coin]
        self.sub = replace(judge.sub, positions=tuple(judge.sub.positions[i] for i in rows), collateral=())
        choices = (judge.menu.choices[j] for j in self.columns)
        own = tuple(c if c.row is None else replace(c, row=rows.index(c.row)) for c in choices)
        self.menu = replace(judge.menu, choices=own)
        self.known: dict[tuple[float, ...], float] = {}
        self.now: float | None = None

    def change(self, usd: np.ndarray) -> float:
        """USD by which the figure changes with these trades of the coin; infinite where the model refuses them."""
        mine = tuple(usd[self.columns].tolist())
        if mine not in self.known:
            if self.now is None:
                self.now = self._asked(self.sub)
            try:
                self.known[mine] = self._asked(after(self.sub, self.judge.marks, self.menu, mine)) - self.now
            except InputError:
                self.known[mine] = float("inf")
        return self.known[mine]

    def _asked(self, book: SubAccount) -> float:
        return self.judge.of(book) if any(p.quantity for p in book.positions) else 0.0


def _coins(menu: Menu) -> list[str]:
    return list(dict.fromkeys(c.asset for c in menu.choices))
