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
    coins   : the part of `earned` that its collateral coins did, as its model counts them
    funding : what its perpetuals paid, below zero what they received
    """

    account: str
    started: float
    earned: float
    coins: float
    funding: float
    impact: float
    fees: float
    surrendered: float
    fund: float
    adl: float
    shared: float
    final: float

    @property
    def paid(self) -> float:
        """Funding, impact, fees and what went to the venue."""
        return self.funding + self.impact + self.fees + self.surrendered

    @property
    def borne(self) -> float:
        """What others paid for it: the fund, winners, everybody."""
        return self.fund + self.adl + self.shared

    @property
    def error(self) -> float:
        """What the identity misses: rounding."""
        return self.started + self.earned - self.paid + self.borne - self.final


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


@dataclass(frozen=True, kw_only=True)
class Apart:
    """Why one way of holding ends with another sum than the other, USD: alone less as held.

    borne   : losses beyond an account's money, which others bear
    coins   : what collateral coins did, which isolated accounts, being money, do not hold
    closed  : what positions earned or lost less because they were closed at other times
    charges : funding, impact, fees and what went to the venue, below zero where alone paid more
    started : the sum they began with, 0 but for rounding
    total   = borne + coins + closed + charges + started
    """

    total: float
    borne: float
    coins: float
    closed: float
    charges: float
    started: float


def apart(held: Liquidation, alone: Liquidation) -> Apart:
    """The difference of what is left, by its reasons."""

    def more(name: str) -> float:
        return float(sum(getattr(x, name) for x in alone.ledgers) - sum(getattr(x, name) for x in held.ledgers))

    return Apart(
        total=alone.final - held.final,
        borne=more("borne"),
        coins=more("coins"),
        closed=more("earned") - more("coins"),
        charges=-more("paid"),
        started=more("started"),
    )
