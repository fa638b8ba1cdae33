"""As held: every account by its own model, summed, beside one pooled account."""

from dataclasses import replace

import pytest

from margin import Collateral, Market, Portfolio, Position, compare
from margin.core.account import Account
from margin.core.words import usd
from margin.ladder import explain
from tests.ladder.books import market_frame

MARKET = Market(market_frame())
LONG = Account(name="long", positions=[Position("BTC/USDT:USDT", 1)], collateral=[Collateral("USD", 20_000)])
SHORT = Account(name="short", positions=[Position("BTC/USDT:USDT", -1)], collateral=[Collateral("USD", 20_000)])


def test_two_accounts_that_hedge_each_other_ask_each_for_itself():
    c = compare(Portfolio(accounts=[LONG, SHORT]), MARKET)
    alone = [compare(Portfolio(accounts=[a]), MARKET).portfolio for a in (LONG, SHORT)]
    data = c.to_dict()
    assert data["as_held"] == pytest.approx(sum(alone))
    assert [row["initial"] for row in data["accounts"]] == pytest.approx(alone)
    assert [row["health"] for row in data["accounts"]] == pytest.approx([20_000 / (0.5 * a) for a in alone])
    assert c.portfolio == pytest.approx(0, abs=1e-6)
    assert data["pooled"] == pytest.approx(c.safeguarded)
    assert data["as_held_saved"] == pytest.approx(sum(alone) - c.safeguarded)


def test_one_account_without_a_venue_is_as_it_always_was():
    assert "as_held" not in compare(Portfolio(accounts=[LONG]), MARKET).to_dict()


def test_isolated_positions_are_their_own_sub_accounts():
    two = Account(
        name="two",
        positions=[Position("BTC/USDT:USDT", 1, mode="isolated"), Position("ETH/USDT:USDT", 5, 3_000, margin=7_000.0)],
        collateral=[Collateral("USD", 1_000)],
    )
    row = compare(Portfolio(accounts=[two, SHORT]), MARKET).as_held.accounts[0]
    parts = [
        compare(Portfolio((Position(s, q),)), MARKET).isolated for s, q in (("BTC/USDT:USDT", 1), ("ETH/USDT:USDT", 5))
    ]
    assert row.sub_accounts == 3
    assert row.initial == pytest.approx(sum(parts))
    assert row.equity == pytest.approx(1_000 + parts[0] + 7_000), (
        "initial margin at entry, what was posted, and the pool"
    )


def test_an_account_whose_rules_are_not_here_leaves_the_sum_uncomputed_and_says_why():
    data = compare(Portfolio(accounts=[LONG, Account(venue="nowhere", positions=SHORT.positions)]), MARKET).to_dict()
    assert data["as_held"] is None and data["as_held_saved"] is None
    assert "no margin model" in data["accounts"][1]["error"]
    assert data["accounts"][0]["initial"] > 0


def test_notes_of_reading_reach_the_reader():
    book = Portfolio.from_json({"version": 1, "positions": [{"symbol": "BTC/USD", "quantity": 1}]})
    assert any("borrowed" in note for note in compare(book, MARKET).notes)


def test_the_headline_counts_the_accounts_in_words():
    """One that saves nothing asks; several that hedge each other need what one pool would free."""
    one = Account(name="one", venue="binance", positions=LONG.positions, collateral=[Collateral("USDT", 20_000)])
    said = explain.held_headline(compare(Portfolio(accounts=[one]), MARKET))
    held = compare(Portfolio(accounts=[one]), MARKET).as_held
    assert held.saved <= 0
    assert said.startswith(f"This account asks {usd(held.initial)} as held; one pool with safeguards would ask")
    alike = compare(Portfolio(accounts=[replace(one, name="a"), replace(one, name="b")]), MARKET)
    assert alike.as_held.saved <= 0 and explain.held_headline(alike).startswith("These 2 accounts ask $")
    freed = compare(Portfolio(accounts=[LONG, SHORT]), MARKET)
    share = 100 * freed.as_held.saved / freed.as_held.initial
    assert f"{usd(freed.as_held.saved)} ({share:.0f}%) is freed" in explain.held_headline(freed)


def test_why_little_is_saved_is_said_of_one_way_books_alone():
    long = compare(Portfolio((Position("BTC/USDT:USDT", 1), Position("ETH/USDT:USDT", 20))), MARKET)
    hedged = compare(Portfolio((Position("BTC/USDT:USDT", 1), Position("ETH/USDT:USDT", -20))), MARKET)
    assert long.saved_pct < explain.LITTLE < hedged.saved_pct
    assert explain.why(long).startswith("Almost nothing is saved because everything is long")
    assert explain.why(hedged).startswith("Saved: ") and "one asset's loss is another's gain" in explain.why(hedged)


def test_a_note_on_one_price_names_what_shares_it_and_nothing_else():
    pair = [Position("BTC/USDT:USDT", 1), Position("BTC/USDC:USDC", -1), Position("ETH/USDT:USDT", 1)]
    notes = [n for n in compare(Portfolio(pair), MARKET).notes if "share one price" in n]
    assert notes == ["Instruments of BTC share one price here: the basis line is kept for that."]
    assert not [n for n in compare(Portfolio(pair[1:]), MARKET).notes if "share one price" in n]


def test_a_position_without_known_tiers_is_left_out_by_name_and_nothing_is_said_to_be_saved():
    legs = (Position("BTC/USDT:USDT", 1.0), Position("ETH/USD:ETH", 500.0))
    account = Account(name="a", venue="bybit", positions=legs, collateral=[Collateral("USDT", 20_000)])
    c = compare(Portfolio(accounts=[account]), MARKET)
    without = compare(Portfolio(accounts=[replace(account, positions=legs[:1])]), MARKET)
    row = c.as_held.accounts[0]
    assert row.left_out == c.as_held.left_out == ("ETH/USD:ETH",) and row.error is None
    assert (row.initial, row.equity) == (without.as_held.initial, without.as_held.accounts[0].equity)
    assert row.why_left_out == ("Without ETH/USD:ETH: no tiers of ETH are known here: not reproduced here.",)
    assert c.as_held.saved is None and without.as_held.saved is not None
    assert "without ETH/USD:ETH, not reproduced here" in explain.held_headline(c)


def test_what_coins_do_to_the_pooled_margin_is_a_step_of_its_own():
    """The card says what one pool asks, coins behind it; the ladder ends without them: the step leads from one to the other."""
    book = Account(name="a", venue="deribit", positions=LONG.positions, collateral=[Collateral("BTC", 1)])
    c = compare(Portfolio(accounts=[book]), MARKET)
    last = explain.steps(c)[-1]
    assert last.title == "5. With the coins behind them" and "add" in last.words
    assert last.numbers.endswith(f"= {usd(c.as_held.pooled)}") and last.numbers.startswith(usd(c.safeguarded))
    total = c.safeguarded - c.portfolio + c.account.requirement
    assert total == pytest.approx(c.as_held.pooled)
    assert len(explain.steps(compare(Portfolio(accounts=[LONG]), MARKET))) == 6
