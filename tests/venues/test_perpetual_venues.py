"""Rulebooks of perpetual venues: by hand, at the liquidation price, by property, and what they refuse."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import Collateral, InputError, Market, Portfolio, Position, venues
from margin.cli import main
from margin.venues.marks import Marks
from margin.venues.tiers import Tier, liquidation_price, maintenance, tier_at, tiers_of
from tests.engine.books import market_frame

FRAME = market_frame()
MARKET = Market(FRAME)
NAMES = ("binance", "dydx", "hyperliquid")


def book(*positions, cash=20_000.0):
    return Portfolio(tuple(Position(*p) for p in positions), (Collateral("USDC", cash),))


def marks(portfolio, **prices):
    found = Marks.of_market(MARKET, portfolio)
    return found.moved({asset: price / found.price(asset) for asset, price in prices.items()})


def test_they_are_registered():
    assert set(venues.names()) == set(NAMES)
    for name in NAMES:
        rulebook = venues.rulebook(name)
        assert rulebook.missing
        assert rulebook.as_of[:4] in ("2024", "2026")


def test_binance_by_hand():
    """1 BTC at 60,000 at 10x lies in the second bracket: 0.5% less 50; initial 6,000."""
    one = Portfolio((Position("BTC/USDT:USDT", 1.0, 58_000.0, 10.0),), (Collateral("USDT", 9_000.0),))
    found = venues.rulebook("binance").requirement(one, marks(one), "cross")
    assert (found.initial, found.maintenance) == (pytest.approx(6_000), pytest.approx(60_000 * 0.005 - 50))
    assert found.equity == pytest.approx(11_000)
    assert found.health == pytest.approx(11_000 / 250)
    isolated = venues.rulebook("binance").requirement(one, marks(one), "isolated")
    assert isolated.positions[0].equity == pytest.approx(8_000)


def test_dydx_scales_with_open_interest_but_not_the_maintenance_margin():
    sol = book(("SOL/USDT:USDT", 100.0))
    rulebook = venues.rulebook("dydx")
    low, half, full = (rulebook.requirement(sol, marks(sol), "cross", {"open_interest": u}) for u in (0.0, 0.5, 1.0))
    assert [m.initial for m in (low, half, full)] == pytest.approx([0.1 * 15_000, 0.55 * 15_000, 15_000])
    assert low.maintenance == half.maintenance == full.maintenance == pytest.approx(0.05 * 15_000)


def test_hyperliquid_tiers_by_hand():
    rulebook = venues.rulebook("hyperliquid")
    tiers = rulebook.tiers("BTC")
    assert maintenance(tiers, 100e6) == pytest.approx(100e6 / 80)
    assert maintenance(tiers, 200e6) == pytest.approx(150e6 / 80 + 50e6 / 40)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(NAMES),
    st.sampled_from(["isolated", "cross"]),
    st.floats(-2000, 2000).filter(lambda q: abs(q) > 0.01),
    st.floats(-20, 20).filter(lambda q: abs(q) > 0.01),
    st.floats(1_000, 1e8),
    st.floats(1, 20),
)
def test_at_the_liquidation_price_equity_is_the_maintenance_margin(name, mode, btc, eth, cash, leverage):
    rulebook = venues.rulebook(name)
    if mode not in rulebook.modes:
        return
    held = Portfolio(
        (Position("BTC/USDT:USDT", btc, 55_000.0, leverage), Position("ETH/USDT:USDT", eth, 2_900.0, leverage)),
        (Collateral("USDC", cash),),
    )
    start = marks(held)
    prices = rulebook.liquidation_prices(held, start, mode)
    for i, asset in enumerate(("BTC", "ETH")):
        price = prices[f"{asset}/USDT:USDT"]
        if price is None:
            continue

        def gap(at, i=i, asset=asset):
            moved = rulebook.requirement(held, start.moved({asset: at / start.price(asset)}), mode)
            if mode == "cross":
                return moved.gap
            row = moved.positions[i]
            own = rulebook.requirement(held, start, mode).positions[i]
            quantity = held.positions[i].quantity
            return own.equity + quantity * (at - start.price(asset)) - row.maintenance

        scale = abs(held.positions[i].quantity) * price
        assert gap(price) == pytest.approx(0.0, abs=1e-7 * max(scale, cash))
        before = price + 1e-4 * (start.price(asset) - price)
        assert gap(before) >= -1e-7 * max(scale, cash), "safe on the near side"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(1e3, 1e6), min_size=1, max_size=4), st.floats(1, 1e7), st.floats(1.01, 3))
def test_tiers_are_continuous_and_rise(widths, notional, factor):
    edges = [0.0]
    for width in widths:
        edges.append(edges[-1] + width)
    rows = [(a, b, 0.01 * (i + 1), 50.0) for i, (a, b) in enumerate(zip(edges, [*edges[1:], None], strict=True))]
    tiers = tiers_of(rows)
    for edge in edges[1:]:
        assert maintenance(tiers, edge - 1e-6) == pytest.approx(maintenance(tiers, edge), abs=1e-3)
    assert maintenance(tiers, notional) <= maintenance(tiers, factor * notional)
    assert maintenance(tiers, factor * notional) >= factor * maintenance(tiers, notional) * (1 - 1e-12)
    assert tier_at(tiers, notional).floor <= notional


def test_no_price_liquidates_what_cannot_lose_so_much():
    tiers = (Tier(0.0, None, 0.01, 50.0, 0.0),)
    assert liquidation_price(1.0, 100.0, 200.0, tiers) is None
    assert liquidation_price(0.0, 100.0, 200.0, tiers) is None
    assert liquidation_price(-1.0, 100.0, 200.0, tiers) == pytest.approx(300 / 1.01)


def test_what_a_venue_cannot_hold_is_said_position_by_position():
    odd = book(("BTC/USD", 1.0), ("BTC/USD:BTC", 1.0), ("ADA/USDT:USDT", 5.0), ("BTC/USD:BTC-261225-60000-C", 1.0))
    said = {u.symbol: u.reason for u in venues.rulebook("hyperliquid").supports(odd)}
    assert "no spot" in said["BTC/USD"]
    assert "settled in dollars" in said["BTC/USD:BTC"]
    assert "no option" in said["BTC/USD:BTC-261225-60000-C"]
    assert "no tiers of ADA" in said["ADA/USDT:USDT"]
    with pytest.raises(InputError, match="cannot hold it"):
        venues.rulebook("hyperliquid").requirement(odd, marks(book(("BTC/USDT:USDT", 1.0))), "cross")
    one = book(("BTC/USDT:USDT", 1.0))
    with pytest.raises(InputError, match="no such mode"):
        venues.rulebook("dydx").requirement(one, marks(one), "isolated")
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
    (tmp_path / "S.json").write_text(book(("BTC/USD", 1.0)).to_json())
    FRAME.rename_axis("date").to_csv(tmp_path / "C.csv")
    return tmp_path


def test_the_command_line(files, capsys):
    arguments = ["--portfolio", str(files / "P.json"), "--prices", str(files / "C.csv")]
    assert main(["venue", "all", *arguments, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["venues"]
    assert {(r["venue"], r["mode"]) for r in rows} >= {
        ("binance", "cross"),
        ("dydx", "cross"),
        ("hyperliquid", "isolated"),
    }
    assert [r["initial"] for r in rows] == sorted(r["initial"] for r in rows)
    assert all(r["lines"] and r["lines"][0]["source"] for r in rows)
    assert main(["venue", "dydx", *arguments]) == 0
    assert "dYdX v4" in capsys.readouterr().out
    assert main(["venue", "all", "--portfolio", str(files / "S.json"), "--prices", str(files / "C.csv")]) == 0
    assert "cannot hold it: BTC/USD: it lists perpetuals, no spot" in capsys.readouterr().out
    assert main(["venue", "bynance", *arguments]) == 2
    assert "Did you mean 'binance'?" in capsys.readouterr().err
