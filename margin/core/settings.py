"""Everything a comparison depends on besides the book and the prices, as one immutable, hashable value."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from margin.core.checks import between, choice, date_text, field_names, keep_between, only_keys, switch, whole_number
from margin.core.errors import InputError
from margin.core.providers import files_of

MEASURES = ("es", "var")
CORRELATIONS = ("sample", "ewma", "ledoit-wolf", "what-if")
TREATMENTS = ("haircut", "joint")
PROCYCLICALITY = ("floor", "buffer", "stress", "off")

Pairs = tuple[tuple[str, str, float], ...]
PerAsset = tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class Safeguards:
    """What a careful clearing house adds to the portfolio margin; each switch has its own line in the result."""

    offset_cap: bool = True
    offset_cap_share: float = 0.80  # EMIR RTS 153/2013, article 27: the reduction is at most 80%
    stressed: bool = True
    stress_weight: float = 0.70  # weight of the stressed figure; public replicas of Eurex Prisma use 0.5 to 0.7
    correlation_break: bool = True
    correlation_weight: float = 0.25  # as EMIR article 28(1)(b) weighs stressed observations
    basis: bool = True
    basis_majors: float = (
        0.0025  # BTC and ETH: the worst recorded hour of a perpetual beside spot, margin/ladder/basis.py
    )
    basis_others: float = 0.0140  # every other asset
    basis_carry: float = 0.02  # a year to the expiry of a dated future
    liquidity: bool = True
    impact_factor: float = 1.0  # Y of the square-root law, of order one (Toth et al. 2011)
    procyclicality: Literal["floor", "buffer", "stress", "off"] = "floor"  # EMIR article 28(1)(c), (a), (b)
    buffer_share: float = 0.25  # EMIR article 28(1)(a): at least 25%
    stress_share: float = 0.25  # EMIR article 28(1)(b): at least 25%
    cap_at_isolated: bool = True  # nobody would choose a pool that asks more than isolated accounts

    def __post_init__(self) -> None:
        for name in ("offset_cap", "stressed", "correlation_break", "basis", "liquidity", "cap_at_isolated"):
            switch(getattr(self, name), f"safeguards.{name}")
        for name in (
            "offset_cap_share",
            "correlation_weight",
            "stress_share",
            "basis_majors",
            "basis_others",
            "basis_carry",
        ):
            keep_between(self, name, 0.0, 1.0, "safeguards.")
        for name, most in (("stress_weight", 2.0), ("impact_factor", 10.0), ("buffer_share", 2.0)):
            keep_between(self, name, 0.0, most, "safeguards.")
        choice(self.procyclicality, PROCYCLICALITY, "safeguards.procyclicality")


@dataclass(frozen=True, kw_only=True)
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
    estimator: str = "historical"  # a file of margin/risk/estimators/
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
        choice(self.measure, MEASURES, "measure")
        choice(self.estimator, files_of("estimators"), "estimator")
        choice(self.correlation, CORRELATIONS, "correlation")
        choice(self.collateral_treatment, TREATMENTS, "collateral_treatment")
        keep_between(self, "level", 0.5, 0.9999)
        keep_between(self, "maintenance", 0.01, 1.0)
        object.__setattr__(self, "horizon", whole_number(self.horizon, "horizon", 1, 365))
        object.__setattr__(self, "lookback", whole_number(self.lookback, "lookback", 2, 100_000))
        keep_between(self, "vol_halflife", 1.0, 10_000.0)
        keep_between(self, "corr_halflife", 1.0, 10_000.0)
        keep_between(self, "ewma_lambda", 0.5, 0.9999)
        keep_between(self, "degrees_of_freedom", 2.1, 1000.0)
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
        only_keys(given, field_names(Settings), "settings")
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
        found: Settings = _build(cls, data, "settings")
        return found


def _differences(value: Any, default: Any) -> dict[str, Any]:
    pairs = ((f.name, getattr(value, f.name)) for f in fields(value))
    return {name: part for name, part in pairs if part != getattr(default, name)}


def _build(kind: type, data: Any, where: str) -> Any:
    if not isinstance(data, Mapping):
        raise InputError(where, data, "must be an object")
    only_keys(data, field_names(kind), where)
    return kind(**data)


def _per_asset(value: Any, name: str, least: float, most: float) -> PerAsset:
    items = value.items() if isinstance(value, Mapping) else value
    try:
        pairs = [(asset, number) for asset, number in items]
    except (TypeError, ValueError):
        raise InputError(name, value, "must map assets to numbers", 'E.g. {"BTC": 0.1}.') from None
    for asset, _ in pairs:
        _asset(asset, name)
    return tuple(sorted((asset, between(number, f"{name}.{asset}", least, most)) for asset, number in pairs))


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
        out[first, second] = between(rho, f"what_if.{first}/{second}", -1.0, 1.0)
    return tuple((a, b, rho) for (a, b), rho in sorted(out.items()))


def _asset(value: Any, name: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 20:
        raise InputError(name, value, "must name assets")
    return value
