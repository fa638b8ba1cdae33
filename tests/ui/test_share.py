"""Share links: the whole book and every setting, exactly; and whatever arrives, the page opens."""

import base64
import json
import random
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin.core.portfolio import Account, Collateral, Portfolio, Position
from margin.core.settings import Safeguards, Settings
from margin.risk.estimators import estimators
from ui.shell.address import called
from ui.state.book import Book
from ui.state.rows import Draft
from ui.state.share import BROKEN, MAX_JSON, decode, encode

ASSETS = ["BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "DOGE", "AVAX", "LINK", "LTC"]


def packed(text: bytes) -> str:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.urlsafe_b64encode(packer.compress(text) + packer.flush()).rstrip(b"=").decode()


quantities = st.floats(-1e9, 1e9, allow_nan=False).map(lambda q: q + 0.0)
positions = st.builds(
    Position,
    st.sampled_from([f"{a}{end}" for a in ASSETS for end in ("/USD", "/USDT:USDT", "", "/USDT:USDT-261225")]),
    quantities,
    st.none() | st.floats(1e-6, 1e6),
    st.none() | st.floats(0.1, 100),
)
portfolios = st.builds(
    Portfolio,
    st.lists(positions, max_size=20).map(tuple),
    st.lists(
        st.builds(Collateral, st.sampled_from(["USDC", "BTC"]), quantities, st.none() | st.floats(1e-6, 1e6)),
        max_size=4,
    ).map(tuple),
    st.text(st.characters(codec="utf-8"), max_size=40),
)
all_settings = st.builds(
    Settings,
    measure=st.sampled_from(["es", "var"]),
    level=st.floats(0.5, 0.9999),
    horizon=st.integers(1, 365),
    lookback=st.integers(2, 5000),
    estimator=st.sampled_from([row.key for row in estimators()]),
    correlation=st.sampled_from(["sample", "ewma", "ledoit-wolf", "what-if"]),
    what_if=st.sampled_from([(), (("BTC", "ETH", 0.25),)]),
    as_of=st.sampled_from([None, "2025-10-10"]),
    implied_vol=st.sampled_from([{}, {"BTC": 0.6}]),
    collateral_treatment=st.sampled_from(["haircut", "joint"]),
    haircuts=st.sampled_from([{}, {"USDC": 0.02, "ETH": 0.15}]),
    safeguards=st.builds(Safeguards, offset_cap=st.booleans(), stress_weight=st.floats(0, 2)),
)


@given(portfolios, all_settings)
def test_a_link_carries_the_whole_book_and_every_setting(portfolio, chosen):
    book = Book.of(portfolio, chosen)
    opened = decode(encode(book, "sample"))
    assert opened.messages == () and opened.origin == "sample"
    assert opened.book is not None
    assert opened.book.portfolio == portfolio
    assert opened.book.settings == chosen


def test_a_link_carries_several_accounts_and_what_the_table_does_not_show():
    isolated = Position("ETH/USDT:USDT", 2, 2_000, 5, mode="isolated", margin=900.0, mark_price=2_100.0)
    first = Account(
        name="a", venue="okx", mode="cross", as_of="2026-11-26", positions=[isolated, Position("BTC/USD", 1, paid=False)],
        collateral=[Collateral("USDC", 5)], venue_says={"equity": 3.5},
    )  # fmt: skip
    book = Portfolio(accounts=[first, Account(positions=[Position("SOL/USDT:USDT", 1)])], name="two")
    assert decode(encode(Book.of(book))).book.portfolio == book


def test_an_old_link_is_read_as_its_version_meant_it():
    rows = [["BTC/USD", "2"], ["BTC/USD:BTC", "2", "30000"], ["ETH/USDT:USDT", "3"], ["BTC/USD:BTC", "1"]]
    opened = decode(packed(json.dumps({"p": rows}).encode()))
    held = opened.book.portfolio.positions
    assert held[:3] == (
        Position("BTC/USD", 2, paid=False),
        Position("BTC/USD:BTC", 60_000, 30_000),
        Position("ETH/USDT:USDT", 3),
    )
    assert [word in " ".join(opened.messages) for word in ("borrowed", "dollars of face", "entry price")] == [True] * 3


def test_a_row_that_is_being_corrected_travels_too():
    book = Book((Draft(3, ("DOGE-USD", "1,5", "", "")), Draft(8, ("BTC/USD", "1", "", ""))))
    opened = decode(encode(book)).book
    assert [d.cells for d in opened.positions] == [("DOGE-USD", "1,5", "", ""), ("BTC/USD", "1", "", "")]


def test_twenty_positions_make_a_short_link():
    chance = random.Random(5)
    held = [
        Position(f"{chance.choice(ASSETS)}/USDT:USDT", round(chance.uniform(-50, 50), 2), round(chance.uniform(1, 900)))
        for _ in range(20)
    ]
    assert len(encode(Book.of(Portfolio(tuple(held))))) < 450


def test_the_largest_book_fits():
    held = tuple(Position(f"{ASSETS[i % 10]}/USDT:USDT", i + 0.123456789, 1000.0 + i, 3.0) for i in range(1000))
    assert decode(encode(Book.of(Portfolio(held)))).book.portfolio.positions == held


@pytest.mark.parametrize(
    "text",
    ["", "x", "%%%", "é", "AAAA", "a" * 70_000, packed(b"[]"), packed(b"{}"), packed(b'{"p":1}'), packed(b"\xff\xfe"),
     packed(b'{"p":[[' * 3000), packed(b"NaN"), packed(b'{"p":[NaN]}'), packed(b"[" * 200_000),
     packed(b'{"p":[], "n": ' + b"9" * 5000 + b"}")],
)  # fmt: skip
def test_a_broken_link_says_so(text):
    assert decode(text) == decode(text)
    opened = decode(text)
    assert opened.book is None and opened.messages == (BROKEN,)


def test_a_decompression_bomb_is_not_inflated():
    bomb = packed(b'{"p":[' + b" " * (50 * MAX_JSON) + b"]}")
    assert len(bomb) < 60_000
    assert decode(bomb).book is None


def test_a_truncated_link_is_broken_not_half_read():
    link = encode(Book.of(Portfolio(tuple(Position("BTC/USD", float(i)) for i in range(20)))))
    for cut in range(len(link) - 1):
        assert decode(link[:cut]).book is None


@pytest.mark.parametrize(
    ("given_settings", "told"),
    [
        ({"level": 7}, "level"),
        ({"level": "0.9; drop"}, "level"),
        ({"colour": "red"}, "colour"),
        ({"safeguards": {"stress_weight": "x"}}, "safeguards"),
        ({"as_of": "yesterday"}, "as of"),
        ({"what_if": [["BTC", "BTC", 0.5]]}, "what if"),
        ([], "settings"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_the_rest_opens(given_settings, told):
    if isinstance(given_settings, dict):
        given_settings = {**given_settings, "horizon": 10}
    text = json.dumps({"v": 2, "p": [["BTC/USD", "1"]], "s": given_settings}).encode()
    opened = decode(packed(text))
    assert opened.book.portfolio.positions == (Position("BTC/USD", 1.0),)
    assert len(opened.messages) == 1 and told in opened.messages[0]
    assert "\n" not in opened.messages[0] and len(opened.messages[0]) < 400
    if isinstance(given_settings, dict):
        assert opened.book.settings.horizon == 10


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "p",
                    "c",
                    "s",
                    "n",
                    "o",
                    "v",
                    "a",
                    "mode",
                    "margin",
                    "venue_says",
                    "level",
                    "safeguards",
                    "what_if",
                    "haircuts",
                    "as_of",
                ]
            ),
            inner,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from("pcsno"), json_values) | json_values)
def test_any_json_opens_or_is_refused(data):
    opened = decode(packed(json.dumps(data).encode()))
    assert opened.book is not None or opened.messages
    if opened.book is not None:
        assert len(opened.book.portfolio.positions) <= 1000


@settings(max_examples=300)
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda b: base64.urlsafe_b64encode(b).decode()))
def test_any_text_opens_or_is_refused(text):
    opened = decode(text)
    assert opened.book is not None or opened.messages == (BROKEN,)


@given(st.randoms(use_true_random=False), st.integers(1, 6))
def test_a_damaged_link_opens_or_is_refused(chance, flips):
    link = list(encode(Book.of(Portfolio((Position("BTC/USD", 1.0), Position("ETH/USD", -2.0))), Settings(level=0.99))))
    for _ in range(flips):
        link[chance.randrange(len(link))] = chr(chance.randrange(32, 127))
    decode("".join(link))


def test_twenty_positions_with_all_that_a_venue_said_stay_under_two_thousand_characters():
    chance = random.Random(7)
    coins = [f"COIN{i}" for i in range(18)] + ["BTC", "ETH"]
    held = tuple(
        Position(
            f"{coin}/USDC:USDC", round(chance.uniform(-900, 900), 6), round(chance.uniform(0.1, 90_000), 6), 10.0,
            mode="isolated", margin=round(chance.uniform(1, 9_000), 6), mark_price=round(chance.uniform(0.1, 90_000), 6),
        )
        for coin in coins
    )  # fmt: skip
    says = {
        "equity": 123_456.123456,
        "liquidation_prices": {p.symbol: round(chance.uniform(1, 90_000), 6) for p in held},
    }
    account = Account(name="HL main", venue="hyperliquid", mode="cross", positions=held, venue_says=says)
    link = encode(Book.of(Portfolio(accounts=(account,))))
    assert len(held) == 20 and len(link) < 1_950  # the host and the page's own parameters stand before and after it
    assert decode(link).book.portfolio.accounts[0].positions == held


@pytest.mark.parametrize("address", ["0x" + "aB" * 20, "dydx1" + "q2w3e4r5t6y7u8j9" * 2 + "q2w3e4", "bc1q" + "x" * 38,
    "cd" * 32, "Dq7" * 14 + "xY", "vitalik.eth", "T" + "Ab" * 16 + "C",
])  # fmt: skip
def test_a_wallet_address_in_a_name_is_not_in_the_link(address):
    book = Book.of(Portfolio(accounts=(Account(name=f"mine {address}"), Account(name="b")), name=address))
    opened = decode(encode(book)).book
    assert opened.name == "wallet" and opened.accounts[0].name == "mine wallet"
    typed = (Draft(1, (address, "1", "", "")), Draft(2, ("BTC/USD", address, "", "")))
    opened = decode(encode(replace(book, positions=typed))).book
    assert [draft.cells[:2] for draft in opened.positions] == [
        ("wallet", "1"),
        ("BTC/USD", "wallet" if len(address) > 20 else address),
    ]


@pytest.mark.parametrize(
    ("portfolio", "name"),
    [
        (Portfolio((Position("BTC/USD", 1.0),), name="mine"), "mine"), (Portfolio(), ""),
        (Portfolio([Position(f"{coin}/USDT:USDT", 1.0) for coin in ("BTC", "ETH", "BTC", "SOL", "XRP")]), "BTC, ETH, SOL …"),
        (Portfolio(accounts=(Account(venue="okx"), Account(name="0x" + "ab" * 20))), "OKX, wallet"),
    ],
)  # fmt: skip
def test_a_tab_is_called_by_its_book(portfolio, name):
    assert called(Book.of(portfolio)) == name
