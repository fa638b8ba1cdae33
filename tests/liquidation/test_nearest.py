"""The nearest liquidation and the standing of a book: at that price equity is maintenance, before it nothing liquidates."""

import numpy as np
import pytest

from margin import models
from margin.core.account import Account
from margin.core.errors import InputError
from margin.core.portfolio import Collateral, Portfolio, Position
from margin.core.settings import Settings
from margin.ladder.compare import compare
from margin.liquidation.nearest import nearest_liquidation
from margin.liquidation.standing import standing
from margin.models.marks import Marks
from margin.sample.ready import sample_market

MARKET = sample_market()
LONG = Position("ETH/USDC:USDC", 10.0, 2_400.0, 10.0)
SHORT = Position("BTC/USDC:USDC", -0.1, 78_000.0, 10.0)
CASH = (Collateral("USDC", 5_000.0),)
ACCOUNTS = {
    "hyperliquid cross": Account(venue="hyperliquid", mode="cross", positions=(LONG, SHORT), collateral=CASH),
    "hyperliquid isolated": Account(venue="hyperliquid", mode="isolated", positions=(LONG, SHORT), collateral=CASH),
    "binance": Account(
        venue="binance", mode="cross", positions=(Position("ETH/USDT:USDT", -8.0, 2_100.0),),
        collateral=(Collateral("USDT", 4_000.0),),
    ),
    "ours": Account(positions=(Position("ETH/USDT:USDT", 10.0, 2_000.0), Position("BTC/USDT:USDT", -0.1, 70_000.0)), collateral=CASH),
}  # fmt: skip


def gap(account: Account, found, factor: float) -> float:
    """Equity less maintenance of the sub-account, its asset's price times `factor`."""
    ours = Settings() if not account.venue else None
    rules = models.for_account(account, MARKET, ours)
    marks = Marks.of_market(MARKET, Portfolio(accounts=(account,)))
    subs = [s for s in account.sub_accounts(rules, marks) if s.positions]
    sub = next(s for s in subs if len(subs) == 1 or s.name == found.sub_account)
    return rules.state(sub, marks.moved({found.asset: factor})).gap


@pytest.mark.parametrize("name", ACCOUNTS)
def test_at_the_price_equity_is_maintenance_and_before_it_nothing_liquidates(name):
    account = ACCOUNTS[name]
    found = nearest_liquidation(account, MARKET)
    assert found is not None
    spot = MARKET.price(found.asset, None)
    assert found.move == pytest.approx(found.price / spot - 1.0)
    assert gap(account, found, found.price / spot) == pytest.approx(0.0, abs=1e-3)
    for share in np.linspace(-0.99, 0.99, 23):
        assert gap(account, found, 1.0 + share * abs(found.move)) > -1e-3


def test_a_single_cross_long_is_where_algebra_says():
    """Equity C + q (P - E) meets maintenance q P m at P = (q E - C) / (q (1 - m)); m: half of 1/25 at Hyperliquid."""
    account = Account(
        venue="hyperliquid", mode="cross", positions=(Position("ETH/USDC:USDC", 10.0, 2_000.0, max_leverage=25.0),),
        collateral=CASH,
    )  # fmt: skip
    found = nearest_liquidation(account, MARKET)
    assert found is not None and found.asset == "ETH"
    assert found.price == pytest.approx((20_000.0 - 5_000.0) / (10.0 * (1.0 - 0.02)), rel=1e-4)


def test_no_price_liquidates_coins_alone_and_an_unknown_venue_is_named():
    assert nearest_liquidation(Account(positions=(Position("BTC/USD", 1.0),)), MARKET) is None
    with pytest.raises(InputError, match="no margin model"):
        nearest_liquidation(Account(venue="nowhere", positions=(LONG,)), MARKET)


def test_any_model_can_judge():
    account = ACCOUNTS["ours"]
    own = nearest_liquidation(account, MARKET)
    isolated = nearest_liquidation(account, MARKET, model="isolated")
    assert own is not None and isolated is not None
    assert (own.model, isolated.model) == ("portfolio", "isolated")
    assert abs(isolated.move) < abs(own.move)  # more is asked, so it is nearer


def test_standing_sums_the_accounts_and_takes_the_lowest_health():
    result = compare(Portfolio(accounts=(ACCOUNTS["hyperliquid cross"], ACCOUNTS["binance"])), MARKET)
    assert result.as_held is not None
    rows, found = result.as_held.accounts, standing(result)
    assert found.equity == pytest.approx(sum(r.equity for r in rows))
    assert found.free == pytest.approx(sum(r.free for r in rows))
    assert found.health == min(r.health for r in rows)
    assert found.leverage == pytest.approx(result.account.gross / found.equity)


def test_standing_is_not_half_a_sum():
    result = compare(Portfolio(accounts=(ACCOUNTS["binance"], Account(venue="nowhere", positions=(LONG,)))), MARKET)
    found = standing(result)
    assert (found.equity, found.free, found.leverage, found.health) == (None, None, None, None)
