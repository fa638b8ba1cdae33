"""Which moves of collateral there are: each of any size up to a largest one, with the book after it and its cost."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from margin import models, venues
from margin.core.account import Account, account_names
from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.position import Collateral, Position
from margin.core.settings import Settings
from margin.hedge.accounts import Judged, judged
from margin.hedge.costs import BP, Costs
from margin.hedge.menu import notional
from margin.hedge.odds import any_odds, quick_any, quick_odds
from margin.models.marks import Marks

CARRY = 0.10  # a year: what money brought in could earn elsewhere
TRANSFER_USD = 1.0  # of a withdrawal or a deposit on a chain
ISOLATED_WORDS = "isolated margin of"


class World:
    """The portfolio's odds after any change of it."""

    def __init__(self, market: Market, marks: Marks, settings: Settings, model: str | None, days: float, costs: Costs):
        self.market, self.marks, self.settings = market, marks, settings
        self.model, self.days, self.costs = model, days, costs

    def judged(self, book: Portfolio) -> tuple[Judged, ...]:
        """Every sub-account of it, with the model that the forecast judges it by."""
        return judged(book, self.market, self.marks, self.settings, self.model, safeguards=False)

    def odds(self, book: Portfolio) -> float:
        """Odds of the forecast that any sub-account is liquidated. Raises InputError where one can't be judged."""
        return any_odds(book, self.market, self.marks, self.settings, self.model, self.days)

    def quick(self, book: Portfolio) -> float:
        """The same by a closed form, to rank by. Raises InputError where one can't be judged."""
        found = []
        for j in self.judged(book):
            if j.why:
                raise InputError("account", j.name, f"cannot be judged: {j.why}")
            found.append(quick_odds(j.sub, j.model, self.marks, self.market, self.days))
        return quick_any(found)

    def trading(self, position: Position) -> float:
        """USD of closing the position here and opening it elsewhere."""
        rate = self.costs.fee_bp * BP + self.costs.half_spread(position.underlying)
        return 2.0 * rate * notional(position, self.marks.price(position.underlying))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A move of any size up to `most` USD: the book after it, and what it costs."""

    kind: str
    what: Callable[[float], str]
    most: float
    book: Callable[[float], Portfolio]
    cost: Callable[[float], float]
    whole: bool = False  # has one size only


def plans_of(book: Portfolio, world: World) -> Iterator[Plan]:
    for number, account in enumerate(book.accounts):
        if not account.margined:
            continue
        yield _add(book, number, world)
        yield from _swaps(book, number, world)
        yield from _within(book, number, world)
        for other, target in enumerate(book.accounts):
            if other != number:
                yield from _transfer(book, other, number, world)
                if target.venue or target.margined:
                    yield from _positions(book, number, other, world)
        yield from _venues(book, number, world)


def _named(book: Portfolio, number: int) -> str:
    a = book.accounts[number]
    return account_names(book.accounts)[number] if len(book.accounts) > 1 else a.name or a.venue or "the account"


def _with(book: Portfolio, **changed: Account) -> Portfolio:
    accounts = list(book.accounts)
    for key, account in changed.items():
        accounts[int(key[1:])] = account
    return replace(book, accounts=tuple(accounts))


def _dollar(account: Account) -> str:
    dollars = [c for c in account.held if c.asset in USD_LIKE]
    return max(dollars, key=lambda c: c.quantity).asset if dollars else "USD"


def _paid_in(account: Account, asset: str, units: float) -> Account:
    """The account with `units` more (or less) of an asset among its collateral."""
    held = {c.asset: c.quantity for c in account.collateral}
    held[asset] = held.get(asset, 0.0) + units
    return replace(account, collateral=tuple(Collateral(a, q) for a, q in held.items()))


def _need(account: Account, world: World) -> float:
    """More money than any of these moves should ever take: the account's gross."""
    return sum(notional(p, world.marks.price(p.underlying)) for p in account.margined)


def _add(book: Portfolio, number: int, world: World) -> Plan:
    account, name = book.accounts[number], _named(book, number)
    asset = _dollar(account)
    price = world.marks.price(asset)
    rate = CARRY * world.days / 365.0
    return Plan(
        kind="add",
        what=lambda usd: f"add ${usd:,.0f} to {name}",
        most=_need(account, world),
        book=lambda usd: _with(book, **{f"a{number}": _paid_in(account, asset, usd / price)}),
        cost=lambda usd: TRANSFER_USD + rate * usd,
    )


def _swaps(book: Portfolio, number: int, world: World) -> Iterator[Plan]:
    """Coins among the balances, sold for the account's dollars."""
    account, name = book.accounts[number], _named(book, number)
    asset = _dollar(account)
    for held in account.collateral:
        if held.asset in USD_LIKE or held.quantity <= 0:
            continue
        coin, price = held.asset, world.marks.price(held.asset)
        rate = world.costs.fee_bp * BP + world.costs.half_spread(coin)

        def book_after(usd: float, coin: str = coin, price: float = price, rate: float = rate) -> Portfolio:
            sold = _paid_in(account, coin, -usd / price)
            return _with(book, **{f"a{number}": _paid_in(sold, asset, usd * (1 - rate) / world.marks.price(asset))})

        yield Plan(
            kind="swap",
            what=lambda usd, coin=coin, price=price: (  # type: ignore[misc]
                f"sell {usd / price:,.4g} {coin} of the collateral in {name} for {asset}"
            ),
            most=held.quantity * price,
            book=book_after,
            cost=lambda usd, rate=rate: rate * usd,  # type: ignore[misc]
        )


def _posted(book: Portfolio, number: int, row: int, usd: float, asset: str, from_pool: bool, world: World) -> Portfolio:
    """The book with `usd` more posted to one isolated position, out of the account's own dollars or new ones."""
    account = book.accounts[number]
    rows = list(account.positions)
    rows[row] = replace(rows[row], margin=(rows[row].margin or 0.0) + usd)
    paid = _paid_in(account, asset, -usd / world.marks.price(asset)) if from_pool else account
    return _with(book, **{f"a{number}": replace(paid, positions=tuple(rows))})


def _within(book: Portfolio, number: int, world: World) -> Iterator[Plan]:
    """Money to an isolated position to which margin was posted: new, or dollars of the pool, which cost nothing."""
    account, name = book.accounts[number], _named(book, number)
    asset = _dollar(account)
    free = next((c.quantity for c in account.collateral if c.asset == asset), 0.0) * world.marks.price(asset)
    rate = CARRY * world.days / 365.0
    for row, p in enumerate(account.positions):
        if not account.is_isolated(p) or p.margin is None:
            continue
        yield Plan(
            kind="add",
            what=lambda usd, p=p: f"add ${usd:,.0f} to the {ISOLATED_WORDS} {p.symbol}",  # type: ignore[misc]
            most=notional(p, world.marks.price(p.underlying)),
            book=lambda usd, row=row: _posted(book, number, row, usd, asset, False, world),  # type: ignore[misc]
            cost=lambda usd: TRANSFER_USD + rate * usd,
        )
        yield Plan(
            kind="transfer",
            what=lambda usd, p=p: f"move ${usd:,.0f} of {name} to the {ISOLATED_WORDS} {p.symbol}",  # type: ignore[misc]
            most=max(free, 0.0),
            book=lambda usd, row=row: _posted(book, number, row, usd, asset, True, world),  # type: ignore[misc]
            cost=lambda usd: 0.0,
        )


def _transfer(book: Portfolio, source: int, target: int, world: World) -> Iterator[Plan]:
    """Dollars of one account withdrawn to another, where they arrive as the dollars that it holds."""
    giver, taker = book.accounts[source], book.accounts[target]
    for held in giver.collateral:
        if held.asset not in USD_LIKE or held.quantity <= 0:
            continue
        price = world.marks.price(held.asset)

        def book_after(usd: float, asset: str = held.asset, price: float = price) -> Portfolio:
            left, there = _paid_in(giver, asset, -usd / price), _dollar(taker)
            moved = {f"a{source}": left, f"a{target}": _paid_in(taker, there, usd / world.marks.price(there))}
            return _with(book, **moved)

        yield Plan(
            kind="transfer",
            what=lambda usd, asset=held.asset: (  # type: ignore[misc]
                f"move ${usd:,.0f} of {asset} from {_named(book, source)} to {_named(book, target)}"
            ),
            most=held.quantity * price,
            book=book_after,
            cost=lambda usd: TRANSFER_USD,
        )


def _positions(book: Portfolio, source: int, target: int, world: World) -> Iterator[Plan]:
    """One position closed here and opened again in another account; its profit stays where it was made."""
    giver, taker = book.accounts[source], book.accounts[target]
    for p in giver.margined:
        if p.instrument.kind not in ("perpetual", "future") or giver.is_isolated(p):
            continue
        size = notional(p, world.marks.price(p.underlying))
        coin = p.underlying if p.instrument.is_inverse else _dollar(giver)
        mark = world.marks.mark(p.instrument)
        won = world.marks.unrealised(p) - world.trading(p) / 2.0
        unit = world.marks.price(coin) if coin != "USD" else 1.0
        left = replace(giver, positions=tuple(x for x in giver.positions if x is not p))
        left = _paid_in(left, coin, won / unit)
        opened = replace(p, entry_price=mark, mode=None, margin=None, margin_coin=None, maintenance_rate=None,
                         maintenance_deduction=None, max_leverage=None)  # fmt: skip
        taken = _paid_in(replace(taker, positions=(*taker.positions, opened)), _dollar(taker), -world.trading(p) / 2.0)
        moved = _with(book, **{f"a{source}": left, f"a{target}": taken})
        yield Plan(
            kind="position",
            what=lambda usd, p=p: f"move {p.symbol} from {_named(book, source)} to {_named(book, target)}",  # type: ignore[misc]
            most=size,
            book=lambda usd, moved=moved: moved,  # type: ignore[misc]
            cost=lambda usd, p=p: world.trading(p),  # type: ignore[misc]
            whole=True,
        )


def _venues(book: Portfolio, number: int, world: World) -> Iterator[Plan]:
    """The whole account, positions and collateral, at another venue."""
    account = book.accounts[number]
    if world.model is not None or any(account.is_isolated(p) for p in account.margined):
        return
    paid = sum(world.trading(p) for p in account.margined)
    for key in models.keys():  # noqa: SIM118  (a function of the registry, not a mapping)
        venue, _, mode = key.partition(":")
        if mode not in ("cross", "portfolio") or venue == account.venue or not _is_venue(venue):
            continue
        where: Any = mode
        rows = tuple(
            replace(p, max_leverage=None, maintenance_rate=None, maintenance_deduction=None) for p in account.positions
        )
        there = replace(account, venue=venue, mode=where, positions=rows)
        there = _paid_in(there, _dollar(account), -paid / world.marks.price(_dollar(account)))
        if models.get(key).refuses(there):
            continue
        size, title = _need(account, world), models.get(key).title
        yield Plan(
            kind="venue",
            what=lambda usd, title=title: (  # type: ignore[misc]
                f"move {_named(book, number)}, positions and collateral, to {title}"
            ),
            most=size,
            book=lambda usd, there=there: _with(book, **{f"a{number}": there}),  # type: ignore[misc]
            cost=lambda usd: paid + TRANSFER_USD,
            whole=True,
        )


def _is_venue(name: str) -> bool:
    """Whether one could go there: a venue for trading that is known to be alive."""
    rules = venues.rulebook(name)
    return rules.purpose == "venue" and str(rules.status).startswith("alive")
