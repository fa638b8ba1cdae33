"""The book: positions and collateral, validated once so the engine never meets a bad value.

Portfolio JSON, version 1:

    {"version": 1, "name": "ETH/BTC pair",
     "positions": [{"symbol": "BTC/USDT:USDT", "quantity": 1.0, "entry_price": 61000, "leverage": 10}],
     "collateral": [{"asset": "USDC", "quantity": 25000}]}

Unknown keys are an error, so a typo is never silently ignored.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from margin.core.errors import InputError, did_you_mean
from margin.core.instruments import Instrument, parse_symbol

VERSION = 1
MAX_POSITIONS = 1000
MAX_COLLATERAL = 100
MAX_NAME = 200
MAX_TEXT = 2_000_000
MAX_AMOUNT = 1e15
MAX_LEVERAGE = 1000.0


@dataclass(frozen=True)
class Position:
    """`quantity` units of the asset (long > 0, short < 0); `entry_price` USD per unit, for an option its premium."""

    symbol: str
    quantity: float
    entry_price: float | None = None
    leverage: float | None = None

    def __post_init__(self) -> None:
        instrument = parse_symbol(self.symbol)
        object.__setattr__(self, "symbol", instrument.symbol)
        object.__setattr__(self, "quantity", _number(self.quantity, "quantity"))
        if self.entry_price is not None:
            object.__setattr__(self, "entry_price", _number(self.entry_price, "entry_price", above=0.0))
        if self.leverage is not None:
            leverage = _number(self.leverage, "leverage", above=0.0, most=MAX_LEVERAGE)
            object.__setattr__(self, "leverage", leverage)

    @property
    def instrument(self) -> Instrument:
        return parse_symbol(self.symbol)

    @property
    def underlying(self) -> str:
        return self.instrument.base

    def to_dict(self) -> dict[str, Any]:
        data: dict[str, Any] = {"symbol": self.symbol, "quantity": self.quantity}
        if self.entry_price is not None:
            data["entry_price"] = self.entry_price
        if self.leverage is not None:
            data["leverage"] = self.leverage
        return data


@dataclass(frozen=True)
class Collateral:
    """`quantity` units of `asset` posted as collateral; below zero it is owed."""

    asset: str
    quantity: float

    def __post_init__(self) -> None:
        instrument = parse_symbol(self.asset, "asset")
        if instrument.kind != "loan":
            hint = f"Write the asset alone, e.g. '{instrument.base}'."
            raise InputError("asset", self.asset, "collateral is an asset, not a pair", hint)
        object.__setattr__(self, "asset", instrument.symbol)
        object.__setattr__(self, "quantity", _number(self.quantity, "quantity"))

    def to_dict(self) -> dict[str, Any]:
        return {"asset": self.asset, "quantity": self.quantity}


@dataclass(frozen=True)
class Portfolio:
    """One immutable book. Two portfolios with the same contents are equal and hash alike."""

    positions: tuple[Position, ...] = ()
    collateral: tuple[Collateral, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "positions", tuple(self.positions))
        object.__setattr__(self, "collateral", tuple(self.collateral))
        object.__setattr__(self, "name", _name(self.name))
        _at_most(self.positions, MAX_POSITIONS, "positions")
        _at_most(self.collateral, MAX_COLLATERAL, "collateral")

    @property
    def assets(self) -> list[str]:
        """Price columns the positions need, sorted; 'USD' needs none."""
        return sorted({p.underlying for p in self.positions} - {"USD"})

    @property
    def collateral_assets(self) -> list[str]:
        return sorted({c.asset for c in self.collateral} - {"USD"})

    @property
    def underlyings(self) -> list[str]:
        """Underlyings in order of first appearance."""
        return list(dict.fromkeys(p.underlying for p in self.positions))

    def with_positions(self, positions: Iterable[Position]) -> "Portfolio":
        return replace(self, positions=tuple(positions))

    def scaled(self, factor: float) -> "Portfolio":
        """Every quantity (positions only) times `factor`."""
        return self.with_positions(replace(p, quantity=p.quantity * factor) for p in self.positions)

    def to_dict(self) -> dict[str, Any]:
        data: dict[str, Any] = {"version": VERSION}
        if self.name:
            data["name"] = self.name
        data["positions"] = [p.to_dict() for p in self.positions]
        if self.collateral:
            data["collateral"] = [c.to_dict() for c in self.collateral]
        return data

    def to_json(self, indent: int | None = 2) -> str:
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, source: str | bytes | Mapping | list) -> "Portfolio":
        """Read portfolio JSON version 1, or a list as returned by ccxt's `fetch_positions()`.

        source : JSON text, or the object already parsed
        Raises InputError naming the field, the value and the way out.
        """
        data = _parse_json(source) if isinstance(source, str | bytes) else source
        if isinstance(data, list):
            return cls.from_ccxt(data)
        if not isinstance(data, Mapping):
            raise InputError("portfolio", data, "must be a JSON object or a list of ccxt positions")
        _only_keys(data, ("version", "name", "positions", "collateral"), "portfolio")
        if "version" not in data:
            raise InputError("version", None, "is missing", 'Add "version": 1.')
        if data["version"] != VERSION or isinstance(data["version"], bool):
            raise InputError("version", data["version"], "is not a version Margin Lab reads", 'Use "version": 1.')
        if "positions" not in data:
            raise InputError("positions", None, "is missing", 'Add "positions": [...].')
        positions = [
            _read(Position, item, f"positions[{i}]", ("symbol", "quantity"), ("entry_price", "leverage"))
            for i, item in enumerate(_list(data["positions"], MAX_POSITIONS, "positions"))
        ]
        collateral = [
            _read(Collateral, item, f"collateral[{i}]", ("asset", "quantity"), ())
            for i, item in enumerate(_list(data.get("collateral", []), MAX_COLLATERAL, "collateral"))
        ]
        return cls(tuple(positions), tuple(collateral), data.get("name", ""))

    @classmethod
    def from_ccxt(cls, positions: list, name: str = "") -> "Portfolio":
        """Read ccxt position structures; see `margin.formats.portfolio.position_from_ccxt`."""
        from margin.formats.portfolio import positions_from_ccxt

        return cls(positions_from_ccxt(_list(positions, MAX_POSITIONS, "positions")), (), name)

    @classmethod
    def from_csv(cls, text: str | bytes) -> "Portfolio":
        """Read the CSV that `to_csv` writes; only `symbol` and `quantity` columns are required."""
        from margin.formats.portfolio import portfolio_from_csv

        return portfolio_from_csv(text)

    def to_csv(self) -> str:
        from margin.formats.portfolio import portfolio_to_csv

        return portfolio_to_csv(self)


def _parse_json(text: str | bytes) -> Any:
    if len(text) > MAX_TEXT:
        raise InputError("portfolio", f"{len(text)} characters", "is too large", f"At most {MAX_TEXT}.")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                raise InputError("portfolio", key, "a key appears twice in one object", "Keep one of them.")
            seen[key] = value
        return seen

    def refuse(constant: str) -> Any:
        raise InputError("portfolio", constant, "is not a number JSON allows", "Write a finite number.")

    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
        return json.loads(decoded, object_pairs_hook=unique, parse_constant=refuse)
    except UnicodeDecodeError:
        raise InputError("portfolio", "bytes", "is not UTF-8 text", "Save the file as UTF-8 JSON.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        near = error.doc[max(0, error.pos - 10) : error.pos + 15]
        raise InputError("portfolio", near, f"is not valid JSON at {where}: {error.msg}") from None
    except RecursionError:
        raise InputError("portfolio", text[:20], "is nested too deeply") from None
    except ValueError as error:  # an integer of more than 4,300 digits
        if isinstance(error, InputError):
            raise
        raise InputError("portfolio", text[:20], "holds a number that is too long") from None


def _read(kind: type, item: Any, where: str, required: tuple[str, ...], optional: tuple[str, ...]) -> Any:
    """Build `kind` from one JSON object, prefixing every message with `where`."""
    if not isinstance(item, Mapping):
        raise InputError(where, item, "must be an object", f"Give it the keys {', '.join(required)}.")
    _only_keys(item, required + optional, where)
    for key in required:
        if item.get(key) is None:
            raise InputError(f"{where}.{key}", None, "is missing")
    try:
        return kind(**item)
    except InputError as error:
        raise InputError(f"{where}.{error.field}", error.value, error.problem, error.hint) from None


def _only_keys(data: Mapping, known: tuple[str, ...], where: str) -> None:
    for key in data:
        if key not in known:
            hint = did_you_mean(str(key), known) or f"Known keys: {', '.join(known)}."
            raise InputError(where, key, "has an unknown key", hint)


def _list(value: Any, most: int, where: str) -> list:
    if not isinstance(value, list | tuple):
        raise InputError(where, value, "must be a list")
    _at_most(value, most, where)
    return list(value)


def _at_most(items: list | tuple, most: int, where: str) -> None:
    if len(items) > most:
        raise InputError(where, f"{len(items)} entries", "has too many entries", f"At most {most}.")


def _name(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError("name", value, "must be text")
    if len(value) > MAX_NAME:
        raise InputError("name", value, f"is {len(value)} characters long", f"At most {MAX_NAME}.")
    return re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in value)).strip()


def _number(value: Any, field: str, above: float | None = None, most: float = MAX_AMOUNT) -> float:
    """`value` as a finite float within limits. Text is refused: a number in quotes is usually a slip."""
    if isinstance(value, bool) or (not isinstance(value, int | float) and not hasattr(value, "__float__")):
        raise InputError(field, value, "must be a number")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(field, value, "must be a number") from None
    if not math.isfinite(number):
        raise InputError(field, value, "must be a finite number")
    if above is not None and number <= above:
        raise InputError(field, value, f"must be above {above:g}")
    if abs(number) > most:
        raise InputError(field, value, f"is beyond {most:g}")
    return number
