"""What a reader finds in somebody else's text: positions, balances, what the venue said, and rows set aside by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from margin.core.errors import InputError, shorten
from margin.core.portfolio import Portfolio
from margin.core.position import Position
from margin.formats.contract_names import ASKS
from margin.formats.plain import all_have

MAX_ROWS = 20_000  # venues list every market ever held, closed ones too


@dataclass(frozen=True)
class SetAside:
    """A row that was not read: where it stands, what it names, and why."""

    row: str
    symbol: str
    reason: str


@dataclass(frozen=True)
class ReadPortfolio:
    """notes: what was changed or assumed in reading (portfolio.notes).

    speaks_of : for each account what the text said anything about: "positions", "collateral" or both
    """

    portfolio: Portfolio
    set_aside: tuple[SetAside, ...] = ()
    closed: int = 0
    speaks_of: tuple[tuple[str, ...], ...] = ()

    @property
    def asks(self) -> bool:
        """Whether rows were set aside because BTCUSDT may be the perpetual or coins; `pairs` of the reader says."""
        return any(ASKS in row.reason for row in self.set_aside)

    def to_dict(self) -> dict[str, Any]:
        """Portfolio JSON version 2 with `notes` and `set_aside` beside the accounts; `Portfolio.from_json` reads it."""
        data = self.portfolio.to_dict()
        data["notes"] = list(self.portfolio.notes)
        data["set_aside"] = [vars(row) for row in self.set_aside]
        return data


@dataclass(frozen=True)
class Balance:
    """`quantity` units of `asset`; `with_profit`: the venue's figure holds the unrealised profit of open positions.

    price : USD per unit as the venue counts it, where it says so
    """

    asset: str
    quantity: float
    with_profit: bool = False
    price: float | None = None


@dataclass(kw_only=True)
class Part:
    """What one document says of one account. `balances` None: it does not speak of collateral.

    prices : USD by asset that rows of options name, where nothing else may price what they are on
    """

    venue: str = ""
    name: str = ""
    mode: str | None = None
    as_of: str | None = None
    positions: list[Position] | None = None
    balances: list[Balance] | None = None
    says: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    aside: list[SetAside] = field(default_factory=list)
    first_error: InputError | None = None
    prices: dict[str, float] = field(default_factory=dict)
    closed: int = 0
    clashing: set[tuple[str, str]] = field(default_factory=set)

    def wallets_or_positions(
        self,
        rows: list[Any],
        where: str,
        wallet_keys: tuple[str, ...],
        wallet: Callable[[Any, "Part"], None],
        position: Callable[[Any, "Part"], None],
    ) -> list["Part"]:
        """The part, read from rows that are all wallets (each has `wallet_keys`) or all positions."""
        if all_have(rows, *wallet_keys):
            for row in rows:
                wallet(row, self)
            return [self]
        self.positions = []
        self.each(rows, where, lambda row, place: position(row, self))
        return [self]

    def each(self, rows: Any, where: str, read: Callable[[Any, str], None], symbol_keys: tuple[str, ...] = ()) -> None:
        """`read(row, place)` for every row of a list; one that raises InputError is set aside by name."""
        if not isinstance(rows, list | tuple):
            raise InputError(where, rows, "must be a list")
        if len(rows) > MAX_ROWS:
            raise InputError(where, f"{len(rows)} entries", "has too many entries", f"At most {MAX_ROWS}.")
        for i, row in enumerate(rows):
            place = f"{where}[{i}]"
            try:
                if not isinstance(row, Mapping):
                    raise InputError(place, row, "must be an object")
                read(row, place)
            except InputError as error:
                self.set_aside(place, named(row, symbol_keys), error)

    def set_aside(self, place: str, symbol: str, error: InputError) -> None:
        """Keeps a row that cannot be read, with its place and the reason."""
        named_error = error
        if not error.field.startswith(place):
            named_error = InputError(f"{place}.{error.field}", error.value, error.problem, error.hint)
        self.first_error = self.first_error or named_error
        self.aside.append(SetAside(place, symbol, str(named_error)))

    def held(self, position: Position, **said: float | None) -> None:
        """An open position, and what the venue printed of it by `venue_says` key.

        Two of one symbol: their margins are added; two prices that differ say nothing.
        """
        self.positions = [*(self.positions or []), position]
        for key, value in said.items():
            by_symbol = self.says.setdefault(key, {})
            if position.symbol in by_symbol or (key, position.symbol) in self.clashing:
                other = by_symbol.pop(position.symbol, None)
                added = key != "liquidation_prices" and value is not None and other is not None
                if added or (key == "liquidation_prices" and value == other):
                    by_symbol[position.symbol] = value + other if added else value
                else:
                    self.clashing.add((key, position.symbol))
            elif value is not None or key == "liquidation_prices":
                by_symbol[position.symbol] = value

    def owes(
        self, asset: str, quantity: float | None, with_profit: bool = False, worth: tuple[Any, Any] = (None, None)
    ) -> None:
        """A balance (below zero: owed); nothing of it is kept where it is zero.

        worth : (USD, units) that the venue prints of it, from which its price follows
        """
        self.balances = self.balances or []
        if quantity:
            usd, units = worth
            price = usd / units if usd and units and usd / units > 0 else None
            self.balances.append(Balance(asset.strip().upper(), quantity, with_profit, price))


def named(row: Any, keys: tuple[str, ...] = ()) -> str:
    """What a row calls itself, for people."""
    if not isinstance(row, Mapping):
        return shorten(row, 40)
    for key in (*keys, "symbol", "instId", "instrument_name", "coin", "market", "asset", "ccy", "currency"):
        if isinstance(row.get(key), str) and row[key]:
            return str(row[key])[:60]
    inner = row.get("position")  # Hyperliquid wraps every row
    return named(inner, keys) if isinstance(inner, Mapping) else ""
