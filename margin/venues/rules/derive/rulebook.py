"""Derive: the standard manager (any coins, all added up) and portfolio margin (one coin per account)."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar

import pandas as pd

from margin.core.account import SubAccount
from margin.core.portfolio import Portfolio
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import (
    CollateralValue,
    Grid,
    Lines,
    Mode,
    PositionMargin,
    Unsupported,
    VenueMargin,
)
from margin.venues.rules.derive import portfolio as derive_portfolio
from margin.venues.rules.derive import standard as derive_standard
from margin.venues.rules.derive.account import Coin, DeriveAccounts, contracts, dollars, is_owned
from margin.venues.rules.derive.book import SECONDS_PER_YEAR, Expiry, Option
from margin.venues.rules.derive.scenarios import binding_scenario, scenario_grid


class Derive(DeriveAccounts):
    """Derive: standard rates, or its portfolio manager of version 2."""

    name = "derive"
    quote = "USDC"
    modes: ClassVar[tuple[Mode, ...]] = ("cross", "portfolio")

    def supports(self, book: Portfolio | SubAccount, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """What of the account is not reproduced here, row by row."""
        coins, sub = tuple(self.parameters["coins"]), accounts.as_sub(book)
        if mode != "portfolio":
            return tuple(self._refused(sub, (*coins, *self.parameters["alt_perpetuals"]), coins, adds_up=True))
        return tuple(self._one_coin(sub, ("perpetual", "option")))

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
        collateral = [dollars(cash)]
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
                spot=coin.spot, perp=coin.perp, perp_price=coin.spot, perp_pnl=coin.perp_pnl,
                base=max(coin.base, 0.0), expiries=coin.expiries, parameters=rates,
                confidence=chosen["confidence"], perp_confidence=chosen["confidence"],
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
            owned = is_owned(quantity)
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
                o = Option(
                    p.instrument.strike or 0.0, p.instrument.option_type == "C", p.quantity, marks.vol_of(p.instrument)
                )
                e = Expiry(seconds=marks.years(p.instrument) * SECONDS_PER_YEAR, forward=market.spot, options=(o,))
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
        elif asset in older["rates"] and held and marks.as_of < pd.Timestamp(older["sure_from"]):
            lines.note(
                f"{asset}: the day on which {known[0] if known else 0:.1%} began is unknown: {older['until']} is used."
            )
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
        named = {p.underlying for p in book.positions if p.quantity}
        used = sorted(coins.values(), key=lambda c: (c.perp != 0 or bool(c.expiries), c.asset in named), reverse=True)
        coin = used[0] if used else None
        collateral, held, notes = [dollars(cash)], [], []
        balances = [(c.asset, c.base, c.spot) for c in coins.values() if c.base] + others
        for asset, quantity, price in balances:
            cuts = self.parameters["portfolio_haircuts"].get(asset)
            own = coin is not None and asset == coin.asset
            worth, owned = quantity * price, is_owned(quantity)
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
        account = derive_portfolio.Account(**contracts(coin, cash, chosen), collateral=tuple(held))
        rules = derive_portfolio.Parameters(**self.parameters["portfolio"])
        scenarios = tuple(derive_portfolio.Scenario(*row) for row in self.parameters["portfolio_scenarios"])
        found = derive_portfolio.margin(account, scenarios, rules)
        grids: tuple[Grid, ...] = ()
        if lines.wanted:
            binding = binding_scenario(found, scenarios)
            lines.add("Worst scenario", binding, float(found.worst), source, "note")
            kept, opening = float(found.maintenance_contingency), float(found.initial_contingency)
            lines.add("Maintenance contingency", "perpetuals, uncovered shorts, haircuts", -kept, source)
            lines.add("Initial contingency", "the same on top, and weak feeds", -opening, source, "initial")
            grids = (scenario_grid(scenarios, found.pnl),) if coin else ()
        nets = found.initial, found.maintenance, found.mtm
        said = tuple(dict.fromkeys(notes))
        return self._result(book, marks, "portfolio", nets, collateral, lines, grids=grids, notes=said)


RULEBOOK = Derive()
