"""Whose file is this? One file per source, found by being here: it names its columns and says how they are meant.

An adapter is a module with `ADAPTER = Adapter(...)`. Adding one is one new file; see docs/audit-format.md.
"""

from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from margin.core.errors import InputError, did_you_mean

__all__ = ["Adapter", "adapter", "adapters", "recognise"]


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """Columns of a source by what they mean; names are compared in lower case.

    account   : columns that together name an account; asset, quantity: signed units of the asset
    side      : column of LONG / SHORT where the quantity has no sign; value: signed USD where there is no quantity
    equity    : column of the account's equity, USD, where it stands on the position's row
    mode, margin : cross or isolated, and what was posted to an isolated position
    entry     : entry price, for accounts whose file gives their collateral and not their equity
    reported  : liquidation price that the source prints; notional: USD of the position as printed
    status    : (column, value) of rows that count, e.g. ("status", "OPEN")
    snapshot  : column of the time that the rows are of; a file of several times is refused
    """

    name: str
    title: str
    account: tuple[str, ...]
    asset: str
    quantity: str | None = None
    side: str | None = None
    value: str | None = None
    equity: str | None = None
    mode: str | None = None
    margin: str | None = None
    entry: str | None = None
    reported: str | None = None
    notional: str | None = None
    status: tuple[str, str] | None = None
    snapshot: str | None = None
    needs: tuple[str, ...] = field(default=())

    @property
    def required(self) -> frozenset[str]:
        """Columns without which the file is not of this source."""
        named = (*self.account, self.asset, self.quantity, self.side, *self.needs)
        return frozenset(name for name in named if name)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read where it is there."""
        named = (
            *self.account, self.asset, self.quantity, self.side, self.value, self.equity, self.mode, self.margin,
            self.entry, self.reported, self.notional, self.status[0] if self.status else None, self.snapshot,
        )  # fmt: skip
        return tuple(dict.fromkeys(name for name in named if name))


@cache
def adapters() -> tuple[Adapter, ...]:
    """Every source known here, those that ask for most columns first."""
    names = sorted(module.name for module in iter_modules(__path__))
    found = [import_module(f"{__name__}.{name}").ADAPTER for name in names]
    return tuple(sorted(found, key=lambda a: (-len(a.required), a.name)))


def adapter(name: str) -> Adapter:
    """The adapter of that name. Raises InputError for an unknown one."""
    for found in adapters():
        if found.name == name:
            return found
    names = [a.name for a in adapters()]
    raise InputError("format", name, "is not known", did_you_mean(name, names) or f"auto, {', '.join(names)}.")


def named(column: str) -> str:
    """A column's name as the adapters know it: in lower case, without spaces or a byte-order mark around it."""
    return column.strip().strip("\ufeff").strip().lower()


def recognise(columns: list[str], where: str) -> Adapter:
    """The source whose columns these are. Raises InputError that says what is missing for the nearest one."""
    have = {named(name) for name in columns}
    for found in adapters():
        if found.required <= have:
            return found
    nearest = min(adapters(), key=lambda a: len(a.required - have) / len(a.required))
    missing = ", ".join(sorted(nearest.required - have))
    shown = ", ".join(columns)[:80]
    hint = f"Nearest is {nearest.name}, which also needs {missing}. docs/audit-format.md lists all forms."
    raise InputError(where, shown, "has the columns of no form known here", hint)
