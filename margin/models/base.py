"""The margin model: a rule from positions, collateral and prices to equity, initial and maintenance margin.

The ladder's methods and every venue's rulebook in each mode are margin models; stress, liquidation, backtest, forecast,
hedge and audit ask nothing else. Definitions: docs/margin-models.md.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
import pandas as pd

from margin.core.account import Account, SubAccount, Wallet
from margin.core.errors import InputError
from margin.core.position import Collateral, Position
from margin.models.marks import Marks

__all__ = ["ClosingRules", "MarginModel", "MarginState", "Mode", "Model", "States", "SubAccount", "Unsupported"]

Mode = Literal["isolated", "cross", "portfolio"]
Held = TypeVar("Held", Account, SubAccount)
CHOOSE = "Leave it out, or choose another margin model."


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
        """True where equity is below maintenance."""
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
        """(n,) equity less maintenance, USD."""
        found: np.ndarray = self.equity - self.maintenance
        return found


@dataclass(frozen=True, kw_only=True)
class Unsupported:
    """Something of an account that a model does not reproduce, and why, e.g. ("BTC/USDT:USDT-261225", "...").

    alone : whether the model margins the rest rightly without it, so that it can be left out and named
    """

    symbol: str
    reason: str
    alone: bool = False


@dataclass(frozen=True, kw_only=True)
class ClosingRules:
    """How a model closes what it liquidates.

    step       : share of each position closed by one order, at least `least_step_usd` of it
    fee        : of the notional closed; keeps_rest: margin left after closing goes to the venue
    buffer     : closing stops when equity is this share above the maintenance margin
    adl        : loss allocation after the fund (policy of margin/liquidation/adl.py); socialised: spread over everybody
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


NOT_CARRIED = "no rule of closing is carried for it: everything is closed at once, at no cost"


class MarginModel(Protocol):
    """One rule. `key`: "portfolio", "safeguarded", "hyperliquid:cross", "deribit:portfolio"."""

    @property
    def key(self) -> str:
        """The registry's key, e.g. "hyperliquid:cross"."""

    @property
    def title(self) -> str:
        """The model as a reader sees it."""

    @property
    def closing(self) -> ClosingRules:
        """How the model's owner closes an account."""

    def refuses(self, account: Account | SubAccount) -> tuple[Unsupported, ...]:
        """What of the account (or sub-account) is not reproduced here, line by line; () when all of it is."""
        ...

    def state(self, sub_account: SubAccount, marks: Marks) -> MarginState:
        """Equity, initial and maintenance at these marks, with the reckoning. Raises InputError for what it refuses."""
        ...

    def figures(self, sub_account: SubAccount, marks: Marks) -> MarginState:
        """`state` without its reckoning: the same four figures, refused alike, for a search that asks for thousands."""
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

        factors : (n, k) multiples of the marks of `sub_account.assets`, in that order (dollar stablecoins included
                  where they are held); vols: (n,) annual volatility by underlying, else those of `marks`
        as_of   : time to which options have aged, else that of `marks`
        Positions without an entry price were entered at `marks`: their profit is what they earn from there.
        """
        ...

    def opening_margin(self, position: Position, marks: Marks | None = None) -> float:
        """USD initial margin of the position alone at its entry price, without one at `marks`: isolated margin."""
        ...

    def adds_up(self, sub_account: SubAccount) -> bool:
        """Whether initial and maintenance margin are the sums of what each coin's positions are asked alone."""
        ...

    def check(self, account: Account | SubAccount) -> None:
        """Raise InputError, naming the first line that is not reproduced here."""
        ...

    def wallets(self, positions: tuple[Position, ...], collateral: tuple[Collateral, ...]) -> tuple[Wallet, ...]:
        """The pools into which the model divides what is margined together: one, unless a venue keeps more."""
        ...


class Model(ABC):
    """A margin model with what all of them share. Subclasses set `key`, `title`, `closing` and write the rest."""

    key: str
    title: str
    closing: ClosingRules

    @abstractmethod
    def refuses(self, account: Account | SubAccount) -> tuple[Unsupported, ...]:
        """See `MarginModel.refuses`."""

    @abstractmethod
    def state(self, sub_account: SubAccount, marks: Marks) -> MarginState:
        """See `MarginModel.state`."""

    @abstractmethod
    def states(
        self,
        sub_account: SubAccount,
        marks: Marks,
        factors: np.ndarray,
        vols: Mapping[str, np.ndarray] | None = None,
        as_of: Any = None,
    ) -> States:
        """See `MarginModel.states`."""

    def opening_margin(self, position: Position, marks: Marks | None = None) -> float:
        """Initial margin of the position alone, its asset at its entry price. Raises InputError without any price."""
        alone = SubAccount(name=position.symbol, positions=(position,), collateral=(), isolated=True)
        if position.entry_price is None or position.instrument.is_option:
            if marks is None:
                hint = "Give entry_price, margin, or marks."
                raise InputError("entry_price", None, f"is missing: the margin posted to {position.symbol}", hint)
            return self.state(alone, marks).initial
        when = marks.as_of if marks is not None else pd.Timestamp(0)
        vols = marks.vols if marks is not None else {}
        return self.state(alone, Marks({position.underlying: position.entry_price}, when, vols)).initial

    def wallets(self, positions: tuple[Position, ...], collateral: tuple[Collateral, ...]) -> tuple[Wallet, ...]:
        """One pool; see `MarginModel.wallets`."""
        return (Wallet(positions=positions, collateral=collateral),)

    def figures(self, sub_account: SubAccount, marks: Marks) -> MarginState:
        """`state` itself, where leaving the reckoning out saves nothing; see `MarginModel.figures`."""
        return self.state(sub_account, marks)

    def adds_up(self, sub_account: SubAccount) -> bool:
        """False, which is always right; see `MarginModel.adds_up`."""
        return False

    def check(self, account: Account | SubAccount) -> None:
        """See `MarginModel.check`."""
        for refused in self.refuses(account):
            raise _refusal(self, refused)


def without_refused(model: MarginModel, held: Held) -> tuple[Held, tuple[Unsupported, ...]]:
    """The account (or sub-account) without what the model can do without, and what that was; owned spot stays.

    Nothing margined may be left: `model.check(held)` then says why. Raises InputError, naming the first line that the
    model can't do without.
    """
    out: tuple[Unsupported, ...] = ()
    while refused := model.refuses(held):
        symbols = {line.symbol for line in refused}
        rest = tuple(p for p in held.positions if p.owned or p.symbol not in symbols)
        for line in refused:
            if not line.alone or len(rest) == len(held.positions):
                raise _refusal(model, line)
        held, out = replace(held, positions=rest), out + refused
    return held, out


def checked_factors(sub_account: SubAccount, factors: np.ndarray) -> np.ndarray:
    """(n, k) price factors of `sub_account.assets` as floats. Raises InputError for another shape."""
    found = np.asarray(factors, dtype=float)
    assets = sub_account.assets
    if found.ndim != 2 or found.shape[1] != len(assets):
        raise InputError("factors", found.shape, f"must be rows of {len(assets)} factors: {', '.join(assets)}")
    return found


def _refusal(model: MarginModel, line: Unsupported) -> InputError:
    return InputError("positions", line.symbol, f"{model.title}: {line.reason}", CHOOSE)


def pinned(sub_account: SubAccount, marks: Marks) -> SubAccount:
    """The sub-account with every entry price written down, so that moving the marks moves its profit."""
    out = []
    for p in sub_account.positions:
        open_ended = p.entry_price is None and p.instrument.kind != "loan"
        out.append(replace(p, entry_price=marks.mark(p.instrument)) if open_ended else p)
    return replace(sub_account, positions=tuple(out))
