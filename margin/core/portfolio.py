"""The portfolio: one account or several, validated once so the engine never meets a bad value.

Portfolio(positions=[Position("BTC/USDT:USDT", 1.0)], collateral=[Collateral("USDC", 25000)])    one account
Portfolio(accounts=[Account(venue="hyperliquid", positions=...), Account(...)])                  several
Portfolio.from_json(text)    the format: docs/portfolio-format.md
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from margin.core import checks
from margin.core.account import MAX_COLLATERAL, MAX_POSITIONS, Account
from margin.core.checks import MAX_NAME
from margin.core.errors import InputError
from margin.core.position import MAX_LEVERAGE, Collateral, Position
from margin.core.providers import providers

__all__ = [
    "MAX_ACCOUNTS",
    "MAX_COLLATERAL",
    "MAX_LEVERAGE",
    "MAX_NAME",
    "MAX_POSITIONS",
    "MAX_TEXT",
    "VERSION",
    "Account",
    "Collateral",
    "Portfolio",
    "Position",
]

VERSION = 2
MAX_ACCOUNTS = 50
MAX_TEXT = 2_000_000


@dataclass(frozen=True, init=False)
class Portfolio:
    """One immutable book. Two portfolios with the same contents are equal and hash alike.

    accounts : at least one
    notes    : what was changed or assumed while it was read; no part of what is equal
    """

    accounts: tuple[Account, ...]
    name: str
    notes: tuple[str, ...] = field(compare=False)

    def __init__(
        self,
        positions: Iterable[Position] | None = None,
        collateral: Iterable[Collateral] | None = None,
        name: str = "",
        *,
        accounts: Iterable[Account] | None = None,
        notes: Iterable[str] = (),
    ):
        """Positions and collateral of one account, or `accounts`. Beside one account they replace its own."""
        held = tuple(accounts) if accounts is not None else ()
        if len(held) > 1 and (positions is not None or collateral is not None):
            field_name = "positions" if positions is not None else "collateral"
            hint = "Change the accounts themselves."
            raise InputError(field_name, f"beside {len(held)} accounts", "belong to no one account", hint)
        held = held or (Account(),)
        if positions is not None:
            held = (replace(held[0], positions=tuple(positions)),)
        if collateral is not None:
            held = (replace(held[0], collateral=tuple(collateral)),)
        checks.at_most(held, MAX_ACCOUNTS, "accounts")
        object.__setattr__(self, "accounts", held)
        object.__setattr__(self, "name", checks.name(name))
        object.__setattr__(self, "notes", tuple(notes))
        checks.at_most(self.positions, MAX_POSITIONS, "positions")

    @cached_property
    def positions(self) -> tuple[Position, ...]:
        """Those of every account, in order."""
        return tuple(p for account in self.accounts for p in account.positions)

    @cached_property
    def collateral(self) -> tuple[Collateral, ...]:
        """That of every account, in order."""
        return tuple(c for account in self.accounts for c in account.collateral)

    @property
    def account(self) -> Account:
        """The one account. Raises InputError where there are several; see `pooled`."""
        if len(self.accounts) > 1:
            hint = "Choose one, or pool them."
            raise InputError("accounts", f"{len(self.accounts)} accounts", "one account is asked for", hint)
        return self.accounts[0]

    @cached_property
    def pooled(self) -> Account:
        """Everything in one account: the account itself where there is one."""
        if len(self.accounts) == 1:
            return self.accounts[0]
        return Account(name=self.name, positions=self.positions, collateral=self.collateral)

    @cached_property
    def settled(self) -> "Portfolio":
        """One account, as every margin model of ours reads it: owned spot among the collateral, all accounts pooled.

        Collateral has one entry per asset: what a size costs depends on all of it, not on how it was written down.
        """
        if len(self.accounts) == 1 and not self.account.owned and len(self.collateral) == len(self.held):
            return self
        account = replace(self.pooled, positions=self.margined, collateral=self.held)
        return replace(self, accounts=(account,))

    @cached_property
    def margined(self) -> tuple[Position, ...]:
        """Positions that a margin model margins: all but owned spot."""
        return self.pooled.margined

    @cached_property
    def held(self) -> tuple[Collateral, ...]:
        """Collateral with owned spot."""
        return self.pooled.held

    @property
    def assets(self) -> list[str]:
        """Price columns the positions need, sorted; 'USD' needs none."""
        return sorted({p.underlying for p in self.positions} - {"USD"})

    @property
    def collateral_assets(self) -> list[str]:
        """Assets held as collateral, dollars aside, sorted."""
        return sorted({c.asset for c in self.collateral} - {"USD"})

    @property
    def underlyings(self) -> list[str]:
        """Underlyings in order of first appearance."""
        return list(dict.fromkeys(p.underlying for p in self.positions))

    def with_positions(self, positions: Iterable[Position]) -> "Portfolio":
        """Other positions in the one account. Raises InputError where there are several."""
        return replace(self, accounts=(self.account.with_positions(positions),))

    def scaled(self, factor: float) -> "Portfolio":
        """Every quantity (positions only) times `factor`."""
        accounts = (
            a.with_positions(replace(p, quantity=p.quantity * factor) for p in a.positions) for a in self.accounts
        )
        return replace(self, accounts=tuple(accounts))

    def to_dict(self) -> dict[str, Any]:
        """Portfolio JSON version 2."""
        data: dict[str, Any] = {"version": VERSION}
        if self.name:
            data["name"] = self.name
        data["accounts"] = [account.to_dict() for account in self.accounts]
        return data

    def to_json(self, indent: int | None = 2) -> str:
        """Portfolio JSON version 2 as text; `indent` None for one line."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, source: "str | bytes | Mapping[str, Any] | list[Any]") -> "Portfolio":
        """Read portfolio JSON version 1 or 2, or what ccxt or a venue answered of an account (`margin.formats.books`).

        source : JSON text, or the object already parsed
        Raises InputError naming the field, the value and the way out. `notes` says what was changed in reading.
        """
        read: Portfolio = _formats().read(source)
        return read

    @classmethod
    def from_ccxt(cls, positions: list[Any], name: str = "") -> "Portfolio":
        """Read ccxt position structures; see `margin.formats.books.ccxt_positions`."""
        found = _formats().positions_from_ccxt(positions)
        return cls(found, (), name)

    @classmethod
    def from_csv(cls, text: "str | bytes") -> "Portfolio":
        """Read the CSV that `to_csv` writes; only `symbol` and `quantity` columns are required."""
        read: Portfolio = _formats().portfolio_from_csv(text)
        return read

    def to_csv(self) -> str:
        """The CSV that `from_csv` reads; cells that a spreadsheet would run as formulas are made harmless."""
        text: str = _formats().portfolio_to_csv(self)
        return text


def _formats() -> Any:
    """The readers and writers, which stand above this floor (`margin.core.providers`)."""
    (formats,) = providers("portfolio_formats")
    return formats
