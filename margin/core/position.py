"""A position, a balance, and what is owed or owned by each. Definitions: docs/accounts.md."""

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, fields, replace
from functools import cached_property
from typing import Any, Literal

from margin.core import checks
from margin.core.errors import InputError
from margin.core.instruments import Instrument, parse_symbol

MAX_LEVERAGE = 1000.0
MAX_VOL = 10.0  # annual, 1,000%
POSITION_MODES = ("isolated", "cross")


@dataclass(frozen=True)
class Position:
    """`quantity` units of the base asset (long > 0, short < 0); of a coin-settled contract US dollars of face value.

    entry_price : USD per unit, for an option its premium
    mode        : "isolated" or "cross"; None follows the account (a posted margin makes it isolated)
    margin      : USD posted to an isolated position; margin_coin: the same in the coin of a coin-settled contract
    mark_price  : USD per unit as the venue marks it
    paid        : of spot: bought with own money (the default), so that it is collateral; False: on borrowed money
    max_leverage, maintenance_rate, maintenance_deduction (USD) : what the venue printed of its own tier; it wins over
                  the carried table, with a note
    implied_vol : annual, of an option
    """

    symbol: str
    quantity: float
    entry_price: float | None = None
    leverage: float | None = None
    _: KW_ONLY
    mode: Literal["isolated", "cross"] | None = None
    margin: float | None = None
    margin_coin: float | None = None
    mark_price: float | None = None
    paid: bool = True
    max_leverage: float | None = None
    maintenance_rate: float | None = None
    maintenance_deduction: float | None = None
    implied_vol: float | None = None

    def __post_init__(self) -> None:
        instrument = parse_symbol(self.symbol)
        object.__setattr__(self, "symbol", instrument.symbol)
        object.__setattr__(self, "quantity", checks.number(self.quantity, "quantity"))
        if instrument.is_option:  # an option may be bought for nothing
            self._check("entry_price", least=0.0)
        self._check("entry_price", above=None if instrument.is_option else 0.0)
        self._check("mark_price", above=0.0)
        self._check("leverage", above=0.0, most=MAX_LEVERAGE)
        self._check("max_leverage", above=0.0, most=MAX_LEVERAGE)
        self._check("margin", least=0.0)
        self._check("margin_coin", least=0.0)
        self._check("maintenance_rate", least=0.0, most=1.0)
        self._check("maintenance_deduction", least=0.0)
        self._check("implied_vol", above=0.0, most=MAX_VOL)
        checks.one_of(self.mode, POSITION_MODES, "mode")
        self._check_paid(instrument)
        self._check_margin(instrument)

    def _check(self, name: str, **limits: Any) -> None:
        value = getattr(self, name)
        if value is not None:
            object.__setattr__(self, name, checks.number(value, name, **limits))

    def _check_paid(self, instrument: Instrument) -> None:
        if self.paid is None:
            object.__setattr__(self, "paid", True)
        if not isinstance(self.paid, bool):
            raise InputError("paid", self.paid, "must be true or false")
        if not self.paid and instrument.kind != "spot":
            hint = "Leave it out: only spot is bought outright or on borrowed money."
            raise InputError("paid", self.paid, f"is of spot, and {self.symbol} is not", hint)

    def _check_margin(self, instrument: Instrument) -> None:
        for name in ("margin", "margin_coin"):
            given = getattr(self, name)
            if given is not None and self.mode == "cross":
                hint = f'Leave {name} out, or give "mode": "isolated".'
                raise InputError(name, given, "is posted to a position that the whole account backs", hint)
            if given is not None and instrument.kind in ("spot", "loan"):
                raise InputError(name, given, f"is posted to a contract, and {self.symbol} is none", "Leave it out.")
        if self.margin_coin is not None and not instrument.is_inverse:
            hint = "Give margin in US dollars."
            raise InputError("margin_coin", self.margin_coin, "is of contracts that settle in the coin", hint)
        if self.margin is not None and self.margin_coin is not None:
            raise InputError("margin_coin", self.margin_coin, "is given beside margin", "Give one of the two.")

    @cached_property
    def instrument(self) -> Instrument:
        """What the symbol says."""
        return parse_symbol(self.symbol)

    @property
    def underlying(self) -> str:
        """The asset whose price moves the position."""
        return self.instrument.base

    @property
    def owned(self) -> bool:
        """Spot paid in full: it counts as collateral and is no position of a margin model."""
        return self.paid and self.quantity > 0 and self.instrument.kind == "spot"

    @property
    def margin_posted(self) -> bool:
        """True where the position says what was posted to it."""
        return self.margin is not None or self.margin_coin is not None

    def value(self, price: float) -> float:
        """USD at `price`, signed: quantity x price; of a coin-settled contract its face, whatever the price."""
        return self.quantity if self.instrument.is_inverse else self.quantity * price

    def exposure(self, price: float) -> float:
        """USD gained per 100% move of the price from `price`: N P / E (no entry: N) for a coin-settled contract."""
        if not self.instrument.is_inverse:
            return self.quantity * price
        return self.quantity * price / self.entry_price if self.entry_price is not None else self.quantity

    def profit(self, price: float) -> float:
        """USD since the entry at `price`; 0 without an entry. Coin-settled: N (P / E - 1), the coins won x P."""
        if self.entry_price is None:
            return 0.0
        if self.instrument.is_inverse:
            return self.quantity * (price / self.entry_price - 1.0)
        return self.quantity * (price - self.entry_price)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: what differs from the default."""
        pairs = ((f.name, getattr(self, f.name), f.default) for f in fields(self))
        return {name: value for name, value, default in pairs if name in ("symbol", "quantity") or value != default}


@dataclass(frozen=True)
class Collateral:
    """`quantity` units of `asset` posted as collateral; below zero it is owed.

    mark_price : USD per unit as the venue counts it, where no market price is at hand; it also stands where both are,
                 in `Marks.of_account`
    """

    asset: str
    quantity: float
    mark_price: float | None = None

    def __post_init__(self) -> None:
        instrument = parse_symbol(self.asset, "asset")
        if instrument.kind != "loan":
            hint = f"Write the asset alone, e.g. '{instrument.base}'."
            raise InputError("asset", self.asset, "collateral is an asset, not a pair", hint)
        object.__setattr__(self, "asset", instrument.symbol)
        object.__setattr__(self, "quantity", checks.number(self.quantity, "quantity"))
        if self.mark_price is not None:
            object.__setattr__(self, "mark_price", checks.number(self.mark_price, "mark_price", above=0.0))
            if self.asset == "USD" and self.mark_price != 1.0:
                raise InputError("mark_price", self.mark_price, "is of US dollars, which are worth 1", "Leave it out.")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; a price only where there is one."""
        data: dict[str, Any] = {"asset": self.asset, "quantity": self.quantity}
        return data if self.mark_price is None else {**data, "mark_price": self.mark_price}


def joined(positions: Iterable[Position]) -> tuple[Position, ...]:
    """Rows of one contract on one side, entered at different prices, as the one position they are at a venue.

    Its entry is the average: of the quantities, of a coin-settled contract of the coins. Rows that differ in anything
    else (mode, leverage, mark, a tier the venue printed), that have a margin or deduction of their own, or no entry
    price, stay as they are. The order is that of the first rows.
    """
    out: dict[Any, Position] = {}
    for number, p in enumerate(positions):
        lone = p.entry_price is None or p.margin_posted or p.maintenance_deduction is not None or not p.quantity
        key = number if lone else (p.quantity > 0, replace(p, quantity=1.0, entry_price=1.0))
        out[key] = p if key not in out else _one_of(out[key], p)
    return tuple(out.values())


def _one_of(one: Position, other: Position) -> Position:
    total = one.quantity + other.quantity
    assert one.entry_price is not None and other.entry_price is not None
    if one.instrument.is_inverse:
        entry = total / (one.quantity / one.entry_price + other.quantity / other.entry_price)
    else:
        entry = (one.quantity * one.entry_price + other.quantity * other.entry_price) / total
    return replace(one, quantity=total, entry_price=entry)
