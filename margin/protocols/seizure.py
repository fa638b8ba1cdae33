"""A shared wallet along paths of prices: who calls when, what is sold for whom, and what each side is left short."""

from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError
from margin.protocols.wallet import Rule, Sides, Wallet, check_rule, credit, gaps, sides


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """How each path ended, arrays (n,). USD but for the flags and `step`.

    called          : whether either side was called; lender_called, venue_called; step: of the first call, -1 without
    lender_short, venue_short : what each side did not get back
    bonus           : paid to liquidators; wallet: what is left of the wallet at the end
    """

    called: np.ndarray
    lender_called: np.ndarray
    venue_called: np.ndarray
    step: np.ndarray
    lender_short: np.ndarray
    venue_short: np.ndarray
    bonus: np.ndarray
    wallet: np.ndarray

    @property
    def shortfall(self) -> np.ndarray:
        """(n,) USD short at both protocols."""
        both: np.ndarray = self.lender_short + self.venue_short
        return both


def run(
    wallet: Wallet,
    rule: Rule,
    paths: np.ndarray,
    theta: float = 0.8,
    delay: int = 1,
) -> Outcome:
    """The wallet along paths: calls, sales `delay` steps later at the prices of then, who is paid and who is not.

    paths : (n, t, k) returns since the start; the lender ranks first but where the rule says otherwise
    Raises InputError for a rule, shapes or values that do not fit.
    """
    paths = np.asarray(paths, dtype=float)
    if paths.ndim != 3 or not paths.size:
        raise InputError("paths", paths.shape, "must be paths x steps x assets, not empty")
    if not 0.0 <= theta <= 1.0 or delay < 0:
        raise InputError("theta", theta, "must be from 0 to 1, and the delay 0 steps or more")
    return follow(wallet, rule, sides(wallet, paths, check_rule(rule)), theta, delay)


def follow(
    wallet: Wallet, rule: Rule, at: Sides, theta: float = 0.8, delay: int = 1, which: np.ndarray | None = None
) -> Outcome:
    """`run` where what the two sides look at is known already: `at` has arrays (n, t).

    which : numbers of the paths on which a side calls, where that is known; on the others nothing happens
    """
    w = wallet.under(check_rule(rule))
    n, steps = at.result.shape
    end = _at(at, slice(None), steps - 1)

    def ledgers(count: int) -> Ledgers:
        return Ledgers(
            debt=w.debt, cash=w.cash, bonus=w.bonus, positions=bool(w.perps), rule=rule, theta=theta, n=count
        )

    out = ledgers(n)
    if which is None:
        lender, venue = gaps(wallet, rule, at, theta)
        which = np.flatnonzero((((lender <= 0) & (w.debt > 0)) | ((venue <= 0) & bool(w.perps))).any(axis=1))
    if len(which):
        state = ledgers(len(which))
        _follow(state, _at(at, which, slice(None)), delay)
        out.put(which, state)
    return out.outcome(end)


def _follow(state: "Ledgers", at: Sides, delay: int) -> None:
    """Every path from event to event, each at its own step: between two events nothing changes."""
    n, steps = at.result.shape
    last = steps - 1
    grid, after = np.arange(steps), np.zeros(n, dtype=np.int64)  # after: the first step not yet looked at
    every = np.arange(n)
    while True:
        step = state.next_event(at, grid, after, delay)
        if (step > last).all():
            return
        now = _at(at, every, np.minimum(step, last))
        here = step <= last
        for _ in range(3):  # a sale may bring the other side to its call at the same prices
            state.call(now, step, here)
            if not state.settle(now, step, delay, final=step == last, here=here):
                break
        after = np.where(here, step + 1, steps)


def _at(of: Sides, which: np.ndarray | slice, t: int | slice | np.ndarray) -> Sides:
    return Sides(**{name: getattr(of, name)[which, t] for name in Sides.__dataclass_fields__})


class Ledgers:
    """The money of n wallets, or of one wallet on n paths, while they are followed. debt, cash: USD, one or (n,).

    positions : whether there are any at the venue, one flag or (n,)
    """

    def __init__(
        self,
        *,
        debt: float | np.ndarray,
        cash: float | np.ndarray,
        bonus: float,
        positions: bool | np.ndarray,
        rule: Rule,
        theta: float,
        n: int | None = None,
    ):
        self.debt, self.cash, self.fee, self.positions = debt, cash, bonus, positions
        self.rule, self.theta = rule, theta
        n = len(np.atleast_1d(debt)) if n is None else n
        self.left = np.ones(n)  # share of the collateral not sold
        self.spare = np.zeros(n)  # cash at the venue after its positions were closed
        self.lender_at, self.venue_at = np.full(n, -1), np.full(n, -1)  # steps of the calls
        self.lender_done, self.venue_done = np.zeros(n, bool), np.zeros(n, bool)
        self.lender_short, self.venue_short, self.bonus = np.zeros(n), np.zeros(n), np.zeros(n)

    def put(self, which: np.ndarray, followed: "Ledgers") -> None:
        """Take over the paths that were followed apart."""
        for name, values in vars(followed).items():
            if isinstance(values, np.ndarray):
                getattr(self, name)[which] = values

    def call(self, now: Sides, t: int | np.ndarray, here: np.ndarray | bool = True) -> None:
        """Seizes where a gap has closed at this step. t: one step or (n,); here: which paths are looked at."""
        lender, venue = self._gaps(now)
        for at, done, gap, any_claim in (
            (self.lender_at, self.lender_done, lender, self.debt > 0),
            (self.venue_at, self.venue_done, venue, self.positions),
        ):
            fresh = (at < 0) & ~done & (gap <= 0) & any_claim & here
            at[fresh] = t[fresh] if isinstance(t, np.ndarray) else t

    def next_event(self, at: Sides, grid: np.ndarray, after: np.ndarray, delay: int) -> np.ndarray:
        """(n,) the first step from `after` on at which a side calls or a sale is due; beyond the last: none."""
        last = len(grid) - 1
        lender, venue = self._gaps(at)
        step = np.full(len(after), last + 1)
        ahead = grid >= after[:, None]
        for called, done, gap, any_claim in (
            (self.lender_at, self.lender_done, lender, self.debt > 0),
            (self.venue_at, self.venue_done, venue, self.positions),
        ):
            quiet = (called < 0) & ~done & any_claim
            hit = (gap <= 0) & ahead
            first = np.where(quiet & hit.any(axis=1), hit.argmax(axis=1), last + 1)
            due = np.where((called >= 0) & ~done, np.minimum(called + delay, last), last + 1)
            step = np.minimum(step, np.minimum(first, np.where(due >= after, due, last + 1)))
        return step

    def _gaps(self, now: Sides) -> tuple[np.ndarray, np.ndarray]:
        """Gaps of the shape of `now`: (n,) at one step each, or (n, t)."""
        shape = (-1, *[1] * (now.result.ndim - 1))
        debt, done, left = np.where(self.lender_done, 0.0, self.debt), self.venue_done, self.left
        lender = left.reshape(shape) * now.counted - debt.reshape(shape)
        open_equity = np.reshape(self.cash, shape) + now.result - now.required
        venue = np.where(done.reshape(shape), self.spare.reshape(shape), open_equity)
        if self.rule == "unified":
            return lender + venue, lender + venue
        return lender, venue + credit(self.rule, lender, left.reshape(shape) * now.weighted, self.theta)

    def settle(
        self, now: Sides, t: int | np.ndarray, delay: int, final: bool | np.ndarray, here: np.ndarray | bool = True
    ) -> bool:
        """Carry out what is due; whether anything was."""
        due = [(at >= 0) & ~done & ((t - at >= delay) | final) & here for at, done in self._calls()]
        both = due[0] | due[1]
        if not both.any():
            return False
        if self.rule == "unified":
            self._close_both(both, now)
        else:
            self._close_lender(due[0], now)
            self._close_venue(due[1], now)
        return True

    def _calls(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        return (self.lender_at, self.lender_done), (self.venue_at, self.venue_done)

    def _sell(self, who: np.ndarray, paid: np.ndarray, now: Sides) -> None:
        """Sell collateral for what is paid and the liquidator's bonus on it."""
        worth = self.left * now.pledged
        sold = paid * (1.0 + self.fee)
        share = np.divide(sold, worth, out=np.zeros_like(sold), where=worth > 0)
        self.left = np.where(who, self.left * (1.0 - np.minimum(share, 1.0)), self.left)
        self.bonus = np.where(who, self.bonus + paid * self.fee, self.bonus)

    def _close_lender(self, who: np.ndarray, now: Sides) -> None:
        paid = np.minimum(self.debt, self.left * now.pledged / (1.0 + self.fee))
        self.lender_short = np.where(who, self.debt - paid, self.lender_short)
        self._sell(who, paid, now)
        self.lender_done |= who

    def _close_venue(self, who: np.ndarray, now: Sides) -> None:
        equity = self.cash + now.result
        owed = np.maximum(-equity, 0.0)
        paid = np.minimum(owed, self._lien(now) / (1.0 + self.fee))
        self.venue_short = np.where(who, owed - paid, self.venue_short)
        self._sell(who, paid, now)
        self.spare = np.where(who, np.maximum(equity, 0.0), self.spare)
        self.venue_done |= who

    def _lien(self, now: Sides) -> np.ndarray:
        """USD of collateral the venue may sell: none, its lien, or whatever is there."""
        if self.rule in ("separate", "borrowed"):
            return np.zeros_like(self.left)
        worth: np.ndarray = self.left * now.pledged
        if self.rule == "double":
            return worth
        unneeded = np.where(self.lender_done, worth, np.maximum(self.left * now.counted - self.debt, 0.0))
        lien: np.ndarray = self.theta * unneeded
        return lien

    def _close_both(self, who: np.ndarray, now: Sides) -> None:
        """One account: cash of the venue first, then collateral; what is missing is shared in proportion to claims."""
        equity = self.cash + now.result
        owed, cash = np.maximum(-equity, 0.0), np.maximum(equity, 0.0)
        claims = self.debt + owed
        paid = np.minimum(claims, cash + self.left * now.pledged / (1.0 + self.fee))
        used = np.minimum(cash, paid)
        missing = np.divide(claims - paid, claims, out=np.zeros_like(paid), where=claims > 0)
        self.lender_short = np.where(who, self.debt * missing, self.lender_short)
        self.venue_short = np.where(who, owed * missing, self.venue_short)
        self._sell(who, paid - used, now)
        self.spare = np.where(who, cash - used, self.spare)
        self.lender_done |= who
        self.venue_done |= who

    def outcome(self, end: Sides) -> Outcome:
        """Who was paid what at the end."""
        cash = np.where(self.venue_done, self.spare, self.cash + end.result)
        debt = np.where(self.lender_done, 0.0, self.debt)
        lender, venue = self.lender_at >= 0, self.venue_at >= 0
        earlier, later = np.minimum(self.lender_at, self.venue_at), np.maximum(self.lender_at, self.venue_at)
        return Outcome(
            called=lender | venue,
            lender_called=lender,
            venue_called=venue,
            step=np.where(lender & venue, earlier, later),
            lender_short=self.lender_short,
            venue_short=self.venue_short,
            bonus=self.bonus,
            wallet=self.left * end.pledged + cash - debt,
        )
