"""The ladder's invariants on generated books, for every estimator.

Isolated >= netted >= portfolio >= 0; attribution and safeguards add up; contributions add up; scale, sign, order; a
perfect hedge needs nothing; cash never raises risk; nothing after as-of matters, bit for bit.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import Collateral, Market, Portfolio, Position, Safeguards, Settings, compare
from margin.risk.estimators import closed_forms
from tests.ladder.books import ANY, ASSETS, ESTIMATORS, books, market_frame

FRAME = market_frame()
MARKET = Market(FRAME)
BARE = Safeguards(
    offset_cap=False, stressed=False, correlation_break=False, basis=False, liquidity=False, procyclicality="off"
)
estimators = pytest.mark.parametrize("estimator", ESTIMATORS)
quick = settings(max_examples=25, deadline=None)


@estimators
@quick
@given(books(ANY))
def test_each_method_asks_no_more_than_the_one_before(estimator, book):
    c = compare(book, MARKET, estimator=estimator)
    assert c.isolated >= c.netted >= c.portfolio >= 0
    assert c.isolated >= c.safeguarded >= 0


@estimators
@quick
@given(books(ANY))
def test_everything_adds_up(estimator, book):
    c = compare(book, MARKET, estimator=estimator)
    close = {"rel": 1e-9, "abs": 1e-6}
    a = c.attribution
    assert c.isolated - a.netting - a.diversification + a.safeguards == pytest.approx(c.safeguarded, **close)
    assert c.portfolio + sum(x.amount or 0 for x in c.safeguard_lines) == pytest.approx(c.safeguarded, **close)
    assert sum(p.standalone for p in c.positions) == pytest.approx(c.isolated, **close)
    assert sum(u.netted for u in c.underlyings) == pytest.approx(c.netted, **close)
    assert sum(p.contribution for p in c.positions) == pytest.approx(c.portfolio, **close)
    assert c.saved == c.isolated - c.portfolio


@estimators
@quick
@given(books(ANY), st.floats(0.01, 100))
def test_margin_scales_with_the_book(estimator, book, factor):
    once, scaled = (compare(b, MARKET, estimator=estimator) for b in (book, book.scaled(factor)))
    for method in ("isolated", "netted", "portfolio"):
        assert getattr(scaled, method) == pytest.approx(factor * getattr(once, method), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("estimator", closed_forms())
@quick
@given(books())
def test_a_symmetric_model_does_not_know_long_from_short(estimator, book):
    there, back = (compare(b, MARKET, estimator=estimator) for b in (book, book.scaled(-1)))
    assert back.portfolio == pytest.approx(there.portfolio, rel=1e-9)


def test_history_knows_long_from_short():
    long, short = (compare(Portfolio((Position("BTC/USDC:USDC", q),)), MARKET) for q in (1, -1))
    returns = MARKET.returns(["BTC"], lookback=500).values[:, 0]
    worst = np.sort(returns)
    assert long.portfolio == pytest.approx(-60_000 * (worst[:12].sum() + 0.5 * worst[12]) / 12.5)
    assert short.portfolio == pytest.approx(60_000 * (worst[-12:].sum() + 0.5 * worst[-13]) / 12.5)


@estimators
@quick
@given(books(ANY, least=2), st.randoms(use_true_random=False))
def test_the_order_of_positions_does_not_matter(estimator, book, random):
    shuffled = list(book.positions)
    random.shuffle(shuffled)
    one, two = (compare(b, MARKET, estimator=estimator) for b in (book, book.with_positions(shuffled)))
    for method in ("isolated", "netted", "portfolio", "safeguarded"):
        assert getattr(two, method) == pytest.approx(getattr(one, method), rel=1e-9, abs=1e-6)


@estimators
@quick
@given(books(ANY))
def test_a_perfect_hedge_needs_nothing(estimator, book):
    opposite = tuple(replace(p, quantity=-p.quantity) for p in book.positions)
    hedged = compare(book.with_positions(book.positions + opposite), MARKET, estimator=estimator)
    assert hedged.portfolio == pytest.approx(0, abs=1e-9 * hedged.isolated)
    assert hedged.netted == pytest.approx(0, abs=1e-9 * hedged.isolated)


def test_spot_against_a_perpetual_nets_to_exactly_zero():
    book = Portfolio((Position("BTC/USDC:USDC", 1.5), Position("BTC/USDT:USDT", -1.5)))
    c = compare(book, MARKET)
    assert (c.netted, c.portfolio) == (0.0, 0.0)
    assert c.isolated > 0


@pytest.mark.parametrize("treatment", ["haircut", "joint"])
@quick
@given(books(), st.floats(1, 1e6))
def test_cash_never_raises_risk(treatment, book, cash):
    chosen = Settings(collateral_treatment=treatment)
    poor = compare(book, MARKET, settings=chosen)
    rich = compare(replace(book, collateral=(Collateral("USD", cash),)), MARKET, settings=chosen)
    assert rich.portfolio == poor.portfolio
    assert rich.account.requirement <= poor.account.requirement * (1 + 1e-12)
    assert rich.account.free_equity == pytest.approx(poor.account.free_equity + cash, rel=1e-9, abs=1e-6)


@estimators
@quick
@given(books(ANY), st.integers(520, 690))
def test_later_prices_never_change_an_earlier_result(estimator, book, day):
    past = FRAME.iloc[:day]
    future = FRAME.copy()
    future.iloc[day:] *= np.random.default_rng(day).uniform(0.2, 5, size=future.iloc[day:].shape)
    as_of = str(FRAME.index[day - 1].date())
    early, late = compare(book, past, estimator=estimator), compare(book, future, estimator=estimator, as_of=as_of)
    aside = {"notes": 0, "settings": 0}  # the settings hold the as-of that only one of them was given
    assert early.to_dict() | aside == late.to_dict() | aside


@quick
@given(books(ANY))
def test_switched_off_safeguards_cost_nothing(book):
    c = compare(book, MARKET, settings=Settings(safeguards=BARE))
    assert c.safeguarded == c.portfolio
    assert all(x.detail == "Switched off." for x in c.safeguard_lines if x.key != "cap_at_isolated")


def test_var_can_break_sub_additivity_and_the_page_is_told():
    """Two short digital-like risks: each fine at 97.5% alone, not together."""
    rng = np.random.default_rng(8)
    n = 501
    returns = np.full((n, 2), 0.0001)
    hit = rng.permutation(n)
    returns[hit[:10], 0] = -0.5
    returns[hit[10:20], 1] = -0.5
    closes = np.cumprod(1 + returns, axis=0)
    frame = market_frame(n)[["BTC", "ETH"]]
    frame[:] = closes * 100
    c = compare(Portfolio((Position("BTC/USDC:USDC", 1), Position("ETH/USDC:USDC", 1))), frame, measure="var")
    assert c.portfolio > c.isolated
    assert any("not sub-additive" in note for note in c.notes)
    es = compare(Portfolio((Position("BTC/USDC:USDC", 1), Position("ETH/USDC:USDC", 1))), frame, measure="es")
    assert es.portfolio <= es.isolated


def test_every_asset_is_covered():
    assert set(ASSETS) == set(FRAME.columns)
