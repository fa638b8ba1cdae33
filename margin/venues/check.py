"""A recorded account judged by its venue's rulebook: our figures beside the ones the venue printed. docs/accounts.md.

The account's own positions, marks and collateral go in; nothing is read from the venue's figures but the comparison.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from margin import models
from margin.core.account import Account, SubAccount
from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE
from margin.core.portfolio import Portfolio
from margin.core.position import Position
from margin.core.venue_says import COIN
from margin.models.base import MarginModel
from margin.models.marks import Marks
from margin.venues import checked
from margin.venues.base import NEWEST, VenueMargin
from margin.venues.checked import Checked, Figure
from margin.venues.families.perpetuals import FIRST_LEVERAGE, PerpetualVenue
from margin.venues.liquidation import of_sub_account
from margin.venues.margin_models import VenueModel

__all__ = ["check", "check_all"]

OPTIONS_HINT = 'E.g. "as_of": "2026-11-26T10:00:00Z", or --as-of.'
NEEDS_COLLATERAL = ("equity", "free", "withdrawable")


def check_all(
    portfolio: Portfolio, as_of: Any = None, model: str | None = None, settings: Mapping[str, float] | None = None
) -> tuple[Checked, ...]:
    """Every account for which the venue said something. Raises InputError where none is."""
    said = [account for account in portfolio.accounts if account.venue_says]
    if not said:
        hint = 'Add what the venue printed, e.g. "venue_says": {"equity": 1000.0}.'
        hint = next((note for note in portfolio.notes if note.startswith("What the venue says")), hint)
        raise InputError("venue_says", None, "is missing: there is nothing to compare with", hint)
    found = []
    for account in said:
        try:
            found.append(check(account, as_of, model, settings))
        except InputError as error:
            if len(portfolio.accounts) == 1:
                raise
            where = f"accounts[{portfolio.accounts.index(account)}]{f' ({account.name})' if account.name else ''}"
            raise InputError(f"{where}.{error.field}", error.value, error.problem, error.hint) from None
    return tuple(found)


def check(
    account: Account, as_of: Any = None, model: str | None = None, settings: Mapping[str, float] | None = None
) -> Checked:
    """Our figures of one account beside its `venue_says`.

    as_of : instead of the account's own; model : a key, instead of the account's venue and mode
    settings : the venue's sliders, e.g. {"taker_fee": 0.0006}
    Raises InputError for an account without a venue, a figure of a symbol that it does not hold, a mode the venue does
    not have.
    """
    return _Check(account, as_of, model, settings).run()


class _Check:
    def __init__(self, account: Account, as_of: Any, model: str | None, settings: Mapping[str, float] | None):
        self.account, self.settings = account, settings
        self.symbols = {p.symbol for p in account.positions}
        self.notes: list[str] = []
        self.whole = True  # nothing of the account is left out, so that its totals can be compared
        self.left_out: set[str] = set()  # symbols
        self.rules = self._model(model)
        self.marks = self._marks(as_of)

    # What is judged, by which rules and at which prices.

    def _model(self, key: str | None) -> VenueModel:
        if key is None and not self.account.venue:
            hint = 'Name it, e.g. "venue": "hyperliquid", or give --model hyperliquid:cross.'
            raise InputError("venue", None, "is missing: whose rules is the account judged by?", hint)
        if key is None:
            self._mode_exists()
        found: MarginModel = models.get(key) if key is not None else models.for_account(self.account)
        if not isinstance(found, VenueModel):
            raise InputError("model", key, "is no venue's rulebook", "Name one, e.g. hyperliquid:cross.")
        return VenueModel(found.rulebook.of_the_day(), found.mode, self.settings)

    def _mode_exists(self) -> None:
        """Raise InputError where the venue is known and the account's mode is none of its modes here."""
        known = models.keys()
        modes = [key.partition(":")[2] for key in known if key.partition(":")[0] == self.account.venue]
        if self.account.mode is not None and modes and self.account.mode not in modes:
            hint = f"One of {', '.join(modes)}."
            raise InputError("mode", self.account.mode, f"of {self.account.venue} is not reproduced here", hint)

    def _marks(self, as_of: Any) -> Marks:
        """From the account; a position without a mark stands at its asset's mark, else at its entry, and it is said."""
        account = self.account
        when = as_of if as_of is not None else account.as_of
        if when is None:
            if any(p.instrument.is_option for p in account.positions):
                raise InputError("as_of", None, "is missing: options need it", OPTIONS_HINT)
            when = NEWEST
            self.notes.append("No as-of is given: the newest rules are used.")
        known: dict[str, float] = {}
        marked = {p.underlying for p in account.positions if p.mark_price is not None and not p.instrument.is_option}
        for c in account.collateral:
            if c.mark_price is not None:
                known.setdefault(c.asset, c.mark_price)
        for p in account.positions:
            if p.underlying in marked or p.instrument.is_option or p.entry_price is None:
                continue
            if p.underlying not in known and p.underlying not in USD_LIKE:
                self.notes.append(f"{p.symbol} has no mark price: it stands at its entry price.")
            known.setdefault(p.underlying, p.entry_price)
        carried = {c.asset for c in account.held if c.mark_price is not None}
        priced = {*known, *marked, *carried, "USD", *USD_LIKE}
        unpriced = sorted({c.asset for c in account.held} - priced)
        if unpriced:
            names = ", ".join(unpriced)
            self.notes.append(f"Collateral has no price in the account: {names}. What needs it is not compared.")
            self.account = replace(account, collateral=(), positions=account.margined)
        blind = [p for p in self.account.positions if p.underlying not in priced]
        for p in blind:
            hint = f"Give mark_price; for an option or a loan also a row of {p.underlying}/USD with its mark_price."
            if len(blind) == len(self.account.positions):
                raise InputError("mark_price", None, f"of {p.symbol} is missing, and so is its entry", hint)
            self.notes.append(f"{p.symbol} is left out: no price of {p.underlying} is in the file. {hint}")
        if blind:
            self.whole = False
            self.left_out |= {p.symbol for p in blind}
            self.account = self.account.with_positions(p for p in self.account.positions if p not in blind)
        return Marks.of_account(self.account, known, when)

    # The comparison.

    def run(self) -> Checked:
        self._known_symbols(self.account)
        account = self._without_refused(self.account)
        subs = account.sub_accounts(self.rules, self.marks)
        pool = next((s for s in subs if not s.isolated), None)
        cross = account.mode != "isolated"  # then the pool's totals are the account's, whatever it holds
        judged = [s for s in subs if s.positions or (cross and not s.isolated and account.held)]
        states = [(s, self._rules_of(s).state(s, self.marks)) for s in judged]
        figures = self._figures(account, pool, states)
        per_symbol = {
            key: rows
            for key, said in account.venue_says.per_symbol
            if (rows := self._rows(key, dict(said), account, states))
        }
        for rules in dict.fromkeys(self._rules_of(s).rulebook_of(s).title for s in subs if s.positions):
            if rules != self.rules.rulebook.title:
                self.notes.append(f"Its coin-settled contracts are judged by the rules of {rules}.")
        self._assumed_leverage(account, {*figures, *per_symbol})
        self.notes += [note for _, state in states for note in state.notes]
        notes = tuple(dict.fromkeys(self.notes))
        return Checked(account=account, model=self.rules.key, figures=figures, per_symbol=per_symbol, notes=notes)

    def _rules_of(self, sub: SubAccount) -> VenueModel:
        """The pool of an account whose positions are isolated by default is a cross pool."""
        if sub.isolated or self.rules.mode != "isolated" or "cross" not in self.rules.rulebook.modes:
            return self.rules
        return VenueModel(self.rules.rulebook, "cross", self.settings)

    def _without_refused(self, account: Account) -> Account:
        """The account with what can be judged by itself; then its totals, which need all of it, are not compared."""
        while refused := self.rules.refuses(account):
            self.notes += [f"{r.symbol}: {r.reason}" for r in refused]
            symbols = {r.symbol for r in refused}
            self.whole = self.whole and symbols <= self._apart(account)
            self.left_out |= symbols
            account = account.with_positions(p for p in account.positions if p.symbol not in symbols)
        if not self.whole:
            self.notes.append("The account's totals and its pool's liquidation prices need what was left out.")
        return account

    def _apart(self, account: Account) -> set[str]:
        """Coin-settled contracts in wallets apart from a main pool, which is whole without them."""
        inverse = {p.symbol for p in account.margined if p.instrument.is_inverse}
        keeps = self.rules.mode in self.rules.rulebook.coin_wallets and len(inverse) < len(account.margined)
        return inverse if keeps else set()

    def _assumed_leverage(self, account: Account, compared: set[str]) -> None:
        """Note positions whose initial margin follows a leverage that the file does not give."""
        asks = {key.removesuffix(COIN) for key in compared} & {"initial", "free", "withdrawable", "position_initial"}
        rules = self.rules.rulebook
        if not asks or not isinstance(rules, PerpetualVenue) or not rules.own_leverage:
            return
        for p in account.margined:
            if p.leverage is None and p.instrument.kind in ("perpetual", "future"):
                self.notes.append(f"{p.symbol} names no leverage: the venue's rule for none, else {FIRST_LEVERAGE:g}x.")

    def _known_symbols(self, account: Account) -> None:
        held = self.symbols
        for key, rows in account.venue_says.per_symbol:
            for symbol, _ in rows:
                if symbol not in held:
                    hint = f"It holds {', '.join(sorted(held)[:5])}." if held else "It holds none."
                    raise InputError(f"venue_says.{key}", symbol, "is no position of the account", hint)

    def _figures(
        self, account: Account, pool: SubAccount | None, states: list[tuple[SubAccount, VenueMargin]]
    ) -> dict[str, Figure]:
        """Totals: of the cross pool where it holds positions, else of the isolated positions and the money beside."""
        said = dict(account.venue_says.figures)
        if not said:
            return {}
        pools = [(s, state) for s, state in states if not s.isolated]
        main = [(s, state) for s, state in pools if not s.wallet]
        judged = (main if any(s.positions for s, _ in main) else pools) or states
        money = sum(c.quantity * self.marks.price(c.asset) for c in pool.collateral) if pool else 0.0
        beside = money if judged and judged[0][0].isolated else 0.0
        bare = not (judged and judged[0][0].isolated) and not any(c.quantity for c in account.held)
        out = {}
        for key, venue in said.items():
            name = key.removesuffix(COIN)
            if bare and name in NEEDS_COLLATERAL:
                self.notes.append(f"{key} is not compared: the account's collateral is not in the file.")
                continue
            coin = self._coin(key, account) if self.whole or key.endswith(COIN) else ""
            own = [(s, state) for s, state in pools if coin and self._wallet_coin(s) == coin]
            if not own and not self.whole:
                continue
            ours = self._total(name, own or judged, coin)
            if ours is None:
                self.notes.append(f"{key} is not compared: the venue's rule is not reproduced here.")
                continue
            ours += beside / (self.marks.price(coin) if coin else 1.0) if name in ("equity", "free") else 0.0
            out[key] = checked.money(ours, venue, self.marks.price(coin) if coin else 1.0)
        return out

    def _wallet_coin(self, sub: SubAccount) -> str:
        """The coin whose wallet a sub-account is, where nothing of it is left out; else ""."""
        inverse = sub.positions and all(p.instrument.is_inverse for p in sub.positions)
        if self.rules.mode not in self.rules.rulebook.coin_wallets or sub.isolated or not inverse:
            return ""
        gone = {p.underlying for p in self.account.margined if p.symbol in self.left_out and p.instrument.is_inverse}
        coin = sub.positions[0].underlying
        return "" if coin in gone else coin

    def _coin(self, key: str, account: Account) -> str:
        """The settlement coin of a `_coin` key, "" for dollars. Raises InputError where there is not exactly one."""
        if not key.endswith(COIN):
            return ""
        coins = sorted({p.underlying for p in account.margined if p.instrument.settle == p.underlying})
        if len(coins) != 1:
            hint = "Give the figure in US dollars."
            raise InputError(f"venue_says.{key}", ", ".join(coins) or "none", "needs one settlement coin", hint)
        return coins[0]

    def _total(self, name: str, judged: list[tuple[SubAccount, VenueMargin]], coin: str) -> float | None:
        """A figure of the account; in coins every contract's part is turned at its own mark, as its venue reckons."""
        total = 0.0
        for sub, state in judged:
            value = getattr(state, name)
            if value is None:
                return None
            if not coin:
                total += value
                continue
            price = self.marks.price(coin)
            total += value / price
            total += sum(self._own_marks(name, sub, state, price))
        return total

    def _own_marks(self, name: str, sub: SubAccount, state: VenueMargin, price: float) -> Iterator[float]:
        """Coins by which each contract's profit and margin differ when turned at its own mark instead of `price`."""
        turned = {p.symbol: 1.0 / self._mark(p) - 1.0 / price for p in sub.positions}
        if name not in ("initial", "maintenance"):
            for p in sub.positions:
                yield 0.0 if p.instrument.is_option else self.marks.unrealised(p) * turned[p.symbol]
        if name == "equity":
            return
        for row in state.positions:
            margin = row.maintenance + row.fee if name == "maintenance" else row.initial
            yield margin * turned[row.symbol] * (1.0 if name in ("initial", "maintenance") else -1.0)

    def _mark(self, p: Position) -> float:
        """USD per coin at which a contract's margin in coins is turned: its own mark, an option's underlying's."""
        return self.marks.price(p.underlying) if p.instrument.is_option else self.marks.contract(p.instrument)

    # By symbol.

    def _rows(
        self, key: str, said: Mapping[str, float | None], account: Account, states: list[tuple[SubAccount, VenueMargin]]
    ) -> dict[str, Figure]:
        if key == "liquidation_prices":
            return self._liquidations(said, account, states)
        name = key.removesuffix(COIN).removeprefix("position_")
        out = {}
        for symbol, venue in said.items():
            rows = [r for _, state in states for r in state.positions if r.symbol == symbol]
            if not rows or any(r.tier.startswith("in the ") for r in rows):
                why = "is left out" if not rows else "has no margin of its own: the account is margined as a whole"
                self.notes.append(f"{key} of {symbol} is not compared: the position {why}.")
                continue
            position = next(p for p in account.positions if p.symbol == symbol)
            turned = self._mark(position) if key.endswith(COIN) else 1.0
            assert venue is not None
            out[symbol] = checked.money(sum(getattr(r, name) for r in rows) / turned, venue, turned)
        return out

    def _liquidations(
        self, said: Mapping[str, float | None], account: Account, states: list[tuple[SubAccount, VenueMargin]]
    ) -> dict[str, Figure]:
        out: dict[str, Figure] = {}
        for symbol, venue in said.items():
            holders = [s for s, _ in states if any(p.symbol == symbol for p in s.positions)]
            if not holders:
                self.notes.append(f"liquidation_prices of {symbol} is not compared: the position is left out.")
                continue
            sub = holders[0]
            whole = self.whole or bool(self._wallet_coin(sub))
            money = any(c.quantity for c in account.held)
            if not sub.isolated and (not money or not whole):
                why = "collateral is not in the file" if not money else "other positions are left out"
                self.notes.append(f"liquidation_prices of {symbol} is not compared: the account's {why}.")
                continue
            found = [self._price(symbol, holder) for holder in holders]
            ours = min(found, key=lambda x: _distance(x, venue))  # several legs of one symbol: the one that is meant
            out[symbol] = checked.price(ours, venue)
        return out

    def _price(self, symbol: str, sub: SubAccount) -> float | None:
        """USD at which the sub-account is liquidated as the contract's coin moves alone, on the side where it loses."""
        held = [p for p in sub.positions if p.symbol == symbol]
        coin = held[0].underlying
        rules = self._rules_of(sub)
        printed = rules.rulebook_of(sub)
        edges = of_sub_account(rules, sub, self.marks)[coin]
        own = self.marks.contract(held[0].instrument) / self.marks.price(coin)
        together = [p for p in sub.positions if p.underlying == coin]
        if any(p.instrument.is_option for p in together):
            sides = [e for e in (edges.down, edges.up) if e is not None]
            at = self.marks.price(coin)
            return min(sides, key=lambda e: abs(e - at), default=None)
        long = sum(p.exposure(self.marks.contract(p.instrument)) for p in together) > 0
        edge = edges.down if long else edges.up
        if edge is not None and (note := printed.printed_note(held[0])):
            self.notes.append(note)
        return None if edge is None else printed.printed_price(held[0], edge * own, long, self.marks)


def _distance(ours: float | None, venue: float | None) -> float:
    if ours is None or venue is None:
        return 0.0 if ours is venue else float("inf")
    return abs(ours - venue)
