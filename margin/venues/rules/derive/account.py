"""What Derive's rulebooks share: who may be held, the account in dollars and coins, and how its result is put."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.core.account import SubAccount
from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import (
    CollateralValue,
    Grid,
    Lines,
    Mode,
    PositionMargin,
    Rulebook,
    Slider,
    Unsupported,
    VenueMargin,
)
from margin.venues.rules.derive import auction
from margin.venues.rules.derive.book import SECONDS_PER_YEAR, Expiry, Option

KINDS = ("spot", "perpetual", "option", "loan")
SLIDERS = (
    Slider(
        key="confidence",
        title="Confidence of the price feeds",
        low=0.0,
        high=1.0,
        default=1.0,
        step=0.05,
        unit="",
        help="Below 55% the initial margin rises.",
    ),
    Slider(
        key="stablecoin",
        title="Price of USDC",
        low=0.90,
        high=1.01,
        default=1.0,
        step=0.01,
        unit="USD",
        help="Below its threshold the initial margin rises.",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Coin:
    """What an account holds in one coin: amounts, the perpetuals' profit USD, and the options by expiry."""

    asset: str
    spot: float
    base: float
    perp: float
    perp_pnl: float
    expiries: tuple[Expiry, ...]


def coin_of(asset: str, positions: list[Position], held: float, marks: Marks, confidence: float) -> Coin:
    """Positions in one underlying as the contracts see them; `held` are its coins in the wallet."""
    perps = [p for p in positions if p.instrument.kind == "perpetual"]
    by_date: dict[Any, list[Position]] = {}
    for p in positions:
        if p.instrument.is_option:
            by_date.setdefault(p.instrument.expiry, []).append(p)
    expiries = []
    for options in by_date.values():
        seconds = marks.years(options[0].instrument) * SECONDS_PER_YEAR
        legs = tuple(
            Option(p.instrument.strike or 0.0, p.instrument.option_type == "C", p.quantity, marks.vol_of(p.instrument))
            for p in options
        )
        expiries.append(Expiry(seconds=seconds, forward=marks.price(asset), options=legs, confidence=confidence))
    return Coin(
        asset=asset,
        spot=marks.price(asset),
        base=held,
        perp=sum(p.quantity for p in perps),
        perp_pnl=sum(marks.unrealised(p) for p in perps),
        expiries=tuple(expiries),
    )


class DeriveAccounts(Rulebook):
    """What both rulebooks share: who may be held, and the account in dollars and coins."""

    sliders = SLIDERS

    def _refused(
        self, book: SubAccount, perpetuals: tuple[str, ...], options: tuple[str, ...], adds_up: bool = False
    ) -> list[Unsupported]:
        """adds_up: coins are margined one by one, so that an unknown one can be left out."""
        found = []
        for p in book.positions:
            instrument, why = p.instrument, ""
            if instrument.kind not in KINDS:
                why = f"{instrument.kind}s are not reproduced here, only perpetuals and options"
            elif instrument.kind == "spot" and instrument.base not in options:
                why = f"{instrument.base} is not reproduced here"
            elif instrument.is_inverse:
                why = "coin-settled perpetuals are not reproduced here, only those settled in dollars"
            elif instrument.is_option and instrument.base not in options:
                why = f"no options on {instrument.base} are known here: not reproduced here"
            elif instrument.kind == "perpetual" and instrument.base not in perpetuals and p.maintenance_rate is None:
                why = f"no perpetual of {instrument.base} is known here: not reproduced here"
            if why:
                unknown = adds_up and "known here" in why
                found.append(Unsupported(symbol=p.symbol, reason=why, alone=unknown))
        return found

    def _one_coin(self, book: SubAccount, kinds: tuple[str, ...]) -> list[Unsupported]:
        """Of portfolio margin: what is not reproduced here, and a second coin among positions of these kinds."""
        found = self._refused(book, tuple(self.parameters["coins"]), tuple(self.parameters["coins"]))
        used = accounts.of_kind(book, *kinds)
        if len({p.underlying for p in used}) > 1:
            why = "a portfolio-margin account holds one coin's contracts"
            found.append(Unsupported(symbol=used[-1].symbol, reason=why))
        return found

    def _account(
        self, book: SubAccount, marks: Marks, confidence: float
    ) -> tuple[Any, dict[str, Coin], list[tuple[str, Any, Any]]]:
        """(cash USD, coins by asset, other balances). Options were paid for at their entry prices."""
        cash: Any = -sum(p.quantity * accounts.entry(p, marks) for p in accounts.of_kind(book, "option"))
        held: dict[str, Any] = {}
        others = []
        for asset, quantity, price in accounts.tokens(book, marks, spot=True):
            if accounts.is_dollar(asset) and asset not in self.parameters["other_dollars"]:
                cash = cash + quantity * price
            elif asset in self.parameters["coins"]:
                held[asset] = quantity
            else:
                others.append((asset, quantity, price))
        positions = accounts.of_underlying(accounts.of_kind(book, "perpetual", "option"))
        coins = {
            asset: coin_of(asset, positions.get(asset, []), held.get(asset, 0.0), marks, confidence)
            for asset in dict.fromkeys([*positions, *held])
        }
        return cash, coins, others

    def _result(
        self, book: SubAccount, marks: Marks, mode: Mode, account: tuple[Any, Any, Any],
        collateral: list[CollateralValue], lines: Lines, rows: tuple[PositionMargin, ...] | None = None,
        grids: tuple[Grid, ...] = (), notes: tuple[str, ...] = (), uncounted: bool = True,
    ) -> VenueMargin:  # fmt: skip
        """From (initial, maintenance) net margins, 0 or more meaning enough, and the account's value.

        Equity is the account's value less what its collateral does not count (`uncounted`: the value holds it); the
        requirement is what lies between that and the net margin, so haircuts are no part of it.
        """
        initial, maintenance, value = account
        lost = [sum(c.market_value - c.counted_initial for c in collateral) if uncounted else 0.0]
        lost.append(sum(c.market_value - c.counted_maintenance for c in collateral) if uncounted else 0.0)
        asked = [np.maximum(value - less - net, 0.0) for less, net in zip(lost, (initial, maintenance), strict=True)]
        equity = [net + needed for net, needed in zip((initial, maintenance), asked, strict=True)]
        if lines.wanted:
            source = self.parameters.source("rules")
            asked, equity = [float(x) for x in asked], [float(x) for x in equity]
            lines.add("Account at market prices", "cash, coins, profit and options", float(value), source, "note")
            lines.add("Net initial margin", "0 or more opens", float(initial), source, "note")
            lines.add("Net maintenance margin", "below 0 is liquidated", float(maintenance), source, "note")
            rule = self.parameters.facts.get("auction")
            if rule is not None:
                auction.explain(float(value), float(maintenance), rule, lines, self.parameters.source("auction"))
        if rows is None:
            rows = tuple(
                PositionMargin(
                    symbol=p.symbol, quantity=p.quantity, notional=abs(p.quantity) * marks.price(p.underlying),
                    initial=0.0, maintenance=0.0, tier="in the account",
                )
                for p in accounts.margined(book)
            )  # fmt: skip
        counted = sum(c.counted_initial for c in collateral)
        return VenueMargin(
            venue=self.title, mode=mode, initial=asked[0], maintenance=asked[1], equity_initial=equity[0],
            equity=equity[1], collateral_value=counted, account_value=value, lines=tuple(lines.kept), positions=rows,
            collateral=tuple(collateral), grids=grids, notes=tuple(dict.fromkeys([*marks.notes, *notes, *lines.notes])),
        )  # fmt: skip


def contracts(coin: Coin | None, cash: Any, settings: Mapping[str, float]) -> dict[str, Any]:
    """What both managers' accounts hold in common: cash USD, one coin's contracts, and how sure the feeds are."""
    spot = coin.spot if coin else 1.0
    return {
        "spot": spot,
        "cash": cash,
        "perp": coin.perp if coin else 0.0,
        "perp_price": spot,
        "perp_pnl": coin.perp_pnl if coin else 0.0,
        "expiries": coin.expiries if coin else (),
        "stable": settings["stablecoin"],
        "spot_confidence": settings["confidence"],
        "perp_confidence": settings["confidence"],
    }


def dollars(cash: Any) -> CollateralValue:
    """The account's cash, USD, counted in full."""
    return CollateralValue(
        asset="USD", quantity=cash, price=1.0, market_value=cash, counted_initial=cash, counted_maintenance=cash
    )


def is_owned(quantity: Any) -> bool:
    """Whether a balance is held, not owed; what is owed in a dollar coin is an array where that coin's price is one."""
    return bool(np.any(np.greater(quantity, 0)))
