"""A book of nothing but coins that are owned needs no margin; every page says so and none falls over."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from margin import Portfolio, Position
from tests.support import ROOT
from ui.state import book, share

PAGES = {
    "portfolio": ("",),
    "backtest": ("Through time", "As often as promised?", "Frontier", "An account left alone"),
    "stress": (
        "Named events", "Day by day", "Your own shock", "Spot and volatility", "Depeg and dry markets",
        "Correlations break", "What exhausts it",
    ),
    "liquidation": ("What happens next",),
    "haircuts": ("Your collateral",),
    "venues": ("",),
    "correlations": ("",),
}  # fmt: skip


@pytest.mark.parametrize(("page", "view"), [(page, view) for page, views in PAGES.items() for view in views])
def test_every_page_with_owned_coins_only(page, view, monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params[share.PARAMETER] = share.encode(book.Book.of(Portfolio((Position("BTC/USD", 1.2),))))
    app = app.run()
    if page != "portfolio":
        if view:
            app.query_params[f"{page}_view"] = view
        app = app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, [e.value for e in app.exception]
    said = "\n".join(str(x.value) for x in (*app.metric, *app.markdown, *app.caption, *app.info, *app.error))
    assert not re.search(r"\bnan\b|\binf\b", said), said
    assert "liquidates BTC" not in said
