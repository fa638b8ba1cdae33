"""An account along a path of prices: margin call, liquidation step by step, fund, auto-deleveraging, shared loss.

Every dollar is booked: what the account ends with is what it started with, plus what its positions earned, less impact
and fees, plus what others paid for it. Definitions: docs/liquidation.md.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from margin import models
from margin.core.errors import InputError, did_you_mean
from margin.core.impact import closing_cost
from margin.ladder.isolated_accounts import shares
from margin.liquidation.adl import POLICIES
from margin.models.base import NOT_CARRIED, ClosingRules
from margin.risk.models import ScenarioModel
from margin.stress.shocks import StressBook, counted_collateral

MOST_ROUNDS = 50  # liquidation orders between two prices of a path


@cache
def venues() -> tuple[ClosingRules, ...]:
    """The rules of every venue whose closing is carried, by name: what its margin models carry."""
    found: dict[str, ClosingRules] = {}
    for key in models.keys():  # noqa: SIM118
        if ":" not in key:  # our own methods need a market, and close all at once
            continue
        closing = models.get(key).closing
        if closing.source != NOT_CARRIED:
            found[closing.name] = closing
    for rules in found.values():
        if rules.adl is not None and rules.adl not in POLICIES:
            raise InputError(f"closing of {rules.name}", rules.adl, "is not an ADL policy")
    return tuple(sorted(found.values(), key=lambda rules: rules.name.lower()))


def rules_of(name: str) -> ClosingRules:
    """Closing rules by a venue's name. Raises InputError with the names there are."""
    for rules in venues():
        if rules.name == name:
            return rules
    names = [rules.name for rules in venues()]
    raise InputError("venue", name, "has no liquidation rules here", did_you_mean(name, names) or ", ".join(names))


@dataclass(frozen=True)
class LogLine:
    """One thing that happened at a step of the path; USD where `amount` is one."""

    step: int
    kind: str
    account: str
    amount: float
    words: str


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Where the money went, USD: started + earned - impact - fees - surrendered + fund + adl + shared = final."""

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


@dataclass(frozen=True, eq=False, kw_only=True)
class Liquidation:
    """One mode along the path. equity, required (maintenance) : (n, accounts); held (n, p) share of each position left.

    log : what happened, in order; ledgers: one per account (silo, or the pool); fund_left: USD in the insurance fund
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
        """True where anything was closed by the venue."""
        return any(line.kind == "liquidation" for line in self.log)

    @property
    def final(self) -> float:
        """USD left over all ledgers."""
        return sum(ledger.final for ledger in self.ledgers)


@dataclass(frozen=True)
class Frictions:
    """Market and money around the account. daily_volume USD per asset (0: no impact is charged); fund USD at the start.

    impact_factor : Y of Y x daily volatility x root(size / daily volume)
    """

    daily_volume: dict[str, float] = field(default_factory=dict)
    impact_factor: float = 1.0
    fund: float = 1_000_000.0


def simulate(
    book: StressBook, moves: np.ndarray, rules: ClosingRules, mode: str = "cross", frictions: Frictions | None = None
) -> Liquidation:
    """The book along `moves` (n, k): returns of each of its assets since the start, the first row zero.

    mode : "cross": one account with portfolio margin; "isolated": one per position, money split by margin alone
    Maintenance margin is `book.maintenance` times the margin of what is still held, re-measured at every price. Raises
    InputError for a book with options, or a path that does not fit.
    """
    around = frictions or Frictions()
    c = book.comparison
    if c.book.has_options:
        raise InputError("positions", "an option", "cannot be liquidated step by step here", "Leave the options out.")
    if not c.positions:
        raise InputError("positions", "only owned spot", "cannot be liquidated", "Add a position on margin.")
    moves = np.asarray(moves, dtype=float)
    if moves.ndim != 2 or moves.shape[1] != len(c.book.assets) or len(moves) < 2:
        raise InputError("path", moves.shape, f"must be rows of {len(c.book.assets)} returns, two or more")
    if not np.isfinite(moves).all() or (moves < -1.0).any() or np.abs(moves[0]).max() > 0:
        raise InputError("path", "its values", "must be returns of at least -1, starting with zeros")
    if mode not in ("cross", "isolated"):
        raise InputError("mode", mode, "is not a mode", "cross or isolated.")
    run = _Run(book, moves, rules, around)
    groups = [list(range(len(c.positions)))] if mode == "cross" else [[i] for i in range(len(c.positions))]
    names = ["the pool"] if mode == "cross" else [p.symbol for p in c.positions]
    money = [book.money] if mode == "cross" else list(book.money * run.shares)
    fund, held = around.fund, np.ones((len(moves), len(c.positions)))
    equity, required = np.zeros((len(moves), len(groups))), np.zeros((len(moves), len(groups)))
    log: list[LogLine] = []
    ledgers = []
    for a, (name, members, start) in enumerate(zip(names, groups, money, strict=True)):
        account = _Account(name, members, float(start), float(run.drift_share(members)))
        fund = run.follow(account, fund, equity[:, a], required[:, a], held, log)
        ledgers.append(account.ledger())
    log.sort(key=lambda line: line.step)
    return Liquidation(
        mode=mode,
        accounts=tuple(names),
        equity=equity,
        required=required,
        held=held,
        log=tuple(log),
        ledgers=tuple(ledgers),
        fund_left=fund,
    )


class _Account:
    """The money of one account while it is followed."""

    def __init__(self, name: str, members: list[int], started: float, drift: float):
        self.name, self.members, self.started, self.drift = name, members, started, drift
        self.equity = started
        self.earned = self.impact = self.fees = self.surrendered = self.fund = self.adl = self.shared = 0.0
        self.called = self.dead = False

    def ledger(self) -> Ledger:
        return Ledger(
            started=self.started,
            earned=self.earned,
            impact=self.impact,
            fees=self.fees,
            surrendered=self.surrendered,
            fund=self.fund,
            adl=self.adl,
            shared=self.shared,
            final=self.equity,
        )


class _Run:
    """What all accounts of a run share."""

    def __init__(self, book: StressBook, moves: np.ndarray, rules: ClosingRules, around: Frictions):
        c = book.comparison
        self.book, self.moves, self.rules, self.around = book, moves, rules, around
        self.dollars = np.array([e.delta_usd for e in c.book.exposures])  # at the start
        self.columns = np.array([-1 if e.column is None else e.column for e in c.book.exposures])
        self.assets = c.book.assets
        self.vol = c.book.daily_vol
        self.scenarios = c.drawn.returns
        self.level, self.measure = c.settings.level, c.settings.measure
        alone = np.array([p.standalone for p in c.positions])
        self.shares = shares(alone)
        held = {} if book.assumed_money else counted_collateral(c)
        self.collateral = np.array([held.get(a, 0.0) for a in self.assets])

    def drift_share(self, members: list[int]) -> float:
        return float(self.shares[members].sum())

    def values(self, step: int, held: np.ndarray, members: list[int]) -> np.ndarray:
        """(p,) USD of the positions of an account at a step, 0 for others."""
        out = np.zeros(len(self.dollars))
        for i in members:
            price = 1.0 if self.columns[i] < 0 else 1.0 + self.moves[step, self.columns[i]]
            out[i] = self.dollars[i] * price * held[i]
        return out

    def margin(self, values: np.ndarray) -> float:
        """USD maintenance margin of dollars held."""
        weights = np.bincount(self.columns[self.columns >= 0], values[self.columns >= 0], len(self.assets))
        losses = -(self.scenarios @ weights)
        return self.book.maintenance * ScenarioModel(losses[:, None], self.level, self.measure).total()

    def follow(
        self, account: _Account, fund: float, equity: np.ndarray, required: np.ndarray, held: np.ndarray, log: list[Any]
    ) -> float:
        """Walk one account along the path; returns what is left in the fund."""
        members = account.members
        mine = np.ones(len(self.dollars))
        equity[0], required[0] = account.equity, self.margin(self.values(0, mine, members))
        for step in range(1, len(self.moves)):
            change = self._earned(step, mine, members)
            change += account.drift * float(self.collateral @ (self.moves[step] - self.moves[step - 1]))
            if not account.dead:
                account.earned += change
                account.equity += change
                fund = self._settle(account, step, mine, fund, log)
            held[step, members] = mine[members]
            equity[step] = account.equity
            required[step] = self.margin(self.values(step, mine, members))
        return fund

    def _earned(self, step: int, mine: np.ndarray, members: list[int]) -> float:
        now, before = self.values(step, mine, members), self.values(step - 1, mine, members)
        return float((now - before).sum())

    def _settle(self, account: _Account, step: int, mine: np.ndarray, fund: float, log: list[Any]) -> float:
        """Margin call, orders until the account is safe or empty, and who pays what is missing."""
        values = self.values(step, mine, account.members)
        need = self.margin(values)
        scale = float(np.abs(self.dollars).sum())
        asked = need / self.book.maintenance
        if account.equity < asked - 1e-9 * scale and not account.called and np.abs(values).sum() > 0:
            account.called = True
            words = f"equity {account.equity:,.0f} is below the {asked:,.0f} asked: a margin call"
            log.append(LogLine(step, "margin call", account.name, asked - account.equity, words))
        elif account.equity >= asked:
            account.called = False
        for _ in range(MOST_ROUNDS):
            values = self.values(step, mine, account.members)
            gross = float(np.abs(values).sum())
            need = self.margin(values)
            if gross <= 1e-9 * scale or account.equity >= need - 1e-9 * scale:
                break
            fund = self._order(account, step, mine, values, gross, fund, log)
            values = self.values(step, mine, account.members)
            if account.equity >= self.margin(values) * (1.0 + self.rules.buffer):
                break
        empty = np.abs(self.values(step, mine, account.members)).sum() <= 1e-9 * scale
        if account.equity < 0 and not empty:  # bankrupt with orders still open: taken over as a whole
            mine[account.members] = 0.0
            words = f"bankrupt by {-account.equity:,.0f}: the rest is taken over at its bankruptcy price"
            log.append(LogLine(step, "taken over", account.name, -account.equity, words))
            empty = True
        if empty and not account.dead and account.equity < 0:
            fund = self._cover(account, step, fund, log)
        if empty and any(mine[i] == 0.0 for i in account.members):
            account.dead = True
            if self.rules.keeps_rest and account.equity > 0:
                words = f"the {account.equity:,.0f} left goes to the insurance fund"
                log.append(LogLine(step, "surrendered", account.name, account.equity, words))
                account.surrendered += account.equity
                fund += account.equity
                account.equity = 0.0
        return fund

    def _order(
        self,
        account: _Account,
        step: int,
        mine: np.ndarray,
        values: np.ndarray,
        gross: float,
        fund: float,
        log: list[Any],
    ) -> float:
        """One liquidation order: a share of every position of the account, its impact and fee."""
        share = min(max(self.rules.step, self.rules.least_step_usd / gross), 1.0)
        sold = np.abs(values) * share
        impact = sum(self._impact(i, usd) for i, usd in enumerate(sold) if usd > 0)
        fee = min(self.rules.fee * float(sold.sum()), max(account.equity - impact, 0.0))
        for i in account.members:
            mine[i] *= 1.0 - share
            if mine[i] < 1e-12:
                mine[i] = 0.0
        account.impact += impact
        account.fees += fee
        account.equity -= impact + fee
        words = f"{share:.0%} closed, {sold.sum():,.0f} USD; impact {impact:,.0f}, fee {fee:,.0f}"
        log.append(LogLine(step, "liquidation", account.name, float(sold.sum()), words))
        return fund + fee

    def _impact(self, position: int, usd: float) -> float:
        column = self.columns[position]
        volume = self.around.daily_volume.get(self.assets[column], 0.0) if column >= 0 else 0.0
        if volume <= 0:
            return 0.0
        return closing_cost(usd, volume, self.vol[column], self.around.impact_factor)

    def _cover(self, account: _Account, step: int, fund: float, log: list[Any]) -> float:
        """What is missing: the fund first, then the winners or everybody."""
        missing = -account.equity
        paid = min(missing, fund) if self.rules.insurance else 0.0
        if paid > 0:
            account.fund += paid
            log.append(LogLine(step, "insurance", account.name, paid, f"the insurance fund pays {paid:,.0f}"))
        rest = missing - paid
        if rest > 1e-9 and self.rules.adl is not None:
            account.adl += rest
            words = f"{rest:,.0f} is taken from winners by auto-deleveraging ({self.rules.adl})"
            log.append(LogLine(step, "auto-deleveraging", account.name, rest, words))
        elif rest > 0:
            account.shared += rest
            if rest > 1e-9:
                log.append(LogLine(step, "shared loss", account.name, rest, f"{rest:,.0f} is spread over everybody"))
        account.equity = 0.0
        return fund - paid
