"""Which wallet the Protocols page looks at: a typical one at the visitor's sizes, or the visitor's own book."""

from dataclasses import dataclass

import streamlit as st

from margin import models
from margin.core.errors import InputError
from margin.core.portfolio import Collateral, Portfolio, Position
from margin.models.marks import Marks
from margin.protocols import terms
from margin.protocols.paths import recorded_paths
from margin.protocols.sharing import Comparison, Split, compare_rules, separate_least
from margin.protocols.terms import Told, read_wallet
from margin.protocols.wallet import RULES, Rule
from ui.shell.page import Seen
from ui.state.compute import remembered
from ui.state.prices import ActivePrices

OWN = "My portfolio"
SHORT_COIN, LONG_COIN, LONG_OTHER, SHORT_OTHER = "Short of the coin", "Long of the coin", "Long SOL", "Short BTC"
SHAPES = {LONG_COIN: ("", 1.0), SHORT_COIN: ("", -1.0), LONG_OTHER: ("SOL", 1.0), SHORT_OTHER: ("BTC", -1.0)}
RULES_SHOWN: tuple[Rule, ...] = RULES


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The controls: everything below is a function of this and the prices."""

    portfolio: Portfolio
    debt: float | None
    lender: str
    venue: str
    odds: float
    days: int
    theta: float
    weight: float | None
    own_beta: float = 1.0
    backing: float = 1.0
    oracle_lag: int = 0


def asked(seen: Seen) -> Asked:
    """The controls above the headline."""
    first, second, third = st.columns(3)
    with first:
        kind = st.selectbox(
            "Position at the venue",
            [*SHAPES, OWN],
            key="protocols_wallet",
            bind="query-params",
            persist_state="session",
        )
        coin = st.segmented_control(
            "Collateral at the lender", ["ETH", "BTC"], default="ETH", required=True, key="protocols_coin",
            bind="query-params", persist_state="session", disabled=kind == OWN,
        )  # fmt: skip
    with second:
        debt = st.select_slider(
            "Debt at the lender", (0, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000), 10_000, key="protocols_debt",
            format_func=lambda v: f"${v:,.0f}",
            bind="query-params", persist_state="session", disabled=kind == OWN,
        )  # fmt: skip
        size = st.select_slider(
            "Size of the position", (1000, 2500, 5000, 10_000, 20_000, 50_000, 100_000, 200_000), 20_000,
            key="protocols_size", format_func=lambda v: f"${v:,.0f}",
            bind="query-params", persist_state="session", disabled=kind == OWN,
        )  # fmt: skip
    with third:
        odds = st.select_slider(
            "Odds of a call", (0.5, 1.0, 2.0, 5.0, 10.0, 20.0), 5.0, format_func=lambda v: f"{v:g}%",
            key="protocols_odds",
            bind="query-params", persist_state="session",
            help="Every way of sharing gets the capital that makes them so.",
        )  # fmt: skip
        days = st.select_slider(
            "Within so many days",
            (1, 3, 7, 14, 30),
            7,
            key="protocols_days",
            bind="query-params",
            persist_state="session",
        )
    lender, venue, theta, weight, own_beta, backing, lag = _terms()
    own = kind == OWN
    asset, side = SHAPES.get(str(kind), ("", 1.0))
    return Asked(
        portfolio=seen.now.portfolio if own else _made(seen.active, str(coin), asset or str(coin), side * float(size)),
        debt=None if own else float(debt),
        lender=lender,
        venue=venue,
        odds=odds / 100.0,
        days=int(days),
        theta=theta,
        weight=weight,
        own_beta=own_beta,
        backing=backing,
        oracle_lag=lag,
    )


def _terms() -> tuple[str, str, float, float | None, float, float, int]:
    """Lender, venue, and what the venue gives credit for; folded away, for the defaults serve most."""
    known = models.keys()
    lenders = [key for key in known if key.startswith("aave")] or [terms.LENDER]
    venues = [key for key in known if key.endswith(":cross") and key not in lenders]
    with st.expander("Rules of the lender and the venue", icon=":material/tune:"):
        first, second = st.columns(2)
        with first:
            lender = st.selectbox(
                "Lender",
                lenders,
                format_func=_title,
                key="protocols_lender",
                bind="query-params",
                persist_state="session",
            )
            venue = st.selectbox(
                "Perpetuals venue", venues, venues.index(terms.VENUE), format_func=_title, key="protocols_venue",

            bind="query-params", persist_state="session",
            )  # fmt: skip
        with second:
            theta = st.slider(
                "A second lien counts, % of what the lender does not need", 10, 100, 80, 5, key="protocols_theta",

            bind="query-params", persist_state="session",
            )  # fmt: skip
            weight = st.slider(
                "Counted twice, the venue counts the coin at, % (0: as much as the lender lends)", 0, 100, 0, 5,
                key="protocols_weight",
            bind="query-params", persist_state="session",
            )  # fmt: skip
            own_beta = st.slider(
                "The venue's own coin falls by so much more for each 1% of its backing that the venue loses, %",
                0.0, 3.0, 1.0, 0.25, key="protocols_own_beta", format="%g", bind="query-params",
                persist_state="session",
            )  # fmt: skip
            backing = st.select_slider(
                "Backing of the venue, $ a dollar of position on its own coin".replace("$", r"\$"),
                (0.25, 0.5, 1.0, 2.0, 4.0, 8.0), 1.0, key="protocols_backing", bind="query-params",
                persist_state="session",
            )  # fmt: skip
            late = st.toggle(
                "The lender's price is an hour old", key="protocols_late", bind="query-params", persist_state="session",
                help="Two oracles do not move at once: the lender then calls an hour late, the venue and a unified "
                "account at once.",
            )  # fmt: skip
    share = weight / 100.0 if weight else None
    return str(lender), str(venue), theta / 100.0, share, own_beta, float(backing), int(late)


@st.cache_data(show_spinner=False)
def _title(key: str) -> str:
    return models.get(key).title


def _made(active: ActivePrices, coin: str, asset: str, usd: float) -> Portfolio:
    """A coin at the lender and one perpetual; the coin's amount only names it: each rule sizes it by itself."""
    if asset not in active.market:
        raise InputError("prices", asset, "has no prices here", "Fetch or upload them on the Data page.")
    quantity = usd / active.market.price(asset)
    amount = 20_000.0 / active.market.price(coin)
    return Portfolio((Position(f"{asset}/USDC:USDC", quantity),), (Collateral(coin, amount),))


@dataclass(frozen=True, eq=False)
class Compared:
    """The wallet as read, every rule at equal odds of a call and at one buffer, separate accounts at their best."""

    told: Told
    equal: Comparison
    same: Comparison
    split: Split | None


@remembered
def compared(wanted: Asked, active: ActivePrices, as_of: str | None) -> Compared:
    """Every rule over the same recorded windows. Raises InputError."""
    marks = Marks.of_market(active.market, wanted.portfolio, as_of)
    lender, venue = models.get(wanted.lender), models.get(wanted.venue)
    told = read_wallet(
        wanted.portfolio, marks, lender, venue, wanted.debt, wanted.weight, own_beta=wanted.own_beta,
        backing=wanted.backing,
    )  # fmt: skip
    paths = recorded_paths(active.market, told.wallet.assets, wanted.days, as_of)
    return Compared(
        told=told,
        equal=compare_rules(
            told.wallet, paths, wanted.odds, rules=RULES_SHOWN, theta=wanted.theta, oracle_lag=wanted.oracle_lag
        ),
        same=compare_rules(
            told.wallet, paths, None, rules=RULES_SHOWN, theta=wanted.theta, oracle_lag=wanted.oracle_lag
        ),
        split=separate_least(told.wallet, paths, wanted.odds),
    )
