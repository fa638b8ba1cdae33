"""The shocks of an audit: all assets alike, through betas, recorded events and days, each asset alone, or one's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.core.errors import InputError, did_you_mean
from margin.core.market import Market
from margin.core.settings import Settings
from margin.sample.events import load_events

UNIFORM = (0.01, 0.03, 0.05, 0.10, 0.15, 0.20, 0.30)
SINGLE_MOVES = (-0.30, -0.20, -0.10, 0.10, 0.30, 0.50)
LEADER = "BTC"


@dataclass(frozen=True, kw_only=True, eq=False)
class Shock:
    """A move of every asset, fractions by asset; assets that are not named stay."""

    name: str
    moves: Mapping[str, float]


def default_shocks(assets: Sequence[str]) -> tuple[Shock, ...]:
    """Every asset down and up by 1, 3, 5, 10, 15, 20 and 30%."""
    sizes = [*(-x for x in reversed(UNIFORM)), *UNIFORM]
    return tuple(Shock(name=f"all {size:+.0%}", moves=dict.fromkeys(assets, size)) for size in sizes)


def single_shocks(assets: Sequence[str], down: float = -0.3, up: float = 0.5) -> tuple[Shock, ...]:
    """Each asset alone down and up."""
    return tuple(Shock(name=f"{asset} {size:+.0%}", moves={asset: size}) for asset in assets for size in (down, up))


def wide_shocks(market: Market, assets: Sequence[str], settings: Settings | None = None) -> tuple[Shock, ...]:
    """All alike; the market through betas; recorded events; the 20 worst days of the lookback; each asset alone by
    -30, -20, -10, +10, +30 and +50%."""
    singles = [Shock(name=f"{asset} {size:+.0%}", moves={asset: size}) for asset in assets for size in SINGLE_MOVES]
    known = betas(market, assets, settings)
    return (
        *default_shocks(assets),
        *beta_shocks(known),
        *event_shocks(known),
        *worst_days(market, assets, settings),
        *singles,
    )


def betas(market: Market, assets: Sequence[str], settings: Settings | None = None) -> dict[str, float]:
    """Covariance with BTC / variance of BTC of each asset's daily returns over the lookback; empty without BTC."""
    chosen = settings or Settings()
    if LEADER not in market:
        return {}
    names = [LEADER, *(a for a in assets if a != LEADER)]
    returns = market.returns(names, chosen.as_of, 1, chosen.lookback).values
    with_leader = np.cov(returns.T)[0] if len(names) > 1 else np.array([float(np.var(returns, ddof=1))])
    found = dict(zip(names, (with_leader / with_leader[0]).tolist(), strict=True)) if with_leader[0] > 0 else {}
    return {asset: found[asset] for asset in assets if asset in found}


def beta_shocks(known: Mapping[str, float]) -> tuple[Shock, ...]:
    """BTC down and up by 1 to 30%, every other asset by its beta times that, at most all of its price."""
    sizes = [*(-x for x in reversed(UNIFORM)), *UNIFORM] if known else []
    return tuple(
        Shock(name=f"market {size:+.0%}", moves={a: max(beta * size, -1.0) for a, beta in known.items()})
        for size in sizes
    )


def event_shocks(known: Mapping[str, float]) -> tuple[Shock, ...]:
    """The recorded events of the Stress page, close to close; an asset without a record moves by its beta to BTC's."""
    out = []
    for event in load_events():
        record = {asset: move.close_to_close for asset, move in event.moves.items()}
        leader = record.get(LEADER)
        moves = {a: record[a] if a in record else max(beta * leader, -1.0) if leader is not None else 0.0
                 for a, beta in known.items()}  # fmt: skip
        if any(moves.values()):
            out.append(Shock(name=event.name, moves=moves))
    return tuple(out)


def worst_days(
    market: Market, assets: Sequence[str], settings: Settings | None = None, count: int = 20
) -> tuple[Shock, ...]:
    """The recorded days on which the assets fell most on average, within the lookback, worst first."""
    chosen = settings or Settings()
    past = market.returns(list(assets), chosen.as_of, 1, chosen.lookback)
    worst = np.argsort(past.values.mean(axis=1), kind="stable")[:count]
    return tuple(
        Shock(name=str(past.dates[i])[:10], moves=dict(zip(assets, past.values[i].tolist(), strict=True)))
        for i in worst
    )


def read_shocks(data: Any, assets: Sequence[str]) -> tuple[Shock, ...]:
    """Shocks from JSON: [{"name": "crash", "moves": {"BTC": -0.3}}], "*" for every other asset. Raises InputError."""
    if not isinstance(data, list) or not data:
        raise InputError(
            "shocks", str(data)[:20], "must be a list of shocks", '[{"name": "crash", "moves": {"*": -0.2}}]'
        )
    out = []
    for i, row in enumerate(data):
        if not isinstance(row, Mapping) or not isinstance(row.get("moves"), Mapping):
            raise InputError(f"shocks[{i}]", str(row)[:20], "must be an object with moves")
        given = dict(row["moves"])
        rest = given.pop("*", 0.0)
        for asset, move in {**given, "*": rest}.items():
            if isinstance(move, bool) or not isinstance(move, int | float) or not -1.0 <= move <= 100.0:
                raise InputError(f"shocks[{i}].{asset}", move, "must be a fraction from -1 to 100")
        unknown = [asset for asset in given if asset not in assets]
        if unknown:
            raise InputError(f"shocks[{i}]", unknown[0], "has no prices", did_you_mean(unknown[0], assets))
        moves = {asset: float(given.get(asset, rest)) for asset in assets}
        out.append(Shock(name=str(row.get("name", f"shock {i + 1}")), moves=moves))
    return tuple(out)
