"""The walk: equity, health and liquidation price of an account are the same number on every page that shows them."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from margin import Portfolio, Settings
from margin.core.account import Account
from margin.core.position import Collateral, Position
from margin.liquidation.moves import fatal_moves, nearest_fatal
from margin.stress.held import stress_book
from tests.support import ROOT
from ui.blocks.formats import money, price
from ui.learn.view import sample_market
from ui.state import book, share

OWN = Account(
    positions=(Position("ETH/USDT:USDT", 30.0), Position("BTC/USDT:USDT", -1.0)),
    collateral=(Collateral("USDC", 30_000.0), Collateral("SOL", 20.0)),
)
CROSS = Account(
    name="HL main", venue="hyperliquid", mode="cross",
    positions=(
        Position("BTC/USDC:USDC", 1.0, entry_price=70_000.0, leverage=10.0),
        Position("ETH/USDC:USDC", -10.0, leverage=10.0),
    ),
    collateral=(Collateral("USDC", 20_000.0),),
)  # fmt: skip
MIXED = Account(
    name="Bin", venue="binance", mode="cross",
    positions=(
        Position("ETH/USDT:USDT", -30.0, leverage=10.0),
        Position("SOL/USDT:USDT", 200.0, leverage=5.0, mode="isolated", margin=9_000.0),
    ),
    collateral=(Collateral("USDT", 30_000.0),),
)  # fmt: skip
COINS = Account(
    name="Both", venue="binance", mode="cross",
    positions=(
        Position("BTC/USDT:USDT", 1.0, entry_price=70_000.0, leverage=10.0),
        Position("BTC/USD:BTC", 60_000.0, entry_price=72_000.0, leverage=10.0),
    ),
    collateral=(Collateral("USDT", 20_000.0), Collateral("BTC", 0.3)),
)  # fmt: skip
UNIFIED = Account(name="Unified", venue="bybit", mode="cross", positions=COINS.positions, collateral=COINS.collateral)
PARTLY = Account(
    name="Partly", venue="bybit", mode="cross",
    positions=(*COINS.positions, Position("ETH/USD:ETH", -20_000.0, entry_price=2500.0)), collateral=COINS.collateral,
)  # fmt: skip
CASES = {
    "a venue account": (Portfolio(accounts=(CROSS,)), {}),
    "two accounts, one isolated position": (Portfolio(accounts=(CROSS, MIXED)), {}),
    "ours beside a venue's": (Portfolio(accounts=(OWN, MIXED)), {}),
    "the second of two": (Portfolio(accounts=(CROSS, MIXED)), {"account": "1"}),
    "another venue's model": (Portfolio(accounts=(OWN,)), {"model": "bybit:cross"}),
    "dollar and coin-settled contracts, in wallets apart": (Portfolio(accounts=(COINS,)), {}),
    "dollar and coin-settled contracts, in one account": (Portfolio(accounts=(UNIFIED,)), {}),
    "a coin whose tiers are not carried is left out": (Portfolio(accounts=(PARTLY, MIXED)), {}),
    "a share of its own": (Portfolio(accounts=(OWN,)), {}),
}
NOW = re.compile(
    r"Now: equity (\S+), maintenance (\S+?)(?:,(?: lowest)? health ([\d.]+)×)?, liquidated at (\w+) (\S+) \("
)


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def texts(page) -> str:
    drawn = [*page.caption, *page.header, *page.markdown]
    return "\n".join(element.value.replace("\\", "") for element in drawn)


def table(page, column: str):
    """The table that has this column."""
    return next(frame.value for frame in page.dataframe if column in frame.value.columns)


@pytest.mark.parametrize("case", CASES)
def test_every_page_has_the_same_equity_health_and_liquidation_price(case):
    portfolio, chosen = CASES[case]
    settings = Settings(maintenance=0.7) if case == "a share of its own" else Settings()
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params[share.PARAMETER] = share.encode(book.Book.of(portfolio, settings))
    for key, value in chosen.items():
        app.query_params[key] = value
    app.run()

    # What the engine says of the accounts that are meant, by the door the pages use.
    meant = portfolio if "account" not in chosen else Portfolio(accounts=(portfolio.accounts[int(chosen["account"])],))
    held = stress_book(meant, sample_market(), settings, chosen.get("model"))
    near = nearest_fatal(fatal_moves(held))
    assert near is not None and near.spot is not None and near.nearest is not None
    spot = near.spot * (1.0 + near.nearest)
    health = f"{min(h.health for h in held.held if h.health is not None):.2f}"
    wanted = (money(held.money), money(held.maintenance), health, near.name, price(spot))

    if not chosen:
        cards = {metric.label: metric.value for metric in app.metric}
        assert cards["Equity"] == wanted[0]
        assert cards["Health"].rstrip("×") == health
        assert cards["Nearest liquidation"] == price(spot)
    app.session_state["forecast_view"] = "Where it comes from"
    for name in ("stress", "liquidation", "backtest", "venues", "forecast", "hedge"):
        page = app.switch_page(f"pages/{name}.py").run()
        assert not page.exception, (name, [e.value for e in page.exception])
        said = texts(page)
        assert NOW.search(said), (name, said[:300])
        assert NOW.search(said).groups() == wanted, name
        if name == "stress":
            assert f"of {wanted[0]}" in page.header[0].value.replace("\\", "")
        elif name == "liquidation":
            rows = table(page, "Liquidated below")
            assert _read(price(spot)) in {*rows["Liquidated below"], *rows["Liquidated above"]}
        elif name == "venues" and len(meant.accounts) == 1 and (meant.accounts[0].venue or chosen.get("model")):
            _venue_row(table(page, "Cannot hold"), held)
        elif name == "forecast" and len(held.held) > 1:
            subs = table(page, "Requirement")
            assert sorted(subs["Equity"]) == sorted(_read(money(h.equity)) for h in held.held)
            assert sorted(subs["Requirement"]) == sorted(_read(money(h.maintenance)) for h in held.held)
        elif name == "hedge" and len(held.held) == 1:
            others = re.findall(r"health ([\d.]+\d)", said.replace(NOW.search(said)[0], ""))
            assert set(others) == {health} if held.held[0].model.key != "portfolio" else not others


def _read(text: str) -> float:
    """What a table sorts by, of a figure as it is written."""
    return float(text.replace("$", "").replace(",", "").replace("−", "-"))


def _venue_row(rows, held) -> None:
    """The account's own venue and mode among all of them: health and maintenance."""
    mode = held.held[0].model.key.partition(":")[2]
    title = held.held[0].model.title.split(",")[0]
    (row,) = [r for _, r in rows.iterrows() if r["Venue"].startswith(title) and r["Mode"] == mode]
    total = sum(h.maintenance for h in held.held)
    assert row["Maintenance"] == pytest.approx(total)
    if len(held.held) == 1:
        assert row["Health"] == pytest.approx(held.held[0].health)
