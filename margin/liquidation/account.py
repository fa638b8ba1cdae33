"""An account along a path of prices: margin call, liquidation step by step, fund, auto-deleveraging, shared loss.

Each sub-account is judged by its own margin model, at each day's adverse extreme (where known) and at each close.
Every dollar is booked: what a sub-account ends with is what it started with, plus what it earned, less funding,
impact and fees, plus what others paid for it. Definitions: docs/liquidation.md.
"""

from collections.abc import Sequence

import numpy as np

from margin.core.errors import InputError
from margin.core.impact import closing_cost
from margin.core.words import usd
from margin.liquidation.followed import FollowedAccount
from margin.liquidation.frictions import Frictions, volatilities_of
from margin.liquidation.ledgers import Liquidation, LogLine
from margin.models.base import ClosingRules
from margin.models.funding import Funding
from margin.stress.held import Held, StressBook
from margin.stress.paths import CLOSE, INTRADAY, PricePath

MOST_ROUNDS = 50  # liquidation orders between two prices of a path


def simulate(
    book: StressBook,
    path: PricePath,
    rules: ClosingRules | None = None,
    mode: str = "held",
    frictions: Frictions | None = None,
    funding: Funding | None = None,
) -> Liquidation:
    """The account along `path`, one step after the other, all sub-accounts at once.

    rules : how positions are closed; None: each sub-account's own margin model's
    mode  : "held" or "alone"
    funding : what perpetuals pay on each close's notional, a rate or a record; what is closed pays no more
    Maintenance is what the model asks of what is still held at each price. Options keep their time to expiry and
    volatility. Raises InputError for an account without positions, a path that is not this book's, or a record of
    funding on a simulated path.
    """
    if mode not in ("held", "alone"):
        raise InputError("mode", mode, "is not a mode", "held or alone.")
    if not book.positions:
        raise InputError("positions", "only owned spot", "cannot be liquidated", "Add a position on margin.")
    if path.closes.shape[1] != len(book.assets):
        raise InputError("path", path.closes.shape, f"must have {len(book.assets)} prices, one per asset of the book")
    accounts = book.held if mode == "held" else book.alone
    run = _Run(book, path, rules, frictions or Frictions(), accounts, funding or Funding())
    return run.result(mode)


class _Run:
    """All sub-accounts of one way of holding, and the fund they share, in the order of time."""

    def __init__(
        self,
        book: StressBook,
        path: PricePath,
        rules: ClosingRules | None,
        around: Frictions,
        accounts: Sequence[Held],
        funding: Funding,
    ):
        self.book, self.path, self.around = book, path, around
        self.vol = around.daily_vol if around.daily_vol is not None else volatilities_of(book)
        self.accounts = [FollowedAccount(h, rules or h.model.closing, path, funding) for h in accounts]
        self.fund = around.fund
        self.log: list[LogLine] = []
        self.sold: dict[str, float] = {}  # net USD by asset since the last price

    def result(self, mode: str) -> Liquidation:
        n, count = len(self.path.closes), len(self.accounts)
        equity, required = np.zeros((n, count)), np.zeros((n, count))
        left = np.ones((n, len(self.book.positions)))
        for a, account in enumerate(self.accounts):
            equity[0, a], required[0, a] = account.at(0)
        last, was = [account.at(0)[0] for account in self.accounts], 1
        for step in range(n):
            for a, account in enumerate(self.accounts):
                last[a] -= account.fund_step(step)
            for point in (2 * step, 2 * step + 1):
                if point == 0 or (point % 2 == 0 and not self.path.has_extremes):
                    continue  # the first price is the start itself
                for a, account in enumerate(self.accounts):
                    account.earn(last[a], was, point)
                self._settle(point)
                was = point
                last = [account.at(point)[0] for account in self.accounts]
            for a, account in enumerate(self.accounts):
                equity[step, a], required[step, a] = account.at(2 * step + 1)
                left[step, list(account.origin.positions)] = account.left
        return Liquidation(
            mode=mode,
            accounts=tuple(account.origin.name for account in self.accounts),
            equity=equity,
            required=required,
            held=left,
            log=tuple(self.log),
            ledgers=tuple(a.ledger(final) for a, final in zip(self.accounts, last, strict=True)),
            fund_left=self.fund,
        )

    def _say(self, point: int, kind: str, account: str, amount: float, words: str) -> None:
        when = CLOSE if point % 2 else INTRADAY
        self.log.append(LogLine(step=point // 2, when=when, kind=kind, account=account, amount=amount, words=words))

    def _settle(self, point: int) -> None:
        """Margin calls, orders in rounds until every account is safe or empty, and who bears what is missing."""
        self.sold = {}
        for account in self.accounts:
            self._call(account, point)
            account.closing = False
        for _ in range(MOST_ROUNDS):
            active = [account for account in self.accounts if self._must_close(account, point)]
            if not active:
                break
            self._orders(active, point)
        for account in self.accounts:
            equity, _ = account.at(point)
            if account.over or equity >= 0 or not (account.closing or account.empty):
                continue
            if not account.empty:  # bankrupt with orders still open: taken over as a whole
                account.close(1.0, point)
                words = f"bankrupt by {usd(-equity)}: the rest is taken over at its bankruptcy price"
                self._say(point, "taken over", account.origin.name, -equity, words)
        self._cover(point)
        for account in self.accounts:
            self._surrender(account, point)

    def _call(self, account: FollowedAccount, point: int) -> None:
        if account.over or account.empty:
            return
        i = point - account.first
        short = float(account.initial[i] - account.ready[i])
        if short > 1e-9 * account.origin.scale and not account.called:
            account.called = True
            words = f"equity {usd(account.ready[i])} is below the initial margin of {usd(account.initial[i])}"
            self._say(point, "margin call", account.origin.name, short, words)
        elif short <= 0:
            account.called = False

    def _must_close(self, account: FollowedAccount, point: int) -> bool:
        """Closing begins below maintenance, and goes on until equity is `buffer` above it."""
        if account.over or account.empty:
            return False
        equity, need = account.at(point)
        if account.closing:
            return equity < need * (1.0 + account.rules.buffer)
        account.closing = equity < need - 1e-9 * account.origin.scale
        return account.closing

    def _orders(self, active: Sequence[FollowedAccount], point: int) -> None:
        """One order each, met by one market: impact is charged per asset on the net of all of them, once."""
        shares, wanted = [], []
        for account in active:
            lines = account.lines(point)
            gross = sum(abs(usd) for _, usd in lines)
            share = 1.0 if gross <= 0 else min(max(account.rules.step, account.rules.least_step_usd / gross), 1.0)
            shares.append(share)
            wanted.append({asset: usd * share for asset, usd in account.dollars(point).items()})
        costs = self._impact(wanted)
        for account, share, impact in zip(active, shares, costs, strict=True):
            sold = share * sum(abs(usd) for _, usd in account.lines(point))
            account.close(share, point)
            fee = min(account.rules.fee * sold, max(account.at(point)[0] - impact, 0.0))
            account.impact += impact
            account.fees += fee
            account.pay(-impact - fee)
            self.fund += fee
            words = f"{share:.0%} closed, {usd(sold)}; impact {usd(impact)}, fee {usd(fee)}"
            self._say(point, "liquidation", account.origin.name, sold, words)

    def _impact(self, wanted: Sequence[dict[str, float]]) -> list[float]:
        """USD each order pays: what the net of all orders since the last price costs more than before, by asset.

        Who trades against the net pays nothing; the others share its cost by their size.
        """
        costs = [0.0] * len(wanted)
        for asset in dict.fromkeys(asset for order in wanted for asset in order):
            volume, vol = self.around.daily_volume.get(asset, 0.0), self.vol.get(asset, 0.0)
            if volume <= 0 or vol <= 0:
                continue
            before = self.sold.get(asset, 0.0)
            after = before + sum(order.get(asset, 0.0) for order in wanted)
            self.sold[asset] = after
            factor = self.around.impact_factor
            more = closing_cost(after, volume, vol, factor) - closing_cost(before, volume, vol, factor)
            same = [max(order.get(asset, 0.0) * np.sign(after), 0.0) for order in wanted]
            if more > 0 and sum(same) > 0:
                for i, usd in enumerate(same):
                    costs[i] += float(more * usd / sum(same))
        return costs

    def _cover(self, point: int) -> None:
        """What bankrupt accounts miss: the fund first, by the size of the holes, then the winners or everybody."""
        broke = [a for a in self.accounts if not a.over and a.empty and a.at(point)[0] < 0]
        holes = np.array([-a.at(point)[0] for a in broke])
        insured = np.array([hole if a.rules.insurance else 0.0 for a, hole in zip(broke, holes, strict=True)])
        share = min(self.fund / insured.sum(), 1.0) if insured.sum() > 0 else 0.0
        for account, hole, claim in zip(broke, holes, insured, strict=True):
            name, paid = account.origin.name, float(claim * share)
            if paid > 0:
                account.fund += paid
                self._say(point, "insurance", name, paid, f"the insurance fund pays {usd(paid)}")
            rest = float(hole) - paid
            if rest > 1e-9 and account.rules.adl is not None:
                account.adl += rest
                words = f"{usd(rest)} is taken from winners by auto-deleveraging ({account.rules.adl})"
                self._say(point, "auto-deleveraging", name, rest, words)
            elif rest > 0:
                account.shared += rest
                if rest > 1e-9:
                    self._say(point, "shared loss", name, rest, f"{usd(rest)} is spread over everybody")
            self.fund -= paid
            account.over = True

    def _surrender(self, account: FollowedAccount, point: int) -> None:
        """At some venues the margin left after closing goes to the fund."""
        equity = account.at(point)[0]
        if not (account.empty and account.closing and account.rules.keeps_rest and equity > 0 and not account.over):
            return
        words = f"the {usd(equity)} left goes to the insurance fund"
        self._say(point, "surrendered", account.origin.name, equity, words)
        account.surrendered += equity
        self.fund += equity
        account.over = True
