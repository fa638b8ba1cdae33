"""A book under any margin model through time: against a loop of `state`, by hand, and by what every model obeys."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from margin import Collateral, InputError, Market, Portfolio, Position, Settings, models
from margin.backtest.accounts import simulate_accounts
from margin.backtest.under_model import backtest_model, default_model
from margin.backtest.walk_forward import Method, backtest
from margin.core.account import Account
from margin.models.funding import Funding
from margin.models.marks import Marks
from tests.ladder.books import market_frame
from tests.support import shared_path

FRAME = market_frame(400)
MARKET = Market(FRAME)
BOOK = Portfolio(
    (Position("BTC/USDT:USDT", 1.0, 55_000), Position("ETH/USDT:USDT", -12.0, leverage=20)),
    (Collateral("USD", 9_000), Collateral("BTC", 0.05)),
)
SHORT = Settings(lookback=120)


def with_extremes(frame, width=0.03):
    out = frame.copy()
    for asset in ("BTC", "ETH"):
        out[f"{asset}_high"] = frame[asset] * (1 + width)
        out[f"{asset}_low"] = frame[asset] * (1 - width)
    return Market(out)


def marks_at(date):
    prices = {**FRAME.loc[date].to_dict(), "USDT": 1.0, "USDC": 1.0}
    return Marks(prices, date)


@pytest.mark.parametrize("key", ["binance:cross", "hyperliquid:cross", "bybit:cross", "okx:cross", "kraken:cross"])
@pytest.mark.parametrize("money", ["asked", "own"])
def test_each_opening_equals_a_loop_of_state_day_by_day(key, money):
    found = backtest_model(BOOK, MARKET, key, days=200, hold=25, money=money)
    model = models.get(key)
    assert len(found.openings) == 8
    for opening in found.openings:
        dates = FRAME.index[FRAME.index.get_loc(opening.opened) :][: 25 + 1]
        start = marks_at(dates[0])
        positions = tuple(replace(p, entry_price=FRAME.loc[dates[0], p.underlying]) for p in BOOK.positions)
        held = BOOK.collateral if money == "own" else ()
        (sub,) = Account(positions=positions, collateral=held).sub_accounts(model, start)
        first = model.state(sub, start)
        cash = 0.0 if money == "own" else first.initial - first.equity_initial
        closed, equity, called = None, first.equity + cash, False
        for date in dates[1:]:
            state = model.state(sub, marks_at(date))
            equity = state.equity + cash
            called |= state.equity_initial + cash < state.initial - 1e-6
            if equity < state.maintenance - 1e-6:
                closed = date
                break
        assert opening.started == pytest.approx(first.equity + cash)
        assert (opening.closed is None) == (closed is None)
        if closed is not None:
            assert pd.Timestamp(opening.closed) == closed
            assert opening.at == "close"
        kept = closed is not None and model.closing.keeps_rest
        assert opening.final == pytest.approx(0.0 if kept else max(equity, 0.0))
        assert opening.uncovered == pytest.approx(max(-equity, 0.0))
        assert opening.called == called


@pytest.mark.parametrize("key", ["binance:cross", "deribit:cross"])
def test_each_day_is_what_the_rules_ask_that_day_and_what_followed(key):
    found = backtest_model(BOOK, MARKET, key, days=100)
    model = models.get(key)
    for i in range(0, 100, 9):
        date = pd.Timestamp(found.dates[i])
        after = FRAME.index[FRAME.index.get_loc(date) + 1]
        positions = tuple(replace(p, entry_price=FRAME.loc[date, p.underlying]) for p in BOOK.positions)
        (sub,) = Account(positions=positions).sub_accounts(model, marks_at(date))
        now, then = model.state(sub, marks_at(date)), model.state(sub, marks_at(after))
        assert found.initial[i] == pytest.approx(now.initial)
        assert found.maintenance[i] == pytest.approx(now.maintenance)
        assert found.losses[i] == pytest.approx(now.equity - then.equity)
        assert found.hits[i] == (found.losses[i] > now.initial)
        assert found.closed[i] == (now.initial - found.losses[i] < then.maintenance)


def test_isolated_accounts_are_closed_each_by_itself():
    """Long at 10x and short at 20x of one coin, over a fall and a rise: each is closed on its own side."""
    days = pd.date_range("2024-01-01", periods=60)
    price = np.full(60, 100.0)
    price[30:34] = [103.0, 108.0, 96.0, 85.0]
    price[34:] = 85.0
    market = Market(pd.DataFrame({"ETH": price}, days))
    legs = Portfolio((Position("ETH/USDT:USDT", 1.0, leverage=10), Position("ETH/USDT:USDT", -1.0, leverage=20)))
    found = backtest_model(legs, market, "binance:isolated", days=59, hold=58)
    (opening,) = found.openings
    assert opening.names == ("ETH/USDT:USDT", "ETH/USDT:USDT")
    assert pd.Timestamp(opening.closed) == days[31], "the short first, at 108"
    assert opening.started == pytest.approx(10 + 5)
    cross = backtest_model(legs, market, "binance:cross", days=59, hold=58)
    assert not cross.liquidated, "the pool's legs pay for each other"


def test_adverse_extremes_see_what_closes_do_not_and_the_figures_say_which():
    days = pd.date_range("2024-01-01", periods=60)
    frame = pd.DataFrame({"ETH": 100.0, "ETH_high": 101.0, "ETH_low": 99.0}, days)
    frame.iloc[40, frame.columns.get_loc("ETH_low")] = 60.0
    long, short = (Portfolio((Position("ETH/USDT:USDT", q, leverage=10),)) for q in (1.0, -1.0))
    blind = backtest_model(long, Market(frame[["ETH"]]), "binance:cross", days=59, hold=58)
    assert blind.closed_intraday is None and blind.extremes == () and not blind.liquidated
    seeing = backtest_model(long, Market(frame), "binance:cross", days=59, hold=58)
    assert seeing.extremes == ("ETH",)
    assert seeing.closed.sum() == 0 and seeing.closed_intraday.sum() == 1
    (opening,) = seeing.liquidated
    assert (pd.Timestamp(opening.closed), opening.at) == (days[40], "intraday")
    model = models.get("binance:cross")
    assert opening.uncovered == 0, "closed where its equity met maintenance, not at the low"
    if model.closing.keeps_rest:
        assert opening.final == 0
    assert not backtest_model(short, Market(frame), "binance:cross", days=59, hold=58).liquidated


def test_extremes_never_see_fewer_closings_than_closes():
    for key in ("portfolio", "isolated", "hyperliquid:cross"):
        closes, wide = (backtest_model(BOOK, m, key, SHORT, days=150, hold=20) for m in (MARKET, with_extremes(FRAME)))
        assert (wide.closed_intraday >= closes.closed).all()
        assert len(wide.liquidated) >= len(closes.liquidated)
        np.testing.assert_array_equal(wide.initial, closes.initial)


@pytest.mark.parametrize("key", ["isolated", "portfolio", "safeguarded"])
def test_our_methods_ask_what_the_walk_asks_and_end_as_accounts_left_alone_do(key):
    positions = Portfolio(BOOK.positions)
    found = backtest_model(positions, MARKET, key, SHORT, days=200, hold=20)
    walked = backtest(positions, MARKET, SHORT, (Method(key),), days=200).records[0]
    at = np.isin(walked.dates, found.dates)
    assert found.initial == pytest.approx(walked.required[at][-len(found.initial) :])
    np.testing.assert_array_equal(found.hits, walked.hits[at][-len(found.hits) :])
    alone = {r.mode: r for r in simulate_accounts(positions, MARKET, SHORT, 20, 0.5, 0.0, 200)}[key]
    same = {str(d): i for i, d in enumerate(alone.opened)}
    matched = [(o, same[str(o.opened)]) for o in found.openings if str(o.opened) in same]
    assert len(matched) >= 8
    for opening, i in matched:
        assert opening.final == pytest.approx(alone.final[i])
        assert opening.uncovered == pytest.approx(alone.uncovered[i], abs=1e-6)
        assert opening.called == alone.called[i]
        assert (opening.closed is not None) == (alone.liquidated[i] > 0)


@pytest.mark.parametrize("key", ["portfolio", "safeguarded", "binance:cross", "okx:portfolio"])
def test_later_prices_change_nothing_earlier_bit_for_bit(key):
    changed, end = FRAME.copy(), FRAME.index[350]
    changed.iloc[351:] *= np.random.default_rng(1).uniform(0.5, 2, size=changed.iloc[351:].shape)
    settings = SHORT.with_(as_of=str(end.date()))
    book = Portfolio((Position("BTC/USDT:USDT", 0.1), Position("ETH/USDT:USDT", -1.0)), (Collateral("USD", 1e5),))
    before, after = (backtest_model(book, Market(t), key, settings, days=150) for t in (FRAME, changed))
    for name in ("initial", "maintenance", "losses", "hits", "closed"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
    assert before.openings == after.openings


def test_recorded_funding_is_paid_by_longs_on_the_days_it_was_recorded():
    days = pd.date_range("2024-01-01", periods=60)
    market = Market(pd.DataFrame({"ETH": np.full(60, 100.0)}, days))
    record = pd.Series(
        [0.001, 0.002, -0.0005], pd.to_datetime(["2024-02-01 00:00", "2024-02-01 08:00", "2024-02-02 00:00"])
    )
    long = Portfolio((Position("ETH/USDT:USDT", 3.0, leverage=5),))
    found = backtest_model(long, market, "binance:cross", days=59, hold=58, funding={"ETH": record})
    (opening,) = found.openings
    assert opening.final == pytest.approx(opening.started - 300 * (0.001 + 0.002 - 0.0005))
    assert any("Funding of ETH as recorded from 2024-02-01 to 2024-02-02" in note for note in found.notes)
    paid = Funding({"ETH": record}).between(long.positions[0], days.to_numpy())
    assert paid[list(days).index(pd.Timestamp("2024-01-31")) - 1] == pytest.approx(0.001), "paid at 24:00 of 31 January"
    assert paid[list(days).index(pd.Timestamp("2024-02-01")) - 1] == pytest.approx(0.002 - 0.0005)
    short = Portfolio((Position("ETH/USDT:USDT", -3.0, leverage=5),))
    (other,) = backtest_model(short, market, "binance:cross", days=59, hold=58, funding={"ETH": record}).openings
    assert other.final - other.started == pytest.approx(opening.started - opening.final)


@pytest.mark.parametrize("key", models.keys())
def test_every_registered_model_is_walked_or_says_why_not(key):
    book = Portfolio((Position("BTC/USDT:USDT", 0.5),), (Collateral("USDC", 60_000),))
    try:
        found = backtest_model(book, MARKET, key, SHORT, days=30, hold=10)
    except InputError as error:
        assert error.problem
        return
    assert (found.initial >= 0).all() and np.isfinite(found.losses).all()
    expected = 0.5 * -np.diff(FRAME["BTC"].to_numpy()[-31:])
    solvent = expected < found.initial  # a ratio rescaled to equity means nothing of an account that is bankrupt
    assert found.losses[solvent] == pytest.approx(expected[solvent], rel=1e-6), "equity is money"


def test_the_model_of_an_account_is_its_own_venue_s_unless_another_is_chosen():
    own = Portfolio(accounts=[Account(venue="hyperliquid", positions=BOOK.positions)])
    assert default_model(own) == "hyperliquid:cross"
    assert default_model(BOOK) == "portfolio"
    assert backtest_model(own, MARKET, days=40).model == "hyperliquid:cross"
    assert backtest_model(own, MARKET, "binance:cross", days=40).model == "binance:cross"


def test_options_and_what_a_venue_does_not_list_are_left_out_by_name():
    option = Position("BTC/USD:BTC-261225-60000-C", 1)
    mixed = Portfolio((*BOOK.positions, option, replace(option, quantity=2.0)))  # in two rows, named once
    for key in ("portfolio", "binance:cross"):
        found = backtest_model(mixed, MARKET, key, SHORT, days=40)
        assert found.left_out == (option.symbol,)
        assert any(option.symbol in note for note in found.notes)
    walked = backtest(mixed, MARKET, SHORT, days=40)
    assert walked.left_out == (option.symbol,) and any(option.symbol in note for note in walked.notes)
    with pytest.raises(InputError, match="only options"):
        backtest(Portfolio((option,)), MARKET, SHORT)
    with pytest.raises(InputError, match="leaves nothing"):
        backtest_model(Portfolio((option,)), MARKET, "binance:cross")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "binnance:cross"}, "not a margin model"),
        ({"hold": 0}, "hold"),
        ({"hold": 390, "days": 100}, "longer than"),
        ({"money": "mine"}, "asked or own"),
        ({"funding": 3.0}, "funding"),
        ({"funding": {"BTC": pd.Series([np.nan], pd.to_datetime(["2024-01-01"]))}}, "finite"),
        ({"model": "isolated", "money": "own"}, "isolated accounts are many"),
        ({"model": "portfolio", "money": "own"}, "BTC as collateral"),
        ({"days": 3}, "days"),
    ],
)
def test_what_cannot_be_judged_is_said(change, said):
    with pytest.raises(InputError, match=said):
        backtest_model(BOOK, MARKET, **{"model": "binance:cross", "settings": SHORT, **change})


def test_recorded_candles_close_more_accounts_within_days_than_at_closes():
    """Real highs and lows: closes alone see a part of the hits, never more."""
    candles = pd.read_parquet(
        shared_path("market/daily_candles.parquet"), columns=["date", "asset", "high", "low", "close"]
    )
    parts = {}
    for asset in ("BTC", "ETH"):
        one = candles[candles.asset == asset].drop_duplicates("date").set_index("date")
        parts |= {asset: one.close, f"{asset}_high": one.high, f"{asset}_low": one.low}
    table = pd.DataFrame(parts).loc["2022":]
    table.index = pd.to_datetime(table.index)
    book = Portfolio((Position("BTC/USDT:USDT", 1.0, leverage=20), Position("ETH/USDT:USDT", 10.0, leverage=20)))
    found = backtest_model(book, Market(table), "binance:cross", days=1000)
    assert 0 < found.closed.sum() < found.closed_intraday.sum()


def test_a_book_that_leaves_nothing_to_walk_through_is_named():
    owned = Portfolio((Position("BTC/USD", 1.0),), (Collateral("USD", 1e5),))
    with pytest.raises(InputError, match="leaves nothing to walk through") as said:
        backtest_model(owned, MARKET, "binance:cross", SHORT, days=40)
    assert said.value.value == "only owned spot"


def test_a_walk_shorter_than_a_month_is_held_as_long_as_it_is():
    found = backtest_model(BOOK, MARKET, "binance:cross", SHORT, days=20)
    assert found.hold == 20 and len(found.openings) == 1
    assert backtest_model(BOOK, MARKET, "binance:cross", SHORT, days=40).hold == 30
    with pytest.raises(InputError, match="longer than the 20 days"):
        backtest_model(BOOK, MARKET, "binance:cross", SHORT, days=20, hold=30)
