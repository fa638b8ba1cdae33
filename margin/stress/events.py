"""Named events: what the record says each asset did, in dollars, and what an asset without a record is moved by.

An asset that was not recorded follows its beta to BTC (can be switched off): a pool does not survive Black Thursday
because SOL did not exist. Definitions: docs/stress.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError, did_you_mean
from margin.core.instruments import USD_STABLECOINS
from margin.sample.events import load_events
from margin.stress.held import StressBook
from margin.stress.shocks import MOST_MOVE, Stressed, shock

__all__ = ["NamedMove", "betas", "event_named", "recorded", "replay_event", "replay_events"]

LEADER = "BTC"
IN_DOLLARS = "_USD"  # USDC_USD is USDC against dollars; USDC alone is its pair against USDT
LEAST_RETURNS = 30  # fewer common returns give no beta


@dataclass(frozen=True)
class NamedMove:
    """A recorded event: by asset, the move from the close before it to the close of its last day, and to its low."""

    name: str
    start: str
    end: str
    close_to_close: Mapping[str, float]
    worst_low: Mapping[str, float]


def recorded() -> tuple[NamedMove, ...]:
    """The events the project carries, oldest first; a stablecoin's moves are those against dollars only."""
    return tuple(
        NamedMove(
            event.name,
            event.start.isoformat(),
            event.end.isoformat(),
            in_dollars({asset: move.close_to_close for asset, move in event.moves.items()}),
            in_dollars({a: move.worst_low for a, move in event.moves.items() if move.worst_low is not None}),
        )
        for event in load_events()
    )


def in_dollars(moves: Mapping[str, float]) -> dict[str, float]:
    """By asset: a stablecoin's record against dollars; one that is known against another coin only is not known."""
    plain = {asset: move for asset, move in moves.items() if asset not in USD_STABLECOINS and IN_DOLLARS not in asset}
    return plain | {a.removesuffix(IN_DOLLARS): move for a, move in moves.items() if a.endswith(IN_DOLLARS)}


def event_named(name: str) -> NamedMove:
    """Raises InputError with what is close."""
    events = recorded()
    for event in events:
        if event.name.lower() == name.strip().lower():
            return event
    known = [event.name for event in events]
    near = [n for n in known if name.strip() and name.strip().lower() in n.lower()]
    hint = f"Did you mean {near[0]!r}?" if near else did_you_mean(name, known) or f"One of {'; '.join(known)}."
    raise InputError("event", name, "is not a recorded event", hint)


def betas(book: StressBook, assets: Sequence[str]) -> dict[str, float]:
    """Beta to BTC of each asset that has one: covariance / variance of the last `lookback` daily returns they share.

    Left out: BTC itself, what has no closes, or fewer than 30 returns in common with BTC up to the book's as-of.
    """
    out: dict[str, float] = {}
    for asset in assets:
        if asset == LEADER or asset not in book.market or LEADER not in book.market:
            continue
        try:
            found = book.market.returns([asset, LEADER], book.settings.as_of, 1, book.settings.lookback).values
        except InputError:
            continue
        own, leader = found.T
        if len(found) >= LEAST_RETURNS and float(np.var(leader)) > 0:
            out[asset] = float(np.cov(own, leader)[0, 1] / np.var(leader, ddof=1))
    return out


def replay_event(book: StressBook, event: NamedMove, to_low: bool = False, use_beta: bool = True) -> Stressed:
    """The account through one recorded event: close to close, or every asset at its own low at once.

    An asset without a record moves by its beta to BTC's move, else it stays and is `missing`; a stablecoin without a
    record in dollars stays at its price.
    """
    record = event.worst_low if to_low else event.close_to_close
    used = {a: record[a] for a in book.assets if a in record}
    estimated: dict[str, float] = {}
    if use_beta and LEADER in record:
        absent = [a for a in book.moving if a not in record]
        moved = {a: beta * record[LEADER] for a, beta in betas(book, absent).items()}
        estimated = {a: min(max(move, -1.0), MOST_MOVE) for a, move in moved.items()}
    return shock(book, used, 0.0, event.name, estimated)


def replay_events(
    book: StressBook, events: Sequence[NamedMove], to_low: bool = False, use_beta: bool = True
) -> list[Stressed]:
    """Each event that moves something of the book, by its record or by beta; others are left out.

    Lows hurt longs and help shorts; highs are not recorded.
    """
    return [s for event in events if (s := replay_event(book, event, to_low, use_beta)).moves]
