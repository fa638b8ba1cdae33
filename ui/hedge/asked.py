"""What is asked of the Hedge page: which sub-account, how much to free, what may be traded; and the cached answer."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.forecast.engine import HORIZONS
from margin.hedge.accounts import Judged, assets_of, choose, judged
from margin.hedge.answer import Hedge
from margin.hedge.collateral import Moves, collateral_moves
from margin.hedge.frontier import Frontier, frontier
from margin.hedge.menu import HEDGES
from margin.hedge.odds_frontier import OddsFrontier, odds_frontier
from margin.hedge.outcomes import Policy
from margin.hedge.policy import policy_backtest
from margin.hedge.rule import Rule
from margin.hedge.study import hedge
from margin.models.funding import Daily
from margin.models.marks import Marks
from ui.blocks.within import aimed, within
from ui.state import compute

ANY = "any"
AIMS = ("Margin", "Odds")
TRADES = ("1", "2", "3", ANY)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The visitor's choice. orders None: any number. share of the margin to free; odds wanted instead, if any."""

    account: str | None
    share: float
    odds: float | None
    orders: int | None
    hedges: tuple[str, ...]
    keep: tuple[str, ...]
    figure: str
    days: float


def _marks(portfolio: Portfolio, market: Market, settings: Settings) -> Marks:
    return Marks.of_market(market, portfolio, settings.as_of)


def _accounts(portfolio: Portfolio, market: Market, settings: Settings, model: str | None) -> tuple[Judged, ...]:
    return judged(portfolio, market, _marks(portfolio, market, settings), settings, model)


def _answer(
    portfolio: Portfolio, market: Market, settings: Settings, model: str | None, asked: Asked
) -> tuple[Judged, Hedge]:
    together = _accounts(portfolio, market, settings, model)
    found = choose(together, asked.account)
    marks = _marks(portfolio, market, settings)
    state = found.model.state(found.sub, marks) if not found.why else None
    now = getattr(state, asked.figure) if state is not None else 0.0
    wanted = (1 - asked.share) * now if now > 0 and asked.odds is None else None
    result = hedge(
        found.sub, found.model, market, marks, target=wanted, odds=asked.odds, orders=asked.orders, hedges=asked.hedges,
        keep=asked.keep, figure=asked.figure, days=asked.days, among=assets_of(together),
        odds_model=found.odds_model,
    )  # fmt: skip
    return found, result


def _curve(portfolio: Portfolio, market: Market, settings: Settings, model: str | None, asked: Asked) -> Frontier:
    return frontier(answer(portfolio, market, settings, model, asked)[1].planner, asked.orders)


def _odds_curve(
    portfolio: Portfolio, market: Market, settings: Settings, model: str | None, asked: Asked
) -> OddsFrontier | None:
    return odds_frontier(answer(portfolio, market, settings, model, asked)[1])


def _moves(
    portfolio: Portfolio, market: Market, settings: Settings, model: str | None, days: float, wanted: float | None
) -> Moves:
    marks = _marks(portfolio, market, settings)
    return collateral_moves(portfolio, market, marks, settings, model, days=days, wanted=wanted)


def _policy(
    portfolio: Portfolio,
    market: Market,
    settings: Settings,
    model: str | None,
    account: str | None,
    start: float | None,
    rules: tuple[Rule, ...],
    hedge: str | None,
    funding: float,
    known: Daily,
) -> Policy:
    """known : recorded rates by asset; `funding` a day for the others."""
    found = choose(_accounts(portfolio, market, settings, model), account)
    marks = _marks(portfolio, market, settings)
    return policy_backtest(
        found.sub,
        found.model,
        market,
        marks,
        rules,
        start_sigmas=start,
        hedge=hedge,
        funding=_rates(found, market, hedge, funding, known) if known else funding,
    )


def _rates(found: Judged, market: Market, hedge: str | None, rate: float, known: Daily) -> pd.DataFrame:
    """[date x asset] what a long pays a day: recorded where it is, `rate` for the other assets."""
    assets = {*found.sub.assets, *((hedge,) if hedge else ())} if rate else set()
    closes = pd.DatetimeIndex(market.dates).normalize()
    table = pd.DataFrame(rate, index=pd.date_range(closes[0], closes[-1]), columns=sorted(assets))
    for asset, rates in known:
        table[asset] = pd.Series(rates, closes)
    return table


policy = compute.remembered(_policy, 32)
moves = compute.remembered(_moves, 32)
accounts = compute.remembered(_accounts, 32)
answer = compute.remembered(_answer, 64)
curve = compute.remembered(_curve, 64)
odds_curve = compute.remembered(_odds_curve, 64)


def controls(found: tuple[Judged, ...], market: Market) -> Asked:
    """One row of choices, kept in the session."""
    names = [j.name for j in found]
    account = names[0] if names else None
    if len(names) > 1:
        account = st.selectbox(
            "Account or isolated position", names, key="hedge_account", bind="query-params", persist_state="session",
            help="The one nearest to liquidation stands first.",
        )  # fmt: skip
    chosen = choose(found, account)
    symbols = list(dict.fromkeys(p.symbol for p in chosen.sub.positions))
    share, odds = 30, None
    with st.container(horizontal=True, vertical_alignment="bottom", key="hedge_controls"):
        aim = st.segmented_control(
            "Aim at", AIMS, default=AIMS[0], required=True, key="hedge_aim", bind="query-params",
            persist_state="session", help="Less margin, or lower odds of liquidation by the forecast.",
        )  # fmt: skip
        days = within("Odds within", HORIZONS, HORIZONS[1])
        if aim == "Odds":
            odds = aimed("The cheapest trades are looked for that bring the odds of liquidation down to this.")
        orders = st.segmented_control("Orders at most", TRADES, default="2", required=True, key="hedge_orders",
                                      persist_state="session", bind="query-params")  # fmt: skip
    columns = st.columns([1.5, 2.2, 1.8] if odds is None else [2.2, 1.8])
    if odds is None:
        with columns[0]:
            share = st.slider("Margin to free, %", 5, 90, 30, 5, key="hedge_share", persist_state="session",
                              bind="query-params")  # fmt: skip
    three, four = columns[-2:]
    with three:
        known = [a for a in market.assets if a not in ("USDC", "USDT")]
        usual = [h for h in HEDGES if h in known]
        hedges = st.multiselect("Hedges allowed", known, usual, key="hedge_with", bind="query-params",
                                persist_state="session",
                                max_selections=6)  # fmt: skip
    with four:
        keep = st.multiselect("Positions to keep", symbols, [], key="hedge_keep", bind="query-params",
                              persist_state="session",
                              help="These are not cut: what you want to hold is hedged instead.")  # fmt: skip
    figure = "initial"
    return Asked(
        account=account,
        share=share / 100.0,
        odds=odds,
        orders=None if orders == ANY else int(orders or 2),
        hedges=tuple(hedges),
        keep=tuple(k for k in keep if k in symbols),
        figure=figure,
        days=days,
    )
