"""Floor 6: which trade frees most margin per dollar, what it costs, and whether the rule would have worked."""

from margin.hedge.answer import Hedge, Way
from margin.hedge.costs import Costs
from margin.hedge.study import hedge

__all__ = ["Costs", "Hedge", "Way", "hedge"]
