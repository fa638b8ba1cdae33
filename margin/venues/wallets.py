"""Which of a venue's pools a position stands in, and by which of its rulebooks: dollar and coin-settled contracts.

Binance keeps its coin-settled contracts in a wallet for each coin, Kraken Futures too: each is liquidated by itself,
and only its own coin backs it. Bybit, OKX and Deribit margin both kinds in one account. docs/venues.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from margin import venues
from margin.core.account import SubAccount, Wallet
from margin.core.position import Collateral, Position
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import Mode, Rulebook, Unsupported, VenueMargin

__all__ = ["divided", "parts", "refusals", "requirement", "rulebook_of"]

SUMMED = ("initial", "maintenance", "equity_initial", "equity", "collateral_value", "account_value")
JOINED = ("lines", "positions", "collateral", "grids")


def divided(
    rulebook: Rulebook, positions: Sequence[Position], collateral: Sequence[Collateral], mode: Mode
) -> tuple[Wallet, ...]:
    """The venue's pools: the main one first, then one for each coin whose contracts it keeps in a wallet apart.

    A coin's balance stands in the wallet of its contracts where there are any; all else in the main pool.
    """
    coins = [p.underlying for p in positions if p.instrument.is_inverse] if mode in rulebook.coin_wallets else []
    apart = [
        Wallet(
            coin=coin, positions=tuple(p for p in positions if p.instrument.is_inverse and p.underlying == coin),
            collateral=tuple(c for c in collateral if c.asset == coin),
        )
        for coin in dict.fromkeys(coins)
    ]  # fmt: skip
    rest = tuple(p for p in positions if not coins or not p.instrument.is_inverse)
    main = Wallet(positions=rest, collateral=tuple(c for c in collateral if c.asset not in coins))
    if len(apart) == 1 and not rest and not any(c.quantity for c in main.collateral):
        return (replace(apart[0], coin=""),)  # nothing but this wallet
    return (main, *apart)


def rulebook_of(rulebook: Rulebook, sub: SubAccount, mode: Mode) -> Rulebook:
    """The venue's rules for coin-settled contracts where those stand apart and `sub` holds nothing else."""
    held = accounts.margined(sub)
    apart = rulebook.coin_settled and mode in rulebook.coin_wallets
    if not apart or not held or not all(p.instrument.is_inverse for p in held):
        return rulebook
    found = venues.rulebook(rulebook.coin_settled)
    return found.of_the_day() if rulebook.judges_the_past else found


def parts(rulebook: Rulebook, book: SubAccount, mode: Mode) -> list[tuple[Rulebook, SubAccount]]:
    """(rules, pool) of everything that the venue keeps apart in a book; the book itself where it is one pool."""
    found = divided(rulebook, book.positions, book.collateral, mode)
    if len(found) == 1:
        return [(rulebook_of(rulebook, book, mode), book)]
    out = []
    for wallet in found:
        if wallet.positions or any(c.quantity for c in wallet.collateral):
            pool = replace(book, positions=wallet.positions, collateral=wallet.collateral, wallet=wallet.coin)
            out.append((rulebook_of(rulebook, pool, mode), pool))
    return out


def refusals(rulebook: Rulebook, book: SubAccount, mode: Mode) -> tuple[Unsupported, ...]:
    """What of the book is not reproduced here, pool by pool. In a pool apart nothing hinders the other pools' rest."""
    found = parts(rulebook, book, mode)
    several = len(found) > 1
    return tuple(
        replace(u, alone=u.alone or (several and bool(pool.wallet)))
        for rules, pool in found
        for u in rules.supports(pool, mode)
    )


def requirement(
    rulebook: Rulebook, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float] | None = None
) -> VenueMargin:
    """The margin of a book over all of the venue's pools: amounts added, lines and positions one after the other.

    Raises InputError as `Rulebook.requirement`.
    """
    found = [
        rules.requirement(pool, marks, mode, settings if rules is rulebook else None)
        for rules, pool in parts(rulebook, book, mode)
    ]
    if len(found) == 1:
        return found[0]
    sums: dict[str, Any] = {name: sum(getattr(m, name) for m in found) for name in SUMMED}
    joined: dict[str, Any] = {name: tuple(x for m in found for x in getattr(m, name)) for name in JOINED}
    said = "Its coin-settled contracts stand in a wallet for each coin, liquidated by itself: amounts are the sums."
    notes = tuple(dict.fromkeys([said, *(note for m in found for note in m.notes)]))
    return VenueMargin(venue=rulebook.title, mode=mode, **sums, **joined, notes=notes, pools=tuple(found))
