"""The walk through history against `compare` day by day, losses by hand, accounts by a loop."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from margin import InputError, Market, Portfolio, Position, Safeguards, Settings, compare
from margin.backtest.accounts import MODES, simulate_accounts
from margin.backtest.walk_forward import ESTIMATORS, METHODS, Method, backtest, frontier, settings_for
from tests.correlation.worlds import frame
from tests.support import shared_path

FRAME = frame(n=760)[["BTC", "ETH", "GAP", "SPY"]]
VOLUMES = FRAME.notna() * 4e7
MARKET = Market(FRAME, VOLUMES)
BOOK = Portfolio(
    (
        Position("BTC/USD", -40),
        Position("ETH/USD", 30, paid=False),
        Position("ETH/USDT:USDT", -12),
        Position("USD", 100.0),
    )
)
MIXED = Portfolio((Position("BTC/USDC:USDC", 10), Position("SPY/USDC:USDC", -20), Position("GAP/USDC:USDC", -15)))
SHORT = Settings(lookback=120)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("measure", ["es", "var"])
@pytest.mark.parametrize(("book", "horizon"), [(BOOK, 1), (BOOK, 3), (MIXED, 1)], ids=["coins", "three days", "mixed"])
def test_each_day_is_what_compare_says_that_day(estimator, measure, book, horizon):
    settings = SHORT.with_(measure=measure, horizon=horizon)
    methods = tuple(Method(method, estimator) for method in ("isolated", "netted", "portfolio", "safeguarded"))
    found = backtest(book, MARKET, settings, methods, days=200)
    for i in range(0, len(found.dates), 17):
        day = compare(book, MARKET, settings=settings.with_(as_of=str(found.dates[i])[:10], estimator=estimator))
        for record, method in zip(found.records, ("isolated", "netted", "portfolio", "safeguarded"), strict=True):
            assert record.required[i] == pytest.approx(getattr(day, method), rel=1e-9, abs=1e-6), (method, i)


@pytest.mark.parametrize(
    "safeguards",
    [Safeguards(procyclicality="buffer"), Safeguards(procyclicality="stress"), Safeguards(stress_weight=1.5)],
    ids=["buffer", "stress", "stressed"],
)
def test_every_safeguard_is_walked(safeguards):
    settings = SHORT.with_(safeguards=safeguards)
    found = backtest(BOOK, MARKET, settings, (Method("safeguarded"),), days=60)
    for i in range(0, len(found.dates), 11):
        day = compare(BOOK, MARKET, settings=settings.with_(as_of=str(found.dates[i])[:10]))
        assert found.records[0].required[i] == pytest.approx(day.safeguarded, rel=1e-9)


@pytest.mark.parametrize("horizon", [1, 4])
def test_losses_are_those_that_followed(horizon):
    found = backtest(BOOK, MARKET, SHORT.with_(horizon=horizon), days=100)
    table = FRAME[["BTC", "ETH"]].dropna()
    for i, date in enumerate(found.dates):
        row = table.index.get_loc(date)
        then = table.iloc[row + horizon] - table.iloc[row]
        assert found.record("portfolio").losses[i] == pytest.approx(40 * then["BTC"] - 18 * then["ETH"])
    steps = np.diff([table.index.get_loc(d) for d in found.dates])
    assert set(steps) == {horizon}, "losses do not overlap"
    assert table.index.get_loc(found.dates[-1]) + horizon == len(table) - 1, "the newest known loss is used"


def test_hits_are_counted_by_method():
    found = backtest(BOOK, MARKET, SHORT, days=400)
    table = FRAME[["BTC", "ETH"]].dropna()
    portfolio, isolated = found.record("portfolio"), found.record("isolated")
    np.testing.assert_array_equal(portfolio.hits, portfolio.losses > portfolio.required)
    assert portfolio.uncovered.sum() == pytest.approx(np.maximum(portfolio.losses - portfolio.required, 0).sum())
    for i in range(0, len(found.dates), 23):
        row = table.index.get_loc(found.dates[i])
        then = table.iloc[row + 1] - table.iloc[row]
        losses = [40 * then["BTC"], -30 * then["ETH"], 12 * then["ETH"]]
        day = compare(BOOK, MARKET, settings=SHORT.with_(as_of=str(found.dates[i])[:10]))
        alone = [p.standalone for p in day.positions if p.underlying != "USD"]
        beyond = [max(loss - margin, 0) for loss, margin in zip(losses, alone, strict=True)]
        assert isolated.hits[i] == any(b > 0 for b in beyond)
        assert isolated.uncovered[i] == pytest.approx(sum(beyond), abs=1e-6)


def test_constant_dollars_keep_todays_amounts():
    found = backtest(BOOK, MARKET, SHORT, days=100, constant="dollars")
    last = FRAME.iloc[-1]
    assert found.gross == pytest.approx(np.full(len(found.dates), 40 * last["BTC"] + 42 * last["ETH"]))
    returns = FRAME[["BTC", "ETH"]].dropna().pct_change()
    row = returns.index.get_loc(found.dates[7])
    after = returns.iloc[row + 1]
    expected = 40 * last["BTC"] * after["BTC"] - 18 * last["ETH"] * after["ETH"]
    assert found.record("portfolio").losses[7] == pytest.approx(expected)


def test_later_prices_change_no_earlier_margin():
    changed, end = FRAME.copy(), FRAME.index[600]
    changed.iloc[601:] *= np.random.default_rng(1).uniform(0.3, 3, size=changed.iloc[601:].shape)
    settings = SHORT.with_(as_of=str(end.date()))
    before, after = (backtest(BOOK, Market(t, VOLUMES), settings, days=200) for t in (FRAME, changed))
    assert before.records
    for a, b in zip(before.records, after.records, strict=True):
        np.testing.assert_array_equal(a.required, b.required)
        np.testing.assert_array_equal(a.losses, b.losses)


@pytest.mark.parametrize("lookback", [5, 10, 29])
@pytest.mark.parametrize("estimator", ["historical", "filtered"])
def test_no_look_ahead_with_fewer_returns_than_start_a_volatility(lookback, estimator):
    """Bit for bit: an earlier margin is what it was before the prices after it were other ones."""
    table = FRAME[["BTC", "ETH"]].iloc[:90]
    settings = Settings(lookback=lookback)
    methods = tuple(Method(method, estimator) for method in ("isolated", "portfolio", "safeguarded"))
    whole = backtest(BOOK, Market(table, VOLUMES), settings, methods, days=90)
    assert whole.dates[0] == table.index[lookback].to_datetime64(), "days with fewer than 30 returns are walked"
    for cut in (lookback + 1, 12, 20, 33):
        other = table.copy()
        other.iloc[cut + 1 :] *= np.random.default_rng(cut).uniform(0.3, 3, size=other.iloc[cut + 1 :].shape)
        changed = backtest(BOOK, Market(other, VOLUMES), settings, methods, days=90)
        until = whole.dates <= table.index[cut].to_datetime64()
        for a, b in zip(whole.records, changed.records, strict=True):
            np.testing.assert_array_equal(a.required[until], b.required[until])
            assert (a.required[~until] != b.required[~until]).any(), "the change is felt afterwards"
    for i in (0, 1, 25 - lookback, 40):
        date = str(whole.dates[i])[:10]
        day = compare(BOOK, Market(table, VOLUMES), settings=settings.with_(as_of=date, estimator=estimator))
        assert whole.records[2].required[i] == pytest.approx(day.safeguarded, rel=1e-9)


def test_a_day_before_a_pause_is_left_out_and_counted():
    found = backtest(MIXED, MARKET, Settings(lookback=60), days=700)
    assert found.skipped >= 1
    shared = FRAME[["BTC", "SPY", "GAP"]].dropna().index
    steps = [shared[shared.get_loc(d) + 1] - pd.Timestamp(d) for d in found.dates]
    assert max(steps) <= pd.Timedelta(days=4)
    assert max(np.diff(shared)) > pd.Timedelta(days=4), "there is such a pause"


def test_statistics_are_those_of_the_tests():
    found = backtest(BOOK, MARKET, SHORT, days=500)
    record = found.record("portfolio")
    assert record.report.exceedances == int((record.losses > record.var).sum())
    z2, p = record.shortfall_test
    beyond = record.losses > record.var
    assert z2 == pytest.approx(1 - (record.losses[beyond] / record.es[beyond]).sum() / (len(beyond) * 0.025))
    assert 0 < p <= 1
    assert found.record("safeguarded").shortfall_test is None
    assert record.largest_rise(20) == pytest.approx((record.required[20:] / record.required[:-20]).max() - 1)
    assert record.peak_to_trough == pytest.approx(record.required.max() / record.required.min())
    assert found.saved_pct(record) == pytest.approx(100 * (1 - record.average / found.record("isolated").average))


def test_more_margin_is_exceeded_less_along_the_frontier():
    found = frontier(BOOK, MARKET, SHORT, days=300)
    for estimator in ESTIMATORS:
        same = [r for r in found.records if r.method.key == "portfolio" and r.method.estimator == estimator]
        same.sort(key=lambda r: r.level)
        assert [r.average for r in same] == sorted(r.average for r in same)
        assert [r.rate for r in same] == sorted((r.rate for r in same), reverse=True)
        assert len(same) == 5


def test_beside_an_isolated_margin_of_nothing_no_share_is_saved():
    methods = (Method("isolated"), Method("portfolio"))
    found = backtest(BOOK, MARKET, SHORT, methods, days=20)
    plain, pooled = found.record("isolated"), found.record("portfolio")
    assert found.saved_pct(pooled) == pytest.approx(100.0 * (1.0 - pooled.average / plain.average))
    nothing = replace(found, records=(replace(plain, required=0.0 * plain.required), pooled))
    assert nothing.saved_pct(pooled) is None


def test_progress_runs_to_one_and_can_stop_the_walk():
    seen = []
    backtest(BOOK, MARKET, SHORT, days=200, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0

    def stop(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backtest(BOOK, MARKET, SHORT, days=200, progress=stop)


def test_recorded_prices_hold_what_they_promise():
    closes = pd.read_csv(shared_path("market/daily_closes.csv"))
    market = Market(closes[["date", "BTC", "ETH"]])
    pair = Portfolio((Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", -30.0)))
    found = backtest(pair, market, days=1500)
    portfolio = found.record("portfolio")
    assert portfolio.rate < 0.025, "an expected shortfall is exceeded less often than its level allows"
    assert portfolio.report.zone == "green"
    assert found.saved_pct(portfolio) > 30
    for i in (0, 400, -1):
        day = compare(pair, market, as_of=str(found.dates[i])[:10])
        assert portfolio.required[i] == pytest.approx(day.portfolio, rel=1e-9)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: backtest(Portfolio((Position("BTC/USD:BTC-261225-60-C", 1),)), MARKET), "option"),
        (lambda: backtest(BOOK, MARKET, SHORT.with_(lookback=5000)), "leaves 0 days"),
        (lambda: backtest(BOOK, MARKET, SHORT, constant="weights"), "quantities or dollars"),
        (lambda: backtest(BOOK, MARKET, SHORT, (Method("portfolio", "stressed"),)), "cannot be walked"),
        (lambda: backtest(BOOK, MARKET, SHORT, ()), "nothing to walk"),
        (lambda: backtest(BOOK, MARKET, SHORT, days=3), "days"),
        (lambda: backtest(Portfolio((Position("USD", 1),)), MARKET, SHORT), "dollars"),
        (lambda: simulate_accounts(BOOK, MARKET, SHORT, maintenance=1.0), "maintenance"),
        (lambda: simulate_accounts(BOOK, MARKET, SHORT, funding=5.0), "funding"),
        (lambda: simulate_accounts(BOOK, MARKET, SHORT, hold=300, days=200), "longer than"),
    ],
)
def test_what_cannot_be_walked_is_said(call, said):
    with pytest.raises(InputError, match=said):
        call()
    assert settings_for(Settings(estimator="stressed")).estimator == "historical"
    assert len(METHODS) == 5


@pytest.mark.parametrize(("funding", "weekends"), [(0.0, True), (0.001, True), ({"ETH": -0.002}, True), (0.001, False)])
def test_accounts_equal_a_loop(funding, weekends):
    hold, maintenance = 20, 0.6
    table = FRAME[["BTC", "ETH"]].dropna()
    table = table if weekends else table[table.index.day_of_week < 5]
    market = MARKET if weekends else Market(table, VOLUMES[["BTC", "ETH"]])
    records = {r.mode: r for r in simulate_accounts(BOOK, market, SHORT, hold, maintenance, funding, 260)}
    assert list(records) == list(MODES)
    quantities = np.array([-40.0, 30.0, -12.0])
    rate = funding.get("ETH", 0.0) if isinstance(funding, dict) else funding
    for n, date in enumerate(records["portfolio"].opened):
        row = table.index.get_loc(date)
        prices = table.iloc[row : row + hold + 1][["BTC", "ETH", "ETH"]].to_numpy()
        for mode, record in records.items():
            state = _loop(market, quantities, prices, table.index[row : row + hold + 1], mode, maintenance, rate)
            got = (record.started[n], record.final[n], record.called[n], record.liquidated[n], record.uncovered[n])
            assert got == pytest.approx(state, rel=1e-9, abs=1e-6), (mode, n)


def _loop(market, quantities, prices, dates, mode, maintenance, rate):
    """One opening, close by close."""

    def need(date):
        day = compare(BOOK, market, settings=SHORT.with_(as_of=str(date.date())))
        if mode == "isolated":
            return [p.standalone for p in day.positions if p.underlying != "USD"]
        return [day.portfolio if mode == "portfolio" else day.safeguarded]

    asked = need(dates[0])
    equity, open_, called, closed = list(asked), [True] * len(asked), False, 0
    for i in range(1, len(dates)):
        gains = quantities * (prices[i] - prices[i - 1])
        days = (dates[i] - dates[i - 1]).days
        gains[2] -= rate * days * quantities[2] * prices[i - 1][2]  # the perpetual
        moved = gains if mode == "isolated" else [gains.sum()]
        today = need(dates[i])
        for leg, change in enumerate(moved):
            if not open_[leg]:
                continue
            equity[leg] += change
            called |= equity[leg] < today[leg] * (1 - 1e-12)
            if equity[leg] < maintenance * today[leg]:
                open_[leg] = False
                closed += 1 if mode == "isolated" else 3
    return sum(asked), sum(max(e, 0) for e in equity), called, closed, sum(max(-e, 0) for e in equity)


def test_more_maintenance_closes_more_and_leaves_less_uncovered():
    books = [
        {r.mode: r for r in simulate_accounts(BOOK, MARKET, SHORT, 20, share, 0.0, 400)} for share in (0.1, 0.5, 0.9)
    ]
    for mode in MODES:
        closed = [b[mode].liquidated.sum() for b in books]
        assert closed == sorted(closed)
        assert books[0][mode].called_share >= books[0][mode].liquidated_share


@pytest.mark.parametrize("horizon", [1, 5, 10])
def test_the_largest_rise_in_twenty_days_is_one_of_twenty_calendar_days(horizon):
    """With a horizon of ten days it had counted twenty records: two hundred days."""
    record = backtest(BOOK, MARKET, SHORT.with_(horizon=horizon), days=400).record("portfolio")
    rises = []
    for i, date in enumerate(record.dates):
        after = [j for j in range(i, len(record.dates)) if record.dates[j] - date >= np.timedelta64(20, "D")]
        if after:
            assert record.dates[after[0]] - date < np.timedelta64(20 + 4 * horizon, "D")
            rises.append(record.required[after[0]] / record.required[i] - 1)
    assert record.largest_rise(20) == pytest.approx(max(rises))
