"""Does this account's margin model give a hedge any credit? Additive rules add the margin of every position: cut.

The question is asked of the model, not answered from a list: beside what the account holds, each hedge of the menu is
added in a small size, on the side that helps, once the account's own positions in that asset are taken out.
"""

from dataclasses import dataclass, replace

import numpy as np

from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.hedge.menu import Menu, after
from margin.models.base import MarginModel
from margin.models.marks import Marks

SHARE = 0.05  # of the book's gross: the size that is tried
NOTICEABLE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Credit:
    """frees : whether any hedge lowers the margin; None where it could not be asked, and why says so.

    freed_per_usd : USD of margin per USD of the best hedge, below zero where every hedge adds
    """

    frees: bool | None
    symbol: str | None
    freed_per_usd: float | None
    why: str

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values."""
        return {"frees": self.frees, "symbol": self.symbol, "freed_per_usd": self.freed_per_usd, "why": self.why}


def hedge_credit(sub: SubAccount, model: MarginModel, marks: Marks, menu: Menu, figure: str = "initial") -> Credit:
    """Ask the model with a small hedge of each kind."""
    if sub.isolated:
        why = f"{sub.name} is isolated: nothing else stands in its account, so no hedge can lower its margin. Cut."
        return Credit(frees=False, symbol=None, freed_per_usd=None, why=why)
    best: tuple[float, str] | None = None
    refusals: list[str] = []
    hedges = replace(menu, choices=tuple(c for c in menu.choices if c.is_hedge))
    for j, choice in enumerate(hedges.choices):
        others = replace(sub, positions=tuple(p for p in sub.positions if p.underlying != choice.asset))
        if not any(p.quantity and p.underlying != "USD" for p in others.positions):
            continue
        usd = np.zeros(len(hedges.choices))
        usd[j] = SHARE * menu.gross
        try:
            before = getattr(model.state(others, marks), figure)
            now = getattr(model.state(after(others, marks, hedges, usd.tolist()), marks), figure)
        except InputError as error:
            refusals.append(f"{choice.symbol}: {error.problem}")
            continue
        freed = float((before - now) / usd[j])
        if best is None or freed > best[0]:
            best = freed, choice.symbol
    if best is None:
        why = f"not asked: {refusals[0]}" if refusals else "nothing is held beside the hedges' own assets"
        return Credit(frees=None, symbol=None, freed_per_usd=None, why=f"Whether a hedge frees margin here: {why}.")
    frees = best[0] > NOTICEABLE
    who = model.title if ":" in model.key else f"Our own method ({model.title.lower()})"
    if frees:
        why = f"{who} gives a hedge credit: $100 of {best[1]} frees ${100 * best[0]:,.2f} of {figure} margin."
    else:
        why = (
            f"{who} gives a hedge in another coin no credit: $100 of {best[1]} asks "
            f"${-100 * best[0]:,.2f} more {figure} margin. Only cutting frees margin here."
        )
    return Credit(frees=frees, symbol=best[1], freed_per_usd=best[0], why=why)
