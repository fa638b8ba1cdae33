"""An account: what one venue margins. It divides into sub-accounts, each liquidated by itself. docs/accounts.md."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import pandas as pd

from margin.core import checks
from margin.core.checks import has_time, parse_date
from margin.core.errors import InputError
from margin.core.position import Collateral, Position
from margin.core.venue_says import VenueSays

MAX_POSITIONS = 1000
MAX_COLLATERAL = 100
ACCOUNT_MODES = ("isolated", "cross", "portfolio")
NOTHING = VenueSays()
KEYS = ("name", "venue", "mode", "as_of", "positions", "collateral", "venue_says")


@dataclass(frozen=True, kw_only=True)
class SubAccount:
    """What is liquidated by itself: the cross pool of an account, or one isolated position with its own margin.

    positions  : those that are margined here; owned spot is no position, it stands in `collateral`
    collateral : the pool's balances and owned coins; of an isolated position the margin posted to it
    isolated   : whether it is one isolated position
    wallet     : the coin of a wallet that the venue keeps apart; "" the main pool
    name       : for people: the account's name (with the wallet's coin), or the isolated position's symbol
    """

    name: str
    positions: tuple[Position, ...]
    collateral: tuple[Collateral, ...]
    isolated: bool = False
    venue: str = ""
    wallet: str = ""

    @property
    def assets(self) -> tuple[str, ...]:
        """Assets whose price moves it, sorted; dollars need no price."""
        names = {p.underlying for p in self.positions} | {c.asset for c in self.collateral}
        return tuple(sorted(names - {"USD"}))


@dataclass(frozen=True, kw_only=True)
class Wallet:
    """Part of an account that is margined as one pool. coin : whose wallet it is, "" the account's main one."""

    coin: str = ""
    positions: tuple[Position, ...] = ()
    collateral: tuple[Collateral, ...] = ()


class OpensPositions(Protocol):
    """What `posted_margin` asks of a margin model (margin.models.base.MarginModel has it)."""

    def opening_margin(self, position: Position, marks: Any = None) -> float:
        """USD that the model asks to open the position at its entry price."""


class Divides(OpensPositions, Protocol):
    """What `sub_accounts` asks of a margin model (margin.models.base.MarginModel has it)."""

    def wallets(self, positions: tuple[Position, ...], collateral: tuple[Collateral, ...]) -> tuple[Wallet, ...]:
        """The pools that the venue keeps apart: the main one first, then a coin's each."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """What one venue margins. Immutable; equal contents are equal and hash alike.

    venue : a rulebook's name, e.g. "hyperliquid"; "" is an account of no venue, margined by the ladder
    mode  : "cross" (None too), "isolated" (every position that does not say otherwise) or "portfolio"
    as_of : UTC, ISO text; None where the file gives none
    venue_says : what the venue itself printed, for `check`
    """

    positions: tuple[Position, ...] = ()
    collateral: tuple[Collateral, ...] = ()
    name: str = ""
    venue: str = ""
    mode: Literal["isolated", "cross", "portfolio"] | None = None
    as_of: str | None = None
    venue_says: VenueSays = NOTHING

    def __post_init__(self) -> None:
        object.__setattr__(self, "positions", tuple(self.positions))
        object.__setattr__(self, "collateral", tuple(self.collateral))
        object.__setattr__(self, "name", checks.name(self.name))
        object.__setattr__(self, "venue", checks.name(self.venue, "venue").lower())
        checks.one_of(self.mode, ACCOUNT_MODES, "mode")
        if self.as_of is not None:
            object.__setattr__(self, "as_of", utc_text(self.as_of))
        object.__setattr__(self, "venue_says", VenueSays.of(self.venue_says))
        checks.at_most(self.positions, MAX_POSITIONS, "positions")
        checks.at_most(self.collateral, MAX_COLLATERAL, "collateral")

    @property
    def time(self) -> pd.Timestamp | None:
        """`as_of` as a time, UTC without a zone."""
        return None if self.as_of is None else parse_date(self.as_of)

    @property
    def owned(self) -> tuple[Position, ...]:
        """Spot paid in full, as it stands among the positions."""
        return tuple(p for p in self.positions if p.owned)

    @property
    def margined(self) -> tuple[Position, ...]:
        """Positions that a margin model margins: all but owned spot."""
        return tuple(p for p in self.positions if not p.owned)

    @property
    def held(self) -> tuple[Collateral, ...]:
        """Collateral with owned spot, one entry per asset in order of first appearance."""
        amounts: dict[str, float] = {}
        prices: dict[str, float] = {}
        rows = [(c.asset, c.quantity, c.mark_price) for c in self.collateral]
        for asset, quantity, price in rows + [(p.underlying, p.quantity, p.mark_price) for p in self.owned]:
            amounts[asset] = amounts.get(asset, 0.0) + quantity
            if price is not None:
                prices.setdefault(asset, price)
        return tuple(Collateral(asset, quantity, prices.get(asset)) for asset, quantity in amounts.items())

    def is_isolated(self, position: Position) -> bool:
        """Whether `position` has its own margin: it says so, has margin posted, or the account's mode says so."""
        if position.owned or position.instrument.kind in ("spot", "loan"):
            return False
        if position.mode is not None:
            return position.mode == "isolated"
        return position.margin_posted or self.mode == "isolated"

    def sub_accounts(self, model: Divides, marks: Any = None) -> tuple[SubAccount, ...]:
        """The cross pool (where there is anything in it), the wallets of coins that the venue keeps apart from it, and
        then each isolated position, also two of one symbol.

        model : divides the pool, and gives the initial margin at entry of an isolated position with no margin posted
        marks : Marks; needed only where such a position has no entry price
        Raises InputError where a margin can't be told.
        """
        pooled = tuple(p for p in self.margined if not self.is_isolated(p))
        isolated = tuple(p for p in self.margined if self.is_isolated(p))
        out = []
        wallets = model.wallets(pooled, self.held)
        for wallet in wallets:
            alone = len(wallets) == 1 and not isolated
            if wallet.positions or alone or any(c.quantity for c in wallet.collateral):
                name = f"{self.name} {wallet.coin} wallet".strip() if wallet.coin else self.name
                out.append(
                    SubAccount(
                        name=name, positions=wallet.positions, collateral=wallet.collateral, venue=self.venue,
                        wallet=wallet.coin,
                    )
                )  # fmt: skip
        for p in isolated:
            posted = posted_margin(p, model, marks)
            out.append(SubAccount(name=p.symbol, positions=(p,), collateral=(posted,), isolated=True, venue=self.venue))
        return tuple(out)

    def with_positions(self, positions: Iterable[Position]) -> "Account":
        """The same account holding other positions."""
        return replace(self, positions=tuple(positions))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values of version 2; what is default is left out."""
        data: dict[str, Any] = {key: getattr(self, key) for key in ("name", "venue", "mode", "as_of")}
        data = {key: value for key, value in data.items() if value}
        data["positions"] = [p.to_dict() for p in self.positions]
        if self.collateral:
            data["collateral"] = [c.to_dict() for c in self.collateral]
        if self.venue_says:
            data["venue_says"] = self.venue_says.to_dict()
        return data


def account_names(accounts: Sequence[Account]) -> tuple[str, ...]:
    """What each account is called, all different: its own name, else its venue's, else "account 1" by its place."""
    out: list[str] = []
    for number, account in enumerate(accounts, start=1):
        name = account.name or account.venue or f"account {number}"
        again = sum(other == name or other.startswith(f"{name} (") for other in out)
        out.append(f"{name} ({again + 1})" if again else name)
    return tuple(out)


def posted_margin(position: Position, model: OpensPositions, marks: Any = None) -> Collateral:
    """The isolated position's own margin: what was posted, else initial margin at entry; coins if it settles in them.

    Its amount (dollars, or coins) never moves with the mark.
    """
    coin = position.underlying if position.instrument.is_inverse else "USD"
    if position.margin_coin is not None:
        return Collateral(coin, position.margin_coin)
    if coin == "USD":
        usd = position.margin if position.margin is not None else model.opening_margin(position, marks)
        return Collateral("USD", usd)
    if position.margin is not None:
        price = position.mark_price or (marks.mark(position.instrument) if marks is not None else None)
        if price is None:
            hint = "Give margin_coin, or mark_price."
            raise InputError("margin", position.margin, f"of {position.symbol} is held in {coin}; no price", hint)
        return Collateral(coin, position.margin / price)
    usd = model.opening_margin(position, marks)
    at = position.entry_price if position.entry_price is not None else marks.mark(position.instrument)
    return Collateral(coin, usd / at)


def utc_text(value: Any) -> str:
    """A time as portfolio files write it: 2026-11-26T10:00:00Z, or 2026-11-26 where there is no time of day."""
    stamp = parse_date(value)
    return stamp.strftime("%Y-%m-%d") if stamp == stamp.normalize() and not has_time(value) else stamp.isoformat() + "Z"
