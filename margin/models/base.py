"""The margin model: a rule from positions, collateral and prices to equity, initial and maintenance margin.

The ladder's methods and every venue's rulebook in each mode are margin models; stress, liquidation, backtest, forecast,
hedge and audit ask nothing else. Definitions: docs/margin-models.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from margin.core.portfolio import Collateral, Position
from margin.models.marks import Marks

Mode = Literal["isolated", "cross", "portfolio"]


@dataclass(frozen=True, kw_only=True)
class SubAccount:
    """What is liquidated by itself: the cross pool of an account, or one isolated position with its own margin.

    positions  : those that are margined here; owned spot is no position, it stands in `collateral`
    collateral : the pool's balances and owned coins; of an isolated position the margin posted to it
    isolated   : whether it is one isolated position
    name       : for people: the account's name, or the isolated position's symbol
    """

    name: str
    positions: tuple[Position, ...]
    collateral: tuple[Collateral, ...]
    isolated: bool = False
    venue: str = ""

    @property
    def assets(self) -> tuple[str, ...]:
        """Assets whose price moves it, sorted; dollars need no price."""
        names = {p.underlying for p in self.positions} | {c.asset for c in self.collateral}
        return tuple(sorted(names - {"USD"}))


@dataclass(frozen=True, kw_only=True)
class MarginState:
    """One sub-account at one set of marks, USD.

    equity, equity_initial : what the model compares with `maintenance` and with `initial`
    withdrawable : what the venue would let out; None where its rule is not reproduced here
    lines, positions, collateral, grids : the reckoning step by step (margin.models.results), each with its source
    """

    equity: float
    equity_initial: float
    initial: float
    maintenance: float
    withdrawable: float | None = None
    lines: tuple[Any, ...] = ()
    positions: tuple[Any, ...] = ()
    collateral: tuple[Any, ...] = ()
    grids: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def gap(self) -> float:
        """Equity less maintenance: liquidated below 0."""
        return self.equity - self.maintenance

    @property
    def free(self) -> float:
        """What is left to open more; below 0 the book cannot be opened."""
        return self.equity_initial - self.initial

    @property
    def health(self) -> float | None:
        """Equity / maintenance, liquidated at 1; None where nothing is required."""
        return self.equity / self.maintenance if self.maintenance > 0 else None

    @property
    def liquidated(self) -> bool:
        return self.maintenance > 0 and self.gap < 0


@dataclass(frozen=True, kw_only=True, eq=False)
class States:
    """The same four figures under n sets of prices, arrays (n,), USD."""

    equity: np.ndarray
    equity_initial: np.ndarray
    initial: np.ndarray
    maintenance: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        return self.equity - self.maintenance


@dataclass(frozen=True, kw_only=True)
class Unsupported:
    """Something of an account that a model does not reproduce, and why, e.g. ("BTC/USDT:USDT-261225", "...")."""

    symbol: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ClosingRules:
    """How a model closes what it liquidates.

    step       : share of each position closed by one order, at least `least_step_usd` of it
    fee        : of the notional closed; keeps_rest: margin left after closing goes to the venue
    buffer     : closing stops when equity is this share above the maintenance margin
    adl        : who pays what the fund cannot (policy of margin/liquidation/adl.py); socialised: spread over everybody
    """

    name: str
    step: float
    least_step_usd: float
    fee: float
    buffer: float
    keeps_rest: bool
    insurance: bool
    adl: str | None
    socialised: bool
    source: str
    note: str = ""


class MarginModel(Protocol):
    """One rule. `key`: "portfolio", "safeguarded", "hyperliquid:cross", "deribit:portfolio"."""

    @property
    def key(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def closing(self) -> ClosingRules: ...

    def refuses(self, account: Any) -> tuple[Unsupported, ...]:
        """What of the account (or sub-account) is not reproduced here, line by line; () when all of it is."""
        ...

    def state(self, sub_account: SubAccount, marks: Marks) -> MarginState:
        """Equity, initial and maintenance at these marks, with the reckoning. Raises InputError for what it refuses."""
        ...

    def states(
        self,
        sub_account: SubAccount,
        marks: Marks,
        factors: np.ndarray,
        vols: Mapping[str, np.ndarray] | None = None,
        as_of: Any = None,
    ) -> States:
        """The same under n moves of the prices, vectorised; equals `state` to 1e-9.

        factors : (n, k) multiples of the marks of `sub_account.assets`, in that order (dollars and dollar stablecoins
                  included where they are held); vols: (n,) annual volatility by underlying, else those of `marks`
        as_of   : time to which options have aged, else that of `marks`
        """
        ...
