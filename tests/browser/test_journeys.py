"""What a visitor does on the Portfolio page, in Chromium: edit, share, reopen, import, export, themes."""

import json
import re

import pytest

from margin import Collateral, Portfolio, Position
from tests.running_app import settled, started_app
from ui.state import book, share


def figure(page, label):
    return page.locator(f"[data-testid=stMetric]:has-text('{label}') [data-testid=stMetricValue]").first.inner_text()


def margin(page):
    return figure(page, "Isolated")


def changed(page, label, before):
    page.wait_for_function(
        "([label, before]) => [...document.querySelectorAll('[data-testid=stMetric]')].some(m =>"
        " m.innerText.includes(label) && m.querySelector('[data-testid=stMetricValue]').innerText !== before)",
        arg=[label, before],
    )
    settled(page)


def test_two_fast_edits_both_survive_and_show_what_was_before(visit):
    page = visit()
    before = margin(page)
    page.get_by_label("Quantity, position 1").fill("10")
    page.get_by_label("Quantity, position 2").fill("-0.25")
    changed(page, "Isolated", before)
    page.wait_for_timeout(400)
    settled(page)
    assert page.get_by_label("Quantity, position 1").input_value() == "10"
    assert page.get_by_label("Quantity, position 2").input_value() == "-0.25"
    assert "from" in page.locator("[data-testid=stMetric]").first.inner_text()
    link = page.url
    assert link


def test_undo_and_redo(visit):
    page = visit()
    before = margin(page)
    page.get_by_label("Quantity, position 1").fill("99")
    changed(page, "Isolated", before)
    edited = margin(page)
    page.get_by_role("button", name="Undo").click()
    changed(page, "Isolated", edited)
    assert margin(page) == before
    page.get_by_role("button", name="Redo").click()
    changed(page, "Isolated", before)
    assert margin(page) == edited


def test_a_preset_replaces_the_book(visit):
    page = visit()
    before = margin(page)
    page.get_by_text("Covered call", exact=True).click()
    changed(page, "Isolated", before)
    assert re.search(r"BTC/USD:BTC-\d{6}-\d+-C", page.get_by_label("Symbol, position 2").input_value())


def test_a_shared_link_opens_the_same_book_elsewhere(visit):
    page = visit()
    before = margin(page)
    page.get_by_label("Quantity, position 1").fill("12.5")
    changed(page, "Isolated", before)
    shown = {label: figure(page, label) for label in ("Isolated", "Portfolio", "With safeguards", "Saved")}
    page.get_by_role("button", name="Share").click()
    link = page.locator("[data-testid=stCode]", has_text="?p=").inner_text().strip()
    other = visit(link)
    assert {label: figure(other, label) for label in shown} == shown
    assert other.get_by_label("Quantity, position 1").input_value() == "12.5"


@pytest.mark.parametrize("broken", ["?p=garbage", "?p=" + "A" * 3000])
def test_a_broken_link_opens_the_default_with_a_message(visit, broken):
    page = visit("/" + broken)
    assert margin(page).startswith("$")
    assert page.get_by_text("link is damaged").count() >= 1


def test_import_by_paste_and_a_clear_message_for_a_bad_file(visit, expect):
    page = visit()
    page.get_by_role("button", name="Import").click()
    area = page.get_by_role("textbox", name="Paste anything")
    area.fill('{"version": 1, "positions": [{"symbol": "BTC-USD", "quantity": 2}]}')
    page.get_by_role("button", name="Read", exact=True).click()
    page.get_by_text("positions[0].symbol: not a symbol").wait_for()
    area.fill(
        '{"version": 1, "positions": [{"symbol": "BTC/USD", "quantity": 2}, {"symbol": "ETH/USD", "quantity": -5}]}'
    )
    page.get_by_role("button", name="Read", exact=True).click()
    page.get_by_role("button", name="Open it", exact=True).click()
    expect(page.get_by_label("Quantity, position 1")).to_have_value("2")
    expect(page.get_by_label("Symbol, position 2")).to_have_value("ETH/USD")


def test_exports_hold_the_book_and_the_report_opens_alone(visit, browser, tmp_path):
    page = visit()
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Book, JSON").click()
    book = Portfolio.from_json(waiting.value.path().read_bytes())
    assert [p.symbol for p in book.positions] == ["ETH/USDT:USDT", "BTC/USDT:USDT"]
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Results, JSON").click()
    assert json.loads(waiting.value.path().read_text())["isolated"] > 0
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Report, HTML").click()
    report = tmp_path / "report.html"
    waiting.value.save_as(report)
    alone = browser.new_page()
    asked, faults = [], []
    alone.on("request", lambda r: asked.append(r.url))
    alone.on("pageerror", lambda e: faults.append(str(e)))
    alone.goto(report.as_uri())
    alone.locator(".js-plotly-plot .main-svg").first.wait_for()
    assert alone.locator(".js-plotly-plot").count() >= 3
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked), asked
    assert not faults
    alone.close()


def test_a_mistyped_symbol_is_named_and_the_rest_stays(visit):
    page = visit()
    before = margin(page)
    page.get_by_label("Symbol, position 2").fill("BTX/USD")
    page.keyboard.press("Tab")
    changed(page, "Isolated", before)
    page.get_by_text("No prices for BTX").first.wait_for()
    assert margin(page).startswith("$")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_follow_the_visitor(visit, scheme):
    page = visit("/", color_scheme=scheme)
    colour = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    red = int(re.search(r"\d+", colour)[0])
    assert (red > 200) == (scheme == "light")


@pytest.mark.parametrize("path", ["/", "/learn", "/data"])
def test_every_page_names_the_sample_and_every_chart_has_words(visit, path):
    page = visit(path)
    assert page.get_by_text("Sample, partly simulated").count() >= 1
    page.locator(".js-plotly-plot").first.wait_for()
    charts = page.locator("[data-testid=stPlotlyChart]")
    for i in range(charts.count()):
        described = charts.nth(i).evaluate(
            "e => [e, ...e.querySelectorAll('*')].some(x => (x.getAttribute('aria-label') || '').length > 20)"
        )
        assert described, f"chart {i} on {path}"


def test_the_table_is_used_with_the_keyboard_alone(visit):
    page = visit()
    before = margin(page)
    page.get_by_label("Quantity, position 1").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("3")
    page.keyboard.press("Tab")
    changed(page, "Isolated", before)
    assert page.get_by_label("Quantity, position 1").input_value() == "3"


def test_the_first_visitor_of_a_server_gets_the_book_of_the_link_on_any_page(browser, tmp_path):
    held = Portfolio((Position("BTC/USD", 1.0), Position("BTC/USDT:USDT", -1.0)), (Collateral("USDC", 30_000.0),))
    with started_app(tmp_path) as address:
        page = browser.new_page()
        page.goto(f"{address}/venues?{share.PARAMETER}={share.encode(book.Book.of(held))}")
        page.get_by_text("Hold my spot positions as perpetuals").wait_for()
        page.close()
