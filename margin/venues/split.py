"""A book split over venues: each position at the venue chosen for it, each venue's margin for its part, and the sum.

Netting and offsets stop at a venue's door, so the sum is what scattering costs beside one venue or one pool. Margins
are of the positions alone: collateral lies where it is needed. Every position is opened at the leverage it names, else
at the same one everywhere (`margin.venues.survey.fair`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.core.portfolio import Portfolio, Position
from margin.core.words import by_reason
from margin.models.marks import Marks
from margin.venues import accounts, wallets
from margin.venues.base import Mode, Rulebook
from margin.venues.survey import fair

__all__ = ["Part", "SplitBook", "cheapest_alone", "split_book"]

Place = tuple[str, Mode]  # a rulebook's name and the mode
Settings = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One venue's part. rows: which positions of the book; USD, None where `refused` says why (line by line)."""

    rulebook: Rulebook
    mode: Mode
    rows: tuple[int, ...]
    initial: float | None
    maintenance: float | None
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SplitBook:
    """parts : in the order in which the venues first appear. initial, maintenance : USD, None where a part has none."""

    parts: tuple[Part, ...]

    @property
    def initial(self) -> float | None:
        """USD over all parts."""
        return _sum([part.initial for part in self.parts])

    @property
    def maintenance(self) -> float | None:
        """USD over all parts."""
        return _sum([part.maintenance for part in self.parts])


def _sum(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) if len(known) == len(values) else None


def split_book(
    portfolio: Portfolio,
    marks: Marks,
    places: Sequence[Place],
    rulebooks: Sequence[Rulebook],
    settings: Settings | None = None,
) -> SplitBook:
    """The margined positions of the book (owned spot left out) at `places`, one of each.

    settings : a venue's sliders by its name. Raises InputError for another number of places or an unknown venue.
    """
    positions = fair(accounts.as_sub(portfolio)).positions
    if len(places) != len(positions):
        raise InputError("places", len(places), f"must be {len(positions)}, one for each margined position")
    known = {rulebook.name: rulebook for rulebook in rulebooks}
    rows: dict[Place, list[int]] = {}
    for i, (name, mode) in enumerate(places):
        if name not in known or mode not in known[name].modes:
            raise InputError(f"places[{i}]", f"{name}:{mode}", "is no venue and mode that is reproduced here")
        rows.setdefault((name, mode), []).append(i)
    return SplitBook(
        parts=tuple(
            _part(known[name], mode, mine, [positions[i] for i in mine], marks, (settings or {}).get(name))
            for (name, mode), mine in rows.items()
        )
    )


def cheapest_alone(
    portfolio: Portfolio,
    marks: Marks,
    choices: Sequence[Place],
    rulebooks: Sequence[Rulebook],
    settings: Settings | None = None,
) -> tuple[Place | None, ...]:
    """For each margined position the place that asks least for it alone; the earlier of equals; None where none can."""
    positions = fair(accounts.as_sub(portfolio)).positions
    known = {rulebook.name: rulebook for rulebook in rulebooks}
    out: list[Place | None] = []
    for position in positions:
        best: tuple[float, Place] | None = None
        for name, mode in choices:
            part = _part(known[name], mode, [0], [position], marks, (settings or {}).get(name))
            if part.initial is not None and (best is None or part.initial < best[0] * (1.0 - 1e-9)):
                best = (part.initial, (name, mode))
        out.append(best[1] if best else None)
    return tuple(out)


def _part(
    rulebook: Rulebook,
    mode: Mode,
    rows: Sequence[int],
    positions: Sequence[Position],
    marks: Marks,
    chosen: Mapping[str, float] | None,
) -> Part:
    book = SubAccount(name="", positions=tuple(positions), collateral=())
    found = wallets.refusals(rulebook, accounts.priced(book, marks), mode)
    refused = by_reason((u.symbol, u.reason) for u in found)
    if not refused:
        try:
            margin = wallets.requirement(rulebook, book, marks, mode, chosen)
            return Part(
                rulebook=rulebook, mode=mode, rows=tuple(rows), initial=margin.initial, maintenance=margin.maintenance
            )
        except InputError as error:
            refused = (str(error),)
    return Part(rulebook=rulebook, mode=mode, rows=tuple(rows), initial=None, maintenance=None, refused=refused)
