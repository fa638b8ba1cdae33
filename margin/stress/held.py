"""The account under stress: its sub-accounts under their margin model, and the same money over isolated accounts.

Any margin model: a study asks `Held.states` for equity and maintenance at many sets of prices, and nothing else.
Definitions: docs/stress.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from margin import models
from margin.core.account import Account, SubAccount, account_names
from margin.core.checks import date_text, parse_date
from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE, USD_STABLECOINS
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.position import Position
from margin.core.settings import Settings
from margin.core.words import by_reason
from margin.ladder.isolated_accounts import split_money
from margin.models.base import MarginModel, States, pinned, without_refused
from margin.models.marks import Marks

__all__ = ["Held", "StressBook", "isolated", "stress_book"]

ROUNDING = 1e-9  # of the gross notional: what floating point may miss
LEAST = 1e-12  # of a price: a worthless asset


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """One thing that is liquidated by itself, under its margin model.

    name      : for people, unique in the book; account: the account it belongs to
    sub       : positions with every entry price written down, so that moved marks move their profit
    cash      : USD that counts besides what the model counts (an assumed deposit, a share of the money)
    positions : places of its positions in `StressBook.positions`
    columns   : places of `sub.assets` in `StressBook.assets`; -1 for what is not there, which does not move
    """

    name: str
    account: str
    model: MarginModel
    sub: SubAccount
    cash: float
    marks: Marks
    positions: tuple[int, ...]
    columns: tuple[int, ...]

    def states(self, factors: np.ndarray, vol_factors: np.ndarray | None = None) -> States:
        """Equity (with `cash`), initial and maintenance, arrays (n,).

        factors : (n, k) multiples of today's prices of `StressBook.assets`; vol_factors: (n,) of implied volatilities
        """
        rows = np.ones((len(factors), len(self.columns)))  # nothing falls to 0 exactly: options have no value there
        for i, column in enumerate(self.columns):
            if column >= 0:
                rows[:, i] = np.maximum(factors[:, column], LEAST)
        vols = None
        if vol_factors is not None:
            vols = {name: vol * vol_factors for name, vol in self.marks.vols.items()}
        found = self.model.states(self.sub, self.marks, rows, vols)
        return replace(found, equity=found.equity + self.cash, equity_initial=found.equity_initial + self.cash)

    @cached_property
    def start(self) -> States:
        """The four figures now, arrays (1,)."""
        return self.states(np.ones((1, max(self.columns, default=-1) + 1)))

    @property
    def equity(self) -> float:
        """USD before the shock."""
        return float(self.start.equity[0])

    @property
    def initial(self) -> float:
        """USD before the shock."""
        return float(self.start.initial[0])

    @property
    def maintenance(self) -> float:
        """USD before the shock."""
        return float(self.start.maintenance[0])

    @property
    def health(self) -> float | None:
        """Equity / maintenance now, liquidated at 1; None where nothing is required."""
        return self.equity / self.maintenance if self.maintenance > 0 else None

    @property
    def scale(self) -> float:
        """USD of gross exposure: what rounding is measured against."""
        return sum(abs(p.exposure(self.marks.contract(p.instrument))) for p in self.sub.positions)

    def below(self, states: States) -> np.ndarray:
        """(n,) whether liquidation has begun: equity below maintenance, where there are positions to close."""
        if not self.sub.positions:
            return np.zeros(len(states.equity), dtype=bool)
        return np.asarray(states.gap < -ROUNDING * self.scale)


@dataclass(frozen=True, kw_only=True, eq=False)
class StressBook:
    """A portfolio ready to be moved.

    positions : those that are margined, of every account in order; symbols: their names, none twice
    assets    : whose price moves it, collateral included; dollars do not
    held      : the sub-accounts as they are; alone: every position in an isolated account of its own, with the same
                money, split in proportion to what each needs alone (entries at the marks: past profit is in the money)
    assumed_money : whether a deposit was assumed (the isolated margin), because nothing is posted and nothing lost
    notes     : what was assumed, taken at par or left out
    """

    portfolio: Portfolio
    market: Market
    settings: Settings
    marks: Marks
    positions: tuple[Position, ...]
    symbols: tuple[str, ...]
    assets: tuple[str, ...]
    held: tuple[Held, ...]
    alone: tuple[Held, ...]
    assumed_money: bool
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The margin models' names."""
        return " and ".join(dict.fromkeys(h.model.title for h in self.held))

    @property
    def models(self) -> tuple[str, ...]:
        """Keys of the models that judge the accounts."""
        return tuple(dict.fromkeys(h.model.key for h in self.held))

    @property
    def as_of(self) -> pd.Timestamp:
        """When the accounts are valued."""
        return self.marks.as_of

    @cached_property
    def money(self) -> float:
        """USD of equity of all sub-accounts, as their models count it."""
        return sum(h.equity for h in self.held)

    @cached_property
    def maintenance(self) -> float:
        """USD of all accounts before the shock."""
        return sum(h.maintenance for h in self.held)

    @cached_property
    def dead(self) -> tuple[str, ...]:
        """Sub-accounts with positions that are liquidated, or worth nothing, before anything moves."""
        return tuple(h.name for h in self.held if h.sub.positions and (h.equity <= 0 or bool(h.below(h.start)[0])))

    @property
    def has_options(self) -> bool:
        """True where any position is an option."""
        return any(p.instrument.is_option for p in self.positions)

    @property
    def moving(self) -> tuple[str, ...]:
        """Assets but dollar stablecoins."""
        return tuple(a for a in self.assets if a not in USD_STABLECOINS)

    @cached_property
    def gross(self) -> Mapping[str, float]:
        """USD by asset: |exposure| of positions and |value| of collateral coins; dollars and stablecoins left out."""
        out = dict.fromkeys(self.assets, 0.0)
        for p in self.positions:
            if p.underlying in out:
                out[p.underlying] += abs(p.exposure(self.marks.price(p.underlying)))
        for c in self.portfolio.held:
            if c.asset in out:
                out[c.asset] += abs(c.quantity * self.marks.price(c.asset))
        return {asset: usd for asset, usd in out.items() if asset not in USD_LIKE}

    def factors(self, moves: Mapping[str, float]) -> np.ndarray:
        """(1, k) price factors of a move by asset; what is not named stays."""
        return np.array([[1.0 + moves.get(asset, 0.0) for asset in self.assets]])

    def profit(self, factors: np.ndarray, vol_factor: float = 1.0) -> tuple[float, ...]:
        """USD each position earns as prices move by `factors` (1, k)."""
        marks = self.marks.moved(dict(zip(self.assets, factors[0].tolist(), strict=True)))
        marks = replace(marks, vols={name: vol * vol_factor for name, vol in marks.vols.items()})
        return tuple(_worth(p, marks) - _worth(p, self.marks) for p in self.positions)


def stress_book(
    portfolio: Portfolio, market: Market, settings: Settings | None = None, model: str | None = None
) -> StressBook:
    """Value the portfolio once; every move starts from here.

    model : key of a margin model that judges every account; None: each account's own venue and mode, else the
            portfolio method. Prices are the last closes at the as-of of `compare` (the last date on which every asset
            of the positions has a close), collateral each at its own.
    Raises InputError for an empty book, a price that is missing, or what the model does not reproduce.
    """
    chosen = settings or Settings()
    if not portfolio.positions:
        raise InputError("positions", "none", "the portfolio is empty", "Add a position, e.g. 1 of BTC/USD.")
    when = as_of(portfolio, market, chosen)
    chosen = chosen.with_(as_of=date_text(when))
    own = {p.symbol: p.implied_vol for p in portfolio.positions if p.implied_vol is not None}
    marks = Marks.of_market(market, portfolio, when, {**dict(chosen.implied_vol), **own})
    notes = [*portfolio.notes, *(f"{note}." for note in marks.notes)]
    assets = tuple(
        a
        for a in dict.fromkeys([*(p.underlying for p in portfolio.margined), *(c.asset for c in portfolio.held)])
        if a != "USD"
    )
    positions: list[Position] = []
    held: list[Held] = []
    alone: list[Held] = []
    assumed = False
    several = len(portfolio.accounts) > 1
    for name, account in zip(account_names(portfolio.accounts), portfolio.accounts, strict=True):
        account = replace(account, name=name) if several else account
        rules = models.asked_or_own(account, market, chosen, model)
        account = _supported(account if model is None else models.in_mode(account, rules), rules, notes)
        mine, guessed = _subs(account, rules, marks, assets, len(positions))
        held += mine
        alone += isolated(mine, rules, marks, assets)
        positions += [p for h in mine for p in h.sub.positions]
        assumed = assumed or guessed
    if assumed:
        notes.append("Nothing is posted: a deposit of exactly the isolated margin is assumed.")
    symbols = _labels([p.symbol for p in positions])
    return StressBook(
        portfolio=portfolio,
        market=market,
        settings=chosen,
        marks=marks,
        positions=tuple(positions),
        symbols=symbols,
        assets=assets,
        held=_named(held, portfolio),
        alone=tuple(replace(h, name=symbols[i]) for i, h in enumerate(alone)),
        assumed_money=assumed,
        notes=tuple(dict.fromkeys(notes)),
    )


def as_of(portfolio: Portfolio, market: Market, settings: Settings) -> pd.Timestamp:
    """The last date on which every asset of the positions has a close, not after `settings.as_of`."""
    assets = sorted({p.underlying for p in portfolio.margined} - {"USD"}) or portfolio.assets
    if assets:
        return pd.Timestamp(market.aligned(assets, settings.as_of)[0][-1])
    return parse_date(settings.as_of) if settings.as_of else pd.Timestamp(market.dates[-1])


def isolated(held: Sequence[Held], rules: MarginModel, marks: Marks, assets: tuple[str, ...]) -> list[Held]:
    """Every position of one account in an isolated account of its own, with the account's money between them."""
    lone: list[tuple[Held, int, SubAccount]] = []
    for h in held:
        for place, p in zip(h.positions, h.sub.positions, strict=True):
            contract = p.instrument.kind not in ("spot", "loan")
            entered = replace(p, entry_price=marks.mark(p.instrument)) if p.instrument.kind != "loan" else p
            entered = replace(entered, mode=None, margin=None, margin_coin=None)
            sub = SubAccount(name=p.symbol, positions=(entered,), collateral=(), isolated=contract, venue=h.sub.venue)
            if contract and rules.refuses(sub):  # a model without isolated margin judges it as an account of its own
                sub = replace(sub, isolated=False)
            lone.append((h, place, sub))
    bare = [rules.state(sub, marks) for _, _, sub in lone]
    if not lone:
        return []
    money = split_money(sum(h.equity for h in held), np.array([max(state.initial, 0.0) for state in bare]))
    return [
        Held(
            name=sub.name,
            account=h.account,
            model=rules,
            sub=sub,
            cash=float(usd) - state.equity,
            marks=marks,
            positions=(place,),
            columns=_columns(sub, assets),
        )
        for (h, place, sub), state, usd in zip(lone, bare, money, strict=True)
    ]


def _supported(account: Account, rules: MarginModel, notes: list[str]) -> Account:
    """The account without what the model can leave out; raises InputError for what it can't do without."""
    rest, refused = without_refused(rules, account)
    if not rest.margined:
        rules.check(account)  # nothing is left: why
    notes += [f"Without {said}." for said in by_reason((x.symbol, x.reason) for x in refused)]
    return rest


def _subs(
    account: Account, rules: MarginModel, marks: Marks, assets: tuple[str, ...], first: int
) -> tuple[list[Held], bool]:
    """The account's sub-accounts with their places, and whether a deposit was assumed for its pool."""
    out: list[Held] = []
    assumed = False
    for sub in account.sub_accounts(rules, marks):
        fixed = pinned(sub, marks)
        places = tuple(range(first, first + len(fixed.positions)))
        first += len(fixed.positions)
        held = Held(
            name=sub.name,
            account=account.name,
            model=rules,
            sub=fixed,
            cash=0.0,
            marks=marks,
            positions=places,
            columns=_columns(fixed, assets),
        )
        if _nothing_posted(sub) and sum(marks.unrealised(p) for p in sub.positions) >= 0.0:
            needs = [_alone(p, sub, rules, marks) for p in fixed.positions]
            held, assumed = replace(held, cash=float(sum(needs))), True
        out.append(held)
    return out, assumed


def _alone(position: Position, sub: SubAccount, rules: MarginModel, marks: Marks) -> float:
    one = replace(sub, positions=(replace(position, entry_price=marks.mark(position.instrument)),), collateral=())
    return rules.state(one, marks).initial


def _nothing_posted(sub: SubAccount) -> bool:
    """No collateral of any kind, a loan balance or a debt included."""
    loans = any(p.instrument.kind == "loan" and p.quantity for p in sub.positions)
    return bool(sub.positions) and not loans and not any(c.quantity for c in sub.collateral)


def _columns(sub: SubAccount, assets: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(assets.index(a) if a in assets else -1 for a in sub.assets)


def _named(held: Sequence[Held], portfolio: Portfolio) -> tuple[Held, ...]:
    """Names for people: 'the pool', or the account's; isolated positions by symbol."""
    several = len(portfolio.accounts) > 1
    names = []
    for h in held:
        pool = f"the {h.sub.wallet} wallet" if h.sub.wallet else "the pool"
        held_in = f"{h.account} {h.sub.wallet} wallet" if h.sub.wallet else h.account
        name = h.sub.name if h.sub.isolated else held_in if several else pool
        names.append(f"{h.account}: {name}" if h.sub.isolated and several else name)
    return tuple(replace(h, name=name) for h, name in zip(held, _labels(names), strict=True))


def _labels(names: Sequence[str]) -> tuple[str, ...]:
    """Each name once: a number behind what repeats."""
    return tuple(
        name if names.count(name) == 1 else f"{name} ({list(names[: i + 1]).count(name)})"
        for i, name in enumerate(names)
    )


def _worth(position: Position, marks: Marks) -> float:
    """USD of a position whose differences are its profit: a balance at its value, all else since entry."""
    if position.instrument.kind == "loan":
        return position.quantity * marks.price(position.underlying)
    fixed: Any = position.profit(marks.mark(position.instrument))
    return float(fixed)
