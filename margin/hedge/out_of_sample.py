"""Are these trades fitted to the worst days they were chosen on? Chosen on odd days, judged on even ones.

A programme leans on the dozen worst scenarios; a hedge found so loses more on other days than on its own. The ratio is
the tail loss of the traded book on even days per dollar of its margin on odd days; beside it that of the book as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from margin.hedge.planner import LadderPlanner, Planner
from margin.hedge.programme import ScenarioProgramme

LEAST = 40  # scenarios in each half


@dataclass(frozen=True, kw_only=True)
class Held:
    """ratio : tail loss on even days / margin on odd days, of the traded book; before : of the book as it is."""

    ratio: float
    before: float

    def to_dict(self) -> dict[str, float]:
        """Plain JSON values."""
        return {"ratio": self.ratio, "before": self.before}


def held_back(planner: Planner, usd: np.ndarray, target: float | None, allowed: Sequence[bool]) -> Held | None:
    """The orders of `usd` sized again on odd days for the same share freed, judged on even days.

    None for a model without scenarios, with fewer than 40 of them in a half, or where odd days ask nothing.
    """
    if not isinstance(planner, LadderPlanner) or not isinstance(planner.programme, ScenarioProgramme):
        return None
    programme = planner.programme
    odd, even = half(programme, 0), half(programme, 1)
    nothing = np.zeros(len(usd))
    before_odd, before_even = odd.figure(nothing), even.figure(nothing)
    if min(odd.losses.shape[1], even.losses.shape[1]) < LEAST or before_odd <= 0:
        return None
    share = programme.figure(usd) / programme.figure(nothing)
    used = usd > 1e-9 * max(planner.menu.gross, 1e-12)
    found = odd.least_cost(share * before_odd, None, used & np.asarray(allowed, dtype=bool))
    if found is None:
        found = odd.most_freed(None, None, used)
    margin = odd.figure(found.usd)
    if margin <= 1e-9 * before_odd:
        return None
    return Held(ratio=even.figure(found.usd) / margin, before=before_even / before_odd)


def half(programme: ScenarioProgramme, start: int) -> ScenarioProgramme:
    """The same programme on every second scenario, from the first (0) or the second (1)."""
    return ScenarioProgramme(
        programme.menu,
        programme.losses[:, start::2],
        programme.relief[:, start::2],
        programme.group.tolist(),
        programme.level,
    )
