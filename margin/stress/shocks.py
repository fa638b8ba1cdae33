"""What a move does to an account: profit and loss, equity, health, and what is liquidated, held so or alone.

A shock is instant: prices move, options are revalued in full at the same time to expiry, collateral moves too; equity
and maintenance are what the margin model says at the moved prices. Definitions: docs/stress.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin.core.errors import InputError
from margin.core.instruments import USD_STABLECOINS
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.ladder.compare import compare
from margin.models.base import States
from margin.stress.held import Held, StressBook

__all__ = ["Dried", "ShockGrid", "Stressed", "SubStressed", "depeg", "dried_up", "everything", "shock", "shock_grid"]

MOST_MOVE = 100.0


@dataclass(frozen=True, kw_only=True)
class SubStressed:
    """One sub-account after the move, USD. health: equity / maintenance at the moved prices, liquidated at 1."""

    name: str
    positions: tuple[int, ...]
    equity_before: float
    equity: float
    initial: float
    maintenance: float
    liquidated: bool

    @property
    def health(self) -> float | None:
        """Equity over maintenance; None where nothing has to be maintained."""
        return self.equity / self.maintenance if self.maintenance > 0 else None


@dataclass(frozen=True, kw_only=True)
class Stressed:
    """The account after one move. USD, profit > 0.

    moves    : fraction by asset as used; by_beta: those of them that follow the asset's beta to BTC, not a record
    missing  : assets of the book (collateral too) whose move is not known, left unmoved
    unknown_share : how much of the book moved by beta or not at all for want of a record, fraction of the gross
    change   : of equity = pnl of the positions + collateral_change (what collateral counts for)
    held     : the sub-accounts as they are; alone: each position in its own isolated account with the same money
    """

    name: str
    moves: Mapping[str, float]
    by_beta: Mapping[str, float]
    missing: tuple[str, ...]
    unknown_share: float
    pnl: float
    by_position: tuple[float, ...]
    collateral_change: float
    held: tuple[SubStressed, ...]
    alone: tuple[SubStressed, ...]

    @property
    def equity_before(self) -> float:
        """USD of all accounts before the shock."""
        return sum(s.equity_before for s in self.held)

    @property
    def equity(self) -> float:
        """USD of all accounts after the shock."""
        return sum(s.equity for s in self.held)

    @property
    def maintenance(self) -> float:
        """USD of all accounts after the shock."""
        return sum(s.maintenance for s in self.held)

    @property
    def change(self) -> float:
        """USD that equity gains: the one figure every view shows as profit or loss."""
        return self.equity - self.equity_before

    @property
    def health(self) -> float | None:
        """The lowest of the sub-accounts': that one is liquidated first."""
        known = [s.health for s in self.held if s.health is not None and s.positions]
        return min(known) if known else None

    @property
    def liquidated(self) -> bool:
        """Whether anything of the account as it is held would be closed."""
        return any(s.liquidated for s in self.held)

    @property
    def liquidated_held(self) -> tuple[str, ...]:
        """Names of the accounts below maintenance."""
        return tuple(s.name for s in self.held if s.liquidated)

    @property
    def liquidated_alone(self) -> tuple[bool, ...]:
        """(p,) whether each position would be closed in an isolated account of its own."""
        return tuple(s.liquidated for s in self.alone)

    @property
    def only_alone(self) -> int:
        """Positions closed in their isolated account while what holds them now survives."""
        closed = {i for s in self.held if s.liquidated for i in s.positions}
        return sum(s.liquidated and not closed.issuperset(s.positions) for s in self.alone)

    @property
    def dragged_down(self) -> int:
        """Positions that would have survived alone and are closed with their pool: contagion inside the account."""
        closed = {i for s in self.held if s.liquidated for i in s.positions}
        return sum(not s.liquidated and closed.issuperset(s.positions) for s in self.alone)


def shock(
    book: StressBook,
    moves: Mapping[str, float],
    vol_change: float = 0.0,
    name: str = "Shock",
    by_beta: Mapping[str, float] | None = None,
) -> Stressed:
    """The account after each asset moved by a fraction of its price, and implied volatilities by one of theirs.

    moves      : by asset, -1 to 100; an asset of the book that is not named does not move, and is in `missing`
    vol_change : 0.5 raises every implied volatility by half; above -1
    by_beta    : further moves, estimated and not recorded; they are shown as such
    Raises InputError for a move or change out of range.
    """
    moved = {**moves, **(by_beta or {})}
    for asset, move in moved.items():
        if not -1.0 <= move <= MOST_MOVE:
            raise InputError(f"moves {asset}", move, "must be a fraction from -1 (worthless) to 100")
    if not -1.0 < vol_change <= MOST_MOVE:
        raise InputError("vol_change", vol_change, "must be above -1")
    factors, vols = book.factors(moved), np.array([1.0 + vol_change])
    by_position = book.profit(factors, 1.0 + vol_change)
    held = tuple(_after(h, h.states(factors, vols)) for h in book.held)
    pnl = float(sum(by_position))
    missing = tuple(a for a in book.moving if a not in moved)
    gross = sum(book.gross.values())
    unknown = sum(usd for a, usd in book.gross.items() if a in missing or a in (by_beta or {}))
    return Stressed(
        name=name,
        moves=dict(moved),
        by_beta=dict(by_beta or {}),
        missing=missing,
        unknown_share=unknown / gross if gross > 0 else 0.0,
        pnl=pnl,
        by_position=by_position,
        collateral_change=sum(s.equity - s.equity_before for s in held) - pnl,
        held=held,
        alone=tuple(_after(h, h.states(factors, vols)) for h in book.alone),
    )


def _after(held: Held, states: States) -> SubStressed:
    return SubStressed(
        name=held.name,
        positions=held.positions,
        equity_before=held.equity,
        equity=float(states.equity[0]),
        initial=float(states.initial[0]),
        maintenance=float(states.maintenance[0]),
        liquidated=bool(held.below(states)[0]),
    )


def everything(book: StressBook, move: float) -> dict[str, float]:
    """The same move for every asset of the book and its collateral but dollars and dollar stablecoins."""
    return dict.fromkeys(book.moving, move)


def depeg(book: StressBook, fall: float) -> Stressed:
    """Every dollar stablecoin the book or its collateral holds falls by a fraction; everything else stays."""
    moves = {a: -fall if a in USD_STABLECOINS else 0.0 for a in book.assets}
    return shock(book, moves, 0.0, f"Stablecoins fall by {fall:.0%}")


@dataclass(frozen=True, kw_only=True, eq=False)
class ShockGrid:
    """change of equity (n, m), equity (n, m), liquidated (n, m) under spot moves (n,) of every asset alike and changes
    of volatility (m,)."""

    spot: np.ndarray
    vol: np.ndarray
    change: np.ndarray
    equity: np.ndarray
    liquidated: np.ndarray


def shock_grid(book: StressBook, spot: Sequence[float], vol: Sequence[float]) -> ShockGrid:
    """The account as it is held on a grid of spot moves and volatility changes; stablecoins stay."""
    rows = np.vstack([book.factors(everything(book, s)) for s in spot for _ in vol])
    vols = 1.0 + np.tile(np.asarray(vol, dtype=float), len(spot))
    found = [(h, h.states(rows, vols)) for h in book.held]
    shape = (len(spot), len(vol))
    equity = sum((states.equity for _, states in found), np.zeros(len(rows))).reshape(shape)
    below = np.asarray(np.array([h.below(states) for h, states in found]).any(axis=0))
    return ShockGrid(
        spot=np.array(spot),
        vol=np.array(vol),
        change=equity - book.money,
        equity=equity,
        liquidated=below.reshape(shape),
    )


@dataclass(frozen=True)
class Dried:
    """The book when markets trade `factor` times less. USD; closing_cost None where no volume is known."""

    factor: float
    closing_cost: float | None
    safeguarded: float
    collateral_value: float
    health: float | None


def dried_up(portfolio: Portfolio, market: Market, settings: Settings, factors: Sequence[float]) -> list[Dried]:
    """Cost of closing, safeguarded margin and counted collateral when traded volumes are divided by each factor."""
    if market.volumes is None:
        raise InputError("volumes", "none", "no traded volume is known", "Fetch prices, or give a file with volumes.")
    closes = pd.DataFrame(market.closes, market.dates, list(market.assets))
    out = []
    for factor in factors:
        if not factor >= 1.0:
            raise InputError("factor", factor, "must be 1 or more")
        thin = Market(closes, pd.DataFrame(market.volumes / factor, market.dates, list(market.assets)))
        c = compare(portfolio, thin, settings=settings)
        cost = next(line.amount for line in c.safeguard_lines if line.key == "liquidity")
        out.append(Dried(factor, cost, c.safeguarded, c.account.collateral_value, c.account.health_safeguarded))
    return out
