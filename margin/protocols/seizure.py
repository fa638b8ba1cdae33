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
    venue_loss: np.ndarray | float = 0.0,
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
    return follow(wallet, rule, sides(wallet, paths, venue_loss), theta, delay)


def follow(wallet: Wallet, rule: Rule, at: Sides, theta: float = 0.8, delay: int = 1) -> Outcome:
    """`run` where what the two sides look at is known already: `at` has arrays (n, t)."""
    w = wallet.under(check_rule(rule))
    n, steps = at.result.shape
    last = steps - 1
    end = _at(at, slice(None), last)

    def ledgers(count: int) -> Ledgers:
        return Ledgers(
            debt=w.debt, cash=w.cash, bonus=w.bonus, positions=bool(w.perps), rule=rule, theta=theta, n=count
        )

    out = ledgers(n)
    lender, venue = gaps(wallet, rule, at, theta)
    trouble = ((lender <= 0) & (w.debt > 0)) | ((venue <= 0) & bool(w.perps))
    which = np.flatnonzero(trouble.any(axis=1))  # nothing happens on the others: only these are followed
    if len(which):
        state = ledgers(len(which))
        for t in range(int(trouble[which].argmax(axis=1).min()), last + 1):
            now = _at(at, which, t)
            for _ in range(3):  # a sale may bring the other side to its call at the same prices
                state.call(now, t)
                if not state.settle(now, t, delay, final=t == last):
                    break
        out.put(which, state)
    return out.outcome(end)


def _at(of: Sides, which: np.ndarray | slice, t: int) -> Sides:
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

    def call(self, now: Sides, t: int) -> None:
        """Seizes where a gap has closed at this step."""
        lender, venue = self._gaps(now)
        self.lender_at[(self.lender_at < 0) & ~self.lender_done & (lender <= 0) & (self.debt > 0)] = t
        self.venue_at[(self.venue_at < 0) & ~self.venue_done & (venue <= 0) & self.positions] = t

    def _gaps(self, now: Sides) -> tuple[np.ndarray, np.ndarray]:
        debt = np.where(self.lender_done, 0.0, self.debt)
        lender = self.left * now.counted - debt
        venue = np.where(self.venue_done, self.spare, self.cash + now.result - now.required)
        if self.rule == "unified":
            return lender + venue, lender + venue
        return lender, venue + credit(self.rule, lender, self.left * now.weighted, self.theta)

    def settle(self, now: Sides, t: int, delay: int, final: bool) -> bool:
        """Carry out what is due; whether anything was."""
        due = [(at >= 0) & ~done & ((t - at >= delay) | final) for at, done in self._calls()]
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
