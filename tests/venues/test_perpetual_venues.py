"""Rulebooks of perpetual venues: by hand, at the liquidation price, by property, and what they refuse."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import Collateral, InputError, Market, Portfolio, Position, venues
from margin.cli.main import main
from margin.models.marks import Marks
from margin.venues import liquidation
from margin.venues.families.tiers import Tier, tier_at, tiers_of
from tests.ladder.books import market_frame
from tests.venues.door import TODAY
from tests.venues.oracles import binance_price, liquidation_price

FRAME = market_frame()
MARKET = Market(FRAME)
NAMES = ("binance", "dydx", "hyperliquid", "kraken", "drift", "synthetix")


def book(*positions, cash=20_000.0):
    return Portfolio(tuple(Position(*p) for p in positions), (Collateral("USDC", cash),))


def marks(portfolio, **prices):
    found = Marks.of_market(MARKET, portfolio)
    return found.moved({asset: price / found.price(asset) for asset, price in prices.items()})


def test_every_parameter_file_has_its_rulebook_and_says_what_is_missing():
    assert len(venues.names()) == 26
    for name in venues.names():
        rulebook = venues.rulebook(name)
        assert rulebook.name == name
        assert rulebook.missing
        assert rulebook.as_of[:2] == "20"
        assert rulebook.modes


def test_binance_by_hand():
    """1 BTC at 60,000 at 10x lies in the first bracket of September 2026: 0.4%; initial 6,000."""
    one = Portfolio((Position("BTC/USDT:USDT", 1.0, 58_000.0, 10.0),), (Collateral("USDT", 9_000.0),))
    found = venues.rulebook("binance").requirement(one, marks(one), "cross")
    assert (found.initial, found.maintenance) == (pytest.approx(6_000), pytest.approx(60_000 * 0.004))
    assert found.equity == pytest.approx(11_000)
    assert found.health == pytest.approx(11_000 / 240)
    isolated = venues.rulebook("binance").requirement(one, marks(one), "isolated")
    assert isolated.positions[0].equity == pytest.approx(7_800), "5,800 at entry and 2,000 won"


def test_dydx_scales_with_open_interest_but_not_the_maintenance_margin():
    sol = book(("SOL/USDT:USDT", 100.0))
    rulebook = venues.rulebook("dydx")
    low, half, full = (rulebook.requirement(sol, marks(sol), "cross", {"open_interest": u}) for u in (0.0, 0.5, 1.0))
    assert [m.initial for m in (low, half, full)] == pytest.approx([0.05 * 15_000, 0.525 * 15_000, 15_000])
    assert low.maintenance == half.maintenance == full.maintenance == pytest.approx(0.03 * 15_000)


def test_hyperliquid_tiers_by_hand():
    rulebook = venues.rulebook("hyperliquid")
    tiers = rulebook.tiers("BTC")
    assert tiers.maintenance(100e6) == pytest.approx(100e6 / 80)
    assert tiers.maintenance(200e6) == pytest.approx(150e6 / 80 + 50e6 / 40)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["long", "short"]),
    st.floats(0.01, 3000),
    st.floats(100, 1e8),
    st.floats(1, 100),
)
def test_the_solver_finds_the_closed_form_of_each_tier(side, size, cash, leverage):
    """Binance, one position in a cross account: every tier solved by hand, against the root of the account's gap."""
    quantity = size if side == "long" else -size
    held = Portfolio((Position("BTC/USDT:USDT", quantity, 60_000.0, leverage),), (Collateral("USD", cash),))
    rulebook, start = venues.rulebook("binance"), marks(held)
    found = liquidation.prices(rulebook, held, start, "cross")["BTC"]
    expected = liquidation_price(quantity, start.price("BTC"), cash, rulebook.tiers("BTC"))
    if rulebook.requirement(held, start, "cross").liquidated:
        assert found.down == found.up == start.price("BTC")
        return
    price = found.down if side == "long" else found.up
    if expected is None:
        assert price is None
    else:
        assert price == pytest.approx(expected, rel=1e-9)
    assert (found.up if side == "long" else found.down) is None


def test_the_venue_s_own_formula_gives_the_same_price():
    held = book(("BTC/USDT:USDT", 2.0, 58_000.0, 10.0), ("ETH/USDT:USDT", -30.0, 2_900.0, 10.0), cash=30_000.0)
    rulebook, start = venues.rulebook("binance"), marks(held)
    found = rulebook.requirement(held, start, "cross")
    price = liquidation.prices(rulebook, held, start, "cross")["BTC"].down
    tier = tier_at(rulebook.tiers("BTC"), 2.0 * price)
    eth = found.positions[1]
    pnl = start.unrealised(held.positions[1])
    legs = ((2.0, 58_000.0, tier.rate, tier.deduction),)
    assert price == pytest.approx(binance_price(found.collateral_value, eth.maintenance, pnl, legs), rel=1e-10)


def test_two_legs_of_one_contract_share_a_price_in_hedge_mode():
    held = book(("BTC/USDT:USDT", 3.0, 58_000.0, 10.0), ("BTC/USDT:USDT", -1.0, 61_000.0, 10.0), cash=30_000.0)
    rulebook, start = venues.rulebook("binance"), marks(held)
    price = liquidation.prices(rulebook, held, start, "cross")["BTC"].down
    wallet = rulebook.requirement(held, start, "cross").collateral_value
    legs = []
    for p in held.positions:
        tier = tier_at(rulebook.tiers("BTC"), abs(p.quantity) * price)
        legs.append((p.quantity, p.entry_price, tier.rate, tier.deduction))
    assert price == pytest.approx(binance_price(wallet, 0.0, 0.0, tuple(legs)), rel=1e-10)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(1e3, 1e6), min_size=1, max_size=4), st.floats(1, 1e7), st.floats(1.01, 3))
def test_tiers_are_continuous_and_rise(widths, notional, factor):
    edges = [0.0]
    for width in widths:
        edges.append(edges[-1] + width)
    rows = [(a, b, 0.01 * (i + 1), 50.0) for i, (a, b) in enumerate(zip(edges, [*edges[1:], None], strict=True))]
    tiers = tiers_of(rows)
    for edge in edges[1:]:
        assert tiers.maintenance(edge - 1e-6) == pytest.approx(tiers.maintenance(edge), abs=1e-3)
    assert tiers.maintenance(notional) <= tiers.maintenance(factor * notional)
    assert tiers.maintenance(factor * notional) >= factor * tiers.maintenance(notional) * (1 - 1e-12)
    assert tier_at(tiers, notional).floor <= notional


def test_no_price_liquidates_what_cannot_lose_so_much():
    tiers = (Tier(floor=0.0, cap=None, rate=0.01, leverage=50.0, deduction=0.0),)
    assert liquidation_price(1.0, 100.0, 200.0, tiers) is None
    assert liquidation_price(0.0, 100.0, 200.0, tiers) is None
    assert liquidation_price(-1.0, 100.0, 200.0, tiers) == pytest.approx(300 / 1.01)


def test_what_a_venue_cannot_hold_is_said_position_by_position():
    odd = book(("BTC/USD", -1.0), ("BTC/USD:BTC", 1.0), ("NOSUCH/USDT:USDT", 5.0), ("BTC/USD:BTC-261225-60000-C", 1.0))
    said = {u.symbol: u.reason for u in venues.rulebook("hyperliquid").supports(odd)}
    assert "spot is not reproduced here" in said["BTC/USD"]
    assert "only those settled in dollars" in said["BTC/USD:BTC"]
    assert "option is not reproduced here" in said["BTC/USD:BTC-261225-60000-C"]
    assert "no tiers of NOSUCH" in said["NOSUCH/USDT:USDT"]
    with pytest.raises(InputError, match="cannot hold it"):
        venues.rulebook("hyperliquid").requirement(odd, marks(book(("BTC/USDT:USDT", 1.0))), "cross")
    one = book(("BTC/USDT:USDT", 1.0))
    with pytest.raises(InputError, match="no such mode"):
        venues.rulebook("kraken").requirement(one, marks(one), "isolated")
    with pytest.raises(InputError, match="no such setting"):
        venues.rulebook("binance").requirement(one, marks(one), "cross", {"open_interest": 1.0})
    with pytest.raises(InputError, match="venue"):
        venues.rulebook("bynance")


def test_other_coins_do_not_count_and_it_says_so():
    held = Portfolio((Position("ETH/USDT:USDT", 1.0),), (Collateral("BTC", 1.0), Collateral("USDC", 100.0)))
    found = venues.rulebook("binance").requirement(held, marks(held), "cross")
    assert found.collateral_value == pytest.approx(100.0, rel=0.01)
    assert any("BTC does not count" in note for note in found.notes)
    assert found.account_value > 60_000


@pytest.fixture
def files(tmp_path):
    (tmp_path / "P.json").write_text(book(("BTC/USDT:USDT", 1.0), ("ETH/USDT:USDT", -10.0)).to_json())
    short = Portfolio((Position("BTC/USD", 1.0, paid=False),))
    (tmp_path / "S.json").write_text(short.to_json())
    FRAME.rename_axis("date").to_csv(tmp_path / "C.csv")
    return tmp_path


def test_the_command_line(files, capsys):
    arguments = ["--portfolio", str(files / "P.json"), "--prices", str(files / "C.csv")]
    assert main(["venue", "all", *arguments, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["venues"]
    held = [r for r in rows if r["why_not"] is None]
    assert {(r["venue"], r["mode"]) for r in held} >= {
        ("binance", "cross"),
        ("binance", "portfolio"),
        ("dydx", "cross"),
        ("hyperliquid", "isolated"),
        ("deribit", "portfolio"),
        ("derive", "cross"),
        ("okx", "portfolio"),
    }
    assert [r["initial"] for r in held] == sorted(r["initial"] for r in held)
    assert all(r["lines"] and r["lines"][0]["source"] for r in held)
    assert all(r["why_not"] for r in rows if r not in held)
    assert {r["venue"] for r in rows} == set(venues.names()), "who cannot hold it is in the table too"
    assert main(["venue", "dydx", *arguments]) == 0
    plain = capsys.readouterr().out
    assert "dYdX v4" in plain
    assert main(["venue", "dydx", *arguments, "--set", "leverage_cap=5"]) == 0
    assert capsys.readouterr().out != plain
    assert main(["venue", "dydx", "--portfolio", str(files / "S.json"), "--prices", str(files / "C.csv")]) == 0
    assert "cannot hold it: BTC/USD: spot is not reproduced here" in capsys.readouterr().out
    assert main(["venue", "bynance", *arguments]) == 2
    assert "Did you mean 'binance'" in capsys.readouterr().err
    for wrong in (["all", "--set", "open_interest=1"], ["dydx", "--set", "open_interest"], ["dydx", "--set", "oi=1"]):
        assert main(["venue", wrong[0], *arguments, *wrong[1:]]) == 2
        assert capsys.readouterr().err


@pytest.mark.parametrize("venue", ["binance", "bybit", "hyperliquid"])
def test_isolated_positions_have_their_margins_and_their_profits(venue):
    held = (
        Position("BTC/USDC:USDC", 1.0, 49_000.0, margin=5_000.0),
        Position("ETH/USDC:USDC", -10.0, 2_800.0, margin=4_000.0),
    )
    prices = Marks({"BTC": 50_000.0, "ETH": 3_000.0, "USDC": 1.0}, TODAY)
    found = venues.rulebook(venue).requirement(Portfolio(held, (Collateral("USDC", 700.0),)), prices, "isolated")
    assert [row.equity for row in found.positions] == pytest.approx([5_000 + 1_000, 4_000 - 2_000])
    assert found.equity == pytest.approx(8_000)
