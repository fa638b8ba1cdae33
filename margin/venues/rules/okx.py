"""OKX: isolated, multi-currency cross with tiered discounts, and portfolio margin by risk unit.

Source: OKX help centre (360054690531, "Risk unit merge"); API v5 documentation, position builder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from margin.core.account import SubAccount
from margin.core.portfolio import Portfolio
from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import Lines, Mode, PositionMargin, Slider, Unsupported, VenueMargin
from margin.venues.families.grids import scenario_pnl, table, worst_cell
from margin.venues.families.perpetuals import Basis, PerpetualVenue
from margin.venues.families.tiers import Tiers, sliced, tiers_of


def unit_margin(
    value: Any, delta: Any, moves: Sequence[float], extreme: float, basis: float, least: float
) -> dict[str, Any]:
    """MR1, MR4, MR6, MR7, maintenance and initial margin of a risk unit without options.

    value : signed USD that gains or loses with the moves; delta : the unit's delta in USD (the same, near enough)

    MR1 worst of the moves; MR4 basis; MR6 half the extreme move's loss; MR7 the least charge. The maintenance margin is
    the largest of MR1 + MR4, MR6 and MR7, the initial one 1.3 times it.
    """
    mr1, mr4, mr7 = abs(value) * max(moves), abs(delta) * basis, abs(delta) * least
    loss = -abs(value) * extreme
    mr6 = 0.5 * abs(loss)
    mmr = np.maximum(np.maximum(mr1 + mr4, mr6), mr7)
    return {"mr1": mr1, "mr4": mr4, "mr6_pnl": loss, "mr6": mr6, "mr7": mr7, "mmr": mmr, "imr": INITIAL_FACTOR * mmr}


def borrow_margin(owed: Any) -> tuple[Any, Any]:
    """(maintenance, initial) USD on dollars owed: 2% and 10% of them."""
    return 0.02 * owed, 0.10 * owed


def digits_tick(mark: float | None) -> float:
    """USD: the last digit of a printed mark; 0 where that is too coarse for a tick, for last zeros are not printed."""
    if mark is None:
        return 0.0
    exponent = Decimal(repr(float(mark))).normalize().as_tuple().exponent
    tick = float(10.0 ** int(exponent))
    return tick if LEAST_TICK <= tick / mark <= MOST_TICK else 0.0


LEAST_TICK, MOST_TICK = 1e-7, 5e-4  # of the price: OKX's ticks lie between
INITIAL_FACTOR = 1.3


class Okx(PerpetualVenue):
    """OKX: position tiers and discounted coins, or a scenario grid in portfolio mode."""

    name = "okx"
    counts_contracts = True
    rule = "position_tiers"
    summed: ClassVar[tuple[Mode, ...]] = ("cross",)
    valued: ClassVar[bool] = True
    coin_equity: ClassVar[tuple[Mode, ...]] = ("cross", "portfolio")
    whole = True
    closed = True
    in_coins = True
    inverse = True
    modes: ClassVar[tuple[Mode, ...]] = ("isolated", "cross", "portfolio")
    kinds = ("perpetual", "future")
    fee_to_open = False
    fee_apart = True
    sliders = (
        Slider(
            key="taker_fee", title="My taker fee", low=0.0, high=0.002, default=0.0005, step=0.0001, unit="",
            help="Kept back to close; 0.05% for accounts without a discount.",
        ),
    )  # fmt: skip
    mode_notes: ClassVar = {
        "cross": ("A tier's rate applies to the whole position: the margin jumps at its edge.",),
        "portfolio": ("How the parts of a risk unit combine is inferred from the venue's published example.",),
    }

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        return self._tiers.get(("inverse " if inverse else "") + asset)

    def basis(self, mode: Mode, marks: Marks) -> tuple[Basis, Basis]:
        """Isolated margin is taken at entry, cross margin at mark."""
        return ("entry", "mark") if mode == "isolated" else ("mark", "mark")

    def closing_fee(self, position: Position, marks: Marks, settings: Mapping[str, float]) -> Any:
        """USD that closing the position costs."""
        return accounts.contracts_value(position, marks) * settings["taker_fee"]

    def printed_price(self, position: Position, price: float, long: bool, marks: Marks) -> float:
        """One tick nearer the mark. A tick that is not carried is read off the digits of the mark that OKX printed."""
        tick: float | None = self.parameters["ticks"].get(position.underlying)
        if tick is None:
            tick = digits_tick(position.mark_price)
        return price + tick if long else price - tick

    def printed_note(self, position: Position) -> str:
        """Where the tick of the contract is not carried: read off the mark, or left out."""
        if position.underlying in self.parameters["ticks"]:
            return ""
        tick = digits_tick(position.mark_price)
        how = f"{tick:g} is read off its mark" if tick else "none is added to its liquidation price"
        return f"{position.symbol}: OKX prints one tick nearer the mark, and the contract's tick is not carried: {how}."

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        """(for opening, against liquidation, note): what a collateral amount counts for, USD."""
        rows = self.parameters["discount_tiers"].get(asset)
        if mode == "isolated" or rows is None or np.any(np.less_equal(quantity, 0)):
            return super().counted(asset, quantity, price, mode, settings)
        value = sliced(rows, quantity) * price
        return value, value, f"{asset} counts slice by slice, from {rows[0][2]:.0%} down."

    def supports(self, book: Portfolio | SubAccount, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """What of the account is not reproduced here, row by row."""
        if mode != "portfolio":
            return super().supports(book, mode)
        found = []
        for p in accounts.as_sub(book).positions:
            kind, why = p.instrument.kind, ""
            if kind == "option":
                why = "options are not reproduced here: their volatility shocks by expiry are not published"
            elif kind != "loan" and self._group(p.underlying) is None:
                why = f"the basis and least charges of {p.underlying} are not published: not reproduced here"
            if why:
                found.append(Unsupported(symbol=p.symbol, reason=why, alone=kind != "option"))
        return tuple(found)

    def _group(self, asset: str) -> dict[str, Any] | None:
        return next((g for g in self.parameters["risk_units"] if asset in g["assets"]), None)

    def reckon(
        self, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> VenueMargin:
        """The account's figures, with lines where they are wanted."""
        if mode != "portfolio":
            return super().reckon(book, marks, mode, settings, lines)
        source = self.parameters.source("risk_units")
        wallet = self.wallet(book, marks, mode, settings, lines)
        held = accounts.margined(book)
        pnl = sum(marks.unrealised(p) for p in held)
        coins = {c.asset: c.quantity for c in wallet}
        rows, grids = [], []
        initial: Any = 0.0
        maintenance: Any = 0.0
        for asset, positions in accounts.of_underlying(held).items():
            group = self._group(asset)
            assert group is not None
            used = hedging(sum(_coins(p, marks) for p in positions), coins.get(asset, 0.0))
            delta = sum(p.value(marks.contract(p.instrument)) for p in positions) + used * marks.price(asset)
            unit = unit_margin(delta, delta, group["moves"], group["extreme"], group["basis"], group["least"])
            initial, maintenance = initial + unit["imr"], maintenance + unit["mmr"]
            if lines.wanted:
                self._explain(asset, group, delta, unit, used, lines, source)
                moves = np.array([-m for m in group["moves"][::-1]] + [0.0, *group["moves"]])
                opened = [replace(p, entry_price=None) for p in positions]  # what they gain from here
                cells = scenario_pnl(opened, marks, 1.0 + moves, np.ones(len(moves)))
                cells = (cells + used * marks.price(asset) * moves)[:, None]
                grids.append(
                    table(f"{asset}: PnL by move (MR1)", list(moves), ("any volatility",), cells, worst_cell(cells))
                )
            rows += [
                PositionMargin(
                    symbol=p.symbol, quantity=p.quantity, notional=accounts.contracts_value(p, marks), initial=0.0,
                    maintenance=0.0, tier="in the risk unit",
                )
                for p in positions
            ]  # fmt: skip
        owed = -sum(np.minimum(c.market_value, 0.0) for c in wallet)
        kept, opening = borrow_margin(owed)
        initial, maintenance = initial + opening, maintenance + kept
        if lines.wanted:
            initial, maintenance = float(initial), float(maintenance)
            if owed:
                lines.add("Borrowed (MR8)", f"{owed:,.2f} x 2%", kept, source, "maintenance")
            lines.add("Initial", f"{INITIAL_FACTOR:g} x the units' maintenance", initial, source, "initial")
        ready = sum(c.counted_initial for c in wallet)
        if held and (less := self.coin_profits(held, wallet, marks, mode, settings)) is not None:
            ready = ready + less
        market = sum(c.market_value for c in wallet) + pnl
        notes = [*marks.notes, *(c.why for c in wallet if c.why), *self.mode_notes["portfolio"]]
        return VenueMargin(
            venue=self.title, mode=mode, initial=initial, maintenance=maintenance, equity_initial=ready + pnl,
            equity=ready + pnl, collateral_value=ready, account_value=market, lines=tuple(lines.kept),
            positions=tuple(rows), collateral=tuple(wallet), grids=tuple(grids), notes=tuple(dict.fromkeys(notes)),
        )  # fmt: skip

    def _explain(
        self, asset: str, group: Mapping[str, Any], delta: float, unit: Mapping[str, Any], used: float, lines: Lines,
        source: str,
    ) -> None:  # fmt: skip
        size = f"{abs(delta):,.2f}"
        if used:
            lines.add(f"{asset}: coins held that hedge", f"{used:,.6g} in the risk unit", None, source, "note")
        for label, formula, amount in (
            ("spot moves (MR1)", f"{size} x {group['moves'][-1]:.0%}", unit["mr1"]),
            ("basis (MR4)", f"{size} x {group['basis']:.2%}", unit["mr4"]),
            ("extreme move (MR6)", f"half of {-unit['mr6_pnl']:,.2f}", unit["mr6"]),
            ("least charge (MR7)", f"{size} x {group['least']:.2%}", unit["mr7"]),
        ):
            lines.add(f"{asset}: {label}", formula, amount, source, "note")
        lines.add(f"{asset}: maintenance", "max(MR1 + MR4, MR6, MR7)", float(unit["mmr"]), source, "maintenance")

    @cached_property
    def _tiers(self) -> dict[str, Tiers]:
        return {asset: tiers_of(rows, whole=self.whole, closed=self.closed) for asset, rows in self.carried.items()}


def hedging(contracts: Any, held: float) -> Any:
    """Coins held that a risk unit takes in: as many as lower the contracts' delta (spot-derivatives offset)."""
    return np.minimum(np.maximum(held, 0.0), np.maximum(-contracts, 0.0))


def _coins(position: Position, marks: Marks) -> Any:
    """Coins that a contract stands for, long above zero."""
    return position.value(marks.contract(position.instrument)) / marks.contract(position.instrument)


RULEBOOK = Okx()
