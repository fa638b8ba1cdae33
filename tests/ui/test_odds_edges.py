"""The edges of Forecast and Hedge, each tried on both pages and both commands: one book, four doors."""

import json
import re
from dataclasses import replace
from functools import cache

import pytest
from streamlit.testing.v1 import AppTest

from margin import Collateral, Portfolio, Position
from margin.cli.main import main
from margin.core.account import Account
from tests.support import ROOT
from ui.state import book, prices, share

COINS = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LINK", "AVAX", "LTC", "DOT")
BTC = Position("BTC/USDT:USDT", 1.0)
# What each book must be told, in this order: Forecast's page, its command, Hedge's page, its command.
EDGES: dict[str, tuple[Portfolio, str | None, tuple[str, str, str, str]]] = {
    "called already": (
        Portfolio((BTC,), (Collateral("USDC", 100.0),)), "hyperliquid:cross",
        ("would be liquidated already", "would be liquidated already", "Liquidation has already been reached",
         "Liquidation has already been reached"),
    ),
    "fully hedged": (
        Portfolio((BTC, Position("BTC/USDC:USDC", -1.0)), (Collateral("USDC", 50_000.0),)), "portfolio",
        ("Below 1% chance", "Below 1% chance", "no margin to free", "no margin to free"),
    ),
    "options only": (
        Portfolio((Position("BTC/USD:BTC-271231-120000-C", -1.0),), (Collateral("USD", 20_000.0),)),
        "deribit:portfolio",
        ("implied volatilities stay", "Implied volatilities +25% at once", "frees", "frees"),
    ),
    "a hundred positions": (
        Portfolio(tuple(Position(f"{a}/USDT:USDT", (1.0 if i % 3 else -1.0) * (1 + i)) for i in range(10) for a in COINS),
                  (Collateral("USDC", 90_000.0),)), "binance:cross",
        ("chance of liquidation", "chance of liquidation", "frees", "frees"),
    ),
    "coin-settled": (
        Portfolio((Position("BTC/USD:BTC", 60_000.0, entry_price=70_000.0),), (Collateral("BTC", 0.1),)), "bitmex:cross",
        ("chance of liquidation", "chance of liquidation", "frees", "frees"),
    ),
    "isolated and mixed": (
        Portfolio(accounts=(
            Account(name="HL", venue="hyperliquid", collateral=(Collateral("USDC", 9_000.0),),
                    positions=(Position("BTC/USDC:USDC", 1.0, leverage=10),
                               Position("ETH/USDC:USDC", 5.0, leverage=10, mode="isolated", margin=1_600.0))),
            Account(name="BN", venue="binance", mode="cross", positions=(Position("SOL/USDT:USDT", 90.0),),
                    collateral=(Collateral("USDT", 2_000.0),)),
        )), None,
        ("Goes first", "HL", "frees", "frees"),
    ),
    "a venue that refuses part": (
        Portfolio((BTC, Position("PAXG/USDT:USDT", 1.0)), (Collateral("USDC", 20_000.0),)), "dydx:cross",
        ("PAXG", "PAXG", "PAXG", "PAXG"),
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def said_on(page: str, portfolio: Portfolio, model: str | None) -> str:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=180)
    app.query_params[share.PARAMETER] = share.encode(replace(book.Book.of(portfolio)))
    if model is not None:
        app.query_params["model"] = model
    app = app.run().switch_page(f"pages/{page}.py").run()
    assert not app.exception, [e.value for e in app.exception]
    boxes = (*app.header, *app.markdown, *app.caption, *app.subheader, *app.warning, *app.info, *app.error)
    text = "\n".join([*(str(x.value) for x in boxes), *(f"{m.label} {m.value}" for m in app.metric)])
    text = text.replace("\\", "").replace("\u2060", "")
    assert not re.search(r"\bnan\b|\binf\b|None", text), text
    return text


def said_by(capsys, command: str, portfolio: Portfolio, model: str | None, folder) -> str:
    path = folder / "book.json"
    path.write_text(json.dumps(portfolio.to_dict()))
    asked = [command, "--sample", "--portfolio", str(path), *(["--model", model] if model else [])]
    status = main(asked)
    out, err = capsys.readouterr()
    assert status == 0 or err.count("\n") <= 2, err  # refused in a line and a hint
    assert not re.search(r"\bnan\b|\binf\b|Traceback", out + err), out + err
    return out + err


@pytest.mark.parametrize("edge", list(EDGES))
def test_pages(edge):
    portfolio, model, (forecast, _, hedge, _) = EDGES[edge]
    assert forecast.lower() in said_on("forecast", portfolio, model).lower()
    assert hedge in said_on("hedge", portfolio, model)


@pytest.mark.parametrize("edge", list(EDGES))
def test_commands(edge, capsys, tmp_path):
    portfolio, model, (_, forecast, _, hedge) = EDGES[edge]
    assert forecast.lower() in said_by(capsys, "forecast", portfolio, model, tmp_path).lower()
    assert hedge in said_by(capsys, "hedge", portfolio, model, tmp_path)


@cache
def _short():
    whole = prices.sample().priceset
    return prices.activate(replace(whole, closes=whole.closes[-119:], volumes=whole.volumes[-119:]), "sample")


def test_a_history_of_119_days(monkeypatch, capsys, tmp_path):
    portfolio = Portfolio((BTC, Position("SOL/USDT:USDT", 100.0)), (Collateral("USDC", 20_000.0),))
    short = _short()
    monkeypatch.setattr(prices, "sample", lambda: short)
    assert "120 days are needed" in said_on("forecast", portfolio, "hyperliquid:cross")
    said = said_on("hedge", portfolio, "hyperliquid:cross")
    assert "frees" in said and "Odds not computed" in said
    closes = tmp_path / "closes.csv"
    short.priceset.closes[["BTC", "SOL", "ETH"]].to_csv(closes, index_label="date")
    path = tmp_path / "book.json"
    path.write_text(json.dumps(portfolio.to_dict()))
    asked = ["--portfolio", str(path), "--prices", str(closes), "--model", "hyperliquid:cross"]
    assert main(["forecast", *asked]) != 0
    assert "120 days are needed" in "".join(capsys.readouterr())
    assert main(["hedge", *asked]) == 0
    out = capsys.readouterr().out
    assert "not computed" in out and "frees" in out
