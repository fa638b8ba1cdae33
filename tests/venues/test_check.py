"""`check`: what is compared, what is not and why, and what a match is."""

from dataclasses import replace

import pytest

from margin import models
from margin.core.account import Account
from margin.core.errors import InputError
from margin.core.portfolio import Collateral, Portfolio, Position
from margin.venues.check import check, check_all

ETH = Position("ETH/USDC:USDC", 2.7, 2332.2, 25, mark_price=4175.5)
ONDO = Position("ONDO/USDC:USDC", 400, 0.83, mode="isolated", margin=110.0)
MONEY = (Collateral("USDC", 1890.99),)


def account(positions=(ETH, ONDO), collateral=MONEY, venue="hyperliquid", **says):
    return Account(
        venue=venue, mode="cross", as_of="2026-11-26T10:00:00Z", positions=positions, collateral=collateral,
        venue_says=says,
    )  # fmt: skip


SAID = {
    "equity": 6867.9, "initial": 450.95, "maintenance": 225.48, "withdrawable": 5740.51,
    "liquidation_prices": {"ETH/USDC:USDC": 1665.14},
}  # fmt: skip


def test_the_mixed_account_of_the_design_matches_in_every_figure():
    found = check(account(**SAID))
    assert (found.matched, found.compared) == (5, 5)
    assert found.figures["equity"].ours == pytest.approx(1890.99 + 2.7 * (4175.5 - 2332.2), rel=1e-12)
    # ETH alone: P (1 - 0.02) 2.7 = 2.7 x 2332.2 - cash
    root = (2.7 * 2332.2 - 1890.99) / (2.7 * 0.98)
    assert found.per_symbol["liquidation_prices"]["ETH/USDC:USDC"].ours == pytest.approx(root, rel=1e-9)
    assert any(note.startswith("ONDO/USDC:USDC has no mark price") for note in found.notes)


@pytest.mark.parametrize("key", ["equity", "initial", "maintenance", "withdrawable"])
def test_a_figure_that_is_a_cent_and_more_off_does_not_match(key):
    said = {**SAID, key: SAID[key] * (1 + 2e-5) + 0.02}
    found = check(account(**said))
    assert not found.figures[key].matched
    assert found.figures[key].difference == pytest.approx(found.figures[key].ours - said[key])
    assert (found.matched, found.compared) == (4, 5)


def test_half_a_cent_is_no_match_for_the_price_of_a_cheap_coin():
    doge = Position("DOGE/USDC:USDC", 1000.0, 0.1, 5, mode="isolated", margin=20.0, mark_price=0.1)
    ours = check(account((doge,), (), liquidation_prices={doge.symbol: 0.08}))
    price = ours.per_symbol["liquidation_prices"][doge.symbol].ours
    near = check(account((doge,), (), liquidation_prices={doge.symbol: price - 0.004}))
    assert near.matched == 0
    assert check(account((doge,), (), liquidation_prices={doge.symbol: price * 1.000009})).matched == 1


def test_none_is_compared_with_none():
    found = check(account((ETH,), (Collateral("USDC", 1e6),), liquidation_prices={ETH.symbol: None}))
    assert (found.matched, found.compared) == (1, 1)
    found = check(account((ETH,), MONEY, liquidation_prices={ETH.symbol: None}))
    assert (found.matched, found.compared) == (0, 1)
    assert found.per_symbol["liquidation_prices"][ETH.symbol].difference is None


def test_without_collateral_what_needs_it_is_left_out_and_said():
    found = check(account((ETH,), (), **SAID, position_initial={ETH.symbol: 450.954}))
    assert set(found.figures) == {"initial", "maintenance"}
    assert set(found.per_symbol) == {"position_initial"}
    assert found.matched == found.compared == 3
    left_out = [note for note in found.notes if "not compared" in note]
    assert len(left_out) == 3


def test_the_unified_account_turns_profit_and_margins_at_the_price_of_the_dollar_coin():
    """Bybit and OKX print an account's totals in dollars, a position's own margins in what it settles in."""
    held = Position("BTC/USDT:USDT", 0.5, 58_000.0, 10, mark_price=60_000.0)
    money = (Collateral("USDT", 10_000.0, 0.98),)
    fee = 0.5 * 58_000 * 0.9 * 0.00055
    kept, opened = 30_000 * 0.005 + fee, 30_000 / 10 + fee
    said = {"equity": 0.98 * 11_000, "maintenance": 0.98 * kept, "initial": 0.98 * opened}
    found = check(account((held,), money, "bybit", **said, position_maintenance={held.symbol: kept}))
    assert (found.matched, found.compared) == (4, 4)
    found = check(account((held,), money, "okx", equity=said["equity"], maintenance=0.98 * 30_000 * (0.004 + 0.0005)))
    assert (found.matched, found.compared) == (2, 2)
    isolated = replace(held, mode="isolated", margin=3_000.0)
    found = check(account((isolated,), (), "bybit", position_maintenance={held.symbol: 30_000 * 0.005 + fee}))
    assert found.compared == 1
    coin = (Collateral("BTC", 1.0, 59_900.0),)
    found = check(account((held,), coin, "hyperliquid", initial=3_000.0))
    assert found.figures["initial"].matched  # the contract's own mark, not the price of the coin held


def test_a_coin_without_a_price_is_as_if_it_were_not_in_the_file():
    found = check(account((ETH,), (*MONEY, Collateral("BTC", 1.0)), **SAID))
    assert set(found.figures) == {"initial", "maintenance"}
    assert any("no price" in note and "BTC" in note for note in found.notes)


def test_a_coin_whose_tiers_are_unknown_is_left_out_by_name_and_the_rest_is_compared():
    odd = Position("NOSUCH/USDC:USDC", 1.0, 1.0, mark_price=1.0)
    found = check(account((ETH, odd), MONEY, **SAID, position_maintenance={ETH.symbol: 225.477, odd.symbol: 1.0}))
    assert found.figures == {}
    assert list(found.per_symbol["position_maintenance"]) == [ETH.symbol]
    assert any("NOSUCH" in note and "not reproduced here" in note for note in found.notes)


def test_two_isolated_legs_of_one_symbol_are_told_apart():
    legs = (
        Position("BTC/USDT:USDT", 1.0, 60_000.0, 20, mode="isolated", mark_price=60_000.0),
        Position("BTC/USDT:USDT", -1.0, 60_000.0, 3, mode="isolated", mark_price=60_000.0),
    )
    # The bracket of $60,000 asks 0.4%: E (1 - 1/20) / (1 - 0.004) and E (1 + 1/3) / (1 + 0.004).
    for price in (60_000 * 0.95 / 0.996, 60_000 * (4 / 3) / 1.004):
        found = check(account(legs, (), "binance", liquidation_prices={"BTC/USDT:USDT": price}))
        assert found.matched == found.compared == 1


def test_coins_are_turned_at_each_contract_s_own_mark():
    held = (
        Position("BTC/USD:BTC-261225", -2800.0, 74_847.72, mark_price=88_783.05),
        Position("BTC/USD:BTC", 3270.0, 76_667.01, mark_price=88_690.51),
    )
    coins = (Collateral("BTC", 0.5),)
    found = check(account(held, coins, "deribit", equity_coin=1.0, initial_coin=1.0, free_coin=1.0))
    won = -2800 * (1 / 74_847.72 - 1 / 88_783.05) + 3270 * (1 / 76_667.01 - 1 / 88_690.51)
    size = 3270 / 88_690.51
    asked = 0.04 * 2800 / 88_783.05 + (0.02 + 0.00005 * size) * size
    assert found.figures["equity_coin"].ours == pytest.approx(0.5 + won, rel=1e-9)
    assert found.figures["initial_coin"].ours == pytest.approx(asked, rel=1e-3)
    assert found.figures["free_coin"].ours == pytest.approx(0.5 + won - found.figures["initial_coin"].ours, rel=1e-9)


def test_an_option_is_marked_at_what_the_venue_printed():
    option = Position("BTC/USD:BTC-261225-100000-C", -1.0, mark_price=2_500.0)
    coin = Position("BTC/USD:BTC", 10.0, 90_000.0, mark_price=90_000.0)
    found = check(
        account((coin, option), (Collateral("BTC", 1.0),), "deribit", position_maintenance={option.symbol: 1.0})
    )
    ours = found.per_symbol["position_maintenance"][option.symbol].ours
    assert ours == pytest.approx(0.075 * 90_000 + 2_500.0, rel=1e-6)


def test_the_newest_rules_are_used_where_no_time_is_given():
    plain = Account(venue="hyperliquid", positions=(ETH,), collateral=MONEY, venue_says={"initial": 450.954})
    found = check(plain)
    assert found.matched == 1
    assert any("as-of" in note for note in found.notes)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"venue": ""}, "venue"),
        ({"venue": "hyperlicuid"}, "venue"),
        ({"liquidation_prices": {"SOL/USDC:USDC": 1.0}}, "venue_says.liquidation_prices"),
        ({"equity_coin": 1.0}, "venue_says.equity_coin"),
    ],
)
def test_what_cannot_be_judged_is_refused_by_name(change, field):
    with pytest.raises(InputError) as error:
        check(account(**{**SAID, **change}))
    assert error.value.field == field


def test_there_must_be_something_to_compare():
    with pytest.raises(InputError, match="venue_says"):
        check_all(Portfolio(accounts=[Account(venue="hyperliquid", positions=(ETH,))]))


def test_another_model_and_its_settings():
    held = Position("BTC/USDT:USDT", 0.001, 101_890.0, 10, mark_price=101_910.23)
    said = account((held,), (), "bybit", position_initial={held.symbol: 10.24145855})
    assert check(said).matched == 1
    assert check(said, settings={"taker_fee": 0.002}).matched == 0
    assert check(said, model="binance:cross").model == "binance:cross"
    with pytest.raises(InputError, match="no such setting"):
        check(said, settings={"fee": 0.1})


def test_the_margin_of_an_unknown_coin_is_refused_by_name_and_never_an_assertion():
    odd = Position("NOSUCH/USDT:USDT", 1.0, 1.0, 5, mode="isolated")
    for name in ("binance", "bybit", "hyperliquid"):
        with pytest.raises(InputError, match="NOSUCH"):
            Account(venue=name, positions=(odd,)).sub_accounts(models.get(f"{name}:isolated"))


def test_coin_settled_contracts_are_judged_by_the_venue_s_own_rules_for_them():
    held = Position("BTC/USD:BTC", 10_000.0, 50_000.0, 10, mark_price=60_000.0)
    coins = 0.1 + 10_000 / 50_000 - 10_000 / 60_000
    found = check(account((held,), (Collateral("BTC", 0.1),), "binance", equity_coin=coins))
    assert (found.model, found.matched, found.compared) == ("binance_coinm:cross", 1, 1)
    for venue, key in (("bybit", "bybit_inverse:cross"), ("okx", "okx:cross")):
        assert check(account((held,), (), venue, position_initial={held.symbol: 1.0})).model == key
    both = (held, Position("ETH/USDT:USDT", 1.0, 3_000.0, mark_price=3_000.0))
    found = check(account(both, MONEY, "binance", equity=1.0))
    assert any("coin-settled" in note for note in found.notes)


def test_what_a_refused_option_leaves_is_judged_row_by_row():
    option = Position("BTC/USD:BTC-270625-100000-C", 1.0, mark_price=2_700.0)
    swap = Position("BTC/USDT:USDT", -0.5, 61_000.0, 10, mark_price=60_000.0)
    alone = Position("ETH/USDT:USDT", 1.0, 3_000.0, 10, mode="isolated", margin=300.0, mark_price=3_000.0)
    says = {
        "equity": 1.0, "position_initial": {swap.symbol: 3_000.0, option.symbol: 1.0},
        "liquidation_prices": {swap.symbol: 1.0, alone.symbol: 2_712.21},
    }  # fmt: skip
    found = check(account((option, swap, alone), MONEY, "okx", **says))
    assert found.figures == {}
    assert {k: list(rows) for k, rows in found.per_symbol.items()} == {
        "position_initial": [swap.symbol],
        "liquidation_prices": [alone.symbol],
    }
    assert found.matched == 2
    assert any(option.symbol in note for note in found.notes)


def test_a_pool_of_money_alone_beside_an_isolated_position_has_the_totals():
    """Hyperliquid's documented account: 13,104.51 in the pool, one isolated position beside it."""
    held = Position("ETH/USDC:USDC", 0.0335, 2986.3, 20, mode="isolated", margin=4.981226, mark_price=2985.9)
    found = check(
        account(
            (held,), (Collateral("USDC", 13_104.514502),), equity=13_104.514502, withdrawable=13_104.514502, initial=0
        )
    )
    assert found.matched == found.compared == 3
    apart = Account(
        venue="binance", mode="isolated", as_of="2026-11-26", positions=(held,), venue_says={"equity": 4.967826}
    )
    assert check(apart).matched == 1


def test_a_mode_the_venue_does_not_have_here_and_a_position_without_any_price_are_named():
    with pytest.raises(InputError, match="mode: of dydx is not reproduced here"):
        check(Account(venue="dydx", mode="portfolio", as_of="2026-11-26", positions=(ETH,), venue_says={"equity": 1.0}))
    bare = Position("ETH/USDC:USDC", 1.0)
    with pytest.raises(InputError, match="mark_price: of ETH/USDC:USDC is missing"):
        check(account((bare,), MONEY, equity=1.0))
    own = Position("BTC/USD", 1.0)
    found = check(account((ETH, own), MONEY, equity=1.0, maintenance=225.477))
    assert list(found.figures) == ["maintenance"]
    priced = Position("BTC/USD", 1.0, mark_price=60_000.0)
    assert "equity" in check(account((ETH, priced), MONEY, equity=1.0)).figures


def test_a_printed_rate_of_nothing_is_a_rate():
    for venue in ("gmx", "binance", "deribit", "derive", "kraken"):
        held = Position("BTC/USDC:USDC", 1.0, 60_000.0, 10, mark_price=60_000.0, maintenance_rate=0.0)
        mode = "isolated" if venue == "gmx" else "cross"
        only = Account(venue=venue, mode=mode, as_of="2026-11-26", positions=(held,), venue_says={"maintenance": 0.0})
        assert check(only).figures["maintenance"].ours <= 60_000 * 0.0021  # GMX keeps its fee and a dollar


@pytest.mark.parametrize("key", [k for k in models.keys() if k.endswith((":cross", ":isolated"))])  # noqa: SIM118
def test_what_the_venue_printed_of_a_tier_wins_with_a_note(key):
    """3.7% less $5 stay, 1 / 8 opens, on $3,000; a closing fee is beside it at some venues."""
    venue, mode = key.split(":")
    linear = Position("ETH/USDC:USDC", 1.0, 3_000.0, 100, mark_price=3_000.0)
    inverse = Position("BTC/USD:BTC", 3_000.0, 60_000.0, 100, mark_price=60_000.0)
    judged = 0
    for plain in (linear, inverse):
        held = replace(plain, maintenance_rate=0.037, maintenance_deduction=5.0, max_leverage=8.0)
        said = {"position_initial": {held.symbol: 375.0}, "position_maintenance": {held.symbol: 106.0}}
        only = Account(venue=venue, mode=mode, as_of="2026-11-26", positions=(held,), venue_says=said)
        if models.get(key).refuses(only) or models.get(key).rulebook.purpose != "venue":
            continue
        found = check(only, model=key)
        initial, kept = (found.per_symbol[k][held.symbol].ours for k in said)
        assert initial == pytest.approx(375.0, abs=3.5), "with the fee of closing"
        assert kept == pytest.approx(106.0, abs=3.5)
        assert any("wins over" in note for note in found.notes)
        judged += 1
    if not judged:
        pytest.skip("neither contract is reproduced there")


@pytest.mark.parametrize(
    ("mark", "tick"), [(0.4105, 1e-4), (2.134, 1e-3), (85.31, 0.01), (0.41, 0.0), (93_516.3, 0.1), (None, 0.0)]
)
def test_okx_prints_one_tick_nearer_the_mark_also_of_a_coin_whose_tick_is_not_carried(mark, tick):
    held = Position("ADA/USDT:USDT", 100.0, mark or 0.4, mark_price=mark)
    rules = models.get("okx:cross").rulebook
    assert rules.printed_price(held, 0.3, True, None) == pytest.approx(0.3 + tick, abs=1e-12)
    assert rules.printed_price(held, 0.3, False, None) == pytest.approx(0.3 - tick, abs=1e-12)


@pytest.mark.parametrize(("coin", "mark", "said"), [("XRP", 2.134, "0.001 is read off"), ("XRP", 2.0, "none is added"),
                                                    ("SOL", 72.71, "")])  # fmt: skip
def test_a_tick_that_is_not_carried_is_said(coin, mark, said):
    held = Position(f"{coin}/USDT:USDT", 100.0, mark, 10, mode="isolated", margin=40.0, mark_price=mark)
    found = check(account((held,), (), "okx", liquidation_prices={held.symbol: mark / 2}))
    notes = [note for note in found.notes if "tick" in note]
    assert notes == [] if not said else said in notes[0]


def test_coin_settled_contracts_beside_dollar_ones_are_judged_by_their_own_rules():
    linear = Position("BTC/USDT:USDT", 1.0, 58_000.0, 10, mark_price=60_000.0)
    inverse = Position("BTC/USD:BTC", 60_000.0, 60_000.0, 10, mark_price=60_000.0)
    money = (Collateral("USDT", 10_000.0), Collateral("BTC", 0.5))
    # COIN-M: 60,000 (1/60,000 - 1/P) + 0.5 = 0.4% x 60,000 / P, one BTC of contracts at today's price
    price = 60_000 * 1.004 / 1.5
    said = {
        "equity": 12_000.0, "maintenance": 240.0, "position_maintenance_coin": {inverse.symbol: 0.004},
        "liquidation_prices": {inverse.symbol: price, linear.symbol: (58_000 - 10_000) / 0.996},
    }  # fmt: skip
    found = check(account((linear, inverse), money, "binance", **said))
    assert (found.matched, found.compared) == (5, 5)
    assert any("by the rules of Binance COIN-M" in note for note in found.notes)
    assert check(account((linear, inverse), money, "binance", equity_coin=0.5, maintenance_coin=0.004)).matched == 2


def test_of_several_accounts_the_one_that_cannot_be_judged_is_named():
    good, bad = account(**SAID), replace(account(**SAID), venue="nowhere", name="old one")
    with pytest.raises(InputError, match=r"accounts\[1\] \(old one\)\.venue"):
        check_all(Portfolio(accounts=[good, bad]))
    with pytest.raises(InputError, match=r"^venue"):
        check_all(Portfolio(accounts=[bad]))


def test_a_leverage_that_is_not_in_the_file_is_said_where_it_matters():
    bare = Position("ETH/USDC:USDC", 1.0, 3_000.0, mark_price=3_000.0)
    assert any("names no leverage" in note for note in check(account((bare,), MONEY, initial=300.0)).notes)
    assert not any("names no leverage" in note for note in check(account((bare,), MONEY, equity=1_890.99)).notes)
    assert not any("names no leverage" in note for note in check(account((bare,), MONEY, "deribit", initial=1.0)).notes)


def test_two_rows_of_one_contract_are_the_one_position_they_make():
    one = Position("BTC/USD:BTC", 2_000.0, 50_000.0, mark_price=60_000.0)
    future = Position("BTC/USD:BTC-270625", 1_000.0, 50_000.0, mark_price=63_000.0)
    keys = ("equity_coin", "initial_coin", "maintenance_coin", "free_coin")
    halves = [replace(one, quantity=500.0), replace(one, quantity=1_500.0)]
    coin = (Collateral("BTC", 0.1),)
    for venue in ("deribit", "okx", "bitmex", "kraken", "binance"):
        whole, split = (
            check(account((*rows, future), coin, venue, **dict.fromkeys(keys, 1.0))) for rows in ([one], halves)
        )
        assert any(key in whole.figures for key in keys), venue
        for key in keys:
            if key in whole.figures:
                assert split.figures[key].ours == pytest.approx(whole.figures[key].ours, rel=1e-12), (venue, key)
