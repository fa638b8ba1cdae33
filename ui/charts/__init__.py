"""Floor 2: Plotly figures from engine results, each with its words for who cannot see it (`..._alt`).

Colours come from the visitor's theme, texts and numbers from the result. Charts of one page are in the file of its
name; `learn` belongs to the Learn page and is not loaded here.
"""

from ui.charts.data import coverage, coverage_alt
from ui.charts.ladder import contributions, contributions_alt, methods, methods_alt, waterfall, waterfall_alt
from ui.charts.risk import equal_risk, equal_risk_alt, loss_distribution, loss_distribution_alt

__all__ = [
    "contributions",
    "contributions_alt",
    "coverage",
    "coverage_alt",
    "equal_risk",
    "equal_risk_alt",
    "loss_distribution",
    "loss_distribution_alt",
    "methods",
    "methods_alt",
    "waterfall",
    "waterfall_alt",
]
