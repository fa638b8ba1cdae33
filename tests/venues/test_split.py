"""A book split over venues: each part is what its venue asks for those positions, and the sum is theirs."""

import pytest

from margin import Portfolio, venues
from margin.core.account import Account
from margin.core.errors import InputError
from margin.core.position import Collateral, Position
from margin.models.marks import Marks
from margin.sample.ready import sample_market
from margin.venues.split import cheapest_alone, split_book

LONG, SHORT = Position("ETH/USDT:USDT", 30.0, leverage=10.0), Position("BTC/USDT:USDT", -1.0)
BOOK = Portfolio(positions=(LONG, SHORT), collateral=(Collateral("USDC", 20_000.0),))
PLACES = [
    ("binance", "cross"),
    ("hyperliquid", "cross"),
    ("okx", "portfolio"),
    ("mango", "cross"),
    ("span", "portfolio"),
]


@pytest.fixture(scope="module")
def marks():
    return Marks.of_market(sample_market(), BOOK, None)


@pytest.fixture(scope="module")
def rulebooks():
    return [venues.rulebook(name) for name in venues.names()]


def alone(position, place, marks):
    """What the venue asks for one position with no collateral, by its public door."""
    return venues.rulebook(place[0]).requirement(Portfolio(positions=(position,)), marks, place[1]).initial


def test_each_part_is_its_venues_and_the_sum_is_theirs(marks, rulebooks):
    found = split_book(BOOK, marks, PLACES[:2], rulebooks)
    fair_short = Position("BTC/USDT:USDT", -1.0, leverage=10.0)
    wanted = [alone(LONG, PLACES[0], marks), alone(fair_short, PLACES[1], marks)]
    assert [part.initial for part in found.parts] == pytest.approx(wanted)
    assert found.initial == pytest.approx(sum(wanted))
    assert found.maintenance == pytest.approx(sum(part.maintenance for part in found.parts))
    assert [part.rows for part in found.parts] == [(0,), (1,)]


def test_one_venue_for_all_is_the_whole_book_there(marks, rulebooks):
    found = split_book(BOOK, marks, [("okx", "portfolio")] * 2, rulebooks)
    pair = Portfolio(positions=(LONG, Position("BTC/USDT:USDT", -1.0, leverage=10.0)))
    whole = venues.rulebook("okx").requirement(pair, marks, "portfolio")
    assert len(found.parts) == 1 and found.initial == pytest.approx(whole.initial)
    apart = split_book(BOOK, marks, [("okx", "portfolio"), ("binance", "cross")], rulebooks)
    assert apart.initial is not None and len(apart.parts) == 2


def test_a_venue_that_cannot_hold_its_part_says_so_and_there_is_no_sum(marks, rulebooks):
    found = split_book(BOOK, marks, [("binance", "cross"), ("mango", "cross")], rulebooks)
    assert found.initial is None and found.maintenance is None
    assert found.parts[0].initial is not None and "BTC/USDT:USDT" in found.parts[1].refused[0]


def test_the_cheapest_alone_asks_no_more_than_any_other(marks, rulebooks):
    places = [p for p in PLACES if p[0] != "span"]
    found = cheapest_alone(BOOK, marks, places, rulebooks)
    for position, place in zip((LONG, Position("BTC/USDT:USDT", -1.0, leverage=10.0)), found, strict=True):
        assert place is not None and place[0] != "mango"
        can = [alone(position, p, marks) for p in places if p[0] != "mango"]
        assert alone(position, place, marks) == pytest.approx(min(can))


def test_owned_coins_have_no_place_and_bad_input_is_named(marks, rulebooks):
    owned = Portfolio(accounts=(Account(positions=(Position("BTC/USD", 1.0), LONG)),))
    assert len(split_book(owned, marks, PLACES[:1], rulebooks).parts) == 1
    with pytest.raises(InputError, match="must be 2"):
        split_book(BOOK, marks, PLACES[:1], rulebooks)
    with pytest.raises(InputError, match="no venue and mode"):
        split_book(BOOK, marks, [("binance", "cross"), ("nowhere", "cross")], rulebooks)
