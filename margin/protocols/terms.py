"""A shared wallet from a portfolio, a lender's rulebook and a perpetuals venue's: any two margin models there are.

What a coin lends and counts for, and what a position asks, are read from the models' own answers for that coin or
position alone, so a lender or a venue needs nothing here. Definitions: docs/protocols.md.
"""

from dataclasses import dataclass

from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE
from margin.core.portfolio import Collateral, Portfolio, Position
from margin.models.base import MarginModel
from margin.models.marks import Marks
from margin.protocols.wallet import Perp, Pledge, Wallet

DEBT = 0.4  # of what the coins lend, where nothing says what is owed
LENDER, VENUE = "aave:cross", "hyperliquid:cross"


@dataclass(frozen=True, kw_only=True)
class Told:
    """A wallet, and what the reader should know of how it was read."""

    wallet: Wallet
    notes: tuple[str, ...]


def pledge(
    asset: str, value: float, lender: MarginModel, marks: Marks, weight: float | None = None, own_beta: float = 1.0
) -> Pledge:
    """A coin at the lender, with what its model lends on it and counts against the debt.

    weight : what the venue counts it at, where it does; default: as much as is lent on it
    Raises InputError where the lender counts nothing for the coin.
    """
    units = value / marks.price(asset)
    held = SubAccount(name="lender", positions=(), collateral=(Collateral(asset, units),))
    state = lender.state(held, marks)
    if not state.equity > 0 or not state.equity_initial > 0:
        hint = "Choose a coin whose weights are carried, e.g. ETH or BTC."
        raise InputError("collateral", asset, f"{lender.title}: nothing is lent on it here", hint)
    ltv, threshold = state.equity_initial / value, state.equity / value
    share = ltv if weight is None else weight
    return Pledge(asset=asset, value=value, ltv=ltv, threshold=threshold, weight=share, own_beta=own_beta)


def perp(symbol: str, quantity: float, venue: MarginModel, marks: Marks, leverage: float | None = None) -> Perp:
    """A position at the venue, with the rates its model asks of it alone at the marks.

    leverage : chosen at the venue (default: its own, or 10, or the highest it allows)
    Raises InputError for what the model does not reproduce.
    """
    position = Position(symbol, quantity, leverage=leverage)
    alone = SubAccount(name="venue", positions=(position,), collateral=(Collateral("USD", 0.0),))
    venue.check(alone)
    state = venue.state(alone, marks)
    notional = quantity * marks.mark(position.instrument)
    if position.instrument.is_inverse:
        notional = quantity
    size = abs(notional)
    initial, maintenance = state.initial / size, state.maintenance / size
    return Perp(
        asset=position.underlying, notional=notional, maintenance=maintenance, initial=max(initial, maintenance)
    )


def read_wallet(
    portfolio: Portfolio,
    marks: Marks,
    lender: MarginModel,
    venue: MarginModel,
    debt: float | None = None,
    weight: float | None = None,
    bonus: float = 0.05,
    own_beta: float = 1.0,
    backing: float = 1.0,
) -> Told:
    """The coins, the debt and the perpetual positions of a portfolio as one shared wallet.

    debt : USD owed to the lender; default: the loans and negative dollars of the portfolio, else 40% of what the coins
           lend
    own_beta, backing : of the wrong-way rule alone (`Pledge`, `Wallet`)
    Raises InputError where no coin can be pledged or no position stands at the venue.
    """
    notes: list[str] = []
    coins: dict[str, float] = {}
    owed = 0.0
    for row in portfolio.collateral:
        worth = row.quantity * marks.price(row.asset)
        if row.asset in USD_LIKE:
            owed += max(-worth, 0.0)
            continue
        coins[row.asset] = coins.get(row.asset, 0.0) + worth
    perps: list[Perp] = []
    for p in portfolio.positions:
        if p.owned and p.instrument.kind == "spot" and p.quantity > 0:
            coins[p.underlying] = coins.get(p.underlying, 0.0) + p.quantity * marks.price(p.underlying)
        elif p.instrument.kind == "loan":
            owed += abs(p.quantity) * marks.price(p.underlying)
        elif p.instrument.kind in ("perpetual", "future"):
            try:
                perps.append(perp(p.symbol, p.quantity, venue, marks, p.leverage))
            except InputError as error:
                notes.append(f"{p.symbol} is left out: {error.problem}.")
        else:
            notes.append(f"{p.symbol} is left out: only coins, loans and perpetuals are shared here.")
    pledges: list[Pledge] = []
    for asset, value in sorted(coins.items()):
        if value <= 0:
            continue
        try:
            pledges.append(pledge(asset, value, lender, marks, weight, own_beta))
        except InputError as error:
            notes.append(f"{asset} is left out: {error.problem}.")
    if not pledges:
        hint = f"Add a coin that {lender.title} lends on. {' '.join(notes)}".strip()
        raise InputError("collateral", sorted(coins), "holds no coin that can be pledged to the lender", hint)
    if not perps:
        hint = f"Add a perpetual. {' '.join(notes)}".strip()
        raise InputError(
            "positions", len(portfolio.positions), "no position stands at the venue, so nothing is shared", hint
        )
    if debt is not None:
        owed = debt
    elif not owed:
        owed = DEBT * sum(p.value * p.ltv for p in pledges)
        notes.append(f"No debt is stated: ${owed:,.0f} is assumed, {DEBT:.0%} of what the coins lend.")
    wallet = Wallet(collateral=tuple(pledges), debt=owed, perps=tuple(perps), bonus=bonus, backing=backing)
    return Told(wallet=wallet, notes=tuple(notes))
