"""What venues for perpetuals share: who may be held, what counts as collateral, isolated and cross."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np

from margin.core.account import SubAccount, posted_margin
from margin.core.instruments import USD_STABLECOINS, Instrument
from margin.core.portfolio import Portfolio
from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import CollateralValue, Lines, Mode, PositionMargin, Rulebook, Unsupported, VenueMargin
from margin.venues.families.tables import TierTables
from margin.venues.families.tiers import Tiers, describe, one_rate, tier_at

FIRST_LEVERAGE = 10.0  # where a position names none: the same at every venue, so that venues can be compared
Basis = Literal["mark", "entry"]


def settlement_coins(book: SubAccount) -> set[str]:
    """Coins that coin-settled contracts of the book are margined in."""
    return {p.underlying for p in book.positions if p.instrument.is_inverse}


def as_perpetuals(portfolio: Portfolio) -> Portfolio:
    """The book with every spot position held as a dollar-settled perpetual of the same coin, quantity and entry."""
    return portfolio.with_positions(
        replace(p, symbol=f"{p.underlying}/USDT:USDT", paid=True) if p.instrument.kind == "spot" else p
        for p in portfolio.positions
    )


class PerpetualVenue(TierTables):
    """Perpetuals, each with tiers; by default in dollars, with dollars and dollar stablecoins as collateral.

    isolated : each position has its own margin: what was posted, else its initial margin at entry
    cross    : one wallet; maintenance margins are added up
    Subclasses say which assets have tiers, and override what their venue does differently: the price that margins are
    taken at (`basis`), the margin of one position (`position_margin`), the totals (`totals`), what a balance counts.
    """

    modes: ClassVar[tuple[Mode, ...]] = ("isolated", "cross")
    collateral_assets: ClassVar[frozenset[str]] = frozenset({"USD", *USD_STABLECOINS})
    kinds: ClassVar[tuple[str, ...]] = ("perpetual",)
    linear: ClassVar[bool] = True
    inverse: ClassVar[bool] = False
    fee_to_open: ClassVar[bool] = True  # the closing fee is part of the initial margin too
    fee_apart: ClassVar[bool] = False  # the venue prints a position's maintenance margin without its closing fee
    in_coins: ClassVar[bool] = False  # tiers count coins, not dollars
    own_leverage: ClassVar[bool] = True  # a position's initial margin follows the leverage that its owner chose
    valued: ClassVar[bool] = False  # a cross account's figures are dollars, at the price of what a contract settles in
    one: ClassVar[Literal["side", "net", "coin"]] = "side"  # which positions of a cross account are one
    coin_equity: ClassVar[tuple[Mode, ...]] = ()  # modes in which a coin's profit counts as the coin itself does
    summed: ClassVar[tuple[Mode, ...]] = ()  # modes that only add up what positions are asked at the mark
    mode_notes: ClassVar[Mapping[Mode, tuple[str, ...]]] = {}

    def basis(self, mode: Mode, marks: Marks) -> tuple[Basis, Basis]:
        """The price at which initial and maintenance margin are taken, and the tier read."""
        return "mark", "mark"

    def rate_at(self, leverage: float) -> float | None:
        """Maintenance rate that the venue ties to a highest leverage; None where it has none."""
        return None

    def initial_rate(self, position: Position, leverage: Any, settings: Mapping[str, float]) -> Any:
        """Share of notional asked to open; `leverage` is the highest that the tier allows."""
        own = position.leverage or FIRST_LEVERAGE
        plain = isinstance(leverage, float) or np.ndim(leverage) == 0
        return 1.0 / (min(own, leverage) if plain else np.minimum(own, leverage))

    def closing_fee(self, position: Position, marks: Marks, settings: Mapping[str, float]) -> Any:
        """USD kept back for closing the position, part of both margins."""
        return 0.0

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        """USD that a balance counts for opening and against liquidation, and why not all of it."""
        value = quantity * price
        if asset in self.collateral_assets or np.all(np.less(quantity, 0)):
            return value, value, ""
        return 0.0, 0.0, f"{asset} does not count as collateral in these modes."

    def totals(
        self, book: SubAccount, marks: Marks, mode: Mode, rows: list[PositionMargin], lines: Lines
    ) -> tuple[Any, Any]:
        """(initial, maintenance) of the account, USD: the sums, unless a venue nets."""
        return sum(r.initial for r in rows), sum(r.maintenance + r.fee for r in rows)

    def withdrawable(self, equity: Any, initial: Any, rows: Sequence[PositionMargin]) -> Any:
        """USD that the venue lets out; None where its rule is not reproduced here."""
        return None

    # What is held.

    def supports(self, book: Portfolio | SubAccount, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """What of the account is not reproduced here, row by row."""
        return tuple(
            Unsupported(symbol=p.symbol, reason=why, alone=alone)
            for p in accounts.as_sub(book).positions
            for why, alone in [self.refusal(p)]
            if why
        )

    def refusal(self, position: Position) -> tuple[str, bool]:
        """Why a position is not reproduced here, "" where it is; and whether the rest can be margined without it."""
        instrument = position.instrument
        if instrument.kind == "loan":
            return "", False
        if not self.lists(instrument):
            listed = " and ".join(f"{kind}s" for kind in self.kinds)
            return f"{instrument.kind} is not reproduced here, only {listed}", False
        if instrument.is_inverse and not self.inverse:
            return "coin-settled contracts are not reproduced here, only those settled in dollars", False
        if not instrument.is_inverse and not self.linear:
            apart = bool(self.coin_wallets)  # in a wallet of dollars, which leaves the coins' as they are
            return "contracts settled in dollars are not reproduced here, only those settled in the coin", apart
        own = position.maintenance_rate is not None or (position.max_leverage and self.rate_at(position.max_leverage))
        tiers = self.tiers_for(position.underlying, instrument.is_inverse)
        if not own and tiers is None:
            return f"no tiers of {position.underlying} are known here: not reproduced here", True
        cap = tiers[-1].cap if tiers and not own else None
        price = position.mark_price or position.entry_price
        if cap is not None and self.size_at(position, price) > cap:
            unit = position.underlying if self.counts_coins(position) else "USD"
            return f"tiers above {cap:,.10g} {unit} are not reproduced here", True
        return "", False

    def lists(self, instrument: Instrument) -> bool:
        """Whether contracts of this kind are margined here; coin-settled ones, where they are, dated ones too."""
        coins = self.inverse and bool(self.coin_settled) and instrument.is_inverse
        return coins or instrument.kind in self.kinds

    def size_at(self, position: Position, price: float | None) -> float:
        """A position's size as the tiers count it, at a price; 0 where it needs one and there is none."""
        quantity = abs(position.quantity)
        if position.instrument.is_inverse:
            return quantity if not self.counts_coins(position) else quantity / price if price else 0.0
        return quantity if self.in_coins else quantity * (price or 0.0)

    def counts_coins(self, position: Position) -> bool:
        """Whether the position's tiers count coins, not dollars."""
        return self.in_coins or (position.instrument.is_inverse and bool(self.coin_settled))

    # The reckoning.

    def reckon(
        self, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> VenueMargin:
        """The account's figures, with lines where they are wanted."""
        source = self.parameters.source(self.rule)
        held = accounts.margined(book)
        kept = held if mode == "isolated" else [p for p in accounts.merged(held, self.one) if p.quantity]
        collateral = self.wallet(book, marks, mode, settings, lines)
        rows = [self.position_margin(p, marks, mode, settings, lines) for p in kept]
        rows = [self._printed(p, marks, row, lines) for p, row in zip(kept, rows, strict=True)]
        profits = [marks.unrealised(p) for p in held]
        totalled = rows
        if (worth := self.worths(book, marks, mode)) is not None:
            profits = [x * worth[str(p.instrument.settle)] for p, x in zip(held, profits, strict=True)]
            totalled = [_times(row, worth[str(p.instrument.settle)]) for p, row in zip(kept, rows, strict=True)]
        initial, required = self.totals(book, marks, mode, totalled, lines)
        pnl = sum(profits)
        if lines.wanted and pnl:
            lines.add("Unrealised profit", "sum of q (mark - entry)", pnl, source, "pnl")
        wallet = sum(c.counted_maintenance for c in collateral)
        ready = sum(c.counted_initial for c in collateral)
        if held and (less := self.coin_profits(held, collateral, marks, mode, settings)) is not None:
            wallet, ready = wallet + less, ready + less
            if lines.wanted and less:
                lines.add("Profit held in coins", "counts as the coin does", float(less), source, "collateral")
        market = sum(c.market_value for c in collateral) + pnl
        notes = [*marks.notes, *(c.why for c in collateral if c.why), *self.mode_notes.get(mode, ()), *lines.notes]
        equity, opening = wallet + pnl, ready + pnl
        if mode == "isolated" and not book.isolated:
            notes.append(
                "Isolated: each position's own margin is what was posted, else its initial margin at entry; the "
                "wallet's rest does not help it."
            )
            own = [self.own_margin(p, marks, settings) for p in held]
            rows = [replace(row, equity=m + x) for row, m, x in zip(rows, own, profits, strict=True)]
            equity, opening = sum(own) + pnl, ready
        elif mode == "isolated":
            rows = [replace(row, equity=equity) for row in rows]
        return VenueMargin(
            venue=self.title, mode=mode, initial=initial, maintenance=required, equity_initial=opening, equity=equity,
            withdrawable=self.withdrawable(equity, initial, rows), collateral_value=ready, account_value=market,
            lines=tuple(lines.kept), positions=tuple(rows), collateral=tuple(collateral),
            notes=tuple(dict.fromkeys(notes)),
        )  # fmt: skip

    def worths(self, book: SubAccount, marks: Marks, mode: Mode) -> dict[str, Any] | None:
        """USD per unit of what each contract settles in, where the venue turns its figures; None where all are 1."""
        if not self.valued or mode == "isolated" or book.isolated:
            return None
        settled = [p.instrument for p in book.positions if p.instrument.settle is not None]
        found = {str(i.settle): 1.0 if i.is_inverse else marks.prices.get(str(i.settle), 1.0) for i in settled}
        return None if all(np.ndim(price) == 0 and price == 1.0 for price in found.values()) else found

    def coin_profits(
        self, held: Sequence[Position], collateral: Sequence[CollateralValue], marks: Marks, mode: Mode,
        settings: Mapping[str, float],
    ) -> Any:  # fmt: skip
        """USD by which profit of coin-settled contracts counts for other than its value; None where it counts whole.

        Where `coin_equity` names the mode a coin's equity, balance and profit together, counts at the coin's share, one
        for opening and against liquidation.
        """
        if mode not in self.coin_equity or not any(p.instrument.is_inverse for p in held):
            return None
        less: Any = 0.0
        for coin in dict.fromkeys(p.underlying for p in held if p.instrument.is_inverse):
            price = marks.price(coin)
            gained = sum(marks.unrealised(p) for p in held if p.instrument.is_inverse and p.underlying == coin)
            mine = [c for c in collateral if c.asset == coin]
            equity = sum(c.quantity for c in mine) + gained / price
            counted = self.counted(coin, np.maximum(equity, 1e-300), price, mode, settings)[1]  # above 0: held
            counts = np.where(np.greater(equity, 0), counted, equity * price)
            less = less + counts - sum(c.counted_maintenance for c in mine) - gained
        return less if np.ndim(less) else float(less)

    def own_margin(self, position: Position, marks: Marks, settings: Mapping[str, float]) -> Any:
        """USD at today's price of the margin of an isolated position: posted, else its initial margin at entry."""
        posted = posted_margin(position, _Opener(self, settings), marks)
        return posted.quantity * marks.price(posted.asset)

    def wallet(
        self, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> list[CollateralValue]:
        """What each balance counts. The margin of an isolated position, dollars or the coin it settles in, in full."""
        out = []
        source = self.parameters.source(self.rule)
        for asset, quantity, price in accounts.tokens(book, marks, spot=True):
            value = quantity * price
            initial, kept, why = self.counted(asset, quantity, price, mode, settings)
            if self.in_full(book, asset):
                initial, kept, why = value, value, ""
            out.append(
                CollateralValue(
                    asset=asset, quantity=quantity, price=price, market_value=value, counted_initial=initial,
                    counted_maintenance=kept, why=why,
                )
            )  # fmt: skip
            if lines.wanted:
                share = f" at {kept / value:.1%}" if kept != value else ""
                lines.add(f"Collateral {asset}", f"{quantity:,.8g} x {price:,.8g}{share}", kept, source, "collateral")
        return out

    def in_full(self, book: SubAccount, asset: str) -> bool:
        """Whether a balance counts whole, whatever `counted` says: margin posted, in dollars or the coin settled in."""
        return book.isolated and (accounts.is_dollar(asset) or asset in settlement_coins(book))

    def sized(self, position: Position, marks: Marks, basis: Basis) -> tuple[Any, Any]:
        """(USD value, size as the tiers count it) of a position at the mark, or at its entry.

        Margins of a coin-settled contract taken at entry are coins, N / E of them, at today's price.
        """
        mark = marks.contract(position.instrument)
        at = mark if basis == "mark" or position.entry_price is None else position.entry_price
        if position.instrument.is_inverse:
            coins = abs(position.quantity) / at
            return coins * mark, coins if self.counts_coins(position) else coins * at
        value = abs(position.quantity) * at
        return value, abs(position.quantity) if self.in_coins else value

    def position_tiers(self, position: Position, marks: Marks) -> tuple[Tiers, bool]:
        """The tiers that margin a position, and whether they are what the venue printed of it and not the table's.

        What was printed wins where the table says otherwise at the position's own mark; nothing moves with `marks`.
        """
        table = self.tiers_on(position.underlying, position.instrument.is_inverse, marks)
        rate, leverage, deduction = position.maintenance_rate, position.max_leverage, position.maintenance_deduction
        if rate is None and leverage is None and deduction is None:
            assert table is not None
            return table, False
        tier = None
        if table is not None:
            at = position.mark_price or position.entry_price or marks.contract(position.instrument)
            coins = abs(position.quantity) / at if position.instrument.is_inverse else abs(position.quantity)
            tier = tier_at(table, coins if self.counts_coins(position) else coins * at)
            told = ((rate, tier.rate), (leverage, tier.leverage))
            same = all(mine is None or abs(mine - theirs) <= 1e-9 * abs(theirs) for mine, theirs in told)
            if same and (deduction is None or abs(deduction - tier.deduction) <= 1e-6 * max(tier.deduction, 1.0)):
                return table, False
        if rate is None and leverage is not None:
            rate = self.rate_at(leverage)
        if rate is None:
            rate = tier.rate if tier is not None else None
            deduction = tier.deduction if tier is not None and deduction is None else deduction
        assert rate is not None
        most = leverage or (tier.leverage if tier is not None else 1.0 / rate if rate else 1e3)
        return one_rate(rate, most, deduction or 0.0), True

    def position_margin(
        self, position: Position, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> PositionMargin:
        """One position's own margins, each with its line."""
        tiers, printed = self.position_tiers(position, marks)
        bases = self.basis(mode, marks)
        opened, opened_size = self.sized(position, marks, bases[0])
        value, size = (opened, opened_size) if bases[1] == bases[0] else self.sized(position, marks, bases[1])
        if printed:  # a printed deduction is in dollars
            opened_size, size = opened, value
        rate = self.initial_rate(position, tiers.leverage(opened_size), settings)
        needed = tiers.maintenance(size)
        if size is not value:
            needed = needed * (value / size)
        if printed:
            needed = np.maximum(needed, 0.0)
        fee = self.closing_fee(position, marks, settings)
        opening = fee if self.fee_to_open else 0.0
        initial = opened * rate + opening
        apart = fee if self.fee_apart else 0.0
        if not self.fee_apart:
            needed = needed + fee
        if not lines.wanted:
            return PositionMargin(
                symbol=position.symbol, quantity=position.quantity, notional=value, initial=initial,
                maintenance=needed, fee=apart,
            )  # fmt: skip
        source = self.source_of(position, printed, marks)
        tier = tier_at(tiers, size)
        extra = f" + fee {fee:,.2f}" if fee else ""
        if printed:
            lines.note(f"{position.symbol}: the tier the venue printed for it, {tier.rate:.4%}, wins over the table.")
        lines.add(
            f"{position.symbol}: initial", f"{opened:,.2f} x {rate:.4%}{extra if opening else ''}", initial, source,
            "initial",
        )  # fmt: skip
        less = f" - {tier.deduction * value / size:,.2f}" if tier.deduction and size else ""
        formula = f"{value:,.2f} x {tier.rate:.3%}{less}{extra}"
        lines.add(f"{position.symbol}: maintenance", formula, needed + apart, source, "maintenance")
        return PositionMargin(
            symbol=position.symbol, quantity=position.quantity, notional=accounts.contracts_value(position, marks),
            initial=initial, maintenance=float(needed), tier=describe(tier), initial_rate=rate,
            maintenance_rate=tier.rate, fee=apart,
        )  # fmt: skip

    def _printed(self, position: Position, marks: Marks, row: PositionMargin, lines: Lines) -> PositionMargin:
        """The row with the rates that the venue printed, where its rule knows no tiers."""
        kept, most = position.maintenance_rate, position.max_leverage
        if self.tiered(position) or position.instrument.is_option or (kept is None and most is None):
            return row
        value, _ = self.sized(position, marks, "mark")
        if kept is not None:
            needed = value * kept - (position.maintenance_deduction or 0.0)
            lines.note(f"{position.symbol}: the maintenance rate that the venue printed for it wins over the rule.")
            row = replace(row, maintenance=needed, maintenance_rate=kept)
        if most is not None:
            rate = 1.0 / min(most, position.leverage or most) if self.own_leverage else 1.0 / most
            lines.note(f"{position.symbol}: the highest leverage that the venue printed for it wins over the rule.")
            row = replace(row, initial=value * rate, initial_rate=rate)
        return row

    def tiered(self, position: Position) -> bool:
        """Whether `position_tiers` margins it, so that what the venue printed is already in."""
        return True


def _times(row: PositionMargin, price: Any) -> PositionMargin:
    """A position's margins at another price of what it settles in."""
    return replace(row, initial=row.initial * price, maintenance=row.maintenance * price, fee=row.fee * price)


class _Opener:
    """A rulebook as `posted_margin` asks for it."""

    def __init__(self, rulebook: Rulebook, settings: Mapping[str, float]):
        self.rulebook, self.settings = rulebook, settings

    def opening_margin(self, position: Position, marks: Any = None) -> float:
        return self.rulebook.opening_margin(position, marks, self.settings)
