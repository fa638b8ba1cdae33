"""An account along a path of prices: margin call, liquidation step by step, fund, auto-deleveraging, shared loss.

Each sub-account is judged by its own margin model, at each day's adverse extreme (where known) and at each close.
Every dollar is booked: what a sub-account ends with is what it started with, plus what it earned, less impact and
fees, plus what others paid for it. Definitions: docs/liquidation.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from margin.core.errors import InputError
from margin.core.impact import closing_cost
from margin.core.position import Position
from margin.liquidation.closing import rules_of, venues
from margin.models.base import ClosingRules
from margin.models.marks import Marks
from margin.risk.history import history
from margin.stress.held import Held, StressBook
from margin.stress.paths import CLOSE, INTRADAY, PricePath, adverse

__all__ = ["Frictions", "Ledger", "Liquidation", "LogLine", "frictions_of", "rules_of", "simulate", "venues"]

MOST_ROUNDS = 50  # liquidation orders between two prices of a path
DUST = 1e-12  # of a position: less is nothing


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """One thing that happened at a step of the path, at the close or within the day; USD where `amount` is one."""

    step: int
    when: str
    kind: str
    account: str
    amount: float
    words: str


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Where the money went, USD: started + earned - impact - fees - surrendered + fund + adl + shared = final."""

    account: str
    started: float
    earned: float
    impact: float
    fees: float
    surrendered: float
    fund: float
    adl: float
    shared: float
    final: float

    @property
    def error(self) -> float:
        """What the identity misses: rounding."""
        paid = self.impact + self.fees + self.surrendered
        return self.started + self.earned - paid + self.fund + self.adl + self.shared - self.final


@dataclass(frozen=True, kw_only=True, eq=False)
class Liquidation:
    """One way of holding along the path. equity, required (maintenance) : (n, accounts) at closes; held (n, p).

    mode : "held", the sub-accounts as they are; "alone", each position in its own isolated account
    held : share of each position left at each close; log: what happened, in order; ledgers: one per sub-account
    fund_left : USD in the insurance fund
    """

    mode: str
    accounts: tuple[str, ...]
    equity: np.ndarray
    required: np.ndarray
    held: np.ndarray
    log: tuple[LogLine, ...]
    ledgers: tuple[Ledger, ...]
    fund_left: float

    @property
    def liquidated(self) -> bool:
        """True where the venue closed anything."""
        return any(line.kind == "liquidation" for line in self.log)

    @property
    def first(self) -> LogLine | None:
        """The first liquidation order; None where there is none."""
        return next((line for line in self.log if line.kind == "liquidation"), None)

    @property
    def final(self) -> float:
        """USD left over all ledgers."""
        return sum(ledger.final for ledger in self.ledgers)


@dataclass(frozen=True)
class Frictions:
    """Market and money around the account.

    daily_volume, daily_vol : by asset, USD a day and a fraction a day (0 or missing: no impact is charged)
    impact_factor : Y of the square-root law (margin/core/impact.py); fund: USD of insurance at the start
    """

    daily_volume: dict[str, float] = field(default_factory=dict)
    impact_factor: float = 1.0
    fund: float = 1_000_000.0
    daily_vol: dict[str, float] | None = None


def frictions_of(book: StressBook, fund: float = 1_000_000.0, impact_factor: float = 1.0) -> Frictions:
    """Median traded volume and EWMA volatility of the market at the book's as-of."""
    volumes = {a: book.market.median_volume(a, book.settings.as_of) or 0.0 for a in book.assets}
    return Frictions(volumes, impact_factor, fund, _volatilities(book))


def simulate(
    book: StressBook,
    path: PricePath,
    rules: ClosingRules | None = None,
    mode: str = "held",
    frictions: Frictions | None = None,
) -> Liquidation:
    """The account along `path`, one step after the other, all sub-accounts at once.

    rules : how positions are closed; None: each sub-account's own margin model's
    mode  : "held" or "alone"
    Maintenance is what the model asks of what is still held at each price. Options keep their time to expiry and
    volatility. Raises InputError for an account without positions, or a path that is not this book's.
    """
    if mode not in ("held", "alone"):
        raise InputError("mode", mode, "is not a mode", "held or alone.")
    if not book.positions:
        raise InputError("positions", "only owned spot", "cannot be liquidated", "Add a position on margin.")
    if path.closes.shape[1] != len(book.assets):
        raise InputError("path", path.closes.shape, f"must have {len(book.assets)} prices, one per asset of the book")
    run = _Run(book, path, rules, frictions or Frictions(), book.held if mode == "held" else book.alone)
    return run.result(mode)


class _Account:
    """One sub-account while it is followed: what is left of each position, its cash, its figures ahead."""

    def __init__(self, held: Held, rules: ClosingRules, path: PricePath):
        self.origin, self.held, self.rules = held, held, rules
        self.left = np.ones(len(held.sub.positions))
        worst = adverse(held, path) if path.has_extremes else path.closes
        self.points = np.stack((worst, path.closes), axis=1).reshape(-1, path.closes.shape[1])  # (2n, k)
        self.points[0] = path.closes[0]
        self.started = held.equity
        self.earned = self.impact = self.fees = self.surrendered = self.fund = self.adl = self.shared = 0.0
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
        return not self.left.any()

    def pay(self, usd: float) -> None:
        """Cash changes by `usd`, here and at every price ahead."""
        self.held = replace(self.held, cash=self.held.cash + usd)
        self.equity, self.ready = self.equity + usd, self.ready + usd

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
        return Ledger(
            account=self.origin.name,
            started=self.started,
            earned=self.earned,
            impact=self.impact,
            fees=self.fees,
            surrendered=self.surrendered,
            fund=self.fund,
            adl=self.adl,
            shared=self.shared,
            final=final,
        )


class _Run:
    """All sub-accounts of one way of holding, and the fund they share, in the order of time."""

    def __init__(
        self,
        book: StressBook,
        path: PricePath,
        rules: ClosingRules | None,
        around: Frictions,
        accounts: Sequence[Held],
    ):
        self.book, self.path, self.around = book, path, around
        self.vol = around.daily_vol if around.daily_vol is not None else _volatilities(book)
        self.accounts = [_Account(h, rules or h.model.closing, path) for h in accounts]
        self.fund = around.fund
        self.log: list[LogLine] = []
        self.sold: dict[str, float] = {}  # net USD by asset since the last price

    def result(self, mode: str) -> Liquidation:
        n, count = len(self.path.closes), len(self.accounts)
        equity, required = np.zeros((n, count)), np.zeros((n, count))
        left = np.ones((n, len(self.book.positions)))
        for a, account in enumerate(self.accounts):
            equity[0, a], required[0, a] = account.at(0)
        last = [account.at(0)[0] for account in self.accounts]
        for step in range(n):
            for point in (2 * step, 2 * step + 1):
                if point == 0 or (point % 2 == 0 and not self.path.has_extremes):
                    continue  # the first price is the start itself
                for a, account in enumerate(self.accounts):
                    account.earned += account.at(point)[0] - last[a]
                self._settle(point)
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
                words = f"bankrupt by {-equity:,.0f}: the rest is taken over at its bankruptcy price"
                self._say(point, "taken over", account.origin.name, -equity, words)
        self._cover(point)
        for account in self.accounts:
            self._surrender(account, point)

    def _call(self, account: _Account, point: int) -> None:
        if account.over or account.empty:
            return
        i = point - account.first
        short = float(account.initial[i] - account.ready[i])
        if short > 1e-9 * account.origin.scale and not account.called:
            account.called = True
            words = f"equity {account.ready[i]:,.0f} is below the {account.initial[i]:,.0f} asked: a margin call"
            self._say(point, "margin call", account.origin.name, short, words)
        elif short <= 0:
            account.called = False

    def _must_close(self, account: _Account, point: int) -> bool:
        """Closing begins below maintenance, and goes on until equity is `buffer` above it."""
        if account.over or account.empty:
            return False
        equity, need = account.at(point)
        if account.closing:
            return equity < need * (1.0 + account.rules.buffer)
        account.closing = equity < need - 1e-9 * account.origin.scale
        return account.closing

    def _orders(self, active: Sequence[_Account], point: int) -> None:
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
            words = f"{share:.0%} closed, {sold:,.0f} USD; impact {impact:,.0f}, fee {fee:,.0f}"
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
                self._say(point, "insurance", name, paid, f"the insurance fund pays {paid:,.0f}")
            rest = float(hole) - paid
            if rest > 1e-9 and account.rules.adl is not None:
                account.adl += rest
                words = f"{rest:,.0f} is taken from winners by auto-deleveraging ({account.rules.adl})"
                self._say(point, "auto-deleveraging", name, rest, words)
            elif rest > 0:
                account.shared += rest
                if rest > 1e-9:
                    self._say(point, "shared loss", name, rest, f"{rest:,.0f} is spread over everybody")
            self.fund -= paid
            account.over = True

    def _surrender(self, account: _Account, point: int) -> None:
        """At some venues the margin left after closing goes to the fund."""
        equity = account.at(point)[0]
        if not (account.empty and account.closing and account.rules.keeps_rest and equity > 0 and not account.over):
            return
        words = f"the {equity:,.0f} left goes to the insurance fund"
        self._say(point, "surrendered", account.origin.name, equity, words)
        account.surrendered += equity
        self.fund += equity
        account.over = True


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


def _volatilities(book: StressBook) -> dict[str, float]:
    """EWMA volatility a day by asset at the book's as-of, where it has prices."""
    out = {}
    for asset in book.assets:
        if asset in book.market:
            out[asset] = float(history(book.market, [asset], book.settings).daily_vol[0])
    return out
