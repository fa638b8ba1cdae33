"""Derive: the standard manager (any coins, all added up) and portfolio margin (one coin per account)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from margin.core.account import SubAccount
from margin.core.portfolio import Portfolio
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
from margin.venues.rules.derive import portfolio as derive_portfolio
from margin.venues.rules.derive import portfolio_v1 as derive_portfolio_v1
from margin.venues.rules.derive import standard as derive_standard
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
            Option(p.instrument.strike or 0.0, p.instrument.option_type == "C", p.quantity, _vol(p, marks))
            for p in options
        )
        expiries.append(Expiry(seconds, marks.price(asset), legs, confidence))
    return Coin(
        asset=asset,
        spot=marks.price(asset),
        base=held,
        perp=sum(p.quantity for p in perps),
        perp_pnl=sum(marks.unrealised(p) for p in perps),
        expiries=tuple(expiries),
    )


class _Derive(Rulebook):
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


class Derive(_Derive):
    """Derive: standard rates, or its portfolio manager of version 2."""

    name = "derive"
    modes: ClassVar[tuple[Mode, ...]] = ("cross", "portfolio")

    def supports(self, book: Portfolio | SubAccount, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """What of the account is not reproduced here, row by row."""
        coins, sub = tuple(self.parameters["coins"]), accounts.as_sub(book)
        if mode != "portfolio":
            return tuple(self._refused(sub, (*coins, *self.parameters["alt_perpetuals"]), coins, adds_up=True))
        found = self._refused(sub, coins, coins)
        used = [p for p in sub.positions if p.instrument.kind in ("perpetual", "option")]
        if len({p.underlying for p in used}) > 1:
            why = "a portfolio-margin account holds one coin's contracts"
            found.append(Unsupported(symbol=used[-1].symbol, reason=why))
        return tuple(found)

    def reckon(
        self, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> VenueMargin:
        """The account's figures, with lines where they are wanted."""
        return (self._portfolio if mode == "portfolio" else self._standard)(book, marks, settings, lines)

    def _standard(self, book: SubAccount, marks: Marks, chosen: Mapping[str, float], lines: Lines) -> VenueMargin:
        source = self.parameters.source("standard")
        cash, coins, others = self._account(book, marks, chosen["confidence"])
        lines.add("Cash", "dollars, less what options cost", cash, source, "collateral")
        initial = maintenance = value = cash
        rows: list[PositionMargin] = []
        collateral = [_dollars(cash)]
        depeg = (
            chosen["stablecoin"],
            self.parameters["standard"]["peg_threshold"],
            self.parameters["standard"]["peg_factor"],
        )
        lines.add(
            "Perpetuals' profit", "sum of q (mark - entry)", sum(c.perp_pnl for c in coins.values()), source, "pnl"
        )
        for coin in coins.values():
            rates = self._rates(coin.asset, book, marks, lines)
            market = derive_standard.Market(
                coin.spot, coin.perp, coin.spot, coin.perp_pnl, max(coin.base, 0.0), coin.expiries, rates,
                chosen["confidence"], chosen["confidence"],
            )  # fmt: skip
            owed = min(coin.base, 0.0) * coin.spot
            nets: list[Any] = [
                derive_standard.market_margin(market, opening, *depeg) + owed for opening in (True, False)
            ]
            nets[1] += sum(
                p.maintenance_deduction or 0.0 for p in book.positions if p.underlying == coin.asset and not p.owned
            )
            worth = derive_standard.market_to_market(market, chosen["stablecoin"]) + owed
            initial, maintenance, value = initial + nets[0], maintenance + nets[1], value + worth
            if lines.wanted:
                nets = [float(net) for net in nets]
                self._explain(coin, market, lines, source)
                words = "all of it, and add-ons of weak feeds"
                lines.add(f"{coin.asset}: initial, net", words, nets[0], source, "initial")
                lines.add(f"{coin.asset}: maintenance, net", "all of it", nets[1], source, "maintenance")
                rows += self._rows(coin.asset, book, market, marks)
            if coin.base > 0:
                kept = coin.base * coin.spot * rates.base_factor
                collateral.append(
                    CollateralValue(
                        asset=coin.asset, quantity=coin.base, price=coin.spot, market_value=coin.base * coin.spot,
                        counted_initial=kept * rates.base_initial_scale, counted_maintenance=kept,
                    )
                )  # fmt: skip
        notes: list[str] = []
        for asset, quantity, price in others:
            owned = _owned(quantity)
            factor, scale = self.parameters["other_base"].get(asset, (0.0, 0.0)) if owned else (1.0, 1.0)
            worth = quantity * price
            initial, maintenance, value = initial + worth * factor * scale, maintenance + worth * factor, value + worth
            why = f"{asset} counts at {factor:.1%}." if owned else ""
            collateral.append(
                CollateralValue(
                    asset=asset, quantity=quantity, price=price, market_value=worth,
                    counted_initial=worth * factor * scale, counted_maintenance=worth * factor, why=why,
                )
            )  # fmt: skip
            notes += [why] if why else []
        account = initial, maintenance, value
        return self._result(book, marks, "cross", account, collateral, lines, tuple(rows), notes=tuple(notes))

    def _rows(self, asset: str, book: SubAccount, market: derive_standard.Market, marks: Marks) -> list[PositionMargin]:
        """Each position alone, as the venue prints it: a perpetual's charge, a sold option's margin."""
        rates, out = market.parameters, []
        for p in accounts.margined(book):
            if p.underlying != asset:
                continue
            notional = abs(p.quantity) * market.spot
            kept = notional * rates.perp_maintenance - (p.maintenance_deduction or 0.0)
            alone = [notional * rates.perp_initial, kept]
            if p.instrument.is_option:
                o = Option(p.instrument.strike or 0.0, p.instrument.option_type == "C", p.quantity, _vol(p, marks))
                e = Expiry(marks.years(p.instrument) * SECONDS_PER_YEAR, market.spot, (o,))
                alone = [-float(derive_standard.option_alone(o, e, market.spot, rates, w)) for w in (True, False)]
            out.append(
                PositionMargin(
                    symbol=p.symbol, quantity=p.quantity, notional=notional, initial=alone[0], maintenance=alone[1],
                    tier="alone",
                )
            )  # fmt: skip
        return out

    def _explain(self, coin: Coin, market: derive_standard.Market, lines: Lines, source: str) -> None:
        """The parts of one coin's net margin, to open and to stay."""
        p = market.parameters
        for opening, word in ((True, "initial"), (False, "maintenance")):
            if coin.perp:
                rate = p.perp_initial if opening else p.perp_maintenance
                value = abs(coin.perp) * coin.spot
                formula = f"-{abs(coin.perp):,.6g} x {coin.spot:,.2f} x {rate:.2%}"
                lines.add(f"{coin.asset} perpetual: {word}", formula, -value * rate, source, "note")
            for e in coin.expiries:
                alone = sum(derive_standard.option_alone(o, e, coin.spot, p, opening) for o in e.options)
                worst = derive_standard.largest_loss(e, p, opening)
                formula = f"better of each alone {alone:,.2f} and the largest loss {worst:,.2f}"
                name = f"{coin.asset} options in {e.seconds / 86_400:.0f} days: {word}"
                lines.add(name, formula, float(max(alone, worst)), source, "note")
            if coin.base > 0:
                share = p.base_factor * (p.base_initial_scale if opening else 1.0)
                formula = f"{coin.base:,.6g} x {coin.spot:,.2f} x {share:.2%}"
                lines.add(f"{coin.asset} held: {word}", formula, coin.base * coin.spot * share, source, "collateral")

    def _rates(self, asset: str, book: SubAccount, marks: Marks, lines: Lines) -> derive_standard.StandardParameters:
        """The coin's rates as of the marks; what the venue printed of its perpetual wins, and is noted."""
        rules = self.parameters["standard"]
        common = {f.name: rules[f.name] for f in fields(derive_standard.StandardParameters) if f.name in rules}
        held = [p for p in book.positions if p.underlying == asset and p.instrument.kind == "perpetual"]
        known = self.parameters["perpetuals"].get(asset) or self.parameters["alt_perpetuals"].get(asset)
        older = self.parameters["perpetuals_older"]
        if asset in older["rates"] and marks.as_of < pd.Timestamp(older["until"]):
            known = older["rates"][asset]
        initial, kept = known or (0.0, 0.0)
        for p in held:
            if p.maintenance_rate is not None:
                kept, initial = p.maintenance_rate, initial if known else p.maintenance_rate
                lines.note(f"{p.symbol}: the maintenance rate that the venue printed for it wins over the table.")
            if p.max_leverage is not None:
                initial = 1.0 / p.max_leverage
                lines.note(f"{p.symbol}: the highest leverage that the venue printed for it wins over the table.")
        base = self.parameters["coins"].get(asset, (0.0, 1.0))
        return derive_standard.StandardParameters(
            **common, perp_initial=initial, perp_maintenance=kept, base_factor=base[0], base_initial_scale=base[1]
        )

    def _portfolio(self, book: SubAccount, marks: Marks, chosen: Mapping[str, float], lines: Lines) -> VenueMargin:
        source = self.parameters.source("portfolio")
        cash, coins, others = self._account(book, marks, chosen["confidence"])
        named = {p.underlying for p in book.positions}
        used = sorted(coins.values(), key=lambda c: (c.perp != 0 or bool(c.expiries), c.asset in named), reverse=True)
        coin = used[0] if used else None
        collateral, held, notes = [_dollars(cash)], [], []
        balances = [(c.asset, c.base, c.spot) for c in coins.values() if c.base] + others
        for asset, quantity, price in balances:
            cuts = self.parameters["portfolio_haircuts"].get(asset)
            own = coin is not None and asset == coin.asset
            worth, owned = quantity * price, _owned(quantity)
            if cuts is None or (asset in self.parameters["coins"] and not own and owned):
                cuts = [1.0, 0.0] if owned else [0.0, 0.0]
                if owned:
                    notes.append(f"{asset} counts for nothing: its haircut in this account was not found.")
            if not owned:
                cuts = [0.0, 0.0]
            held.append(
                derive_portfolio.Held(
                    name=asset,
                    amount=quantity,
                    price=price,
                    maintenance_haircut=cuts[0],
                    initial_haircut=cuts[1],
                    risk_cancelling=own,
                    confidence=chosen["confidence"],
                )
            )
            collateral.append(
                CollateralValue(
                    asset=asset, quantity=quantity, price=price, market_value=worth,
                    counted_initial=worth * (1.0 - sum(cuts)), counted_maintenance=worth * (1.0 - cuts[0]),
                )
            )  # fmt: skip
        account = derive_portfolio.Account(
            spot=coin.spot if coin else 1.0,
            cash=cash,
            perp=coin.perp if coin else 0.0,
            perp_price=coin.spot if coin else 1.0,
            perp_pnl=coin.perp_pnl if coin else 0.0,
            collateral=tuple(held),
            expiries=coin.expiries if coin else (),
            stable=chosen["stablecoin"],
            spot_confidence=chosen["confidence"],
            perp_confidence=chosen["confidence"],
        )
        rules = derive_portfolio.Parameters(**self.parameters["portfolio"])
        scenarios = tuple(derive_portfolio.Scenario(*row) for row in self.parameters["portfolio_scenarios"])
        found = derive_portfolio.margin(account, scenarios, rules)
        grids: tuple[Grid, ...] = ()
        if lines.wanted:
            binding = _binding(found, scenarios)
            lines.add("Worst scenario", binding, float(found.worst), source, "note")
            kept, opening = float(found.maintenance_contingency), float(found.initial_contingency)
            lines.add("Maintenance contingency", "perpetuals, uncovered shorts, haircuts", -kept, source)
            lines.add("Initial contingency", "the same on top, and weak feeds", -opening, source, "initial")
            grids = (scenario_grid(scenarios, found.pnl),) if coin else ()
        nets = found.initial, found.maintenance, found.mtm
        said = tuple(dict.fromkeys(notes))
        return self._result(book, marks, "portfolio", nets, collateral, lines, grids=grids, notes=said)


class DeriveV1(_Derive):
    """Derive's first portfolio margin: one coin's contracts, spot of the same coin and cash."""

    name = "derive_v1"
    modes: ClassVar[tuple[Mode, ...]] = ("portfolio",)

    def supports(self, book: Portfolio | SubAccount, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """What of the account is not reproduced here, row by row."""
        coins, sub = tuple(self.parameters["coins"]), accounts.as_sub(book)
        found = self._refused(sub, coins, coins)
        used = [p for p in sub.positions if p.instrument.kind != "loan"]
        if len({p.underlying for p in used}) > 1:
            why = "a portfolio-margin account holds one coin's contracts"
            found.append(Unsupported(symbol=used[-1].symbol, reason=why))
        return tuple(found)

    def reckon(
        self, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> VenueMargin:
        """The account's figures, with lines where they are wanted."""
        chosen, source = settings, self.parameters.source("portfolio")
        cash, coins, others = self._account(book, marks, chosen["confidence"])
        used = {p.underlying for p in book.positions if p.instrument.kind != "loan"}
        coin = next((c for c in coins.values() if c.asset in used), None)
        collateral = [_dollars(cash)]
        notes = []
        rest: Any = 0.0
        for asset, quantity, price in [(c.asset, c.base, c.spot) for c in coins.values() if c is not coin] + others:
            worth = quantity * price
            counted = np.minimum(worth, 0.0)
            rest = rest + counted
            collateral.append(
                CollateralValue(
                    asset=asset, quantity=quantity, price=price, market_value=worth, counted_initial=counted,
                    counted_maintenance=counted,
                )
            )  # fmt: skip
            notes.append(f"{asset} is no collateral beside another coin's contracts.")
        if coin and coin.base:
            worth = coin.base * coin.spot
            collateral.append(
                CollateralValue(
                    asset=coin.asset, quantity=coin.base, price=coin.spot, market_value=worth, counted_initial=worth,
                    counted_maintenance=worth, why="in full: its risk is in the scenarios",
                )
            )  # fmt: skip
        account = derive_portfolio_v1.Account(
            spot=coin.spot if coin else 1.0,
            cash=cash + rest,
            perp=coin.perp if coin else 0.0,
            perp_price=coin.spot if coin else 1.0,
            perp_pnl=coin.perp_pnl if coin else 0.0,
            base=coin.base if coin else 0.0,
            expiries=coin.expiries if coin else (),
            stable=chosen["stablecoin"],
            spot_confidence=chosen["confidence"],
            perp_confidence=chosen["confidence"],
        )
        rules = derive_portfolio_v1.Parameters(**self.parameters["portfolio"])
        scenarios = tuple(derive_portfolio_v1.Scenario(*row) for row in self.parameters["portfolio_scenarios"])
        found = derive_portfolio_v1.margin(account, scenarios, rules)
        grids: tuple[Grid, ...] = ()
        if lines.wanted:
            lines.add("Worst scenario", _binding(found, scenarios), float(found.worst), source, "note")
            grids = (scenario_grid(scenarios, found.pnl),) if coin else ()
        nets = found.initial, found.maintenance, found.mtm
        said = tuple(dict.fromkeys(notes))
        result = self._result(
            book, marks, "portfolio", nets, collateral, lines, grids=grids, notes=said, uncounted=False
        )
        uncounted = sum(c.market_value - c.counted_maintenance for c in collateral)
        return replace(result, account_value=result.account_value + uncounted)


def _dollars(cash: Any) -> CollateralValue:
    return CollateralValue(
        asset="USD", quantity=cash, price=1.0, market_value=cash, counted_initial=cash, counted_maintenance=cash
    )


def _owned(quantity: Any) -> bool:
    """Whether a balance is held, not owed; what is owed in a dollar coin is an array where that coin's price is one."""
    return bool(np.any(np.greater(quantity, 0)))


def _vol(position: Position, marks: Marks) -> Any:
    """The option's own volatility where one is known, else its underlying's."""
    own = marks.vols.get(position.symbol)
    return own if own is not None else marks.vol(position.underlying)


def _binding(found: Any, scenarios: tuple[Any, ...]) -> str:
    return "basis" if found.basis < float(found.pnl.min()) else _name(scenarios[int(found.pnl.argmin())])


def _name(scenario: Any) -> str:
    return f"spot x {scenario.spot:g}, volatility {scenario.vol.lower()}"


def scenario_grid(scenarios: tuple[Any, ...], pnl: np.ndarray) -> Grid:
    """The scenarios as a grid of spot and volatility state; NaN where the venue has none."""
    spots = sorted({s.spot for s in scenarios}, reverse=True)
    states = [v for v in ("Up", "None", "Down", "Linear", "Abs") if any(s.vol == v for s in scenarios)]
    values = np.full((len(spots), len(states)), np.nan)
    for s, gain in zip(scenarios, pnl, strict=True):
        values[spots.index(s.spot), states.index(s.vol)] = gain
    worst = scenarios[int(np.argmin(pnl))]
    binding = (spots.index(worst.spot), states.index(worst.vol)) if float(pnl.min()) < 0 else None
    return Grid("PnL by spot and volatility", tuple(f"{s - 1:+.1%}" for s in spots), tuple(states), values, binding)


RULEBOOK = Derive()
