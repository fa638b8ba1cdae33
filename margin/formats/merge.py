"""What several documents say, as accounts: those of one venue become one account with what each of them speaks of."""

from dataclasses import dataclass, field

from margin.core.account import MAX_COLLATERAL, MAX_POSITIONS, Account
from margin.core.errors import InputError
from margin.core.portfolio import MAX_ACCOUNTS
from margin.core.position import Collateral, Position
from margin.core.venue_says import VenueSays
from margin.formats.found import Balance, Part, SetAside


@dataclass(kw_only=True)
class Merged:
    """The accounts with what each of them was told about, and what had to be said in reading."""

    accounts: list[Account] = field(default_factory=list)
    speaks_of: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    closed: int = 0
    first_error: InputError | None = None


def merge(parts: list[Part]) -> Merged:
    """Raises InputError where there is too much of anything."""
    merged = Merged()
    for group in _groups(parts):
        merged.notes += [note for part in group for note in part.notes]
        merged.set_aside += [row for part in group for row in part.aside]
        merged.closed += sum(part.closed for part in group)
        errors = [part.first_error for part in group if part.first_error]
        merged.first_error = merged.first_error or (errors[0] if errors else None)
        merged.accounts.append(_account(group, merged))
        spoken = {"positions": any(p.positions is not None for p in group)}
        spoken["collateral"] = any(p.balances is not None for p in group)
        merged.speaks_of.append(tuple(key for key, said in spoken.items() if said))
    if len(merged.accounts) > MAX_ACCOUNTS:
        raise InputError(
            "accounts", f"{len(merged.accounts)} entries", "has too many entries", f"At most {MAX_ACCOUNTS}."
        )
    merged.notes = list(dict.fromkeys(merged.notes))
    return merged


def _groups(parts: list[Part]) -> list[list[Part]]:
    """Documents of one account. One that names no venue goes with the only venue there is."""
    venues = {(p.venue, p.name) for p in parts if p.venue}
    alone = next(iter(venues)) if len(venues) == 1 else ("", "")
    groups: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        key = (part.venue, part.name) if part.venue or part.name else alone
        groups.setdefault(key, []).append(part)
    return list(groups.values())


def _account(group: list[Part], merged: Merged) -> Account:
    positions = [p for part in group for p in part.positions or ()]
    balances = [b for part in group for b in part.balances or ()]
    for name, held, most in (("positions", positions, MAX_POSITIONS), ("collateral", balances, MAX_COLLATERAL)):
        if len(held) > most:
            raise InputError(name, f"{len(held)} entries", "has too many entries", f"At most {most}.")
    says: dict[str, object] = {}
    for part in group:
        for key, value in part.says.items():
            if isinstance(value, dict):
                into = says.setdefault(key, {})
                into.update(value)  # type: ignore[attr-defined]
            elif value is not None:
                says[key] = value
    times = [part.as_of for part in group if part.as_of]
    modes = [part.mode for part in group if part.mode]
    mode = "portfolio" if "portfolio" in modes else modes[0] if modes else None
    if says and not any(part.positions is not None for part in group):
        says = {}
        merged.notes.append("What the venue says of the account is left out: its positions are not here.")
    return Account(
        name=next((part.name for part in group if part.name), ""),
        venue=next((part.venue for part in group if part.venue), ""),
        mode=mode,  # type: ignore[arg-type]
        as_of=max(times) if times else None,
        positions=tuple(positions),
        collateral=(*_settled(balances, positions, merged), *_priced(group, positions, balances)),
        venue_says=VenueSays.of({key: value for key, value in says.items() if value != {}}),
    )


def _priced(group: list[Part], positions: list[Position], balances: list[Balance]) -> list[Collateral]:
    """Nothing of a coin, at the price that its options' rows name, where no other row prices it."""
    known = {p.underlying for p in positions if p.mark_price is not None and not p.instrument.is_option}
    known |= {b.asset for b in balances}
    options = {p.underlying for p in positions if p.instrument.is_option}
    named = {asset: price for part in group for asset, price in part.prices.items()}
    return [Collateral(asset, 0.0, price) for asset, price in named.items() if asset in options - known]


def _settled(balances: list[Balance], positions: list[Position], merged: Merged) -> list[Collateral]:
    """Balances as collateral. A figure that holds open profit gives it back: ours adds it again from entry and mark."""
    out: dict[str, float] = {}
    prices: dict[str, float] = {}
    pooled = [p for p in positions if p.mode != "isolated" and p.entry_price is not None]
    for balance in balances:
        quantity = balance.quantity
        if balance.with_profit:
            mine = [p for p in pooled if _settles_in(p) == balance.asset and p.mark_price is not None]
            blind = [p.symbol for p in pooled if _settles_in(p) == balance.asset and p.mark_price is None]
            profit = sum(_profit(p) for p in mine)
            quantity -= profit
            if blind:
                merged.notes.append(
                    f"{balance.asset}: the venue's balance holds the open profit of {', '.join(blind[:5])}, and "
                    "without a mark price it can't be taken out."
                )
            elif not mine and not positions:
                merged.notes.append(
                    f"{balance.asset}: the venue's balance holds the open profit of its positions, which are not here."
                )
        out[balance.asset] = out.get(balance.asset, 0.0) + quantity
        if balance.price is not None:
            prices.setdefault(balance.asset, balance.price)
    return [Collateral(asset, quantity, prices.get(asset)) for asset, quantity in out.items() if quantity]


def _settles_in(position: Position) -> str:
    return position.instrument.settle or position.instrument.quote


def _profit(position: Position) -> float:
    """Open profit in the settlement currency: entry to mark; an option's premium through its dollars at the mark."""
    mark = position.mark_price
    if mark is None or (position.instrument.is_option and position.instrument.settle == position.instrument.base):
        return 0.0
    profit = position.profit(mark)
    return profit / mark if position.instrument.is_inverse else profit
