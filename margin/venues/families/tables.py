"""The tiers of a venue's contracts: those carried, those of older days, live ones, and where each was read."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import Any, ClassVar, Self

import pandas as pd

from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues.base import Rulebook
from margin.venues.families.tiers import Tiers, tiers_of
from margin.venues.parameters import Parameters


class TierTables(Rulebook):
    """A rulebook whose contracts have tiers by size."""

    rule: ClassVar[str] = "tiers"
    whole: ClassVar[bool] = False  # a tier's rate applies to the whole position
    closed: ClassVar[bool] = False  # a tier holds its own upper bound

    def __init__(self, parameters: Parameters | None = None):
        super().__init__(parameters)
        self.live: dict[str, Tiers] = {}
        self.live_source = ""

    def of_the_day(self) -> Self:
        """A copy that margins by the table of the marks' own day, where an older one is carried: a recorded account."""
        out = copy(self)
        out.judges_the_past = True
        return out

    def with_tiers(self, rows: Mapping[str, Sequence[Sequence[Any]]], source: str) -> Self:
        """A copy whose dollar perpetuals have these tiers, (floor, cap, rate, leverage) each, instead of those carried.

        Raises InputError for tiers that leave a gap or fall.
        """
        out = copy(self)
        out.live = {asset: tiers_of(table, whole=self.whole, closed=self.closed) for asset, table in rows.items()}
        out.live_source = source
        return out

    def tiers_for(self, asset: str, inverse: bool = False) -> Tiers | None:
        """Live tiers where there are any, else those carried."""
        return (None if inverse else self.live.get(asset)) or self.tiers(asset, inverse)

    def tiers_on(self, asset: str, inverse: bool, marks: Marks) -> Tiers | None:
        """The newest tiers (`tiers_for`); `of_the_day` those in force at the marks' time, where they are carried."""
        return (None if inverse else self._older(asset, marks)) or self.tiers_for(asset, inverse)

    def _older(self, asset: str, marks: Marks) -> Tiers | None:
        if not self.judges_the_past or marks.as_of >= self._until:
            return None
        found = [tiers for day, tiers in self._history.get(asset, ()) if day <= marks.as_of]
        return found[-1] if found else None

    @cached_property
    def _history(self) -> dict[str, list[tuple[pd.Timestamp, Tiers]]]:
        """Older tables by asset, each with the day from which it stood; the fact `history`."""
        return {
            asset: [(pd.Timestamp(day), tiers_of(rows, whole=self.whole, closed=self.closed)) for day, rows in tables]
            for asset, tables in self.parameters.facts.get("history", {}).items()
        }

    @cached_property
    def _until(self) -> pd.Timestamp:
        """The first day on which no older table is used; the fact `history_until`."""
        return pd.Timestamp(self.parameters.facts.get("history_until", pd.Timestamp.min))

    @abstractmethod
    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The tiers of an asset's perpetual; None where none are carried here."""

    @property
    def carried(self) -> Mapping[str, Any]:
        """The tables of the rule's fact and of those named after it (`RULE_older`), which have a date of their own."""
        out: dict[str, Any] = {}
        for name in self._tables:
            out = {**self.parameters[name], **out}
        return out

    @cached_property
    def _tables(self) -> tuple[str, ...]:
        facts = self.parameters.facts
        named = [n for n in facts if n == self.rule or n.startswith(f"{self.rule}_")]
        return tuple(n for n in named if isinstance(facts[n], dict))

    def source_of(self, position: Position, printed: bool, marks: Marks) -> str:
        """Where a position's rate stands."""
        if printed:
            return "the venue's own print of this position"
        asset, inverse = position.underlying, position.instrument.is_inverse
        if inverse and self.coin_tables is not None:
            return self.coin_tables.source(self._named(self.coin_tables, asset))
        if not inverse and self._older(asset, marks) is not None:
            return self.parameters.source("history")
        if asset in self.live and not inverse:
            return self.live_source
        key = f"inverse {asset}" if inverse else asset
        of = next((n for n in self._tables if key in self.parameters[n] or asset in self.parameters[n]), self.rule)
        return self.parameters.source(of)

    # The tables of coin-settled contracts, where another rulebook of the venue carries them.

    @cached_property
    def coin_tables(self) -> Parameters | None:
        """Parameters of `coin_settled`; None where there are none."""
        return Parameters.load(self.coin_settled) if self.coin_settled else None

    def coin_tiers(self, asset: str) -> Tiers | None:
        """Tiers, in coins, of the coin-settled contracts that another rulebook of the venue carries."""
        if self.coin_tables is None:
            return None
        name = self._named(self.coin_tables, asset)
        rows = self.coin_tables[name].get(asset)
        return None if rows is None else tiers_of(rows, closed=self.closed)

    def _named(self, tables: Parameters, asset: str) -> str:
        """The fact of `tables` that carries the asset's tiers."""
        named = [n for n in tables.facts if n.startswith(self.rule) and isinstance(tables.facts[n], dict)]
        return next((n for n in named if asset in tables.facts[n]), self.rule)
