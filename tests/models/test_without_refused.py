"""What a model can do without is taken out in one place; what it can't do without is said in one way."""

import re
from dataclasses import dataclass, replace

import pytest

from margin import InputError, models
from margin.core.account import Account, SubAccount
from margin.core.position import Collateral, Position
from margin.models.base import Unsupported, without_refused
from tests.models.test_laws import MARKET

KEPT, STRANGE, OWNED = Position("BTC/USDT:USDT", 1.0), Position("ADA/USDT:USDT", 9.0), Position("ADA/USD", 5.0)
SUB = SubAccount(name="x", positions=(KEPT, STRANGE), collateral=(Collateral("USD", 1.0),))


@dataclass
class Stub:
    """A model that refuses line after line: each only when those before are gone."""

    lines: tuple[Unsupported, ...]
    title = "A model"

    def refuses(self, account):
        held = {p.symbol for p in account.positions}
        return tuple(line for line in self.lines if line.symbol in held or "USD" not in line.symbol)[:1]


def line(symbol, alone=True):
    return Unsupported(symbol=symbol, reason="is unknown", alone=alone)


def test_what_can_be_left_out_is_left_out_and_named_the_rest_untouched():
    rest, out = without_refused(Stub((line("ADA/USDT:USDT"),)), SUB)
    assert rest == replace(SUB, positions=(KEPT,)) and out == (line("ADA/USDT:USDT"),)
    assert without_refused(Stub(()), SUB) == (SUB, ())


def test_what_is_refused_only_when_another_is_gone_is_left_out_too():
    rest, out = without_refused(Stub((line("ADA/USDT:USDT"), line("BTC/USDT:USDT"))), SUB)
    assert rest.positions == () and [found.symbol for found in out] == ["ADA/USDT:USDT", "BTC/USDT:USDT"]


@pytest.mark.parametrize(
    "lines", [(line("ADA/USDT:USDT", alone=False),), (line("a loan"),)], ids=["needed", "no position"]
)
def test_what_it_cannot_do_without_is_an_error_that_names_it(lines):
    with pytest.raises(InputError, match=re.escape("A model: is unknown")) as caught:
        without_refused(Stub(lines), SUB)
    assert caught.value.field == "positions" and caught.value.value == lines[0].symbol
    assert caught.value.hint == "Leave it out, or choose another margin model."


def test_owned_spot_stays_for_it_is_collateral():
    account = Account(positions=(KEPT, OWNED, replace(OWNED, paid=False)), collateral=(Collateral("USD", 1e5),))
    rest, out = without_refused(Stub((line("ADA/USD"),)), replace(account, positions=account.positions[:1]))
    assert rest.positions == (KEPT,) and out == ()

    class Refuses(Stub):
        def refuses(self, account):
            return self.lines if account.margined[1:] else ()

    rest, out = without_refused(Refuses((line("ADA/USD"),)), account)
    assert rest.positions == (KEPT, OWNED) and out == (line("ADA/USD"),)


def test_a_model_asked_for_brings_its_mode_and_ours_leave_the_account_as_it_is():
    account = Account(positions=(KEPT,), venue="binance", mode="isolated")
    assert models.in_mode(account, models.get("bybit:cross")).mode == "cross"
    ours = models.get("isolated", market=MARKET)
    assert models.in_mode(account, ours) == account
    assert models.asked_or_own(account, None, None, None).key == "binance:isolated"
    assert models.asked_or_own(account, None, None, "bybit:cross").key == "bybit:cross"
    given = models.get("okx:cross")
    assert models.asked_or_own(account, None, None, given) is given
