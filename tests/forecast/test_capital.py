"""Capital for the same safety: what the forecast itself says when that money is there; the ranking's properties."""

import pytest

from margin import InputError, Portfolio, Position, Settings
from margin.core.account import Account
from margin.core.position import Collateral
from margin.forecast.capital import AS_HELD, METHODS, first_screen, same_safety
from margin.forecast.engine import forecast
from margin.models import keys
from margin.sample.ready import sample_portfolio
from margin.venues.margin_models import get
from tests.forecast.pinned import pinned_market

MARKET = pinned_market()
BOOK = sample_portfolio()


def held(money):
    return Portfolio(BOOK.positions, (Collateral("USD", money),))


@pytest.mark.parametrize("key", ["portfolio", "safeguarded", "binance:cross", "hyperliquid:cross"])
def test_with_that_money_the_forecast_says_those_odds(key):
    (row,) = same_safety(held(30_000.0), MARKET, rules=(key,))
    assert forecast(held(row.usd), MARKET, model=key, horizons=(7,)).main.probability == pytest.approx(0.05, abs=0.002)
    assert row.usd > row.maintenance
    (other,) = same_safety(held(9_000.0), MARKET, rules=(key,))
    assert other.usd == pytest.approx(row.usd, rel=1e-3)  # how much is there now does not matter


@pytest.mark.parametrize("key", ["isolated", "netted"])
def test_isolated_accounts_with_their_shares_of_it(key):
    (row,) = same_safety(held(60_000.0), MARKET, rules=(key,))
    assert row.accounts == 3
    found = forecast(held(60_000.0), MARKET, model=key, horizons=(7,))
    assert found.capital_for(0.05, 7.0) == pytest.approx(row.usd)


def test_every_rule_has_a_row_and_a_reason_where_it_has_no_figure():
    rows = same_safety(BOOK, MARKET)
    assert [r.model for r in rows] == [AS_HELD, *METHODS, *(k for k in keys() if ":" in k)]
    for row in rows:
        assert (row.usd is None) == (row.error is not None)
        assert row.usd is None or row.usd > 0
    by_key = {r.model: r.usd for r in rows}
    assert by_key["isolated"] > by_key["safeguarded"] > by_key["portfolio"]
    assert by_key["binance:isolated"] > by_key["binance:cross"]
    assert by_key[AS_HELD] == by_key["portfolio"]


def test_a_book_that_is_called_already_still_knows_what_it_needs():
    (row,) = same_safety(held(100.0), MARKET, rules=("portfolio",))
    assert row.probability == 1.0
    assert row.usd == pytest.approx(same_safety(held(30_000.0), MARKET, rules=("portfolio",))[0].usd, rel=1e-3)


def test_less_odds_need_more_money_and_odds_have_bounds():
    asked = [same_safety(BOOK, MARKET, rules=("portfolio",), odds=o)[0].usd for o in (0.2, 0.1, 0.05, 0.01)]
    assert asked == sorted(asked)
    assert len(set(asked)) == 4
    with pytest.raises(InputError):
        same_safety(BOOK, MARKET, odds=0.0)


def test_a_model_with_sliders_counts():
    rule = get("dydx:cross", settings={"open_interest": 1.0})
    book = Portfolio((Position("SOL/USDT:USDT", 100.0),), (Collateral("USDC", 5000.0),))
    crowded, usual = same_safety(book, MARKET, rules=(rule, "dydx:cross"))
    assert crowded.usd >= usual.usd


def test_what_is_left_out_is_named():
    (row,) = same_safety(BOOK, MARKET, rules=("kraken:cross",))
    assert row.error or any("SOL" in text for text in row.left_out)


def test_the_first_screen():
    apart, pool = first_screen(BOOK, MARKET, Settings())
    assert apart.model == "isolated"
    assert apart.usd > pool.usd
    two = Portfolio(accounts=(Account(name="A", positions=BOOK.positions[:1], collateral=BOOK.collateral),
                              Account(name="B", positions=BOOK.positions[1:], collateral=BOOK.collateral)))  # fmt: skip
    apart, pool = first_screen(two, MARKET, Settings())
    assert apart.model == AS_HELD
    assert apart.accounts == 2
    assert apart.usd > pool.usd


def test_the_first_screen_of_books_with_options():
    call = Position("BTC/USD:BTC-260424-80000-C", -1.0)
    apart, pool = first_screen(Portfolio((call, Position("BTC/USDT:USDT", 1.0)), BOOK.collateral), MARKET, Settings())
    rows = same_safety(Portfolio((call, Position("BTC/USDT:USDT", 1.0)), BOOK.collateral), MARKET, Settings(),
                       rules=("isolated", "safeguarded"))  # fmt: skip
    assert (apart, pool) == rows
    assert apart.usd > pool.usd > 0
    many = Portfolio(tuple(Position(f"BTC/USD:BTC-260424-{k}-C", 0.1) for k in range(50_000, 75_000, 1_000)), ())
    with pytest.raises(InputError, match="more than the 24"):
        first_screen(many, MARKET, Settings())
