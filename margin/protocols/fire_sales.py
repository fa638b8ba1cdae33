"""Fire sales: leveraged holders sell to get back to their leverage, prices fall, and others lose who hold the same.

Greenwood, Landier and Thesmar (2015), "Vulnerable banks", Journal of Financial Economics 115. Definitions:
docs/protocols.md.
"""

from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError
from margin.core.impact import square_root_move
from margin.protocols.debtrank import spectral_radius

ROUNDS = 10_000


@dataclass(frozen=True, kw_only=True, eq=False)
class FireSale:
    """One round after a shock, and where repeated rounds end.

    returns   : (n,) of each holder's assets under the shock alone
    sales     : (k,) USD sold of each asset; price_moves (k,) what the sales add, as fractions
    losses    : (n,) USD that the sales cost each holder; vulnerability: their sum / all equity
    radius    : spectral radius of the round; total_moves (k,): price moves after all rounds, None where they do not end
    """

    returns: np.ndarray
    sales: np.ndarray
    price_moves: np.ndarray
    losses: np.ndarray
    vulnerability: float
    radius: float
    total_moves: np.ndarray | None


def fire_sale(
    assets: np.ndarray, leverage: np.ndarray, weights: np.ndarray, impact: np.ndarray, shock: np.ndarray
) -> FireSale:
    """Linear price impact.

    assets, leverage : (n,) USD of assets and debt / equity of each holder; weights (n, k) of each asset, rows sum to 1
    impact           : (k,) fraction the price falls per USD sold; shock (k,) fractions
    Raises InputError for shapes or values that do not fit.
    """
    assets, leverage, weights, impact, shock = _checked(assets, leverage, weights, impact, shock)
    returns = weights @ shock
    sales = weights.T @ (assets * leverage * -returns)
    moves = -impact * sales
    losses = assets * (weights @ -moves)
    round_trip = impact[:, None] * (weights.T @ ((assets * leverage)[:, None] * weights))
    radius = spectral_radius(round_trip)
    total = np.linalg.solve(np.eye(len(shock)) - round_trip, shock) if radius < 1 else None
    equity = float((assets / (1.0 + leverage)).sum())
    return FireSale(
        returns=returns,
        sales=sales,
        price_moves=moves,
        losses=losses,
        vulnerability=float(losses.sum()) / equity,
        radius=radius,
        total_moves=total,
    )


def square_root_rounds(
    assets: np.ndarray,
    leverage: np.ndarray,
    weights: np.ndarray,
    daily_vol: np.ndarray,
    daily_volume: np.ndarray,
    shock: np.ndarray,
    factor: float = 1.0,
) -> np.ndarray:
    """(k,) price moves after all rounds, square-root law: factor x volatility x root(USD sold / USD traded a day).

    What is sold answers the whole fall so far. No price falls below nothing. Raises InputError as `fire_sale` does.
    """
    assets, leverage, weights, daily_vol, shock = _checked(assets, leverage, weights, daily_vol, shock)
    volume = np.asarray(daily_volume, dtype=float)
    if volume.shape != shock.shape or not (volume > 0).all():
        raise InputError("daily_volume", "an amount", f"must be {len(shock)} amounts above 0 USD")
    moves = shock.copy()
    for _ in range(ROUNDS):
        sold = np.maximum(weights.T @ (assets * leverage * -(weights @ moves)), 0.0)
        after = np.maximum(shock - square_root_move(sold, volume, daily_vol, factor), -1.0)
        if np.abs(after - moves).max(initial=0.0) < 1e-14:
            out: np.ndarray = after
            return out
        moves = after
    raise InputError("shock", "its rounds", "do not settle", "Less leverage or more volume.")


def _checked(
    assets: np.ndarray, leverage: np.ndarray, weights: np.ndarray, impact: np.ndarray, shock: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    a, b, m, side, f = (np.asarray(x, dtype=float) for x in (assets, leverage, weights, impact, shock))
    n, k = len(a), len(f)
    if b.shape != (n,) or m.shape != (n, k) or side.shape != (k,):
        raise InputError("weights", m.shape, f"must be {n} x {k}: one row per holder, one column per asset")
    for name, values in (("assets", a), ("leverage", b), ("weights", m), ("impact", side)):
        if not np.isfinite(values).all() or (values < 0).any():
            raise InputError(name, "a value", "must be finite, 0 or more")
    if not a.sum() > 0:
        raise InputError("assets", 0.0, "nobody holds anything")
    if np.abs(m.sum(axis=1) - 1.0).max() > 1e-9:
        raise InputError("weights", "a row", "must sum to 1")
    if not ((f >= -1.0) & (f <= 100.0)).all():
        raise InputError("shock", "a move", "must be a fraction from -1 to 100")
    return a, b, m, side, f
