"""Orders as text: ccxt's arguments, prices on the right side of the mark, nothing that could send one."""

import json
import subprocess
import sys
from datetime import datetime, timedelta

import pytest

from margin.core.position import Position
from margin.hedge import hedge
from margin.hedge.tickets import floor_to, significant, stale, tickets
from tests.hedge.worlds import market, stand
from tests.support import ROOT

M = market()


def orders(venue="", **more):
    positions = (Position("SOL/USDT:USDT", 200.0), Position("ETH/USDT:USDT", -3.0))
    sub, model, marks = stand(positions, M)
    found = hedge(sub, model, M, marks)
    return found, tickets(found.best.trades, found.marks, venue, **more)


def test_the_arguments_of_create_order():
    found, made = orders()
    assert made
    for trade, ticket in zip(found.best.trades, made, strict=True):
        order = json.loads(ticket.text)
        assert set(order) == {"symbol", "type", "side", "amount", "price", "params"}
        assert (order["symbol"], order["side"], order["type"]) == (trade.symbol, trade.side, "limit")
        assert 0 < order["amount"] <= trade.amount
        assert order["amount"] == pytest.approx(trade.amount, rel=1e-7)
        slip = 1.001 if trade.side == "buy" else 0.999
        assert order["price"] == pytest.approx(trade.price * slip, rel=1e-4)
        further = order["price"] - trade.price * slip  # rounded away from the mark
        assert further >= -1e-9 if trade.side == "buy" else further <= 1e-9
        assert order["params"]["timeInForce"] == "IOC"
        assert order["params"]["reduceOnly"] is trade.cut
        assert "stale 5 minutes" in ticket.notes[0]


def test_the_same_order_has_the_same_name():
    assert [t.text for t in orders()[1]] == [t.text for t in orders()[1]]


def test_orders_are_stale_from_five_minutes_on():
    made = datetime(2026, 3, 1, 12, 0, 0)
    assert not stale(made, made) and not stale(made, made + timedelta(minutes=4, seconds=59))
    assert stale(made, made + timedelta(minutes=5)) and stale(made, made + timedelta(days=2))


def test_contracts_and_least_orders_are_said():
    assert any("This exchange counts in contracts" in n for n in orders("okx")[1][0].notes)
    assert any("If this exchange counts in contracts" in n for n in orders("kucoin")[1][0].notes)
    assert not any("contracts" in n for n in (*orders()[1][0].notes, *orders("hyperliquid")[1][0].notes))
    found, made = orders("okx", contract_sizes={t.symbol: 0.1 for t in orders()[0].best.trades})
    assert made[0].order["amount"] == pytest.approx(found.best.trades[0].amount / 0.1, rel=1e-6)
    assert not any("contractSize" in n for n in made[0].notes)


@pytest.mark.parametrize(
    ("price", "up", "out"), [(68284.48, True, 68285.0), (68284.48, False, 68284.0), (0.123456, True, 0.12346)]
)
def test_five_significant_digits(price, up, out):
    assert significant(price, 5, up) == out


def test_amounts_are_cut_never_rounded_up():
    assert floor_to(0.123456789, 8) == 0.12345678
    assert floor_to(5.0, 8) == 5.0


def test_no_trading_client_is_loaded():
    code = (
        "import sys, margin.hedge.tickets, margin.cli.hedge; print(any(m.split('.')[0] == 'ccxt' for m in sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
