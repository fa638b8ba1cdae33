"""Paradex: a fixed initial fraction a market, maintenance half of it; portfolio margin by 24 scenarios (beta).

Source: tradeparadex/paradex-docs, commit 9b82a75a0353 (2026-08-20), risk-system pages.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from margin.core.account import SubAccount
from margin.core.options import DAYS_PER_YEAR
from margin.core.portfolio import Portfolio
from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import Lines, Mode, PositionMargin, Slider, Unsupported
from margin.venues.families.grids import scenario_pnl
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tiers, one_rate

MAINTENANCE_SHARE = 0.5
SHORT_DAYS = 30.0


def scan_loss(delta: Any, moves: Sequence[float], tails: Sequence[Sequence[float]]) -> Any:
    """USD: largest loss of a linear unit worth `delta` over the moves on both sides and the dampened tails."""
    up = max(max(moves), *(move * share for move, share in tails if move > 0))
    down = max(max(moves), *(-move * share for move, share in tails if move < 0))
    return np.maximum(np.maximum(delta, 0.0) * down, np.maximum(-delta, 0.0) * up)


def least_delta(net: Any, gross: Any, unhedged: float, hedged: float) -> Any:
    """USD: charge on the unhedged delta and on the hedged pairs, (gross - |net|) / 2 of them."""
    return unhedged * np.abs(net) + hedged * (gross - np.abs(net)) / 2.0


def shocked(vol: Any, shock: float, days: float, powers: Sequence[float]) -> Any:
    """Annual volatility after a relative shock, damped by (30 / max(1, days))^p: the first power below 30 days."""
    power = powers[0] if days < SHORT_DAYS else powers[1]
    return vol * (1.0 + shock * (SHORT_DAYS / max(1.0, days)) ** power)


def scenarios(held: Sequence[Position], marks: Marks, unit: Mapping[str, Any]) -> np.ndarray:
    """(..., s) USD: PnL of one coin's contracts in each scenario; the widest move and the tails with volatility up."""
    wide, *inner = unit["moves"]
    both = [*inner, *(-move for move in inner), 0.0]
    up = [wide, -wide, *both]
    moves = np.array([*up, *both, *(move for move, _ in unit["tails"])])
    shares = np.array([1.0] * (len(up) + len(both)) + [share for _, share in unit["tails"]])
    down = np.zeros(len(moves), dtype=bool)
    down[len(up) : len(up) + len(both)] = True
    total: Any = scenario_pnl([p for p in held if not p.instrument.is_option], marks, 1.0 + moves, np.ones(len(moves)))
    for p in held:
        if p.instrument.is_option:
            days = marks.years(p.instrument) * DAYS_PER_YEAR
            vol = np.asarray(marks.vol_of(p.instrument), dtype=float)
            risen = np.maximum(shocked(vol, unit["vol_up"], days, unit["powers"]), unit["least_vol"])
            fallen = shocked(vol, -unit["vol_down"], days, unit["powers"])
            ratio = np.where(down, np.asarray(fallen / vol)[..., None], np.asarray(risen / vol)[..., None])
            total = total + scenario_pnl([p], marks, 1.0 + moves, ratio)
    found: np.ndarray = total * shares
    return found


def bought_option(mark: Any, spot: Any, premium: float, fraction: float) -> Any:
    """USD asked for an option bought: the smaller of a share of its mark and a share of spot."""
    return np.minimum(premium * mark, fraction * spot)


def sold_call(out_of_money: Any, spot: Any, in_money: float, least: float) -> Any:
    """USD asked for a call sold: a share of spot less what it is out of the money, at least another share."""
    return np.maximum(in_money * spot - out_of_money, least * spot)


def _delta(position: Position, marks: Marks) -> Any:
    """USD that a position gains by a doubling, as far as its delta now says."""
    if not position.instrument.is_option:
        return position.quantity * marks.contract(position.instrument)
    up, down = (scenario_pnl([position], marks, np.array([1.0 + s]), np.ones(1))[..., 0] for s in (1e-4, -1e-4))
    return (up - down) / 2e-4


class Paradex(PerpetualVenue):
    """Paradex's perpetuals, cross and portfolio margin."""

    name = "paradex"
    rule = "initial_fractions"
    summed: ClassVar[tuple[Mode, ...]] = ("cross",)
    one = "coin"
    kinds: ClassVar[tuple[str, ...]] = ("perpetual", "option")
    modes: ClassVar[tuple[Mode, ...]] = ("cross", "portfolio")
    collateral_assets = frozenset({"USDC", "USD"})
    fee_to_open = True
    sliders = (
        Slider(
            key="taker_fee", title="My taker fee", low=0.0, high=0.002, default=0.0, step=0.00005,
            help="Kept back to close; the rules' page prints no rate, so it is 0 unless you set yours.",
        ),
    )  # fmt: skip
    mode_notes: ClassVar = {
        "portfolio": ("Beta, by invitation. The funding provision (8 hours of it) is not charged here.",)
    }

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        fraction = self.carried.get(asset)
        return None if fraction is None else one_rate(fraction * MAINTENANCE_SHARE, 1.0 / fraction)

    def rate_at(self, leverage: float) -> float | None:
        """Half of the initial fraction."""
        return MAINTENANCE_SHARE / leverage

    def initial_rate(self, position: Position, leverage: Any, settings: Mapping[str, float]) -> Any:
        """The market's fraction; more where the account chose a lower leverage."""
        return max(1.0 / leverage, 1.0 / position.leverage if position.leverage else 0.0)

    def closing_fee(self, position: Position, marks: Marks, settings: Mapping[str, float]) -> Any:
        """USD that closing the position costs."""
        return abs(position.quantity) * marks.contract(position.instrument) * settings["taker_fee"]

    def supports(self, book: Portfolio | SubAccount, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """What of the account is not reproduced here, row by row."""
        found = super().supports(book, mode)
        if mode != "portfolio":
            known = {u.symbol for u in found}
            held = [p for p in accounts.of_kind(accounts.as_sub(book), "option") if p.symbol not in known]
            whys = [(p, self._no_option(p)) for p in held]
            return found + tuple(Unsupported(symbol=p.symbol, reason=why, alone=True) for p, why in whys if why)
        out = {u.symbol for u in found}
        return found + tuple(
            Unsupported(
                symbol=p.symbol,
                reason=f"the scenarios of {p.underlying} are not published: not reproduced here",
                alone=True,
            )
            for p in accounts.margined(accounts.as_sub(book))
            if p.symbol not in out and p.underlying not in self._units
        )

    def _no_option(self, position: Position) -> str:
        """Why an option is not reproduced in cross margin; "" where it is."""
        if position.underlying not in self.parameters["options"]:
            return f"the option fractions of {position.underlying} are not known here: not reproduced here"
        if position.quantity < 0 and position.instrument.option_type == "P":
            return "how the cap of puts sold enters is not printed: not reproduced here"
        return ""

    def tiered(self, position: Position) -> bool:
        """Perpetuals have a fraction, options stand in the scenarios alone."""
        return not position.instrument.is_option

    def position_margin(
        self, position: Position, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> PositionMargin:
        """A perpetual's own margins; an option's in cross margin, in the scenarios it has none."""
        if not position.instrument.is_option:
            return super().position_margin(position, marks, mode, settings, lines)
        if mode == "cross":
            return self._option(position, marks, lines)
        value = abs(position.quantity) * marks.price(position.underlying)
        return PositionMargin(
            symbol=position.symbol, quantity=position.quantity, notional=value, initial=0.0, maintenance=0.0,
            tier="in the scenarios",
        )  # fmt: skip

    def _option(self, position: Position, marks: Marks, lines: Lines) -> PositionMargin:
        rates, i, spot = (
            self.parameters["options"][position.underlying],
            position.instrument,
            marks.price(position.underlying),
        )
        mark, size, source = marks.mark(i), abs(position.quantity), self.parameters.source("options")
        assert i.strike is not None
        amounts: list[Any] = []
        for at in (0, 1):  # for opening, against liquidation
            if position.quantity > 0:
                each = bought_option(mark, spot, rates["premium"][at], rates["bought"][at])
            else:
                out = np.maximum(i.strike - spot, 0.0)
                each = sold_call(out, spot, rates["sold"][at], rates["sold_least"][at])
            amounts.append(size * each)
        if lines.wanted:
            amounts = [float(amount) for amount in amounts]
            for word, amount in zip(("initial", "maintenance"), amounts, strict=True):
                lines.add(f"{position.symbol}: {word}", f"{size:,.8g} x {amount / size:,.2f}", amount, source, word)
        return PositionMargin(
            symbol=position.symbol, quantity=position.quantity, notional=size * spot, initial=amounts[0],
            maintenance=amounts[1],
        )  # fmt: skip

    def totals(
        self, book: SubAccount, marks: Marks, mode: Mode, rows: list[PositionMargin], lines: Lines
    ) -> tuple[Any, Any]:
        """Cross: the sums. Portfolio: coin by coin the larger of the worst scenario and the least delta charge."""
        if mode != "portfolio" or book.isolated:
            return super().totals(book, marks, mode, rows, lines)
        source = self.parameters.source("scenarios")
        needed: Any = 0.0
        for asset, held in accounts.of_underlying(accounts.margined(book)).items():
            unit = self._units[asset]
            values = [_delta(p, marks) for p in held]
            net, gross = sum(values), sum(np.abs(v) for v in values)
            if any(p.instrument.is_option for p in held):
                scan = np.maximum(-np.min(scenarios(held, marks, unit), axis=-1), 0.0)
            else:
                scan = scan_loss(net, unit["moves"], unit["tails"])
            least = least_delta(net, gross, *unit["least_delta"])
            needed = needed + np.maximum(scan, least)
            if lines.wanted:
                lines.add(f"{asset}: worst of 24 scenarios", f"net {net:,.2f}", float(scan), source, "note")
                lines.add(f"{asset}: least delta charge", f"gross {gross:,.2f}", float(least), source, "note")
        fees = sum(r.fee for r in rows)
        if lines.wanted:
            needed = float(needed)
            lines.add("Maintenance", f"half of {needed:,.2f}", MAINTENANCE_SHARE * needed, source, "maintenance")
        return needed + fees, MAINTENANCE_SHARE * needed + fees

    @property
    def _units(self) -> Mapping[str, Any]:
        return {asset: unit for unit in self.parameters["scenarios"] for asset in unit["assets"]}


RULEBOOK = Paradex()
