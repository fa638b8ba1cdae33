"""Everything a comparison depends on besides the book and the prices, as one immutable, hashable value."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np

from margin.core.errors import InputError, did_you_mean
from margin.core.market import parse_date, whole_number

MEASURES = ("es", "var")
ESTIMATORS = ("historical", "filtered", "gaussian", "student", "stressed")
CORRELATIONS = ("sample", "ewma", "ledoit-wolf", "what-if")
TREATMENTS = ("haircut", "joint")
PROCYCLICALITY = ("floor", "buffer", "stress", "off")

Number = int | float | np.integer | np.floating
Pairs = tuple[tuple[str, str, float], ...]
PerAsset = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Safeguards:
    """What a careful clearing house adds to the portfolio margin; each switch has its own line in the result."""

    offset_cap: bool = True
    offset_cap_share: float = 0.80  # EMIR RTS 153/2013, article 27: the reduction is at most 80%
    stressed: bool = True
    stress_weight: float = 0.70  # weight of the stressed figure; public replicas of Eurex Prisma use 0.5 to 0.7
    correlation_break: bool = True
    correlation_weight: float = 0.25  # as EMIR article 28(1)(b) weighs stressed observations
    liquidity: bool = True
    impact_factor: float = 1.0  # Y of the square-root law, of order one (Toth et al. 2011)
    procyclicality: Literal["floor", "buffer", "stress", "off"] = "floor"  # EMIR article 28(1)(c), (a), (b)
    buffer_share: float = 0.25  # EMIR article 28(1)(a): at least 25%
    stress_share: float = 0.25  # EMIR article 28(1)(b): at least 25%
    cap_at_isolated: bool = True  # nobody would choose a pool that asks more than its silos

    def __post_init__(self) -> None:
        for name in ("offset_cap", "stressed", "correlation_break", "liquidity", "cap_at_isolated"):
            _switch(getattr(self, name), f"safeguards.{name}")
        for name in ("offset_cap_share", "correlation_weight", "stress_share"):
            _fraction(self, name, "safeguards.", 0.0, 1.0)
        for name, most in (("stress_weight", 2.0), ("impact_factor", 10.0), ("buffer_share", 2.0)):
            _fraction(self, name, "safeguards.", 0.0, most)
        _one_of(self.procyclicality, PROCYCLICALITY, "safeguards.procyclicality")


@dataclass(frozen=True)
class Settings:
    """How margin is measured. Defaults: 97.5% expected shortfall, one day, 500 historical scenarios.

    what_if, implied_vol and haircuts are given as mappings and kept as sorted tuples, so that settings hash.
    what_if: {("BTC", "ETH"): 0.2} or [["BTC", "ETH", 0.2]]; the order within a pair does not matter.
    implied_vol is annual (0.6 = 60%); haircuts are fractions; half-lives are in days; maintenance is the share of the
    requirement below which liquidation starts. Joint treatment takes effect where coins are held as collateral: dollars
    and stablecoins alone count after their haircuts.
    """

    measure: Literal["es", "var"] = "es"
    level: float = 0.975
    horizon: int = 1
    lookback: int = 500
    estimator: Literal["historical", "filtered", "gaussian", "student", "stressed"] = "historical"
    correlation: Literal["sample", "ewma", "ledoit-wolf", "what-if"] = "sample"
    what_if: Pairs = ()
    vol_halflife: float = 30.0
    corr_halflife: float = 90.0
    ewma_lambda: float = 0.94  # RiskMetrics' daily decay
    degrees_of_freedom: float = 4.0
    as_of: str | None = None
    implied_vol: PerAsset = ()
    collateral_treatment: Literal["haircut", "joint"] = "joint"
    maintenance: float = 0.5
    haircuts: PerAsset = ()
    safeguards: Safeguards = field(default_factory=Safeguards)

    def __post_init__(self) -> None:
        _one_of(self.measure, MEASURES, "measure")
        _one_of(self.estimator, ESTIMATORS, "estimator")
        _one_of(self.correlation, CORRELATIONS, "correlation")
        _one_of(self.collateral_treatment, TREATMENTS, "collateral_treatment")
        _fraction(self, "level", "", 0.5, 0.9999)
        _fraction(self, "maintenance", "", 0.01, 1.0)
        object.__setattr__(self, "horizon", whole_number(self.horizon, "horizon", 1, 365))
        object.__setattr__(self, "lookback", whole_number(self.lookback, "lookback", 2, 100_000))
        _fraction(self, "vol_halflife", "", 1.0, 10_000.0)
        _fraction(self, "corr_halflife", "", 1.0, 10_000.0)
        _fraction(self, "ewma_lambda", "", 0.5, 0.9999)
        _fraction(self, "degrees_of_freedom", "", 2.1, 1000.0)
        if self.as_of is not None:
            object.__setattr__(self, "as_of", date_text(self.as_of))
        object.__setattr__(self, "what_if", _pairs(self.what_if))
        object.__setattr__(self, "implied_vol", _per_asset(self.implied_vol, "implied_vol", 0.001, 10.0))
        object.__setattr__(self, "haircuts", _per_asset(self.haircuts, "haircuts", 0.0, 1.0))
        if isinstance(self.safeguards, Mapping):
            object.__setattr__(self, "safeguards", _build(Safeguards, self.safeguards, "safeguards"))
        if not isinstance(self.safeguards, Safeguards):
            raise InputError("safeguards", self.safeguards, "must be an object of switches")

    def with_(self, **changes: Any) -> "Settings":
        """A copy with some fields changed; None leaves a field as it is."""
        given = {name: value for name, value in changes.items() if value is not None}
        _known(given, Settings, "settings")
        return replace(self, **given)

    def to_dict(self) -> dict[str, Any]:
        """Only what differs from the defaults, as plain JSON values; `from_dict` gives back an equal value."""
        data = _differences(self, Settings())
        if "safeguards" in data:
            data["safeguards"] = _differences(self.safeguards, Safeguards())
        for name in ("implied_vol", "haircuts"):
            if name in data:
                data[name] = dict(data[name])
        if "what_if" in data:
            data["what_if"] = [list(pair) for pair in self.what_if]
        return data

    @classmethod
    def from_dict(cls, data: Any) -> "Settings":
        """Settings from `to_dict`'s form. Unknown keys and bad values raise InputError."""
        return _build(cls, data, "settings")


def _differences(value: Any, default: Any) -> dict[str, Any]:
    pairs = ((f.name, getattr(value, f.name)) for f in fields(value))
    return {name: part for name, part in pairs if part != getattr(default, name)}


def _build(kind: type, data: Any, where: str) -> Any:
    if not isinstance(data, Mapping):
        raise InputError(where, data, "must be an object")
    _known(data, kind, where)
    return kind(**data)


def _known(data: Mapping, kind: type, where: str) -> None:
    names = [f.name for f in fields(kind)]
    for key in data:
        if key not in names:
            raise InputError(where, key, "has an unknown key", did_you_mean(str(key), names))


def _switch(value: Any, name: str) -> None:
    if not isinstance(value, bool):
        raise InputError(name, value, "must be true or false")


def _one_of(value: Any, options: tuple[str, ...], name: str) -> None:
    if not isinstance(value, str) or value not in options:
        raise InputError(name, value, "is not one of the choices", f"Choose {', '.join(options)}.")


def _fraction(owner: Any, name: str, prefix: str, least: float, most: float) -> None:
    object.__setattr__(owner, name, _between(getattr(owner, name), prefix + name, least, most))


def _between(value: Any, name: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, Number) or not least <= value <= most:
        raise InputError(name, value, f"must be a number from {least:g} to {most:g}")
    return float(value)


def date_text(value: Any) -> str:
    """A date as the engine writes it: '2025-10-10', with the time of day only where there is one. Raises InputError."""
    stamp = parse_date(value)
    return stamp.strftime("%Y-%m-%d") if stamp == stamp.normalize() else stamp.strftime("%Y-%m-%dT%H:%M:%S")


def _per_asset(value: Any, name: str, least: float, most: float) -> PerAsset:
    items = value.items() if isinstance(value, Mapping) else value
    try:
        pairs = [(asset, number) for asset, number in items]
    except (TypeError, ValueError):
        raise InputError(name, value, "must map assets to numbers", 'E.g. {"BTC": 0.1}.') from None
    for asset, _ in pairs:
        _asset(asset, name)
    return tuple(sorted((asset, _between(number, f"{name}.{asset}", least, most)) for asset, number in pairs))


def _pairs(value: Any) -> Pairs:
    hint = 'E.g. [["BTC", "ETH", 0.2]].'
    try:
        pairs = [(*pair, rho) for pair, rho in value.items()] if isinstance(value, Mapping) else value
        triples = [(a, b, rho) for a, b, rho in pairs]
    except (TypeError, ValueError):
        raise InputError("what_if", value, "must be a list of [asset, asset, correlation]", hint) from None
    out: dict[tuple[str, str], float] = {}
    for a, b, rho in triples:
        first, second = sorted((_asset(a, "what_if"), _asset(b, "what_if")))
        if first == second:
            raise InputError("what_if", a, "pairs an asset with itself", hint)
        out[first, second] = _between(rho, f"what_if.{first}/{second}", -1.0, 1.0)
    return tuple((a, b, rho) for (a, b), rho in sorted(out.items()))


def _asset(value: Any, name: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 20:
        raise InputError(name, value, "must name assets")
    return value
