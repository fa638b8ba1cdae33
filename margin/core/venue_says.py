"""What a venue printed of an account: the figures `python -m margin check` compares ours with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from margin.core import checks
from margin.core.errors import InputError
from margin.core.instruments import parse_symbol

FIGURES = ("equity", "initial", "maintenance", "free", "withdrawable")
PER_SYMBOL = ("liquidation_prices", "position_initial", "position_maintenance")
COIN = "_coin"  # a key with it is in the settlement coin
_FIGURES = FIGURES + tuple(key + COIN for key in FIGURES)
_PER_SYMBOL = PER_SYMBOL + tuple(key + COIN for key in PER_SYMBOL if key != "liquidation_prices")
KEYS = _FIGURES + _PER_SYMBOL

PerSymbol = tuple[tuple[str, float | None], ...]


@dataclass(frozen=True)
class VenueSays:
    """figures: ((key, USD), ...); per_symbol: ((key, ((symbol, number), ...)), ...), None: the venue shows none."""

    figures: tuple[tuple[str, float], ...] = ()
    per_symbol: tuple[tuple[str, PerSymbol], ...] = ()

    @classmethod
    def of(cls, data: Any) -> "VenueSays":
        """From the JSON form. Raises InputError for an unknown key, a symbol that is none, or what is no number."""
        if isinstance(data, VenueSays):
            return data
        if not isinstance(data, Mapping):
            raise InputError("venue_says", data, "must be an object", f"Keys: {', '.join(KEYS)}.")
        checks.only_keys(data, KEYS, "venue_says")
        figures = [(key, checks.number(data[key], f"venue_says.{key}")) for key in data if key in _FIGURES]
        rows = [(key, _rows(data[key], f"venue_says.{key}", key)) for key in data if key in _PER_SYMBOL]
        return cls(tuple(figures), tuple(rows))

    def get(self, key: str) -> float | None:
        """One of the account's figures; None where the venue did not say."""
        return dict(self.figures).get(key)

    def by_symbol(self, key: str) -> dict[str, float | None]:
        """One of the figures by symbol; empty where the venue did not say."""
        return dict(dict(self.per_symbol).get(key, ()))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**dict(self.figures), **{key: dict(rows) for key, rows in self.per_symbol}}

    def __bool__(self) -> bool:
        return bool(self.figures or self.per_symbol)


def _rows(data: Any, where: str, key: str) -> PerSymbol:
    if not isinstance(data, Mapping):
        raise InputError(where, data, "must map symbols to numbers")
    out: list[tuple[str, float | None]] = []
    for symbol, value in data.items():
        name = parse_symbol(symbol, where).symbol
        if value is None and key != "liquidation_prices":
            raise InputError(f"{where}.{name}", None, "must be a number")
        out.append((name, None if value is None else checks.number(value, f"{where}.{name}")))
    return tuple(out)
