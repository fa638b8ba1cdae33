"""What each input may be, at the very edge: the last value that is taken, and the first that is refused.

The limits are written here by hand. A call that goes on past its check needs no market: what it then says is not asked.
"""

from math import inf, nextafter

import numpy as np
import pandas as pd
import pytest

from data.exchange.tickers import _price as last_price
from data.exchange.vols import _vol as said_vol
from data.watch.command import _odds as watch_odds
from data.watch.loop import seconds_of
from margin.backtest import accounts, coverage, under_model, walk_forward
from margin.cli.forecast import odds_of
from margin.cli.hedge import share_of
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.position import Collateral
from margin.core.settings import Settings
from margin.correlation import bands, frames, lead_lag, matrix, paths, persistence, regimes, worst_days
from margin.forecast import capital, engine, first_passage
from margin.formats.plain import when
from margin.haircut.allocation import _checked as wallet_checked
from margin.haircut.basket import right_and_wrong_way
from margin.haircut.history import _regular
from margin.haircut.model import _size
from margin.haircut.settings import HaircutSettings
from margin.hedge import study, tickets
from margin.hedge.costs import Costs
from margin.hedge.rule import Rule
from margin.ladder.equal_risk import EqualRisk
from margin.ladder.freed_capital import freed_capital
from margin.lessons.closed_forms import Pair, capital_for
from margin.liquidation.population import World
from margin.models.funding import Funding
from margin.protocols import branching, edges, funds, network, seizure, sharing
from margin.protocols import paths as protocol_paths
from margin.protocols.clearing import clear
from margin.protocols.population import Crowd
from margin.protocols.wallet import Perp, Pledge, Wallet
from margin.rolling.ewma import ewma_correlation
from margin.rolling.pearson import rolling_correlation
from margin.stress import paths as stress_paths
from margin.stress.shocks import shock

NONE = type("Nothing", (), {})()  # stands for a market or a book that no check looks at
ETH = Pledge(asset="ETH", value=1000.0, ltv=0.8, threshold=0.83, weight=0.8)

PERP = {"asset": "ETH", "notional": 100.0}


def pledge(**changed):
    return Wallet(collateral=(Pledge(**{**vars(ETH), **changed}),), debt=100.0)


def wallet(**changed):
    return Wallet(**{"collateral": (ETH,), "debt": 100.0, **changed})


def moved(usd):
    """A network of one node that holds one coin, and the coin's move."""
    nodes = [{"id": "a", "assets": {"ETH": 1.0}, "cash": 0.0}]
    return network._from_mapping({"nodes": nodes, "prices": {"ETH": 1.0}}).outside({"ETH": usd})


def market_of(day):
    return Market(pd.DataFrame({"BTC": [1.0, 2.0, 3.0]}, index=pd.date_range(day, periods=3)))


def of(made, name, **others):
    return lambda value: made(**{name: value, **others})


# whole numbers: a call, the field, the least and the most that are taken
WHOLE = [
    (of(Settings, "horizon"), "horizon", 1, 365),
    (of(Settings, "lookback"), "lookback", 2, 100_000),
    (of(HaircutSettings, "lookback"), "haircut.lookback", 50, 100_000),
    (of(HaircutSettings, "wait"), "haircut.wait", 1, 60),
    (of(HaircutSettings, "volume_days"), "haircut.volume_days", 1, 3650),
    (of(HaircutSettings, "long_run"), "haircut.long_run", 50, 100_000),
    (lambda v: _regular(NONE, None, v), "every", 1, 365),
    (lambda v: accounts.simulate_accounts(NONE, NONE, hold=v), "hold", 2, 365),
    (lambda v: walk_forward.backtest(NONE, NONE, days=v), "days", 20, 100_000),
    (lambda v: under_model.backtest_model(NONE, NONE, "isolated", days=v), "days", 20, 100_000),
    (lambda v: under_model.backtest_model(NONE, NONE, "isolated", hold=v), "hold", 1, 5_000),
    (lambda v: paths.rolling_pairs(NONE, [("A", "B")], v), "window", 3, 100_000),
    (lambda v: paths.all_pairs(NONE, ("A", "B"), v), "window", 3, 100_000),
    (lambda v: persistence.persistence_of(NONE, [("A", "B")], v), "window", 10, 2000),
    (lambda v: persistence.persistence_of(NONE, [("A", "B")], 60, v), "ahead", 10, 2000),
    (lambda v: frames.matrix_frames(NONE, ("A", "B"), "rolling", frames=v), "frames", 1, 240),
    (lambda v: matrix.correlation_matrix(NONE, ("A", "B"), v), "window", 3, 100_000),
    (lambda v: matrix.correlation_matrix(NONE, ("A", "B"), 60, horizon=v), "horizon", 1, 365),
    (lambda v: lead_lag.lead_lag(NONE, ("A", "B"), v), "max_lag", 1, 60),
    (lambda v: market_of("2025-01-01").returns(("BTC",), horizon=v), "horizon", 1, 365),
    (lambda v: market_of("2025-01-01").returns(("BTC",), lookback=v), "lookback", 2, 100_000),
    (lambda v: engine.forecast(NONE, NONE, paths=v), "paths", 200, 100_000),
    (lambda v: study.hedge(NONE, NONE, NONE, NONE, orders=v), "trades", 1, 3),
    (of(World, "accounts"), "accounts", 10, 1_000_000),
    (of(World, "steps", shock_steps=1), "steps", 2, 20_000),
    (of(World, "shock_steps", steps=20_000), "shock_steps", 1, 20_000),
    (of(Crowd, "wallets"), "wallets", 10, 1_000_000),
    (of(Crowd, "depth"), "depth", 0, 50),
    (lambda v: protocol_paths.recorded_paths(NONE, ("ETH",), days=v), "days", 1, 60),
    (lambda v: protocol_paths.recorded_paths(NONE, ("ETH",), paths=v), "paths", 1, 200_000),
    (lambda v: stress_paths.recorded_path(NONE, "2025-01-01", v), "days", 1, 3_650),
    (lambda v: stress_paths.simulated_path(NONE, v, 0.0), "days", 1, 3_650),
    (lambda v: rolling_correlation(np.zeros((0, 1)), 30, min_periods=v), "min_periods", 2, 30),
    (lambda v: rolling_correlation(np.zeros((0, 1)), v), "window", 3, 10**9),
    (lambda v: network._from_mapping({"nodes": [{"id": str(i)} for i in range(v)]}), "nodes", 1, 2_000),
    (lambda v: coverage.kupiec(100, v, 0.01), "exceedances", 0, 100),
]

# numbers: a call, the field, the least and the most, both taken
CLOSED = [
    (of(Settings, "level"), "level", 0.5, 0.9999),
    (of(Settings, "maintenance"), "maintenance", 0.01, 1.0),
    (of(Settings, "vol_halflife"), "vol_halflife", 1.0, 10_000.0),
    (of(Settings, "corr_halflife"), "corr_halflife", 1.0, 10_000.0),
    (of(Settings, "ewma_lambda"), "ewma_lambda", 0.5, 0.9999),
    (of(Settings, "degrees_of_freedom"), "degrees_of_freedom", 2.1, 1000.0),
    (lambda v: Settings(implied_vol={"BTC": v}), "implied_vol.BTC", 0.001, 10.0),
    (lambda v: Settings(haircuts={"BTC": v}), "haircuts.BTC", 0.0, 1.0),
    (lambda v: Settings(what_if=[("BTC", "ETH", v)]), "what_if.BTC/ETH", -1.0, 1.0),
    (of(HaircutSettings, "level"), "haircut.level", 0.5, 0.9999),
    (of(HaircutSettings, "participation"), "haircut.participation", 1e-4, 1.0),
    (of(HaircutSettings, "impact_factor"), "haircut.impact_factor", 0.0, 10.0),
    (of(HaircutSettings, "ewma_lambda"), "haircut.ewma_lambda", 0.5, 0.9999),
    (of(HaircutSettings, "degrees_of_freedom"), "haircut.degrees_of_freedom", 2.1, 1000.0),
    (of(HaircutSettings, "buffer_share"), "haircut.buffer_share", 0.0, 2.0),
    (of(HaircutSettings, "buffer_used_at"), "haircut.buffer_used_at", 1.0001, 100.0),
    (of(HaircutSettings, "stress_weight"), "haircut.stress_weight", 0.0, 1.0),
    (of(HaircutSettings, "floor_share"), "haircut.floor_share", 0.0, 2.0),
    (of(HaircutSettings, "minimum"), "haircut.minimum", 0.0, 1.0),
    (of(HaircutSettings, "stable_minimum"), "haircut.stable_minimum", 0.0, 1.0),
    (of(HaircutSettings, "depeg_weight"), "haircut.depeg_weight", 0.0, 1.0),
    (_size, "size_usd", 0.0, 1e15),
    (lambda v: Pair(1.0, 1.0, 0.1, 0.1, v), "correlation", -1.0, 1.0),
    (lambda v: freed_capital(NONE, yearly_rate=v), "rate", 0.0, 10.0),
    (lambda v: freed_capital(NONE, return_on_margin=v), "return_on_margin", 0.0, 10.0),
    (Funding, "funding", -0.1, 0.1),
    (of(Costs, "fee_bp"), "fee_bp", 0.0, 1000.0),
    (of(Costs, "option_half_spread"), "option_half_spread", 0.0, 1.0),
    (of(Costs, "hold_days"), "hold_days", 0.0, 365.0),
    (of(Costs, "impact_factor"), "impact_factor", 0.0, 10.0),
    (lambda v: Costs(half_spread_bp={"BTC": v}), "half_spread_bp.BTC", 0.0, 1000.0),
    (lambda v: Costs(funding_bp_day={"BTC": v}), "funding_bp_day.BTC", -1000.0, 1000.0),
    (of(Rule, "cooldown", kind="cut"), "cooldown", 0.0, 365.0),
    (lambda v: tickets.tickets((), NONE, slippage_bp=v), "slippage_bp", 0.0, 1000.0),
    (of(World, "leverage_median"), "leverage_median", 1.0, 50.0),
    (of(World, "leverage_spread"), "leverage_spread", 0.0, 2.0),
    (of(World, "long_share"), "long_share", 0.0, 1.0),
    (of(World, "hedged_share"), "hedged_share", 0.0, 1.0),
    (of(World, "equity_median"), "equity_median", 1.0, 1e9),
    (of(World, "equity_spread"), "equity_spread", 0.0, 4.0),
    (of(World, "correlation"), "correlation", -1.0, 1.0),
    (of(World, "volume"), "volume", 1.0, 1e15),
    (of(World, "impact"), "impact", 0.0, 10.0),
    (of(World, "maintenance"), "maintenance", 0.001, 0.5),
    (of(World, "fund"), "fund", 0.0, 1e15),
    (of(World, "noise"), "noise", 0.0, 2.0),
    (lambda v: World(shock=(v, 0.0)), "shock", -0.99, 5.0),
    *((of(Crowd, name), name, 0.0, 1.0) for name in ("looped", "long_share", "theta", "weight", "bonus")),
    (of(Crowd, "maintenance", margin=1.0), "maintenance", 0.0, 1.0),
    (lambda v: Crowd(rules={"separate": v, "lien": 1.0 - v}), "rules.separate", 0.0, 1.0),
    (of(Crowd, "margin", maintenance=0.1), "depth", 0.1, 1.0),
    (lambda v: pledge(ltv=v, threshold=1.0), "collateral ETH ltv", 0.0, 1.0),
    (lambda v: pledge(threshold=v, ltv=0.0), "collateral ETH threshold", 0.0, 1.0),
    (lambda v: pledge(weight=v), "collateral ETH weight", 0.0, 1.0),
    (lambda v: wallet(perps=(Perp(**PERP, maintenance=v, initial=1.0),)), "perps ETH", 0.0, 1.0),
    (lambda v: wallet(perps=(Perp(**PERP, maintenance=0.2, initial=v),)), "perps ETH", 0.2, 1.0),
    (lambda v: clear(np.zeros((2, 2)), np.ones(2), alpha=v), "alpha", 0.0, 1.0),
    (lambda v: clear(np.zeros((2, 2)), np.ones(2), beta=v), "beta", 0.0, 1.0),
    (lambda v: branching.cascade(NONE, NONE, v), "shock", 0.0, 1.0),
    (lambda v: seizure.run(NONE, "separate", np.zeros((1, 1, 1)), theta=v), "theta", 0.0, 1.0),
    (moved, "shock ETH", -1.0, 100.0),
    (lambda v: edges.read_edges("source,target,value\na,b,1\n", cushion=v), "cushion", 0.0, 100.0),
    (lambda v: shock(NONE, {"BTC": v}), "moves BTC", -1.0, 100.0),
    (lambda v: capital.same_safety(NONE, NONE, odds=v), "odds", 0.001, 0.99),
    (odds_of, "--odds", 0.001, 0.99),
    (watch_odds, "--odds", 0.01, 0.99),
    (lambda v: seconds_of(repr(v)), "--every", 10.0, 86_400.0),
]

# numbers: a call, the field, the least and the most, and which of the two are taken ("(]": the most alone)
OPEN = [
    (lambda v: capital_for(Pair(1.0, 1.0, 0.1, 0.1, 0.0), v), "probability", 0.0, 0.5, "()"),
    (lambda v: right_and_wrong_way("BTC", NONE, v, 1.0), "position_usd", 0.0, 1e15, "()"),
    (lambda v: right_and_wrong_way("BTC", NONE, 1.0, v), "collateral_usd", 0.0, 1e15, "()"),
    (lambda v: wallet_checked({"BTC": 1.0}, v), "requirement", 0.0, 1e15, "[)"),
    (lambda v: wallet_checked({"BTC": v}, 1.0), "wallet BTC", 0.0, 1e15, "[)"),
    (lambda v: accounts.simulate_accounts(NONE, NONE, maintenance=v), "maintenance", 0.0, 1.0, "()"),
    (lambda v: coverage.kupiec(100, 1, v), "probability", 0.0, 1.0, "()"),
    (lambda v: freed_capital(NONE, daily_turnover=v), "daily_turnover", 0.0, 1000.0, "(]"),
    (EqualRisk(np.zeros(1), np.zeros(1)).capital, "probability", 0.0, 1.0, "()"),
    (of(Rule, "trigger", kind="cut", back_to=100.0), "trigger", 0.0, 50.0, "(]"),
    (of(Rule, "trigger", kind="cut", by="odds"), "trigger", 0.0, 0.99, "(]"),
    (of(Rule, "back_to", kind="cut", trigger=2.0), "back_to", 2.0, 100.0, "(]"),
    (of(Rule, "back_to", kind="cut", by="odds", trigger=0.5), "back_to", 0.0, 100.0, "(]"),
    (of(Rule, "unwind", kind="hedge", back_to=4.0), "unwind", 4.0, 1000.0, "(]"),
    (lambda v: study.hedge(NONE, NONE, NONE, NONE, days=v), "days", 0.0, 365.0, "(]"),
    (lambda v: share_of(repr(v), "--budget"), "--budget", 0.0, 1.0, "(]"),
    (lambda v: bands.fisher_band(0.0, 30, v), "level", 0.0, 1.0, "()"),
    (lambda v: worst_days.downside_correlation(NONE, ("A", "B"), v), "share", 0.0, 0.5, "(]"),
    (lambda v: regimes.regime_matrices(NONE, ("A", "B"), share=v), "share", 0.0, 0.5, "(]"),
    (lambda v: engine.forecast(NONE, NONE, horizons=(v,)), "horizons", 0.0, 365.0, "(]"),
    (lambda v: first_passage.log_distance(5.0, v), "leverage", 0.0, 0.2, "[)"),
    (lambda v: first_passage.log_distance(v, 0.0), "leverage", 1.0, 1e300, "(]"),
    (lambda v: first_passage.hitting_quantile(v, 1.0, 1.0), "share", 0.0, 1.0, "()"),
    (lambda v: first_passage.hitting_quantile(0.5, 1.0, v), "share", 0.0, 1e300, "(]"),
    (lambda v: World(volatilities=(v, 0.1)), "volatilities", 0.0, 1.0, "(]"),
    (of(Crowd, "ltv", threshold=0.9), "ltv", 0.0, 0.9, "(]"),
    (of(Crowd, "threshold", ltv=0.5), "ltv", 0.5, 1.0, "[)"),
    (lambda v: Crowd(notional=(v, 2.0)), "volumes", 0.0, 2.0, "[]"),
    (of(Crowd, "coin_median"), "volumes", 0.0, 1e300, "(]"),
    (of(Crowd, "health_median"), "volumes", 0.0, 1e300, "(]"),
    (lambda v: wallet(backing=v), "backing", 0.0, 1e300, "(]"),
    (lambda v: wallet(cash=v), "cash", 0.0, 1e300, "[]"),
    (lambda v: wallet(debt=v), "debt", 0.0, 1e300, "[]"),
    (lambda v: pledge(own_beta=v), "collateral ETH own_beta", 0.0, 1e300, "[]"),
    (lambda v: funds.fund_sizes(np.zeros((1, 1)), v), "level", 0.0, 1.0, "()"),
    (lambda v: sharing.compare_rules(NONE, NONE, v), "odds", 0.0, 1.0, "()"),
    (lambda v: network._amount(v, "cash"), "cash", 0.0, 1e18, "[)"),
    (lambda v: ewma_correlation(np.zeros((0, 1)), v), "halflife", 0.0, 1e6, "()"),
    (lambda v: shock(NONE, {}, v), "vol_change", -1.0, 100.0, "(]"),
    (lambda v: Collateral("BTC", 1.0, v), "mark_price", 0.0, 1e15, "(]"),
]


def refused(call, value, field):
    """Whether this value of this field is what the call refuses."""
    try:
        call(value)
    except InputError as error:
        return error.field == field
    except Exception:  # what comes after the check is not asked
        return False
    return False


def named(rows):
    return [pytest.param(*row, id=f"{i}-{row[1]}") for i, row in enumerate(rows)]


@pytest.mark.parametrize(("call", "field", "least", "most"), named(WHOLE))
def test_whole_numbers_are_taken_up_to_both_ends_and_refused_beyond(call, field, least, most):
    taken = [value for value in (least - 1, least, most, most + 1) if not refused(call, value, field)]
    assert taken == [least, most] if most < 10**9 else taken == [least, most, most + 1]
    if field not in ("frames", "trades", "days", "depth", "exceedances", "paths", "nodes"):
        assert refused(call, True, field) and refused(call, float(least), field)


@pytest.mark.parametrize(("call", "field", "least", "most"), named(CLOSED))
def test_numbers_are_taken_up_to_both_ends_and_refused_just_beyond(call, field, least, most):
    values = [nextafter(least, -inf), least, most, nextafter(most, inf)]
    assert [value for value in values if not refused(call, value, field)] == [least, most]


@pytest.mark.parametrize(("call", "field", "least", "most", "ends"), named(OPEN))
def test_an_end_that_does_not_belong_is_refused_and_what_is_just_within_is_taken(call, field, least, most, ends):
    values = [nextafter(least, -inf), least, nextafter(least, inf), nextafter(most, -inf), most, nextafter(most, inf)]
    taken = values[1:2] * (ends[0] == "[") + values[2:4] + values[4:5] * (ends[1] == "]")
    if most == 1e300:  # no upper end
        values = values[:-1]
    assert [value for value in values if not refused(call, value, field)] == taken


def test_dates_of_prices_are_of_1970_to_2199():
    for first, fine in (("1969-12-31", False), ("1970-01-01", True), ("2199-12-29", True), ("2199-12-30", False)):
        assert refused(market_of, first, "prices") != fine, first


def test_a_stamp_is_seconds_milliseconds_or_finer_of_2008_to_2198():
    assert when(1_700_000_000) == when(1_700_000_000_000) == when(1.7e18) == "2023-11-14T22:13:20Z"
    assert when(1.2e9) is None and when(1.2e9 + 1) == "2008-01-10T21:20:01Z"
    assert when(7.2e9) is None and when(7.2e9 - 1) == "2198-02-27T07:59:59Z"
    assert when(1e11) is None, "seconds of the year 5138, not milliseconds of 1973"
    assert when("soon") is None and when("2025-01-01") == "2025-01-01T00:00:00Z"
    assert when("2025-01-01T02:00:00+02:00") == "2025-01-01T00:00:00Z"


def test_a_price_is_above_nothing_and_finite_and_a_volatility_at_most_1000_percent():
    client = type("Client", (), {"id": "okx"})()
    prices = [last_price(client, "BTC/USDT", said, "last") for said in (0, 5e-324, 1.5, inf, -1.0, "7", None)]
    assert [found and found.price for found in prices] == [None, 5e-324, 1.5, None, None, None, None]
    vols = [said_vol("x", {"result": {"mark_iv": said}}) for said in (0, 0.1, 1000, 1000.001, None, "no", "65.5")]
    assert [v if isinstance(v, float) else None for v in vols] == [None, 0.001, 10.0, None, None, None, 0.655]


def test_a_time_between_looks_and_a_share_are_read_with_their_units():
    assert [seconds_of(said) for said in ("60", "60s", "5m", "1h", " 24H ")] == [60.0, 60.0, 300.0, 3600.0, 86_400.0]
    assert share_of("5%", "x") == share_of("0.05", "x") == 0.05 and odds_of("5%") == odds_of(0.05) == 0.05
    assert watch_odds("10%") == watch_odds("0.1") == 0.1
