"""The account behind the book: what its collateral counts for, its equity, health and leverage."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from margin.core.checks import date_text
from margin.core.errors import InputError, MissingPriceError
from margin.core.instruments import USD_LIKE
from margin.core.market import Market
from margin.core.portfolio import Collateral, Position
from margin.core.settings import Settings
from margin.haircut.model import describe, haircut
from margin.haircut.settings import HaircutSettings
from margin.haircut.tails import LEAST_RETURNS
from margin.ladder.basis import BasisCharge, basis_charge
from margin.ladder.method import MeasuredBook
from margin.risk.estimate import estimate, observations
from margin.risk.exposures import Book, value_book
from margin.risk.history import history, price_series
from margin.risk.models import RiskModel

UNKNOWN = "nothing counts"


@dataclass(frozen=True, kw_only=True)
class CollateralLine:
    """One collateral asset: USD price and value, the haircut and where it comes from, what counts.

    at_par : a dollar stablecoin without a recent close, taken at 1 USD: it does not move
    """

    asset: str
    quantity: float
    price: float
    market_value: float
    haircut: float
    counted_value: float
    source: str
    at_par: bool = False

    @property
    def known(self) -> bool:
        """Whether there is enough history to say what it may lose; without it it counts for nothing, jointly too."""
        return not self.source.startswith(UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class Account:
    """USD figures of the account. Health is equity / maintenance, liquidated at 1; None where nothing is required.

    treatment : "joint" where coins are held as collateral and the settings say so, else "haircut"
    collateral : balances and owned spot
    maintenance : share of the requirement below which liquidation starts (Settings.maintenance), USD
    collateral_hedges : portfolio margin - joint requirement: what collateral hedges, below 0 where it only adds risk
    equity : counted collateral + unrealised PnL + loan balances (joint treatment: collateral at market value)
    requirement : the portfolio margin it is measured against (joint: margin of positions and collateral together)
    requirement_safeguarded : the same with what the safeguards add, the basis of coins held jointly included
    health_isolated : the same collateral after haircuts / isolated maintenance; an isolated account knows no joint
                      treatment
    health_safeguarded : equity / maintenance of (requirement + what the safeguards add)
    """

    treatment: str
    collateral: tuple[CollateralLine, ...]
    market_value: float
    collateral_value: float
    unrealised_pnl: float
    loans: float
    equity: float
    requirement: float
    requirement_safeguarded: float
    maintenance: float
    collateral_hedges: float
    free_equity: float
    health: float | None
    health_isolated: float | None
    health_safeguarded: float | None
    gross: float
    effective_leverage: float | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """Collateral valued at the book's as-of, and what it does to the margin where it counts jointly.

    requirement : USD margin of positions and collateral together; None under the haircut treatment
    basis       : what different instruments of one underlying that offset are charged, jointly held coins included
    """

    lines: tuple[CollateralLine, ...]
    requirement: float | None
    basis: BasisCharge
    notes: tuple[str, ...]

    @property
    def joint(self) -> bool:
        """True where collateral is margined together with the positions."""
        return self.requirement is not None


def hold(collateral: Sequence[Collateral], measured: MeasuredBook, model: RiskModel, netted: np.ndarray) -> Holdings:
    """Value the collateral; `model`, `netted` (by underlying): of the positions. Raises MissingPriceError."""
    notes: list[str] = []
    book, settings = measured.book, measured.settings
    known = replace(settings, as_of=date_text(book.as_of)) if collateral else settings
    lines = tuple(_line(c.asset, c.quantity, measured.market, known, notes) for c in collateral)
    coins = any(line.quantity and line.asset not in USD_LIKE for line in lines)
    if settings.collateral_treatment == "joint" and coins:
        requirement, basis = _joint_requirement(measured, [line for line in lines if line.known], notes)
        return Holdings(lines=lines, requirement=requirement, basis=basis, notes=tuple(notes))
    basis = basis_charge(book, model, len(book.exposures), settings.safeguards, netted)
    return Holdings(lines=lines, requirement=None, basis=basis, notes=tuple(notes))


def account(held: Holdings, measured: MeasuredBook, safeguarded: float) -> Account:
    """The account at the book's as-of; `safeguarded` is the safeguarded margin of its positions, USD."""
    book, settings, lines = measured.book, measured.settings, held.lines
    notes = list(held.notes)
    unrealised, missing = _unrealised(book)
    if missing:
        notes.append(f"No entry price for {', '.join(missing)}: counted as opened at the as-of price.")
    loans = sum(e.value for e in book.exposures if e.instrument.kind == "loan")
    market_value = sum(line.market_value for line in lines)
    counted = sum(line.counted_value for line in lines)
    requirement = measured.portfolio if held.requirement is None else held.requirement
    after_haircuts = counted + unrealised + loans
    joint_value = sum(line.market_value for line in lines if line.known)
    equity = joint_value + unrealised + loans if held.joint else after_haircuts
    gross = sum(abs(e.delta_usd) for e in book.exposures)
    if lines and equity <= 0:
        notes.append("Equity is not above zero: the account is bankrupt, so it has no leverage.")
    share = settings.maintenance
    asked = max(requirement + safeguarded - measured.portfolio, 0.0)
    return Account(
        treatment="joint" if held.joint else "haircut",
        collateral=lines,
        market_value=market_value,
        collateral_value=counted,
        unrealised_pnl=unrealised,
        loans=loans,
        equity=equity,
        requirement=requirement,
        requirement_safeguarded=asked,
        maintenance=share * requirement,
        collateral_hedges=measured.portfolio - requirement,
        free_equity=equity - requirement,
        health=_ratio(equity, share * requirement),
        health_isolated=_ratio(after_haircuts, share * measured.isolated),
        health_safeguarded=_ratio(equity, share * asked),
        gross=gross,
        effective_leverage=gross / equity if equity > 0 else None,
        notes=tuple(notes),
    )


def default_haircut(asset: str, market: Market, settings: Settings, size_usd: float = 0.0) -> tuple[float, str]:
    """(fraction, where it comes from): the dynamic haircut of that size (margin/haircut/model.py), same lookback.

    An asset with too little history to say what it may lose counts for nothing.
    """
    chosen = HaircutSettings(lookback=max(settings.lookback, LEAST_RETURNS))
    try:
        found = haircut(market, asset, size_usd, settings.as_of, chosen)
    except MissingPriceError:
        raise
    except InputError as error:
        return 1.0, f"{UNKNOWN}: {asset} {error.problem}"
    return found.total, describe(found)


def _line(asset: str, quantity: float, market: Market, settings: Settings, notes: list[str]) -> CollateralLine:
    price, note = market.collateral_price(asset, settings.as_of)
    if note:
        notes.append(note + ".")
    chosen = dict(settings.haircuts).get(asset)
    value = quantity * price
    if chosen is not None:
        cut, source = chosen, "set by you"
    elif value > 0:
        cut, source = default_haircut(asset, market, settings, value)
    else:
        cut, source = 0.0, "a debt counts in full" if value < 0 else "nothing is held"
    counted = value * (1.0 - cut) if value > 0 else value
    return CollateralLine(
        asset=asset,
        quantity=quantity,
        price=price,
        market_value=value,
        haircut=cut if value > 0 else 0.0,
        counted_value=counted,
        source=source,
        at_par=bool(note),
    )


def _unrealised(book: Book) -> tuple[float, list[str]]:
    """USD profit since entry of every position that has an entry price, and the symbols that have none."""
    total, missing = 0.0, []
    for e in book.exposures:
        if e.instrument.kind == "loan":
            continue  # a balance counts at its full value, whenever it was taken
        if e.position.entry_price is None:
            missing.append(e.position.symbol)
        else:
            total += e.position.profit(e.price)
    return total, missing


def _joint_requirement(
    measured: MeasuredBook, lines: Sequence[CollateralLine], notes: list[str]
) -> tuple[float, BasisCharge]:
    """(margin of positions and collateral under the same scenarios, the basis charge of both), USD.

    The scenarios are those of the dates that all of them share; every price is that asset's own last close. Collateral
    without a price series or taken at par (dollars, a stablecoin without a recent close) does not move.
    """
    market, book = measured.market, measured.book
    held = [line for line in lines if line.asset in market and line.asset != "USD" and not line.at_par]
    positions = [*(e.position for e in book.exposures), *(Position(line.asset, line.quantity) for line in held)]
    series = price_series(market, [p.instrument for p in positions], measured.settings)
    past = history(market, series, measured.settings)
    if past.horizon.as_of < book.as_of:
        notes.append(
            f"The joint margin's scenarios end on {past.horizon.as_of.date()}, the last date with a close of every "
            "asset; each is valued at its own last close."
        )
    prices = {line.asset: line.price for line in held}
    prices |= dict(zip(measured.past.assets, measured.past.horizon.prices.tolist(), strict=True))
    valued = value_book(
        positions,
        past.assets,
        np.array([prices[asset] for asset in past.assets]),
        past.daily_vol,
        book.as_of,
        measured.settings,
    )
    scenario_set, model = estimate(valued, past, measured.settings)
    used = observations(scenario_set)
    expected = min(measured.settings.lookback, len(measured.past.horizon.values))
    if used < expected:
        notes.append(f"The joint margin rests on {used} scenarios, not {expected}: the collateral has no more history.")
    return model.total(), basis_charge(valued, model, len(book.exposures), measured.settings.safeguards)


def _ratio(equity: float, maintenance: float) -> float | None:
    return equity / maintenance if maintenance > 0 and np.isfinite(equity) else None
