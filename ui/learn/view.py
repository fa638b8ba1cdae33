"""What the steps of the Learn page share: the form of their answer, the pair they talk about, the prices."""

from dataclasses import dataclass
from functools import lru_cache

import plotly.graph_objects as go

from data.sample import load_sample
from margin import Market
from margin.lessons.closed_forms import Pair

LONG, SHORT = "ETH", "BTC"
LONG_VOL, SHORT_VOL = 0.04, 0.03  # a day, about those of ETH and BTC
VALUE = 100_000.0
ASSUMED = 0.8  # about the middle of what their daily correlation has been
SAMPLE = "Bundled sample, partly simulated."


@dataclass(frozen=True, kw_only=True)
class View:
    """What a step shows for the controls as they stand. numbers: (label, figure, note); formula: LaTeX, then words."""

    numbers: tuple[tuple[str, str, str], ...]
    figure: go.Figure
    alt: str
    answer: str
    formula: str
    words: str
    source: str = ""


@lru_cache(maxsize=1)
def sample_market() -> Market:
    """The bundled sample whatever prices the other pages use: a lesson is the same for everybody."""
    prices = load_sample()
    return prices.market()


def pair(correlation: float, both_long: bool = False) -> Pair:
    """The two positions of steps 2 to 5."""
    return Pair(VALUE, VALUE if both_long else -VALUE, LONG_VOL, SHORT_VOL, correlation)
