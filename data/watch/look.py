"""One look: the account, its prices now and before, and the odds."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from data.accounts import fetch_accounts
from data.exchange.tickers import fetch_last_prices, held_as_contracts
from data.fetch.fetch import fetch_prices
from data.universe import is_offline
from data.watch.alarm import Seen
from margin.core.errors import InputError, MarginLabError, one_line
from margin.core.instruments import USD_LIKE
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.forecast.engine import judge
from margin.forecast.results import ODDS, Forecast, printed
from margin.formats.read import read_portfolio
from margin.models.marks import Marks

HOURLY_DAYS, DAILY_DAYS = 200, 730
HISTORY_AGE = timedelta(hours=1)  # past prices are asked for again after so long; last prices at every look


class Blind(MarginLabError):
    """Nothing could be seen: the network, a venue or an exchange is silent."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is watched. model : None, each account's own; days : the horizon; odds : that money is named for."""

    model: str | None = None
    days: float = 3.0
    odds: float = ODDS


class Accounts:
    """Where the portfolio comes from: `now()` reads it again. `live`: positions carry marks of this moment."""

    def __init__(self, read: Callable[[], Portfolio], live: bool = False):
        self.now, self.live = read, live

    @classmethod
    def of_file(cls, name: str) -> "Accounts":
        """A portfolio file; a change of it is seen at the next look."""
        return cls(lambda: _file(name))

    @classmethod
    def of_address(cls, address: str, venue: str | None) -> "Accounts":
        """Public accounts of an address; asked at every look, kept nowhere."""
        return cls(lambda: _public(address, venue), live=True)


def _file(name: str) -> Portfolio:
    try:
        found = read_portfolio(Path(name).read_bytes())
        for row in found.set_aside:
            raise InputError(row.row, row.symbol, f"can't be read: {row.reason}", "See `python -m margin portfolio`.")
        return found.portfolio
    except OSError as error:
        raise InputError(name, error.strerror, "cannot be read", "Check the path.") from None
    except InputError as error:
        raise InputError(f"{name}: {error.field}", error.value, error.problem, error.hint) from None


def _public(address: str, venue: str | None) -> Portfolio:
    answer = fetch_accounts(address, [venue] if venue else None)
    accounts = [account for read in answer.found.values() for account in read.portfolio.accounts]
    if answer.failures:
        name, why = answer.failures[0]
        raise Blind(f"{name}: {why}")
    if not accounts:
        raise InputError("--address", "nothing", "holds no account at the venues asked", "Check it, or give --venue.")
    return Portfolio(accounts=accounts)


class Prices:
    """Past prices, renewed hourly, and last prices at every look; or one market that stays (a file, the sample)."""

    def __init__(self, fixed: Market | None = None):
        self.fixed = fixed
        self._market: Market | None = None
        self._assets: tuple[str, ...] = ()
        self._at: datetime | None = None

    def market(self, assets: tuple[str, ...], at: datetime) -> Market:
        """Hourly prices of 200 days where every asset has 120 of them, else daily ones. Raises Blind."""
        if self.fixed is not None:
            return self.fixed
        old = self._at is None or at - self._at >= HISTORY_AGE
        if self._market is None or old or assets != self._assets:
            if is_offline():
                raise InputError("MARGIN_OFFLINE", "1", "no network may be used", "Give --prices FILE.")
            self._market, self._assets, self._at = self._fetched(assets), assets, at
        return self._market

    def _fetched(self, assets: tuple[str, ...]) -> Market:
        hourly = fetch_prices(assets, HOURLY_DAYS, "1h")
        enough = not hourly.failures and all(len(hourly.closes[a].dropna()) >= 130 * 24 for a in assets)
        found = hourly if enough else fetch_prices(assets, DAILY_DAYS, "1d")
        for asset, why in found.failures.items():
            raise Blind(f"{asset}: {why}")
        return found.market()

    def marks(self, market: Market, portfolio: Portfolio, live: bool, at: datetime) -> Marks:
        """Prices of this moment; of a fixed market its last closes. Raises Blind."""
        marks = Marks.of_market(market, portfolio)
        if self.fixed is not None:
            return marks
        contracts = {p.symbol: p.mark_price for p in portfolio.positions if live and p.mark_price is not None
                     and p.instrument.kind in ("perpetual", "future")}  # fmt: skip
        named = {p.underlying: p.mark_price for p in portfolio.positions if p.symbol in contracts}
        wanted = [a for a in marks.prices if a not in USD_LIKE]
        seen = fetch_last_prices(wanted, marked=held_as_contracts(portfolio)) if wanted else {}
        last = {asset: one.price for asset, one in seen.items()}
        for account in portfolio.accounts:  # a contract stands at its own venue's mark, not at another's
            for p in account.positions:
                if p.underlying in seen and p.instrument.kind in ("perpetual", "future"):
                    contracts.setdefault(p.symbol, seen[p.underlying].held_at(account.venue).price)
        silent = [a for a in wanted if a not in last and a not in named]
        if silent:
            raise Blind(f"no exchange gives a last price of {', '.join(silent)}")
        prices: dict[str, Any] = {**marks.prices, **named, **last}
        when = pd.Timestamp(at.astimezone(UTC)).tz_localize(None).floor("s")
        return replace(marks, prices=prices, contracts=contracts, as_of=when)


def look(accounts: Accounts, prices: Prices, question: Question, at: datetime) -> Seen:
    """What is seen now. Raises InputError for what cannot be watched; the silence of others is Seen with an error."""
    try:
        portfolio = accounts.now()
        assets = tuple(sorted({*portfolio.assets, *portfolio.collateral_assets} - USD_LIKE))
        market = prices.market(assets, at)
        marks = prices.marks(market, portfolio, accounts.live, at)
        found = judge(portfolio, market, model=question.model, horizons=(question.days,), marks=marks)
    except Blind as error:
        return Seen(at=at, error=one_line(str(error)))
    return seen(found, question, at)


def seen(found: Forecast, question: Question, at: datetime) -> Seen:
    """The look in figures and in a line; no account is named by an address."""
    odds, called = found.main, any(s.called for s in found.subs)
    day = [s.walk.sigma * s.walk.steps_per_day**0.5 for s in found.subs]
    near = any(s.gap.usd <= sigma for s, sigma in zip(found.subs, day, strict=True) if sigma > 0)
    text = (
        f"{printed(odds.probability)} chance of liquidation within {question.days:g} days "
        f"(range {printed(odds.low)} to {printed(odds.high)})"
    )
    if called:
        text = f"Below the maintenance margin of {found.model}"
    money = found.money_for(question.odds, question.days)
    if money > 0:
        text += f"; add {money:,.0f} USD for {question.odds:.0%}"
    return Seen(at=at, odds=odds.probability, text=f"{text}.", near=near, called=called)
