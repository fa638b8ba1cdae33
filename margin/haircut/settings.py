"""Every parameter of the dynamic haircut in one place: name, default, unit and where the default comes from."""

from dataclasses import dataclass, field, fields
from typing import Any

from margin.core.checks import between, choice, whole_number

TAILS = ("historical", "ewma", "filtered")
LIQUIDATIONS = ("linear", "block")
IMPACTS = ("larger", "square-root", "book")
OURS = "our choice"


def _parameter(default: Any, unit: str, meaning: str, source: str) -> Any:
    return field(default=default, metadata={"unit": unit, "meaning": meaning, "source": source})


@dataclass(frozen=True, kw_only=True)
class HaircutSettings:
    """haircut = max(floor, tail + stress + depeg + impact + buffer), at most 1. Each term: docs/haircuts.md.

    Raises InputError for a value outside its limits.
    """

    tail: str = _parameter("historical", "", f"estimator of the tail loss: {', '.join(TAILS)}", OURS)
    level: float = _parameter(0.99, "probability", "level of the expected shortfall", "EMIR RTS 153/2013, article 24")
    lookback: int = _parameter(500, "returns", "returns the tail is measured on", "EMIR article 25: at least a year")
    wait: int = _parameter(2, "days", "held in full before selling starts", "EMIR article 26: 2 days, listed products")
    participation: float = _parameter(0.10, "share of daily volume", "how fast it can be sold", OURS)
    liquidation: str = _parameter(
        "linear", "", "linear: sold evenly, variance of a third of the days; block: sold at the end",
        "Almgren and Chriss (2001), sold at a constant rate",
    )  # fmt: skip
    volume_days: int = _parameter(90, "days", "median of so many days is the daily volume", OURS)
    impact: str = _parameter("larger", "", "which price impact counts where an order book is at hand", OURS)
    impact_factor: float = _parameter(1.0, "", "Y of Y x volatility x root(size / volume)", "Toth et al. (2011)")
    ewma_lambda: float = _parameter(0.94, "per day", "decay of the daily volatility", "RiskMetrics (1996)")
    degrees_of_freedom: float = _parameter(4.0, "", "of the Student-t behind the ewma tail", "about 3 to 4 for coins")
    buffer_share: float = _parameter(0.25, "of the tail", "buffer on top in quiet times", "EMIR article 28(1)(a)")
    buffer_used_at: float = _parameter(
        2.0, "times long-run volatility", "the buffer shrinks from 1 times and is used up here", OURS
    )
    stress_weight: float = _parameter(0.25, "weight", "of the worst window's tail", "EMIR article 28(1)(b)")
    long_run: int = _parameter(3650, "returns", "the floor's history, where there is as much", "EMIR article 28(1)(c)")
    floor_share: float = _parameter(1.0, "of the long-run tail", "0 switches the long-run floor off", OURS)
    minimum: float = _parameter(0.05, "fraction", "least haircut of any asset but dollars", OURS)
    stable_minimum: float = _parameter(0.01, "fraction", "least haircut of a dollar stablecoin", OURS)
    depeg_weight: float = _parameter(0.25, "weight", "of the stablecoin's worst close below par so far", OURS)

    def __post_init__(self) -> None:
        for name, options in (("tail", TAILS), ("liquidation", LIQUIDATIONS), ("impact", IMPACTS)):
            choice(getattr(self, name), options, f"haircut.{name}")
        whole = (("lookback", 50, 100_000), ("wait", 1, 60), ("volume_days", 1, 3650), ("long_run", 50, 100_000))
        for name, low, high in whole:
            whole_number(getattr(self, name), f"haircut.{name}", low, high)
        for name, least, most in (
            ("level", 0.5, 0.9999), ("participation", 1e-4, 1.0), ("impact_factor", 0.0, 10.0),
            ("ewma_lambda", 0.5, 0.9999), ("degrees_of_freedom", 2.1, 1000.0), ("buffer_share", 0.0, 2.0),
            ("buffer_used_at", 1.0001, 100.0), ("stress_weight", 0.0, 1.0), ("floor_share", 0.0, 2.0),
            ("minimum", 0.0, 1.0), ("stable_minimum", 0.0, 1.0), ("depeg_weight", 0.0, 1.0),
        ):  # fmt: skip
            between(getattr(self, name), f"haircut.{name}", least, most)


def described(settings: HaircutSettings) -> list[dict[str, Any]]:
    """One row per parameter: name, value, unit, meaning, source, and whether it is the default."""
    return [
        {"name": f.name, "value": getattr(settings, f.name), "default": getattr(settings, f.name) == f.default}
        | {key: f.metadata[key] for key in ("unit", "meaning", "source")}
        for f in fields(settings)
    ]
