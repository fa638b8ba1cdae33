"""Which sub-account is meant, and which margin model judges it."""

from dataclasses import dataclass, replace

from margin import models
from margin.core.account import Account, SubAccount, account_names
from margin.core.errors import InputError, did_you_mean
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.models.base import MarginModel
from margin.models.marks import Marks


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One sub-account with its model. `name` is unique; `why` says why it can't be judged, else "".

    odds_model : what the forecast judges it by: the same, but without a venue the portfolio method, as on Forecast
    """

    name: str
    account: Account
    sub: SubAccount
    model: MarginModel
    odds_model: MarginModel
    health: float | None
    why: str = ""


def model_of(
    account: Account, market: Market, settings: Settings, key: str | None = None, safeguards: bool = True
) -> MarginModel:
    """The model asked for, else the account's own venue's; without a venue the portfolio method, with safeguards."""
    ours = "safeguarded" if safeguards else "portfolio"
    return models.asked_or_own(account, market, settings, key or (None if account.venue else ours))


def judged(
    portfolio: Portfolio,
    market: Market,
    marks: Marks,
    settings: Settings | None = None,
    model: str | None = None,
    safeguards: bool = True,
) -> tuple[Judged, ...]:
    """Every sub-account that holds a position, the nearest to liquidation first; those that can't be judged last."""
    chosen = settings or Settings()
    found: list[Judged] = []
    for called, account in zip(account_names(portfolio.accounts), portfolio.accounts, strict=True):
        label = called if len(portfolio.accounts) > 1 else account.name or account.venue or "account"
        own = model_of(account, market, chosen, model, safeguards)
        by_odds = models.asked_or_own(account, market, chosen, model)
        account = account if model is None else models.in_mode(account, own)
        for sub in account.sub_accounts(own, marks):
            if not any(p.quantity for p in sub.positions):
                continue
            wallet = f"{label} {sub.wallet} wallet" if sub.wallet else label
            name = f"{label}: {sub.name}" if sub.isolated else wallet
            taken = sum(j.name == name or j.name.startswith(f"{name} (") for j in found)
            name = f"{name} ({taken + 1})" if taken else name
            health, why = None, ""
            try:
                health = own.state(sub, marks).health
            except InputError as error:
                why = f"{error.value}: {error.problem}"
            found.append(
                Judged(
                    name=name,
                    account=account,
                    sub=replace(sub, name=name),
                    model=own,
                    odds_model=by_odds,
                    health=health,
                    why=why,
                )
            )
    return tuple(sorted(found, key=lambda j: (bool(j.why), j.health is None, j.health or 0.0)))


def assets_of(found: tuple[Judged, ...]) -> tuple[str, ...]:
    """Assets of all sub-accounts that can be judged: a forecast of them together rests on their common days."""
    return tuple(sorted({a for j in found if not j.why for a in j.sub.assets}))


def choose(found: tuple[Judged, ...], name: str | None = None) -> Judged:
    """The sub-account of that name, else the one nearest to liquidation. Raises InputError where there is none."""
    if not found:
        raise InputError("positions", "none", "nothing here is margined", "Add a position, e.g. 1 of BTC/USDT:USDT.")
    if name is None:
        return found[0]
    names = [j.name for j in found]
    if name not in names:
        hint = did_you_mean(name, names) or f"One of {', '.join(names)}."
        raise InputError("account", name, "is not one of the accounts", hint)
    return found[names.index(name)]
