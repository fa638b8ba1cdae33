"""ccxt's structures: sizes are what the notional says, whichever of the size fields an exchange fills in."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin.core.errors import InputError
from margin.core.instruments import parse_symbol
from margin.formats.read import read_portfolio
from margin.formats.sizes import settle_size


def row(**changes):
    plain = {
        "info": {}, "symbol": "BTC/USDT:USDT", "contracts": 0.5, "contractSize": 1.0, "side": "short",
        "notional": 30_000, "markPrice": 60_000.0, "entryPrice": 61_000.0, "leverage": 10.0,
    }  # fmt: skip
    return {**plain, **changes}


def only(*rows):
    read = read_portfolio(json.dumps(list(rows)))
    assert read.set_aside == ()
    (position,) = read.portfolio.positions
    return position


@pytest.mark.parametrize(
    ("changes", "quantity"),
    [
        # Deribit through ccxt: contracts are dollars (coin-settled) or coins (linear) already, notional is coins.
        ({"symbol": "BTC/USD:BTC", "contracts": 60_000, "contractSize": 10, "notional": 1.0}, -60_000),
        ({"symbol": "SOL/USDC:USDC", "contracts": 200, "contractSize": 0.1, "notional": 200, "markPrice": 150}, -200),
        (
            {"symbol": "SOL/USDC:USDC", "contracts": 200, "contractSize": 0.1, "notional": 30_000, "markPrice": 150},
            -200,
        ),
        ({"contracts": 50, "contractSize": 0.01}, -0.5),
        ({"contracts": 50, "contractSize": None}, -0.5),
        ({"contracts": None}, -0.5),
        ({"contracts": None, "contractSize": None}, -0.5),
        ({"contracts": 0.5, "notional": 30_500}, -0.5),  # at entry, as Bybit's positionValue
        ({"side": None, "notional": -30_000}, -0.5),
        ({"side": None, "contracts": -0.5}, -0.5),
        ({"side": None, "info": {"positionAmt": "-0.5"}}, -0.5),
        ({"side": None, "contracts": None, "info": {"szi": "-0.5"}}, -0.5),
        ({"side": "long"}, 0.5),
        ({"notional": None}, -0.5),
        ({"symbol": "BTC/USD:BTC", "contracts": 300, "contractSize": 100, "notional": 0.5}, -30_000),
        ({"symbol": "BTC/USD:BTC", "contracts": None, "contractSize": 100, "notional": 0.5}, -30_000),
    ],
)
def test_the_size_is_what_the_notional_says(changes, quantity):
    assert only(row(**changes)).quantity == pytest.approx(quantity, rel=1e-9)


def test_deribits_own_answer_beside_it_counts_units_without_a_notional():
    info = {"instrument_name": "BTC-PERPETUAL", "direction": "sell", "size": -60_000}
    bare = row(symbol="BTC/USD:BTC", contracts=60_000, contractSize=10, notional=None, info=info)
    read = read_portfolio([bare])
    assert read.portfolio.account.venue == "deribit"
    assert read.portfolio.positions[0].quantity == -60_000


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"notional": 45_000}, "not the notional"),
        ({"contracts": 5, "contractSize": 1}, "not the notional"),
        ({"side": "long", "notional": -30_000}, "side"),
        ({"contracts": 0, "notional": 30_000}, "is zero beside"),
        ({"contracts": None, "notional": None, "entryPrice": 61_000}, "contracts"),
        ({"contracts": float("nan")}, "finite"),
        ({"side": "buy"}, "'long' or 'short'"),
        ({"symbol": "BTC/EUR:EUR"}, "EUR"),
        ({"symbol": None}, "symbol"),
    ],
)
def test_a_row_that_contradicts_itself_is_set_aside_by_name_and_the_others_open(changes, said):
    read = read_portfolio([row(**changes), row(symbol="ETH/USDT:USDT", contracts=10, markPrice=3000, entryPrice=3000)])
    assert [p.symbol for p in read.portfolio.positions] == ["ETH/USDT:USDT"]
    (aside,) = read.set_aside
    assert aside.row == "positions[0]"
    assert said in aside.reason


def test_a_null_size_is_not_closed_and_a_zero_one_is():
    closed = [row(contracts=0, notional=0) for _ in range(1_200)]
    read = read_portfolio([*closed, row(contracts=None)])
    assert (len(read.portfolio.positions), read.closed, read.set_aside) == (1, 1_200, ())


def test_nan_in_a_field_nobody_reads_and_in_one_that_can_be_missing():
    text = json.dumps([row(percentage=math.nan, marginRatio=math.inf, leverage=math.nan)])
    assert only(*json.loads(text)).leverage is None
    assert read_portfolio(text).portfolio.positions[0].quantity == -0.5


def test_pythons_print_wrapped_or_not_with_balances():
    rows = [row(marginRatio=None, percentage=math.nan)]
    balance = {"info": {}, "free": {"USDT": 900.0}, "used": {"USDT": 100.0}, "total": {"USDT": 1000.0, "ETH": 0.0}}
    for text in (str(rows), str({"positions": rows, "balance": balance}), f"{rows}\n{balance}"):
        read = read_portfolio(text)
        assert [p.quantity for p in read.portfolio.positions] == [-0.5]
        wanted = [("USDT", 1000.0)] if "free" in text else []
        assert [(c.asset, c.quantity) for c in read.portfolio.collateral] == wanted


@pytest.mark.parametrize(("collateral", "margin"), [(500.0, 500.0), (0.0, 0.0), (-0.5, None)])
def test_a_margin_posted_is_never_below_nothing(collateral, margin):
    assert only(row(marginMode="isolated", collateral=collateral)).margin == margin


def test_a_balance_that_names_no_venue_belongs_to_the_only_account():
    rows = [row(info={"symbol": "PF_XBTUSD"})]
    balance = {"info": {}, "free": {"USD": 900.0}, "used": {"USD": 100.0}, "total": {"USD": 1000.0}}
    read = read_portfolio(json.dumps({"positions": rows, "balance": balance}))
    (account,) = read.portfolio.accounts
    assert account.venue == "kraken" and [c.quantity for c in account.collateral] == [1000.0]


@pytest.mark.parametrize("text", ["[__import__('os').system('true')]", "[open('x')]", "[{'contracts': (lambda: 1)()}]"])
def test_nothing_in_a_print_is_executed(text):
    with pytest.raises(InputError):
        read_portfolio(text)


def test_a_secret_in_the_text_is_refused_and_not_repeated():
    with pytest.raises(InputError) as error:
        read_portfolio(json.dumps({"secret": "abcdef123", "positions": [row()]}))
    assert "abcdef123" not in str(error.value)
    assert "secret" in str(error.value)


def test_options_premium_in_coins_is_dollars_at_the_coins_price_or_left_out():
    option = row(
        symbol="BTC/USD:BTC-270625-100000-C", side="long", contracts=2, contractSize=1, notional=2,
        markPrice=0.045, entryPrice=0.05, info={"instrument_name": "BTC-25JUN27-100000-C", "direction": "buy"},
    )  # fmt: skip
    read = read_portfolio([option])
    assert (read.portfolio.positions[0].quantity, read.portfolio.positions[0].entry_price) == (2.0, None)
    assert "premium" in read.portfolio.notes[0]
    option["info"]["index_price"] = 60_000
    (position,) = read_portfolio([option]).portfolio.positions
    assert (position.entry_price, position.mark_price) == (3_000.0, 2_700.0)


def test_spot_in_a_position_list_is_on_margin():
    info = {"instId": "ETH-USDT", "mgnMode": "cross"}
    spot = row(symbol="ETH/USDT", contracts=3, side="long", notional=9_000, markPrice=3_000, info=info)
    (position,) = read_portfolio([spot]).portfolio.positions
    assert not position.owned


def test_what_the_venue_said_comes_along():
    read = read_portfolio([row(liquidationPrice=65_000, initialMargin=3_000, maintenanceMargin=120)])
    says = read.portfolio.account.venue_says
    assert says.by_symbol("liquidation_prices") == {"BTC/USDT:USDT": 65_000.0}
    assert says.by_symbol("position_initial") == {"BTC/USDT:USDT": 3_000.0}
    hedged = [row(liquidationPrice=65_000), row(side="long", liquidationPrice=50_000)]
    assert read_portfolio(hedged).portfolio.account.venue_says.by_symbol("liquidation_prices") == {}


def test_hyperliquids_balance_gives_the_open_profit_back():
    info = {"position": {"szi": "-0.5", "maxLeverage": 40}}
    balance = {"info": {"marginSummary": {}}, "total": {"USDC": 10_500.0}, "free": {"USDC": 0}, "used": {"USDC": 0}}
    rows = [row(symbol="BTC/USDC:USDC", info=info)]
    read = read_portfolio(f"{rows}\n{balance}")
    account = read.portfolio.account
    assert account.venue == "hyperliquid"
    assert account.positions[0].max_leverage == 40
    assert account.collateral[0].quantity == pytest.approx(10_000.0)  # equity 10,500 less 0.5 x (61,000 - 60,000)


@given(
    st.sampled_from(["BTC/USDT:USDT", "BTC/USD:BTC"]), st.floats(0.001, 1e6), st.floats(0.01, 1e5),
    st.sampled_from([0.001, 0.01, 0.1, 10.0, 100.0]), st.booleans(), st.floats(-0.02, 0.02),
)  # fmt: skip
def test_whichever_way_the_size_is_told_it_is_found_again(symbol, quantity, mark, each, in_units, drift):
    instrument = parse_symbol(symbol)
    notional = (quantity / mark if instrument.is_inverse else quantity * mark) * (1.0 + drift)
    contracts = quantity if in_units else quantity / each
    found = settle_size(
        instrument, contracts=contracts, contract_size=each, notional=notional, mark=mark, entry=None, in_units=in_units
    )
    assert found.quantity == pytest.approx(quantity, rel=1e-9)
