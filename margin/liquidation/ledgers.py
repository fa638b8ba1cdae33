"""What happened to an account along a path of prices: the log, the ledgers and what is left."""

from dataclasses import dataclass

import numpy as np


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
    """Where the money went, USD.

    started + earned - funding - impact - fees - surrendered + fund + adl + shared = final
    funding : what its perpetuals paid, below zero what they received
    """

    account: str
    started: float
    earned: float
    funding: float
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
        paid = self.funding + self.impact + self.fees + self.surrendered
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
