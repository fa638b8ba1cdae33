"""What a basket of collateral is worth against a book: haircut by haircut, and jointly with the book's own risk."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Collateral, Portfolio, Position
from margin.core.settings import Settings
from margin.haircut.model import Haircut, haircut
from margin.haircut.settings import HaircutSettings
from margin.risk.exposures import value_book
from margin.risk.history import history
from margin.risk.models import ScenarioModel

BASEL = 12.5  # risk-weighted amount per unit of capital, 1 / 8%. Source: Basel framework, RBC20


@dataclass(frozen=True, kw_only=True)
class RiskWeighted:
    """USD. lines: one Haircut per asset; market_value, counted: before and after haircuts.

    capital_alone : sum of haircut x value; capital_joint : expected shortfall of the whole basket over the settings'
                    wait, with haircuts' level: what diversification within the basket leaves of the tail losses alone
    risk_weighted : 12.5 x capital_alone, the amount a bank would call risk-weighted at 8% capital
    """

    lines: tuple[Haircut, ...]
    market_value: float
    counted: float
    capital_alone: float
    capital_joint: float
    risk_weighted: float


@dataclass(frozen=True)
class Swap:
    """Selling `amount` USD of one collateral asset for another. Gains are USD of free equity.

    haircut_gain : by the change of counted value
    joint_gain   : by the change of the margin of positions and collateral together; collateral at market value
    """

    sell: str
    buy: str
    amount: float
    haircut_gain: float
    joint_gain: float


@dataclass(frozen=True, kw_only=True)
class Way:
    """The same coins held against a position in the same coin, in both treatments. USD.

    wrong_way : the collateral loses value when the position loses (held against a long)
    """

    side: str
    wrong_way: bool
    counted: float
    margin_haircut: float
    free_haircut: float
    market_value: float
    margin_joint: float
    free_joint: float

    @property
    def joint_gain(self) -> float:
        """USD more that is free where the collateral is seen together with the position."""
        return self.free_joint - self.free_haircut


def risk_weighted(
    collateral: Sequence[Collateral],
    market: Market,
    settings: Settings | None = None,
    haircuts: HaircutSettings | None = None,
) -> RiskWeighted:
    """Collateral value after size-dependent haircuts, and the capital they stand for, as of settings.as_of.

    Raises MissingPriceError for an asset without a recent price, InputError for a negative amount.
    """
    chosen, s = settings or Settings(), haircuts or HaircutSettings()
    values = _values(collateral, market, chosen)
    lines = tuple(haircut(market, asset, value, chosen.as_of, s) for asset, value in values.items())
    total = sum(values.values())
    lost = sum(line.total * line.size_usd for line in lines)
    moving = {asset: value for asset, value in values.items() if asset in market and value > 0}
    joint = 0.0
    if moving:
        returns = market.returns(list(moving), chosen.as_of, s.wait, s.lookback).values
        losses = -(returns @ np.array(list(moving.values())))
        joint = ScenarioModel(losses[:, None], s.level).total()
    return RiskWeighted(
        lines=lines,
        market_value=total,
        counted=total - lost,
        capital_alone=lost,
        capital_joint=joint,
        risk_weighted=BASEL * lost,
    )


def swap_values(
    portfolio: Portfolio,
    market: Market,
    candidates: Sequence[str],
    amount: float = 1000.0,
    settings: Settings | None = None,
    haircuts: HaircutSettings | None = None,
) -> list[Swap]:
    """Free equity won by swapping `amount` USD of each collateral asset for each candidate, best haircut gain first.

    At most what is held is swapped. Both treatments are recomputed in full, with size-dependent haircuts and historical
    scenarios on the dates all the assets share.
    """
    chosen, s = settings or Settings(), haircuts or HaircutSettings()
    if not amount > 0:
        raise InputError("amount", amount, "must be above 0 dollars")
    portfolio = portfolio.settled
    values = _values(portfolio.collateral, market, chosen)
    names = list(dict.fromkeys([*values, *candidates]))
    joint = JointMargin(portfolio.positions, market, names, chosen)

    def counted(held: dict[str, float]) -> float:
        return sum(v * (1.0 - haircut(market, a, v, chosen.as_of, s).total) for a, v in held.items())

    base_counted, base_joint = counted(values), joint.margin(values)
    found = []
    for sell, value in values.items():
        moved = min(amount, value)
        for buy in candidates:
            if buy == sell or moved <= 0:
                continue
            after = {**values, sell: value - moved}
            after[buy] = after.get(buy, 0.0) + moved
            gain = counted(after) - base_counted
            found.append(Swap(sell, buy, moved, gain, base_joint - joint.margin(after)))
    return sorted(found, key=lambda swap: -swap.haircut_gain)


def right_and_wrong_way(
    asset: str,
    market: Market,
    position_usd: float,
    collateral_usd: float,
    settings: Settings | None = None,
    haircuts: HaircutSettings | None = None,
) -> tuple[Way, Way]:
    """(against a short, against a long): `collateral_usd` of the asset held against `position_usd` of it."""
    chosen, s = settings or Settings(), haircuts or HaircutSettings()
    for name, value in (("position_usd", position_usd), ("collateral_usd", collateral_usd)):
        if not 0 < value < 1e15:
            raise InputError(name, value, "must be above 0 dollars")
    price = market.price(asset, chosen.as_of)
    cut = haircut(market, asset, collateral_usd, chosen.as_of, s)
    ways = []
    for side, sign in (("short", -1.0), ("long", 1.0)):
        position = Position(f"{asset}/USD", sign * position_usd / price, paid=False)
        joint = JointMargin((position,), market, [asset], chosen)
        alone, together = joint.margin({}), joint.margin({asset: collateral_usd})
        ways.append(
            Way(
                side=side,
                wrong_way=sign > 0,
                counted=cut.counted_usd,
                margin_haircut=alone,
                free_haircut=cut.counted_usd - alone,
                market_value=collateral_usd,
                margin_joint=together,
                free_joint=collateral_usd - together,
            )
        )
    return ways[0], ways[1]


class JointMargin:
    """Margin of positions and collateral under the same historical scenarios, for many collateral baskets.

    losses  : (n, ) USD of the positions; returns (n, k) of the collateral `names` that move, on the dates all share
    """

    def __init__(self, positions: Sequence[Position], market: Market, names: Sequence[str], settings: Settings):
        book_of = Portfolio(tuple(positions))
        self.names = tuple(n for n in names if n in market)
        assets = list(dict.fromkeys([*book_of.assets, *self.names]))
        self.level, self.measure = settings.level, settings.measure
        if not assets:
            self.losses, self.returns = np.zeros(1), np.zeros((1, 0))
            return
        past = history(market, assets, settings)
        recent = past.horizon.values[-settings.lookback :]
        book = value_book(positions, past.assets, past.horizon.prices, past.daily_vol, past.horizon.as_of, settings)
        self.losses = book.losses(recent).sum(axis=1) if positions else np.zeros(len(recent))
        self.returns = recent[:, [past.assets.index(n) for n in self.names]]

    def margin(self, values: dict[str, float]) -> float:
        """USD margin with `values` (USD by asset) of collateral; what has no prices does not move."""
        held = np.array([values.get(name, 0.0) for name in self.names])
        losses = self.losses - self.returns @ held
        return ScenarioModel(losses[:, None], self.level, self.measure).total()


def _values(collateral: Sequence[Collateral], market: Market, settings: Settings) -> dict[str, float]:
    values: dict[str, float] = {}
    for item in collateral:
        if item.quantity < 0:
            raise InputError(f"collateral {item.asset}", item.quantity, "is a debt, not collateral")
        price, _ = market.collateral_price(item.asset, settings.as_of)
        values[item.asset] = values.get(item.asset, 0.0) + item.quantity * price
    return values
