"""Named events: dollar moves of stablecoins, betas for what was not recorded, and what is said of it."""

import numpy as np
import pytest

from margin import Collateral, InputError, Market, Portfolio, Position
from margin.stress.events import NamedMove, betas, event_named, in_dollars, recorded, replay_event, replay_events
from margin.stress.held import stress_book
from tests.stress.books import FRAME, MARKET, PAIR

USDC_MARKET = Market(FRAME.assign(USDC=1.0, USDT=1.0))


def held_in(stablecoin):
    return stress_book(Portfolio((Position("BTC/USDT:USDT", 0.001),), (Collateral(stablecoin, 50_000.0),)), USDC_MARKET)


def own_move(found, asset):
    return found.moves[asset]


@pytest.mark.parametrize(
    ("event", "asset", "close", "low"),
    [
        ("Silicon Valley Bank / USDC depeg", "USDC", -0.02837, -0.12249),
        ("Terra / LUNA collapse", "USDT", -0.00237, -0.0515),
        ("December 2021 leverage flush", "USDC", -0.00033, -0.00232),
    ],
)
def test_a_stablecoin_moves_by_its_record_in_dollars(event, asset, close, low):
    """Issue 10, line 12: 50,000 USDC lose 2.84% at the close of the SVB week-end, not 0; December 2021 is no -80%."""
    book = held_in(asset)
    assert own_move(replay_event(book, event_named(event)), asset) == close
    assert own_move(replay_event(book, event_named(event), to_low=True), asset) == low
    lost = -replay_event(book, event_named(event)).collateral_change
    assert lost == pytest.approx(-close * book.held[0].equity, rel=1e-3)


def test_a_pair_against_another_stablecoin_is_no_dollar_move():
    assert in_dollars({"USDC": -0.8, "BTC": -0.1, "USDT_USD": 0.01}) == {"BTC": -0.1, "USDT": 0.01}
    for event in recorded():
        assert all(move > -0.5 for asset, move in event.worst_low.items() if asset.startswith("USD"))


def test_events_move_what_they_recorded():
    crash = NamedMove("crash", "2020-03-12", "2020-03-12", {"BTC": -0.4, "ETH": -0.45}, {"BTC": -0.5})
    book = stress_book(PAIR, MARKET)
    (found,) = replay_events(book, [crash])
    assert found.pnl == pytest.approx(-0.4 * 60_000 + 0.45 * 45_000)
    assert found.by_beta == {}
    assert found.unknown_share == 0.0


def test_what_is_not_recorded_moves_by_its_beta_to_btc():
    """Issue 10, line 13: the pool does not survive Black Thursday because SOL did not exist."""
    crash = NamedMove("crash", "2020-03-12", "2020-03-12", {"BTC": -0.4}, {"BTC": -0.5})
    book = stress_book(Portfolio((Position("BTC/USDC:USDC", 1.0), Position("SOL/USDC:USDC", 100.0))), MARKET)
    returns = FRAME[["SOL", "BTC"]].pct_change().dropna().to_numpy()[-500:]
    slope = np.polyfit(returns[:, 1], returns[:, 0], 1)[0]
    assert betas(book, ["SOL", "BTC"]) == {"SOL": pytest.approx(slope, rel=1e-9)}
    found = replay_event(book, crash)
    assert found.by_beta == {"SOL": pytest.approx(-0.4 * slope, rel=1e-9)}
    assert found.moves["SOL"] == found.by_beta["SOL"]
    sol = 100 * book.marks.price("SOL")
    assert found.unknown_share == pytest.approx(sol / (sol + 60_000))
    off = replay_event(book, crash, use_beta=False)
    assert (off.by_beta, off.missing) == ({}, ("SOL",))
    assert off.by_position[1] == 0.0
    assert off.unknown_share == found.unknown_share


def test_nothing_falls_by_more_than_all_of_it():
    crash = NamedMove("crash", "2020-03-12", "2020-03-12", {"BTC": -0.9}, {"BTC": -0.9})
    frame = FRAME.assign(WILD=(1 + 3 * FRAME["BTC"].pct_change().fillna(0.0).clip(-0.3, 0.3)).cumprod())
    book = stress_book(Portfolio((Position("WILD/USDC:USDC", 1.0),)), Market(frame))
    assert replay_event(book, crash).moves["WILD"] == -1.0


def test_an_event_that_moves_nothing_is_left_out():
    elsewhere = NamedMove("elsewhere", "2021-01-01", "2021-01-02", {"XYZ": 0.3}, {})
    assert replay_events(stress_book(PAIR, MARKET), [elsewhere]) == []


def test_an_unknown_event_is_named_with_what_is_close():
    with pytest.raises(InputError, match="Terra / LUNA"):
        event_named("terra")
