"""Options beside perpetuals in one account, at Bybit (cross) and Paradex (portfolio), and Binance's multi-assets mode."""

import numpy as np
import pandas as pd
import pytest

from margin import InputError, Position, models, venues
from margin.core.options import black76
from margin.models.base import pinned
from margin.venues.liquidation import of_sub_account
from tests.venues.door import Account

WHEN = pd.Timestamp("2026-11-26 08:00")
CALL, PUT = "BTC/USDC:USDC-261226-{}-C", "BTC/USDC:USDC-261226-{}-P"
VOLS = {"BTC": 0.6, "ETH": 0.7}
YEARS = 30 / 365


def value(strike, kind, spot=60_000.0, vol=0.6):
    return float(black76(spot, float(strike), YEARS, vol, kind))


def account(name, mode, positions, held, price=60_000.0, **chosen):
    return Account(name, mode, positions, held, {"BTC": price, "ETH": 3_000.0}, WHEN, vols=VOLS, **chosen)


def test_bybit_asks_for_sold_options_and_counts_no_option_in_the_balance():
    """Short 2 calls of 66,000 and a put of 58,000 beside a perpetual; a bought put asks nothing."""
    c, p = value(66_000, "C"), value(58_000, "P")
    held = [
        Position(CALL.format(66_000), -2.0, c), Position(PUT.format(58_000), -1.0, p),
        Position(PUT.format(50_000), 3.0, value(50_000, "P")), Position("BTC/USDC:USDC", -0.5, 59_000.0, 10.0),
    ]  # fmt: skip
    found = account("bybit", "cross", held, {"USDC": 50_000.0}).state
    fee = 0.5 * 59_000 * 1.1 * 0.00055
    call, put = 0.032 * 60_000 + c, 0.032 * 60_000 + p
    assert found.maintenance == pytest.approx(2 * call + put + 0.5 * 60_000 * 0.005 + fee)
    opening = [max(0.15 * 60_000 - out, 0.10 * 60_000) + mark for out, mark in ((6_000, c), (2_000, p))]
    assert found.initial == pytest.approx(2 * opening[0] + opening[1] + 3_000 + fee)
    assert found.equity == pytest.approx(50_000 - 0.5 * 1_000 + 2 * c + p - 3 * value(50_000, "P"))


@pytest.mark.parametrize(("name", "mode"), [("bybit", "cross"), ("paradex", "portfolio")])
def test_states_are_state_and_the_price_is_the_root_with_options(name, mode):
    held = [(CALL.format(66_000), -2.0), (PUT.format(54_000), 1.0), ("BTC/USDC:USDC", 1.0, 58_000.0, 5.0)]
    made = account(name, mode, held, {"USDC": 25_000.0})
    sub, rng = pinned(made.sub, made.marks), np.random.default_rng(5)
    factors = np.ones((20, 2))
    factors[:, 0] = np.exp(rng.normal(0, 0.3, 20))
    found = made.model.states(sub, made.marks, factors)
    for i, (factor, _) in enumerate(factors.tolist()):
        want = made.model.state(sub, made.marks.moved({"BTC": factor}))
        got = [getattr(found, f)[i] for f in ("equity", "equity_initial", "initial", "maintenance")]
        assert got == pytest.approx([want.equity, want.equity_initial, want.initial, want.maintenance], rel=1e-9)
    edges = of_sub_account(made.model, sub, made.marks)["BTC"]
    assert edges.up is not None
    at = made.model.state(sub, made.marks.moved({"BTC": edges.up / 60_000}))
    assert at.equity == pytest.approx(at.maintenance, rel=1e-6)


def test_bybit_refuses_what_it_has_no_factors_for_and_isolated_options():
    other = [("ETH/USDC:USDC-261226-3000-C", -1.0)]
    with pytest.raises(InputError, match="option factors of ETH"):
        _ = account("bybit", "cross", other, {"USDC": 1e4}).state
    with pytest.raises(InputError, match="settle in dollars"):
        _ = account("bybit", "cross", [("BTC/USD:BTC-261226-66000-C", -1.0)], {"USDC": 1e5}).state
    with pytest.raises(InputError, match="no isolated margin"):
        _ = account("bybit", "isolated", [(CALL.format(66_000), -1.0)], {"USDC": 1e4}).state
    with pytest.raises(InputError, match="not printed"):
        _ = account("paradex", "cross", [("BTC/USDC:USDC-261226-50000-P", -1.0)], {"USDC": 1e4}).state


def test_each_option_s_own_volatility_is_enough_for_the_grid():
    """As a recorded account gives them: no volatility of the underlying; the least volatility is of each by itself."""
    book = [(CALL.format(66_000), -2.0), (CALL.format(70_000), 2.0), (PUT.format(54_000), -1.0)]
    for key, mode in (
        ("deribit", "portfolio"),
        ("derive", "portfolio"),
        ("paradex", "portfolio"),
        ("deribit", "cross"),
    ):
        common = account(key, mode, book, {"USDC": 90_000.0}).state
        own = {symbol: 0.6 for symbol, _ in book}
        alone = Account(key, mode, book, {"USDC": 90_000.0}, {"BTC": 60_000.0}, WHEN, vols=own).state
        assert alone.maintenance == pytest.approx(common.maintenance, rel=1e-12), key
        assert alone.equity == pytest.approx(common.equity, rel=1e-12), key


def test_paradex_s_scenarios_by_a_plain_loop():
    book = [(66_000, "C", -2.0), (54_000, "P", 1.0), (60_000, "C", 0.5)]
    held = [((CALL if kind == "C" else PUT).format(strike), q) for strike, kind, q in book]
    found = account("paradex", "portfolio", [*held, ("BTC/USDC:USDC", 0.4, 60_000.0)], {"USDC": 5e4}).state
    unit = next(u for u in venues.rulebook("paradex").parameters["scenarios"] if "BTC" in u["assets"])

    def pnl(move, vol):
        then = sum(q * (value(k, kind, 60_000 * (1 + move), vol) - value(k, kind)) for k, kind, q in book)
        return then + 0.4 * 60_000 * move

    up, down = 0.6 * 1.4, 0.6 * (1 - 0.22)  # 30 days: no damping
    cells = [pnl(side * move, up) for move in unit["moves"] for side in (1, -1)] + [pnl(0.0, up), pnl(0.0, down)]
    cells += [pnl(side * move, down) for move in unit["moves"][1:] for side in (1, -1)]
    cells += [pnl(move, up) * share for move, share in unit["tails"]]
    assert len(cells) == 24
    step = 1e-4
    deltas = [q * (value(k, kind, 60_000 * (1 + step)) - value(k, kind, 60_000 * (1 - step))) / (2 * step)
              for k, kind, q in book] + [0.4 * 60_000]  # fmt: skip
    net, gross = abs(sum(deltas)), sum(abs(d) for d in deltas)
    needed = max(-min(cells), 0.02 * net + 0.01 * (gross - net) / 2)
    assert found.initial == pytest.approx(needed, rel=1e-9)
    assert found.maintenance == pytest.approx(needed / 2, rel=1e-9)


def test_multi_assets_mode_counts_coins_at_their_ratio_and_converts_a_deficit():
    held = {"BTC": 1.0, "USDT": -6_000.0, "LINK": 100.0}
    prices = {"BTC": 60_000.0, "LINK": 20.0}
    book = [("BTC/USDT:USDT", -0.5, 61_000.0, 10.0)]
    off = Account("binance", "cross", book, held, prices).state
    assert off.equity == pytest.approx(-6_000 + 500)
    on = Account("binance", "cross", book, held, prices, multi_assets=1.0).state
    assert on.equity == pytest.approx(0.95 * 60_000 - 6_000 + 500)
    assert any("LINK counts at 0.00%" in note for note in on.notes)
    sold = next(line.amount for line in on.lines if line.label == "BTC sold for USDT")
    assert sold == pytest.approx(6_000 / 0.975)
    quiet = Account("binance", "cross", book, {**held, "USDT": -4_000.0}, prices, multi_assets=1.0).state
    assert not any("sold" in line.label for line in quiet.lines)
    model = models.get("binance:cross", settings={"multi_assets": 1.0})
    sub, marks = (
        Account("binance", "cross", book, held, prices, multi_assets=1.0).sub,
        Account("binance", "cross", book, held, prices).marks,
    )
    assert model.states(sub, marks, np.ones((1, 3))).equity[0] == pytest.approx(on.equity)
