"""Worked stresses as listed beside this file (tests/figures.py)."""

from margin import Settings
from margin.models.funding import Funding
from margin.stress import correlation_breaks, correlation_what_if, events, paths, reverse, shocks
from margin.stress.held import stress_book
from tests.figures import held
from tests.hedge.worlds import market
from tests.liquidation.test_liquidation import PAIR
from tests.stress.books import MARKET

TRADED = market(volumes=True)
BOOK = stress_book(PAIR, MARKET)
VENUE = stress_book(PAIR, MARKET, model="okx:cross")


def along(book, path, funding=None):
    return paths.replay(book, path, funding)


CASES = {
    "shock": lambda: shocks.shock(BOOK, {"BTC": -0.1, "ETH": 0.2}, 0.5),
    "venue shock": lambda: shocks.shock(VENUE, {"BTC": -0.1, "ETH": 0.2}, by_beta={"X": 0.1}),
    "grid": lambda: shocks.shock_grid(BOOK, [-0.3, 0.0, 0.3], [-0.5, 0.0, 1.0]),
    "depeg": lambda: shocks.depeg(BOOK, 0.1),
    "dry": lambda: shocks.dried_up(PAIR, TRADED, Settings(), [1.0, 10.0]),
    "recorded": lambda: along(BOOK, paths.recorded_path(BOOK, str(MARKET.dates[-60])[:10], 20)),
    "simulated": lambda: along(BOOK, paths.simulated_path(BOOK, 15, -0.1, 4), Funding(0.0003)),
    "venue simulated": lambda: along(VENUE, paths.simulated_path(VENUE, 15, {"BTC": 0.1}, 4)),
    "reverse": lambda: reverse.reverse_stress(BOOK),
    "reverse to a call": lambda: reverse.reverse_stress(VENUE, "liquidated"),
    "breaks": lambda: correlation_breaks.correlation_breaks(PAIR, MARKET, Settings()),
    "what if": lambda: correlation_what_if.what_if(PAIR, MARKET, Settings(), {("BTC", "ETH"): 0.2}),
    "by correlation": lambda: correlation_what_if.margin_by_correlation(
        PAIR, MARKET, Settings(), ("BTC", "ETH"), {}, 9
    ),
    "events": lambda: events.replay_events(BOOK, events.recorded()),
}


def test_figures_are_as_listed():
    held(__file__, CASES)
