"""Capital for the same safety: the money at which a liquidation within 7 days has odds of 5%, under every rule.

The fair measure of margin efficiency: what a rule asks says little, how much money keeps an account alive under it says
all. Collateral and positions stay as they are, dollars are added or taken out. docs/forecast.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from margin import models
from margin.core.account import Account
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.forecast.engine import judge
from margin.forecast.results import ODDS
from margin.models.base import MarginModel

DAYS = 7.0
MOST_OPTIONS = 24  # on the first screen: each takes about a tenth of a second
AS_HELD = "as held"
METHODS = ("isolated", "netted", "portfolio", "safeguarded")


@dataclass(frozen=True, kw_only=True)
class Capital:
    """One rule. model : its key, or "as held".

    usd : equity at the odds asked, every sub-account at the same odds; maintenance: what the rule asks of it;
    None where `error` says why. accounts : what is liquidated separately; probability: with the money there is now
    left_out : what the rule does not reproduce and was left out, so that the figure is for less than the book
    """

    model: str
    title: str
    usd: float | None = None
    maintenance: float | None = None
    accounts: int = 0
    probability: float | None = None
    left_out: tuple[str, ...] = ()
    error: str | None = None


def same_safety(
    portfolio: Portfolio,
    market: Market,
    settings: Settings | None = None,
    *,
    odds: float = ODDS,
    days: float = DAYS,
    rules: Sequence[str | MarginModel] | None = None,
) -> tuple[Capital, ...]:
    """Rows for the accounts as held, our four methods and every venue's modes, in this order.

    rules : only these keys or models, `AS_HELD` among them for the accounts as held. All but "as held" judge the whole
    book in one account. Raises InputError for odds outside 0.1% to 99%.
    """
    if not 0.001 <= odds <= 0.99:
        raise InputError("odds", odds, "must lie between 0.1% and 99%")
    asked = tuple(rules) if rules is not None else _every_rule()
    return tuple(_row(rule, portfolio, market, settings or Settings(), odds, days) for rule in asked)


def _every_rule() -> tuple[str, ...]:
    known = models.keys()
    return (AS_HELD, *METHODS, *(key for key in known if ":" in key))


def _row(
    rule: str | MarginModel, portfolio: Portfolio, market: Market, settings: Settings, odds: float, days: float
) -> Capital:
    key = rule if isinstance(rule, str) else rule.key
    title = key
    try:
        if key == AS_HELD:
            title = "As held"
            found = judge(portfolio, market, settings, horizons=(days,))
        else:
            own = rule if not isinstance(rule, str) else models.get(key, market=market, settings=settings)
            title = own.title
            found = judge(_pooled(portfolio), market, settings, model=own, horizons=(days,))
    except InputError as error:
        return Capital(model=key, title=title, error=str(error))
    return Capital(
        model=key,
        title=title,
        usd=found.capital_for(odds, days),
        maintenance=sum(s.gap.requirement for s in found.subs),
        accounts=len(found.subs),
        probability=found.main.probability,
        left_out=tuple(note for note in found.notes if note.startswith("without ")),
    )


def _pooled(portfolio: Portfolio) -> Portfolio:
    """Everything in one account, without a venue's own modes or margins posted."""
    pooled = portfolio.pooled
    free = tuple(replace(p, mode=None, margin=None, margin_coin=None) for p in pooled.positions)
    return Portfolio(accounts=(Account(name=pooled.name, positions=free, collateral=pooled.collateral),))


def first_screen(portfolio: Portfolio, market: Market, settings: Settings) -> tuple[Capital, Capital]:
    """(kept apart, pooled) for one line: as held beside one pool, or isolated beside it where there is one account.

    `usd` None with `error` where it is not computed. Raises InputError for more than 24 options (many seconds).
    """
    options = sum(p.instrument.is_option for p in portfolio.positions)
    if options > MOST_OPTIONS:
        problem = f"are more than the {MOST_OPTIONS} that one line can wait for"
        raise InputError("positions", f"{options} options", problem, "See Forecast, Capital for the same safety.")
    several = len(portfolio.accounts) > 1 or any(account.venue for account in portfolio.accounts)
    rules = (AS_HELD if several else "isolated", "safeguarded")
    apart, pool = same_safety(portfolio, market, settings, rules=rules)
    return apart, pool
