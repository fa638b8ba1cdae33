"""Margin Lab's engine: how much margin a portfolio needs under each method, and why they differ.

from margin import Portfolio, compare
compare(Portfolio.from_json(text), prices, level=0.975, horizon=1, lookback=500)

What is named here is loaded when it is first asked for (PEP 562): `import margin` itself loads no numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from margin.core.account import Account
    from margin.core.errors import InputError, MarginLabError
    from margin.core.market import Market
    from margin.core.portfolio import Collateral, Portfolio, Position
    from margin.core.settings import Safeguards, Settings
    from margin.ladder.compare import Comparison, compare, compare_methods
    from margin.sample.load import load_sample

_HOMES = {
    "Account": "margin.core.account",
    "Collateral": "margin.core.portfolio",
    "Comparison": "margin.ladder.compare",
    "InputError": "margin.core.errors",
    "MarginLabError": "margin.core.errors",
    "Market": "margin.core.market",
    "Portfolio": "margin.core.portfolio",
    "Position": "margin.core.portfolio",
    "Safeguards": "margin.core.settings",
    "Settings": "margin.core.settings",
    "compare": "margin.ladder.compare",
    "compare_methods": "margin.ladder.compare",
    "load_sample": "margin.sample.load",
}

__version__ = "0.1.0"
__all__ = [
    "Account",
    "Collateral",
    "Comparison",
    "InputError",
    "MarginLabError",
    "Market",
    "Portfolio",
    "Position",
    "Safeguards",
    "Settings",
    "compare",
    "compare_methods",
    "load_sample",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'margin' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
