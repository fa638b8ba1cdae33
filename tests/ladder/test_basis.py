"""The basis line: instruments of one underlying that offset, owned coins, dated futures, own prices; by hand."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import Collateral, Market, Portfolio, Position, Safeguards, Settings, compare
from margin.backtest.walk_forward import Method, backtest
from margin.core.account import SubAccount
from margin.core.words import usd
from margin.ladder import explain
from margin.ladder.margin_models import get
from margin.models.marks import Marks
from tests.ladder.books import ESTIMATORS, books, market_frame

FRAME = market_frame()
MARKET = Market(FRAME)
BTC, ETH, SOL = FRAME.iloc[-1][["BTC", "ETH", "SOL"]]
ONLY = Settings(
    safeguards=Safeguards(
        offset_cap=False, stressed=False, correlation_break=False, liquidity=False, procyclicality="off"
    )
)


def line(book, market=MARKET, chosen=ONLY):
    c = compare(book, market, settings=chosen)
    return next(x for x in c.safeguard_lines if x.key == "basis"), c


@pytest.mark.parametrize(("asset", "price", "rate"), [("BTC", BTC, 0.0025), ("ETH", ETH, 0.0025), ("SOL", SOL, 0.014)])
def test_the_smaller_side_is_charged_25_bp_of_btc_and_eth_and_140_of_others(asset, price, rate):
    pair = Portfolio((Position(f"{asset}/USDT:USDT", 3), Position(f"{asset}/USDC:USDC", -2)))
    found, c = line(pair)
    assert found.amount == pytest.approx(rate * 2 * price)
    assert c.safeguarded == pytest.approx(c.portfolio + rate * 2 * price)


def test_a_dated_future_is_charged_its_years_as_well():
    """31 December 2024, 24:00, to 27 June 2025, 08:00: 177 days and 8 hours."""
    pair = Portfolio((Position("BTC/USDT:USDT", 1), Position("BTC/USDT:USDT-250627", -1)))
    years = (177 + 8 / 24) / 365
    assert line(pair)[0].amount == pytest.approx(BTC * (0.0025 + 0.02 * years))


def test_one_instrument_is_netted_with_itself_and_other_underlyings_offset_free_of_it():
    assert line(Portfolio((Position("BTC/USDT:USDT", 3), Position("BTC/USDT:USDT", -2))))[0].amount == 0
    assert line(Portfolio((Position("BTC/USDT:USDT", 1), Position("ETH/USDT:USDT", -20))))[0].amount == 0
    assert line(Portfolio((Position("BTC/USDT:USDT", 1), Position("BTC/USDC:USDC", 2))))[0].amount == 0


def test_it_is_never_more_than_netting_saved():
    calm = FRAME.copy()
    calm["SOL"] = 150 * np.cumprod(1 + np.tile([0.0004, -0.0004], len(FRAME) // 2))
    pair = Portfolio((Position("SOL/USDT:USDT", 10), Position("SOL/USDC:USDC", -10)))
    found, c = line(pair, Market(calm))
    assert found.amount == pytest.approx(c.attribution.netting)
    assert found.amount < 0.014 * 10 * 150


def test_cash_and_carry_asks_for_the_basis_and_nobody_says_that_no_margin_is_required():
    """One coin owned, one perpetual short: the short alone asks X, with the coin behind it 25 bp of the coin."""
    carry = Portfolio((Position("BTC/USD", 1), Position("BTC/USDT:USDT", -1)))
    c = compare(carry, MARKET)
    assert c.account.treatment == "joint"
    assert c.account.requirement == pytest.approx(0, abs=1e-9)
    assert c.account.requirement_safeguarded == pytest.approx(0.0025 * BTC)
    assert c.account.health_safeguarded == pytest.approx(BTC / (0.5 * 0.0025 * BTC))
    assert c.asked == c.account.requirement_safeguarded
    said = explain.headline(c)
    assert said == f"The positions alone ask {usd(c.portfolio)}; with the coins behind them $150."
    assert "basis" in explain.why(c)
    model = get("safeguarded", MARKET, Settings())
    (sub,) = carry.account.sub_accounts(model)
    assert model.state(sub, Marks.of_market(MARKET, carry)).initial == pytest.approx(0.0025 * BTC)


def test_a_perfect_hedge_is_told_with_its_safeguards():
    pair = Portfolio((Position("SOL/USDT:USDT", 10), Position("SOL/USDC:USDC", -10)))
    c = compare(pair, MARKET)
    assert c.portfolio == 0
    assert c.asked == c.safeguarded >= 0.014 * 10 * SOL
    assert usd(c.safeguarded) in explain.headline(c)
    for book in (pair, Portfolio((Position("BTC/USD", 1), Position("BTC/USDT:USDT", -1)))):
        text = explain.headline(compare(book, MARKET)) + explain.why(compare(book, MARKET))
        assert "no margin" not in text and "$0" not in text


def own_prices(noise=0.002, days=None):
    rng = np.random.default_rng(5)
    frame = FRAME.copy()
    frame["BTC/USDT:USDT"] = frame["BTC"] * (1 + noise * rng.standard_normal(len(frame)))
    if days is not None:
        frame.iloc[:-days, frame.columns.get_loc("BTC/USDT:USDT")] = np.nan
    return Market(frame), frame


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_instruments_with_their_own_prices_have_their_own_returns_and_no_basis_charge(estimator):
    market, frame = own_prices()
    pair = Portfolio((Position("BTC/USD", 1, paid=False), Position("BTC/USDT:USDT", -1)))
    found, c = line(pair, market, ONLY.with_(estimator=estimator))
    assert found.amount == 0
    assert c.portfolio > 0
    assert c.positions[1].price == pytest.approx(frame["BTC/USDT:USDT"].iloc[-1])
    if estimator == "historical":
        moves = frame[["BTC", "BTC/USDT:USDT"]].pct_change().dropna().to_numpy()[-500:]
        losses = np.sort(moves @ np.array([-BTC, frame["BTC/USDT:USDT"].iloc[-1]]))[::-1]
        assert c.portfolio == pytest.approx((losses[:12].sum() + 0.5 * losses[12]) / 12.5)
        assert c.netted == pytest.approx(c.portfolio)


def test_a_perpetual_whose_own_prices_do_not_reach_back_moves_with_its_asset_and_is_charged():
    market, _ = own_prices(days=100)
    pair = Portfolio((Position("BTC/USD", 1, paid=False), Position("BTC/USDT:USDT", -1)))
    found, c = line(pair, market)
    assert c.portfolio == 0
    assert found.amount == pytest.approx(0.0025 * BTC)


@pytest.mark.parametrize("estimator", ["historical", "filtered", "gaussian"])
@pytest.mark.parametrize("own", [False, True])
def test_each_day_of_a_walk_is_charged_what_compare_charges(estimator, own):
    market = own_prices()[0] if own else MARKET
    book = Portfolio(
        (
            Position("BTC/USDT:USDT", 1),
            Position("BTC/USDC:USDC", -0.8),
            Position("BTC/USDT:USDT-250627", -0.1),
            Position("SOL/USDT:USDT", 20),
            Position("SOL/USDC:USDC", -30),
        )
    )
    chosen = Settings(lookback=120)
    methods = tuple(Method(name, estimator) for name in ("isolated", "netted", "portfolio", "safeguarded"))
    found = backtest(book, market, chosen, methods, days=60)
    for i in (0, 25, -1):
        day = compare(book, market, settings=chosen.with_(as_of=str(found.dates[i])[:10], estimator=estimator))
        for record, name in zip(found.records, ("isolated", "netted", "portfolio", "safeguarded"), strict=True):
            assert record.required[i] == pytest.approx(getattr(day, name), rel=1e-9, abs=1e-6), name


@settings(max_examples=25, deadline=None)
@given(books(), st.floats(0.1, 10))
def test_basis_scales_and_never_exceeds_what_netting_saved(book, factor):
    once, more = line(book)[0].amount, line(book.scaled(factor))[0].amount
    assert more == pytest.approx(factor * once, rel=1e-9, abs=1e-6)
    c = line(book)[1]
    assert 0 <= once <= c.attribution.netting + 1e-9 * c.isolated


def test_collateral_that_does_not_hedge_brings_no_basis():
    book = Portfolio((Position("BTC/USDT:USDT", -1),), (Collateral("ETH", 5), Collateral("USDC", 1_000)))
    assert line(book)[0].amount == 0
    haircut = ONLY.with_(collateral_treatment="haircut")
    assert line(Portfolio((Position("BTC/USD", 1), Position("BTC/USDT:USDT", -1))), chosen=haircut)[0].amount == 0


def test_the_ladder_s_models_see_an_instrument_s_own_prices():
    market, _ = own_prices()
    pair = Portfolio((Position("BTC/USD", 1, paid=False), Position("BTC/USDT:USDT", -1)))
    sub = SubAccount(name="", positions=pair.positions, collateral=(Collateral("USD", 5_000),))
    marks = Marks.of_market(market, pair)
    for key in ("isolated", "netted", "portfolio", "safeguarded"):
        c = compare(pair, market)
        model = get(key, market, Settings())
        assert model.state(sub, marks).initial == pytest.approx(getattr(c, key))
        moved = model.states(sub, marks, np.array([[0.8], [1.0]]))
        assert moved.initial == pytest.approx([model.state(sub, marks.moved({"BTC": f})).initial for f in (0.8, 1.0)])


def test_the_record_behind_the_rates():
    """Figures of margin/ladder/basis.py from the record itself."""
    import json

    from tests.support import shared_path

    worst = json.loads(shared_path("facts/2026/basis.json").read_text())["worst_hour_bp"]
    assert Safeguards().basis_majors == pytest.approx(-1e-4 * min(worst["BTC"], worst["ETH"]), abs=1e-4)
    assert Safeguards().basis_others == pytest.approx(-1e-4 * min(worst.values()), abs=1e-4)
    assert pd.Series(worst).idxmin() == "SOL"


def test_the_last_step_adds_up_in_its_own_words():
    c = compare(Portfolio((Position("BTC/USDT:USDT", 1), Position("ETH/USDT:USDT", -20))), MARKET)
    said = next(step.numbers for step in explain.steps(c) if step.title == "4. With safeguards")
    pieces = re.findall(r"([+-]) (\$[\d,]+(?:\.\d+)?)", said)
    assert pieces
    numbers = [float(f"{sign}{usd.strip('$').replace(',', '')}") for sign, usd in pieces]
    assert c.portfolio + sum(numbers) == pytest.approx(c.safeguarded, abs=2.0)
