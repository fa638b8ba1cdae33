"""How a whole book stands: equity, what is free, leverage and the lowest health, over its accounts as they are held."""

from collections.abc import Iterable
from dataclasses import dataclass

from margin.ladder.compare import Comparison

__all__ = ["Standing", "standing"]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """USD sums over the accounts; None where one of them was not computed.

    leverage : gross exposure / equity, None where equity is not above 0
    health   : the lowest of the accounts', the one that is liquidated first; None where nothing is required
    """

    equity: float | None
    free: float | None
    leverage: float | None
    health: float | None


def standing(result: Comparison) -> Standing:
    """Of the accounts as held where there are several or one at a venue, else of the one account under our method."""
    if result.as_held is None:
        own = result.account
        return Standing(equity=own.equity, free=own.free_equity, leverage=own.effective_leverage, health=own.health)
    rows = result.as_held.accounts
    equity, free = _total(row.equity for row in rows), _total(row.free for row in rows)
    known = [row.health for row in rows if row.health is not None]
    uncovered = any(row.error for row in rows)
    return Standing(
        equity=equity,
        free=free,
        leverage=_leverage(result.account.gross, equity),
        health=min(known) if known and not uncovered else None,
    )


def _total(values: Iterable[float | None]) -> float | None:
    found = list(values)
    return None if any(v is None for v in found) else sum(v for v in found if v is not None)


def _leverage(gross: float, equity: float | None) -> float | None:
    return gross / equity if equity is not None and equity > 0 else None
