"""Dollar and coin-settled contracts in one account: pooled or in wallets apart, as the venue keeps them, everywhere."""

import numpy as np
import pandas as pd
import pytest

from margin import models, venues
from margin.backtest.under_model import backtest_model
from margin.core.account import Account
from margin.core.portfolio import Collateral, Portfolio, Position
from margin.core.settings import Settings
from margin.forecast.accounts import judged as forecast_accounts
from margin.hedge.accounts import judged as hedge_accounts
from margin.ladder.as_held import as_held
from margin.liquidation.moves import fatal_moves
from margin.models.marks import Marks
from margin.sample.ready import sample_market
from margin.stress.held import stress_book
from margin.venues import liquidation
from margin.venues.survey import recent_gain, survey

LINEAR = Position("BTC/USDT:USDT", 1.0, 58_000.0, 10)
INVERSE = Position("BTC/USD:BTC", 60_000.0, 60_000.0, 10)
ETHER = Position("ETH/USD:ETH", -9_000.0, 3_000.0, 10)
MONEY = (Collateral("USDT", 20_000.0), Collateral("BTC", 0.5), Collateral("ETH", 2.0))
MARKS = Marks({"BTC": 61_000.0, "ETH": 3_100.0, "USDT": 1.0}, pd.Timestamp("2026-11-01"))
APART, TOGETHER = ("binance", "kraken"), ("bybit", "okx", "deribit")


def account(venue, mode="cross", collateral=MONEY):
    ether = () if venue in ("bybit", "okx") else (ETHER,)  # whose coin-settled ether has no known tiers
    return Account(name="mine", positions=(LINEAR, INVERSE, *ether), collateral=collateral, venue=venue, mode=mode)


def states(venue, mode="cross"):
    own = account(venue, mode)
    model = models.for_account(own)
    assert model.refuses(own) == ()
    return {sub.name: (sub, model.state(sub, MARKS)) for sub in own.sub_accounts(model, MARKS)}


@pytest.mark.parametrize(("venue", "rate"), [("binance", 0.004), ("kraken", 0.01)])
def test_a_coin_s_contracts_stand_in_its_wallet_and_only_its_coin_backs_them(venue, rate):
    found = states(venue)
    assert list(found) == ["mine", "mine BTC wallet", "mine ETH wallet"]
    assert found["mine"][1].equity == pytest.approx(20_000 + 3_000, rel=1e-12)
    assert found["mine BTC wallet"][1].equity == pytest.approx(0.5 * 61_000 + 60_000 * (61 / 60 - 1), rel=1e-12)
    assert found["mine ETH wallet"][1].equity == pytest.approx(2 * 3_100 - 9_000 * (31 / 30 - 1), rel=1e-12)
    at = 61_000 if venue == "kraken" else 60_000  # Kraken's margin is of the coins at entry, N / E of them
    assert found["mine BTC wallet"][1].maintenance == pytest.approx(rate * at, rel=1e-12)


def test_in_one_account_both_back_each_other():
    (sub, state), *none = states("deribit").values()
    assert not none and sub.wallet == ""
    assert state.equity == pytest.approx(20_000 + 3_000 + 0.5 * 61_000 + 1_000 + 2 * 3_100 - 300, rel=1e-12)
    # Bybit: 98% of the bitcoin held, the profit in full; fees at the bankruptcy prices, in dollars and in coins
    ((_, state),) = states("bybit").values()
    fees = 0.9 * 58_000 * 0.00055 + 60_000 / (60_000 / 1.1) * 0.00055 * 61_000
    assert state.equity == pytest.approx(20_000 + 3_000 + 0.98 * 0.5 * 61_000 + 1_000, rel=1e-12)
    assert state.maintenance == pytest.approx(0.005 * (61_000 + 60_000) + fees, rel=1e-12)
    # OKX: a coin's equity, balance and profit together, counts at its share
    ((_, state),) = states("okx").values()
    coins = 0.5 + 60_000 * (1 / 60_000 - 1 / 61_000)
    assert state.equity == pytest.approx(20_000 + 3_000 + 0.98 * coins * 61_000, rel=1e-12)
    assert state.maintenance == pytest.approx((0.004 + 0.0005) * (61_000 + 60_000), rel=1e-12)


def test_okx_portfolio_margin_puts_both_kinds_in_one_risk_unit():
    ((_, state),) = states("okx", "portfolio").values()
    assert state.maintenance == pytest.approx((61_000 + 60_000) * (0.12 + 0.002), rel=1e-12)
    hedged = Account(positions=(LINEAR, Position("BTC/USD:BTC", -61_000.0, 61_000.0)), venue="okx", mode="portfolio")
    model = models.for_account(hedged)
    (sub,) = hedged.sub_accounts(model, MARKS)
    assert model.state(sub, MARKS).maintenance == pytest.approx(0.0, abs=1e-6)


def test_binance_portfolio_margin_counts_a_coin_s_equity_at_the_rate_that_is_set():
    own = account("binance", "portfolio")
    for rate in (0.0, 0.9):
        model = models.get("binance:portfolio", settings={"coin_rate": rate})
        (sub,) = own.sub_accounts(model, MARKS)
        state = model.state(sub, MARKS)
        coins = 0.5 * 61_000 + 1_000 + 2 * 3_100 - 300
        assert state.equity == pytest.approx(20_000 + 3_000 + rate * coins, rel=1e-12)
        kept = 0.004 * 61_000 + 0.004 * 60_000 + 0.005 * 9_000
        assert state.maintenance == pytest.approx(1.05 * kept, rel=1e-12)
    broke = Account(positions=(INVERSE,), collateral=(Collateral("USDT", 9.0),), venue="binance", mode="portfolio")
    low = Marks({"BTC": 50_000.0, "USDT": 1.0}, MARKS.as_of)  # a coin owed counts in full
    (sub,) = broke.sub_accounts(model, low)
    assert model.state(sub, low).equity == pytest.approx(9 + 60_000 * (5 / 6 - 1), rel=1e-12)


@pytest.mark.parametrize("key", [f"{v}:cross" for v in (*APART, *TOGETHER)] + ["okx:portfolio", "binance:portfolio"])
def test_states_equal_state_in_every_pool(key):
    venue, mode = key.split(":")
    own = account(venue, mode)
    model = models.for_account(own)
    for sub in own.sub_accounts(model, MARKS):
        factors = np.random.default_rng(1).uniform(0.5, 2.0, (20, len(sub.assets)))
        many = model.states(sub, MARKS, factors)
        for i, row in enumerate(factors):
            one = model.state(sub, MARKS.moved(dict(zip(sub.assets, row.tolist(), strict=True))))
            for name in ("equity", "equity_initial", "initial", "maintenance"):
                assert getattr(many, name)[i] == pytest.approx(getattr(one, name), rel=1e-9, abs=1e-6)


def test_the_recent_gain_of_a_face_in_dollars():
    """N (now / then - 1) without an entry, N (now - then) / E with one; never dollars times a price."""
    market = sample_market()
    book = Portfolio((Position("BTC/USD:BTC", 6_000.0), Position("BTC/USD:BTC", -3_000.0, 50_000.0)))
    marks = Marks.of_market(market, book)
    then = Marks.of_market(market, book, marks.as_of - pd.Timedelta(days=30)).price("BTC")
    gain = 6_000 * (marks.price("BTC") / then - 1) - 3_000 * (marks.price("BTC") - then) / 50_000
    assert recent_gain(book, market, marks) == pytest.approx(gain, rel=1e-12)


def test_two_coins_of_coin_settled_contracts_alone_need_not_be_taken_apart():
    own = Account(positions=(INVERSE, ETHER), collateral=MONEY[1:], venue="binance_coinm", mode="cross")
    model = models.for_account(own)
    assert model.refuses(own) == ()
    assert [sub.name for sub in own.sub_accounts(model, MARKS)] == ["BTC wallet", "ETH wallet"]


def test_isolated_contracts_of_both_kinds_each_by_its_own_rules():
    found = states("binance", "isolated")
    assert found["BTC/USD:BTC"][1].maintenance == pytest.approx(240.0, rel=1e-12)
    assert found["BTC/USD:BTC"][1].equity == pytest.approx(0.1 * 61_000 + 1_000, rel=1e-12)  # 10x at entry: 0.1 coins
    assert found["BTC/USDT:USDT"][1].equity == pytest.approx(5_800 + 3_000, rel=1e-12)


def test_a_wallet_whose_coin_is_not_carried_does_not_hinder_the_rest():
    odd = Position("ADA/USD:ADA", 1_000.0, 0.5, 10)
    own = Account(positions=(LINEAR, odd), collateral=MONEY, venue="binance", mode="cross")
    (line,) = models.for_account(own).refuses(own)
    assert line.symbol == odd.symbol and line.alone
    (answer,) = [a for a in survey(Portfolio(accounts=[own]), MARKS, rulebooks=[venues.rulebook("binance")]).asked
                 if a.margin.mode == "cross"]  # fmt: skip
    assert answer.margin.initial == pytest.approx(6_100.0) and len(answer.left_out) == 1


@pytest.mark.parametrize("venue", [*APART, *TOGETHER])
def test_every_study_judges_the_same_sub_accounts_to_the_same_figures(venue):
    market, own = sample_market(), account(venue)
    book = Portfolio(accounts=(own,))
    held = stress_book(book, market)
    equity = [h.equity for h in held.held]
    maintenance = [h.maintenance for h in held.held]
    assert len(held.held) == (3 if venue in APART else 1) and min(maintenance) > 0
    if venue in APART:
        assert [h.name for h in held.held] == ["the pool", "the BTC wallet", "the ETH wallet"]

    watched, _, _ = forecast_accounts(book, market, Settings(), None, held.marks, None)
    assert [m.state(s, held.marks).equity for m, s in watched] == pytest.approx(equity, rel=1e-12)
    hedged = hedge_accounts(book, market, held.marks)
    healths = sorted(e / m for e, m in zip(equity, maintenance, strict=True))
    assert not any(j.why for j in hedged) and [j.health for j in hedged] == pytest.approx(healths, rel=1e-12)
    (row,) = as_held(book, market, Settings(), 0.0).accounts
    assert (row.equity, row.maintenance) == pytest.approx((sum(equity), sum(maintenance)), rel=1e-12)
    rulebook = venues.rulebook(venue)
    asked = next(a for a in survey(book, held.marks, rulebooks=[rulebook]).asked if a.margin.mode == "cross")
    assert asked.margin.maintenance == pytest.approx(sum(maintenance), rel=1e-12)
    assert asked.margin.health == pytest.approx(min(healths), rel=1e-12)
    walked = backtest_model(book, market, days=30, hold=10, money="own")
    assert walked.left_out == () and len(walked.maintenance) == 30

    falls = [m for m in fatal_moves(held) if m.name == "BTC"]
    nearest = max(m.price_below for m in falls if m.price_below is not None)
    assert asked.edges["BTC"].down == pytest.approx(nearest, rel=1e-6)
    both = liquidation.together(rulebook, held.portfolio, held.marks, "cross", {"BTC": 1.0, "ETH": 1.0})
    falls = [m.fall for m in fatal_moves(held) if m.name == "all together" and m.fall is not None]
    assert both.down is not None and both.down == pytest.approx(max(falls), abs=0.05)  # there by the assets' own betas
    seen = liquidation.surface(rulebook, held.portfolio, held.marks, "cross", "BTC", "ETH", reach=0.3, steps=3)
    assert seen.gap[1, 1] == pytest.approx(min(e - m for e, m in zip(equity, maintenance, strict=True)), rel=1e-9)
