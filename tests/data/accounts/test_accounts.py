"""Accounts by address against the loopback exchange: what is found, what fails, and that the address stays nowhere."""

import json
import logging

import pytest

from data.accounts import check_address, fetch_accounts
from data.accounts.address import looks_like_address
from data.accounts.client import without
from data.accounts.limit import Limiter
from data.cli import account_lines, main
from margin.core.errors import InputError
from margin.formats.read import read_portfolio
from tests.data.accounts.conftest import QUICK
from tests.exchange_server.accounts import COINS_ONLY, DYDX, EMPTY, UNIFIED, WALLET
from tests.exchange_server.faults import Fault

ACCOUNT = {"where": "account"}


def test_an_ethereum_address_is_asked_at_hyperliquid_and_lighter(server):
    answer = fetch_accounts(WALLET, patience=QUICK)
    assert (set(answer.found), answer.nothing, answer.failures) == ({"hyperliquid", "lighter"}, (), ())
    main_account, spot, builder = answer.found["hyperliquid"].portfolio.accounts
    assert [p.symbol for p in main_account.positions] == ["ETH/USDC:USDC", "BTC/USDC:USDC", "SOL/USDC:USDC"]
    profit = sum(p.profit(p.mark_price) for p in main_account.positions if p.mode != "isolated")
    assert main_account.collateral[0].quantity + profit == pytest.approx(6_867.9)
    assert main_account.positions[2].margin == pytest.approx(650.0)
    assert (builder.name, builder.positions[0].symbol) == ("Hyperliquid xyz", "XYZ-TSLA/USDC:USDC")
    assert [(c.asset, c.quantity) for c in spot.collateral] == [("BTC", 0.25)]
    (lighter,) = answer.found["lighter"].portfolio.accounts
    assert lighter.positions[0].quantity == -2.0


def test_a_unified_account_at_hyperliquid_comes_in_as_one(server):
    """Positions of every dex behind the spot balances, less what the isolated position was given."""
    (account,) = fetch_accounts(UNIFIED, ["hyperliquid"], QUICK).found["hyperliquid"].portfolio.accounts
    assert (account.venue, account.mode, account.name) == ("hyperliquid", "cross", "")
    assert [p.underlying for p in account.positions] == ["ETH", "BTC", "SOL", "XYZ-TSLA"]
    assert {c.asset: c.quantity for c in account.collateral} == {"USDC": pytest.approx(9_000 - 650), "BTC": 0.25}
    assert [key for key, _ in account.venue_says.figures] == []
    server.faults.append(Fault("500", host="hyperliquid", where="other", asset="userAbstraction"))
    answer = fetch_accounts(UNIFIED, ["hyperliquid"], QUICK)
    assert len(answer.found["hyperliquid"].portfolio.accounts) == 3, "without the mode each state stands alone"


def test_a_dydx_address_gives_its_subaccounts_that_hold_something(server):
    answer = fetch_accounts(DYDX, patience=QUICK)
    (account,) = answer.found["dydx"].portfolio.accounts
    assert (account.venue, account.positions[0].quantity, account.collateral[0].quantity) == ("dydx", -0.5, 10_000.0)


def test_an_address_that_holds_nothing_is_called_so(server):
    answer = fetch_accounts(EMPTY, patience=QUICK)
    assert (answer.found, answer.nothing, answer.failures) == ({}, ("hyperliquid", "lighter"), ())
    assert fetch_accounts(DYDX[:-1] + "7", patience=QUICK).nothing == ("dydx",)
    assert list(fetch_accounts(COINS_ONLY, ["hyperliquid"], QUICK).found) == ["hyperliquid"]


@pytest.mark.parametrize(
    "kind", ["429", "500", "html", "truncated", "hang", "blank", "null", "maintenance", "redirect"]
)
def test_a_venue_that_fails_is_named_and_the_other_one_still_answers(server, kind):
    server.faults.append(Fault(kind, host="hyperliquid", **ACCOUNT))
    answer = fetch_accounts(WALLET, patience=QUICK)
    assert list(answer.found) == ["lighter"]
    assert "hyperliquid" in {venue for venue, _ in answer.failures} | set(answer.nothing)
    assert kind == "null" or answer.failures
    assert WALLET not in str(answer.failures)


@pytest.mark.parametrize("kind", ["429", "500", "truncated", "hang"])
def test_one_bad_answer_is_asked_again(server, kind):
    server.faults.append(Fault(kind, host="hyperliquid", times=1, retry_after=0.01, **ACCOUNT))
    answer = fetch_accounts(WALLET, ["hyperliquid"], QUICK)
    assert answer.failures == ()
    assert len(answer.found["hyperliquid"].portfolio.accounts) == 3


def test_half_an_answer_keeps_what_came_and_names_what_did_not(server):
    server.faults.append(Fault("500", host="hyperliquid", asset="spotClearinghouseState", **ACCOUNT))
    server.faults.append(Fault("500", host="hyperliquid", asset='"dex": "xyz"', **ACCOUNT))
    server.faults.append(Fault("500", host="hyperliquid", asset='"dex":"xyz"', **ACCOUNT))
    answer = fetch_accounts(WALLET, ["hyperliquid"], QUICK)
    assert [a.name for a in answer.found["hyperliquid"].portfolio.accounts] == [""]
    assert [reason.partition(":")[0] for _, reason in answer.failures] == ["spot balances", "positions at xyz"]


def test_offline_asks_nobody(server, monkeypatch):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    answer = fetch_accounts(WALLET, patience=QUICK)
    assert not answer.found
    assert all("MARGIN_OFFLINE" in reason for _, reason in answer.failures)
    assert not server.requests


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x123",
        WALLET + "0",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "cosmos1" + "q" * 38,
        "0x" + "g" * 40,
        "dydx1" + "b" * 38,
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(text):
    with pytest.raises(InputError) as error:
        check_address(text)
    assert not text or text not in str(error.value)


@pytest.mark.parametrize("secret", ["ab" * 32, "0x" + "ab" * 32, " ".join(["abandon"] * 11 + ["about"])])
def test_a_secret_is_refused_sent_nowhere_and_not_repeated(server, secret):
    assert looks_like_address(secret)
    with pytest.raises(InputError, match="private key") as error:
        fetch_accounts(secret, patience=QUICK)
    assert secret not in str(error.value)
    assert not server.requests


@pytest.mark.parametrize(
    "text",
    [
        "0X" + WALLET[2:].upper(), f"https://app.hyperliquid.xyz/explorer/address/{WALLET}", f"https://debank.com/profile/{WALLET}?chain=1",
        f"hypurrscan.io/address/{WALLET}#perps", f"arb1:{WALLET}", f"ethereum:{WALLET}@42161", f"https://x.com/{WALLET}/{WALLET}",
    ],
)  # fmt: skip
def test_an_address_in_a_link_is_taken_out_of_it(text):
    assert looks_like_address(text)
    kind, address = check_address(text)
    assert (kind, address.lower()) == ("ethereum", WALLET)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vitalik.eth", "is a name, and names are not looked up"), ("pay.me.sol", "is a name"),
        (f"https://etherscan.io/tx/0x{'ab' * 32}", "private key"), (f"https://a.b/{WALLET}/{EMPTY}", "several addresses"),
        ("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "no wallet address"), ("7" * 44, "no wallet address"),
    ],
)  # fmt: skip
def test_what_is_meant_as_an_address_is_never_read_as_a_table(text, said):
    assert looks_like_address(text)
    with pytest.raises(InputError, match=said) as error:
        check_address(text)
    assert text not in str(error.value)


@pytest.mark.parametrize("text", ["BTCUSDT 1", "https://example.com/book", "symbol,size", "BTC-PERP", "positions: []"])
def test_a_paste_of_other_kinds_is_no_address(text):
    assert not looks_like_address(text)


def test_accounts_that_hold_nothing_are_left_out_where_another_holds_something(server):
    found = fetch_accounts(COINS_ONLY, patience=QUICK)
    lines = account_lines(found)
    assert [line for line in lines if not line.startswith(("note:", "lighter"))] == [
        "Hyperliquid spot",
        "  collateral BTC 0.25",
    ]


def test_a_venue_that_has_no_such_addresses(server):
    with pytest.raises(InputError, match="no such addresses"):
        fetch_accounts(WALLET, ["dydx"], QUICK)
    with pytest.raises(InputError, match="Did you mean 'lighter'"):
        fetch_accounts(WALLET, ["lighte"], QUICK)


def test_the_address_is_in_no_log_message_store_or_result(server, caplog, tmp_path, monkeypatch):
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))
    caplog.set_level(logging.DEBUG)
    server.faults.append(Fault("invalid", host="lighter", **ACCOUNT))
    for address in (WALLET, DYDX):
        answer = fetch_accounts(address, patience=QUICK)
        kept = [caplog.text, str(answer.failures), json.dumps([r.to_dict() for r in answer.found.values()])]
        assert all(address not in text and address[2:-2] not in text for text in kept)
    assert list(tmp_path.rglob("*")) == []


def test_the_address_is_taken_out_of_messages_whole_or_cut_short():
    assert without(f"GET /x/{WALLET.upper()} failed", WALLET) == "GET /x/the address failed"
    assert "a1a1a1a1a1" not in without(f"user={WALLET[:20]}", WALLET)


def test_a_visitor_may_not_ask_without_end():
    limit = Limiter(most=2, span=60.0)
    assert [limit.wait("a", 0.0), limit.wait("a", 1.0)] == [0.0, 0.0]
    assert limit.wait("a", 10.0) == 50.0
    assert limit.wait("b", 10.0) == 0.0
    assert limit.wait("a", 60.5) == 0.0


def test_the_command_writes_what_portfolio_reads(server, capsys, tmp_path):
    out = tmp_path / "A.json"
    assert main(["account", WALLET, "--venue", "lighter", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert "ETH/USDC:USDC -2" in printed.out
    assert WALLET not in printed.out + out.read_text()
    assert read_portfolio(out.read_bytes()).portfolio.positions[0].quantity == -2.0
    assert main(["account", WALLET, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["accounts"]) == 4


def test_the_command_says_what_is_wrong(server, capsys, monkeypatch):
    assert main(["account", "0x12"]) == 2
    assert capsys.readouterr().err.startswith("error: address")
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    assert main(["account", WALLET]) == 1
    assert "MARGIN_OFFLINE" in capsys.readouterr().err
