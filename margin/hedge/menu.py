"""What may be traded: cuts of the account's own positions, and hedges in instruments of a list.

A choice is one variable of the programmes: dollars of notional traded, from 0 to `most`. A cut closes a position (down
to nothing); a hedge stands in the menu twice, bought and sold. Notional is |q| x price of the underlying; of a
coin-settled contract its exposure N P / E, of an option |q| x price of the underlying, so that fees mean the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from margin import venues
from margin.core.account import SubAccount
from margin.core.errors import InputError, did_you_mean
from margin.core.instruments import USD_LIKE, parse_symbol
from margin.core.market import Market
from margin.core.position import Collateral, Position
from margin.hedge.costs import Costs, Tariff, tariff
from margin.models.base import pinned
from margin.models.marks import Marks
from margin.risk.history import ewma_vol_path

HEDGES = ("BTC", "ETH")
DECAY = 0.94
DUST = 1e-9  # of the book's gross: a trade smaller than this is none


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One thing that can be done.

    symbol : what is traded; side : +1 bought, -1 sold; row : the position that is cut, None for a hedge
    most : USD of notional; price : USD per unit of the underlying; lot : least step in units, 0 where not known
    flips : a hedge that would first reduce a position of its own symbol: it makes sense after the whole cut only
    """

    symbol: str
    asset: str
    side: int
    row: int | None
    most: float
    price: float
    tariff: Tariff
    lot: float = 0.0
    flips: bool = False

    @property
    def is_hedge(self) -> bool:
        """True for a trade that is no cut of a position held."""
        return self.row is None

    def units(self, usd: float) -> float:
        """Signed units (of a coin-settled contract USD of face) that `usd` of notional is, of a hedge."""
        inverse = parse_symbol(self.symbol).is_inverse
        return self.side * (usd if inverse else usd / self.price)


@dataclass(frozen=True, kw_only=True)
class Menu:
    """The choices, and what had to be left out and why."""

    choices: tuple[Choice, ...]
    gross: float
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def orders(self) -> tuple[int, ...]:
        """Which order each choice belongs to: buying and selling, cutting and flipping one symbol are one order."""
        names = list(dict.fromkeys(c.symbol for c in self.choices))
        return tuple(names.index(c.symbol) for c in self.choices)


def notional(position: Position, price: float) -> float:
    """USD without sign: |q| x price of the underlying; of a coin-settled contract N P / E (without an entry N)."""
    if position.instrument.is_option:
        return abs(position.quantity) * price
    return abs(position.exposure(price))


def gross(sub: SubAccount, marks: Marks) -> float:
    """USD of all positions without sign; dollars owed are none."""
    return sum(notional(p, marks.price(p.underlying)) for p in sub.positions if p.underlying not in USD_LIKE)


def menu_of(
    sub: SubAccount,
    marks: Marks,
    market: Market,
    costs: Costs,
    hedges: Sequence[str] = HEDGES,
    keep: Iterable[str] = (),
    lots: dict[str, float] | None = None,
) -> Menu:
    """Cuts of every position but those to keep (symbols or assets), and the hedges that have a price.

    An isolated position takes no hedge: nothing else stands in its account.
    Raises InputError for a name in `keep` that is not held.
    """
    kept = set(keep)
    known = {p.symbol for p in sub.positions} | {p.underlying for p in sub.positions}
    for name in kept - known:
        hint = did_you_mean(name, sorted(known)) or f"Held: {', '.join(sorted(known)) or 'nothing'}."
        raise InputError("keep", name, "is not held", hint)
    total = gross(sub, marks)
    choices: list[Choice] = []
    for row, p in enumerate(sub.positions):
        if p.symbol in kept or p.underlying in kept or p.underlying in USD_LIKE or not p.quantity:
            continue
        if p.instrument.kind == "loan":
            continue
        price = marks.price(p.underlying)
        most = notional(p, price)
        premium = marks.mark(p.instrument) / price if p.instrument.is_option else None
        choices.append(
            Choice(
                symbol=p.symbol,
                asset=p.underlying,
                side=-1 if p.quantity > 0 else 1,
                row=row,
                most=most,
                price=price,
                tariff=_tariff(costs, market, marks, p.underlying, -1.0, False, premium),
                lot=(lots or {}).get(p.symbol, 0.0),
            )
        )
    cuttable = {c.row for c in choices}
    left_out: list[tuple[str, str]] = []
    for name in () if sub.isolated else tuple(dict.fromkeys(hedges)):
        symbol = hedge_symbol(sub, name)
        asset = parse_symbol(symbol, "with").base
        if asset not in marks.prices:
            left_out.append((symbol, f"no price of {asset} at hand"))
            continue
        rows = [i for i, p in enumerate(sub.positions) if p.symbol == symbol and p.quantity]
        for side in (-1, 1):
            against = [i for i in rows if sub.positions[i].quantity * side < 0]
            if any(i not in cuttable for i in against):
                continue  # it would reduce what is to be kept
            choice = Choice(
                symbol=symbol,
                asset=asset,
                side=side,
                row=None,
                most=total,
                price=marks.price(asset),
                tariff=_tariff(costs, market, marks, asset, side, True, None),
                lot=(lots or {}).get(symbol, 0.0),
                flips=bool(against),
            )
            choices.append(choice)
    return Menu(choices=tuple(choices), gross=total, left_out=tuple(left_out))


def _tariff(
    costs: Costs, market: Market, marks: Marks, asset: str, side: float, hedge: bool, premium: float | None
) -> Tariff:
    if asset not in market:
        return tariff(costs, asset, side, hedge, None, 0.0, premium)
    key = ("hedge vol", asset, marks.as_of)
    vol = market.remember(key, lambda: float(ewma_vol_path(market.returns([asset], marks.as_of).values, DECAY)[-1, 0]))
    return tariff(costs, asset, side, hedge, market.median_volume(asset, marks.as_of), vol, premium)


def hedge_symbol(sub: SubAccount, name: str) -> str:
    """The perpetual that hedges with `name`: the symbol itself, else the one held of it, else one like the rest."""
    if "/" in name:
        return parse_symbol(name, "with").symbol
    perpetuals = [p for p in sub.positions if p.instrument.kind == "perpetual"]
    settled = [p.instrument.settle for p in sub.positions if p.instrument.settle is not None]
    if settled and all(p.instrument.settle in (None, p.underlying) for p in sub.positions):
        return parse_symbol(f"{name}/USD:{name}", "with").symbol  # an account of coin-settled contracts
    own = next((p.symbol for p in perpetuals if p.underlying == name and not p.instrument.is_inverse), None)
    if own is not None:
        return own
    quotes = [p.instrument.quote for p in perpetuals if not p.instrument.is_inverse]
    quote = max(set(quotes), key=quotes.count) if quotes else _usual_quote(sub)
    return parse_symbol(f"{name}/{quote}:{quote}", "with").symbol


def _usual_quote(sub: SubAccount) -> str:
    known = venues.facts_of(sub.venue)
    return "USDT" if known is None else known.quote


def after(sub: SubAccount, marks: Marks, menu: Menu, usd: Sequence[float], cost: float = 0.0) -> SubAccount:
    """The sub-account once `usd` of each choice is traded: profits realised, the cost paid out of its collateral.

    A position that is closed stays with a quantity of zero, so that before and after are judged on the same days.
    """
    fixed = pinned(sub, marks)
    rows = list(fixed.positions)
    cash: dict[str, float] = {}
    for choice, amount in zip(menu.choices, usd, strict=True):
        if amount <= DUST * max(menu.gross, 1.0) * 1e-3:
            continue
        if choice.row is not None:
            p = rows[choice.row]
            share = min(amount / choice.most, 1.0)
            rows[choice.row], asset, won = _traded(p, -share * sub.positions[choice.row].quantity, marks)
        else:
            found = next((i for i, p in enumerate(rows) if p.symbol == choice.symbol), None)
            if found is None:
                rows.append(
                    Position(
                        choice.symbol, choice.units(amount), entry_price=marks.contract(parse_symbol(choice.symbol))
                    )
                )
                continue
            rows[found], asset, won = _traded(rows[found], choice.units(amount), marks)
        cash[asset] = cash.get(asset, 0.0) + won
    dollars = _cash_asset(sub)
    cash[dollars] = cash.get(dollars, 0.0) - cost / marks.price(dollars)
    return replace(fixed, positions=tuple(rows), collateral=_with_cash(fixed.collateral, cash))


def _traded(position: Position, units: float, marks: Marks) -> tuple[Position, str, float]:
    """(the position after trading `units` at the mark, the asset that settles it, how much of it was realised)."""
    instrument, old = position.instrument, position.quantity
    new = old + units
    if abs(new) < 1e-12 * max(abs(old), abs(units)):
        new = 0.0
    price = marks.mark(instrument)
    asset = instrument.base if instrument.is_inverse else (instrument.settle or instrument.quote)
    entry = position.entry_price if position.entry_price is not None else price
    if asset not in USD_LIKE and not instrument.is_inverse:
        asset = "USD"
    closed = 0.0 if old * units >= 0 else (min(abs(units), abs(old)) * (1 if old > 0 else -1))
    if instrument.is_inverse:
        realised = closed * (1.0 / entry - 1.0 / price)
    else:
        realised = closed * (price - entry) / (marks.price(asset) if asset in marks.prices else 1.0)
    if old * units > 0:
        mean = new / (old / entry + units / price) if instrument.is_inverse else (old * entry + units * price) / new
    else:
        mean = entry if old * new > 0 or new == 0.0 else price
    if instrument.is_option and mean <= 0:
        mean = 0.0
    return replace(position, quantity=new, entry_price=mean), asset if asset in marks.prices else "USD", realised


def _cash_asset(sub: SubAccount) -> str:
    """Out of what costs are paid: the largest dollar balance; else dollars; of a coin-settled position its coin."""
    dollars = [c for c in sub.collateral if c.asset in USD_LIKE]
    if dollars:
        return max(dollars, key=lambda c: c.quantity).asset
    coins = [c for c in sub.collateral if c.quantity > 0]
    if coins and all(p.instrument.is_inverse for p in sub.positions) and sub.positions:
        return coins[0].asset
    return "USD"


def _with_cash(held: tuple[Collateral, ...], cash: dict[str, float]) -> tuple[Collateral, ...]:
    out: dict[str, float] = {}
    for asset, amount in (*((c.asset, c.quantity) for c in held), *cash.items()):
        if amount or asset not in cash:
            out[asset] = out.get(asset, 0.0) + amount
    return tuple(Collateral(asset, quantity) for asset, quantity in out.items())
