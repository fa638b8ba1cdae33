"""Drift v2's arithmetic: weights that change with size, the margin of perpetuals and balances, and its liquidations.

Weights and ratios are integers of 1e-4, sizes of 1e-9 and factors of 1e-6, rounded down as on the chain.
Source: drift-labs/protocol-v2, programs/drift/src: math/margin.rs, math/liquidation.rs, state/perp_market.rs, commit
0ae3e3b1db78.
"""

import math
from typing import Any, Literal

import numpy as np

Kind = Literal["initial", "fill", "maintenance"]
ONE = 10_000  # a weight of 100%
OPEN_ORDER = 0.01  # USD per open order


def size_premium(size: int, imf: int, weight: int, bounded: bool = True) -> int:
    """Weight of a liability of a size: 0.8 w + imf x root(size), and no less than w when `bounded`."""
    if imf == 0:
        return weight
    premium = weight - weight // 5 + math.isqrt(10 * size + 1) * imf // 10_000_000
    return max(weight, premium) if bounded else premium


def size_discount(size: int, imf: int, weight: int) -> int:
    """Weight of an asset of a size: at most 1.1 / (1 + imf x root(size))."""
    if imf == 0:
        return weight
    return min(weight, 1_100_000 * ONE // (1_000_000 + math.isqrt(10 * size + 1) * imf // 100_000))


def deposit_scaled(weight: int, deposits_value: float, start: float) -> int:
    """Initial asset weight, lower once the whole protocol's deposits (USD) exceed `start`."""
    return weight if start <= 0 or deposits_value < start else int(weight * start / deposits_value + 1e-9)


def at(kind: Kind, initial: int, maintenance: int) -> int:
    """The ratio of a kind; that of a fill is the mean of the two."""
    return {"initial": initial, "fill": (initial + maintenance) // 2, "maintenance": maintenance}[kind]


def margin_ratio(size: int, imf: int, normal: tuple[int, int], kind: Kind, high: tuple[int, int] | None = None) -> int:
    """Margin ratio of a perpetual of a size; `high` are the (initial, maintenance) ratios of high-leverage mode."""
    base = at(kind, *normal)
    if high is None:
        return size_premium(size, imf, base)
    own = at(kind, *high)
    if kind == "maintenance":
        return size_premium(size, imf, own)
    grown = size_premium(size, imf, base, bounded=False)
    if grown >= base:
        return grown
    used = ONE - (base - grown) * ONE // (base // 5)
    return own + (base - own) * used // ONE


def strict(oracle: Any, twap: Any) -> tuple[Any, Any]:
    """(price of an asset, price of a liability): the worse of oracle and five-minute average."""
    return np.minimum(oracle, twap), np.maximum(oracle, twap)


def perpetual_margin(base: float, price: Any, ratio: float, quote_price: float = 1.0, custom: float = 0.0) -> Any:
    """USD of a perpetual; `custom` is the user's own lowest ratio (initial margin only)."""
    return abs(base) * price * max(ratio, custom) * quote_price


def balance(value: Any, asset_weight: float, liability_weight: float, custom: float = 0.0) -> tuple[Any, Any]:
    """(collateral, requirement) in USD of a token balance worth `value`; `custom` as for a perpetual."""
    if custom:
        asset_weight, liability_weight = min(asset_weight, max(1.0 - custom, 0.0)), max(liability_weight, 1.0 + custom)
    return np.maximum(value, 0.0) * asset_weight, np.maximum(-value, 0.0) * liability_weight


def base_to_liquidate(
    shortage: int, ratio: int, liquidator_fee: int, insurance_fee: int, oracle: int, quote_oracle: int = 1_000_000
) -> int | None:
    """Base (1e-9) whose closing makes good a shortage (1e-6 USD); None where the fees eat up what it frees."""
    freed = oracle * quote_oracle // 1_000_000 * (ratio * 100 - liquidator_fee) // 1_000_000
    freed -= oracle * insurance_fee // 1_000_000
    return shortage * 1_000_000_000 // freed if freed > 0 else None


def insurance_fee(shortage: int, base: int, ratio: int, liquidator_fee: int, oracle: int, highest: int) -> int:
    """Fee rate (1e-6) to the insurance fund: 95% of what the margin leaves after the liquidator and the shortage."""
    left = ratio * 100 - liquidator_fee
    value = base * oracle // 1_000_000_000
    if left <= 0 or value == 0:
        return 0
    left -= shortage * 1_000_000 // value
    return min(max(left, 0) * 95 // 100, highest)


def borrow_to_repay(
    shortage: int, asset: tuple[int, int], liability: tuple[int, int], fee: int, price: int, decimals: int = 9
) -> int | None:
    """Borrowed tokens (10^-decimals) whose repayment makes good a shortage (1e-6 USD); None where none does.

    asset, liability : (weight 1e-4, liquidation multiplier 1e-6) of what pays and of what is owed
    fee : of the insurance fund, 1e-6; price : 1e-6 USD of the borrowed token
    """
    paid = asset[0] * 10 * asset[1] // liability[1]
    freed = price * (liability[0] * 10 - paid) - price * fee // 1_000_000 * liability[0] * 10
    if asset[0] >= liability[0] or freed <= 0:
        return None
    return int(shortage * 10**decimals * 100_000 // freed)


def borrow_repaid_by(amount: int, asset: int, liability: int, price: int, decimals: int = 9) -> int:
    """Borrowed tokens (10^-decimals) that `amount` dollars (1e-6) repay at the multipliers (1e-6), rounded up."""
    return int(-(-amount * liability * 10**decimals // (price * asset)))


def dollars_for(borrow: int, asset: int, liability: int, price: int, held: int, decimals: int = 9) -> int:
    """Dollars (1e-6) a liquidator takes for repaying a borrow, rounded up, at most those `held`."""
    return int(min(-(-borrow * price * asset // (liability * 10**decimals)), held))
