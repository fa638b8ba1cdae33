"""The Backtest and Stress pages in Chromium: progress, views, downloads."""

import csv
import io
import json

import pytest

from tests.running_app import settled


def test_the_answer_comes_and_every_day_can_be_taken_away(visit):
    page = visit("/backtest")
    page.get_by_text("Cross margin saved").wait_for(timeout=60_000)
    with page.expect_download() as caught:
        page.get_by_role("button", name="Every day").click()
    rows = list(csv.reader(io.StringIO(caught.value.path().read_text())))
    assert rows[0][:3] == ["date", "loss", "Isolated"]
    assert len(rows) == 1001
    chart = page.locator(".st-key-backtest_time")
    chart.hover()
    with page.expect_download() as caught:
        chart.locator("[data-title^='Download plot']").click()
    assert caught.value.path().read_bytes().startswith(b"\x89PNG")


def test_a_shock_by_keyboard(visit):
    page = visit("/stress?stress_view=Your+own+shock")
    slider = page.get_by_role("slider", name="Everything but stablecoins, %")
    slider.focus()
    before = page.locator("[data-testid=stMetricValue]").first.inner_text()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "before => document.querySelector('[data-testid=stMetricValue]').innerText !== before", arg=before
    )


def test_a_long_walk_can_be_left(visit):
    """It says how far it is; where another test has walked already the answer stands at once."""
    page = visit("/learn")
    page.goto(page.url.split("/learn")[0] + "/backtest?backtest_view=Frontier&backtest_days=1500")
    page.get_by_text("Walking").or_(page.locator(".js-plotly-plot")).first.wait_for(state="attached", timeout=60_000)
    page.get_by_test_id("stTopNavSection").filter(has_text="Learn").click()
    page.get_by_test_id("stTopNavDropdownLink").filter(has_text="Learn").click()
    page.get_by_role("heading", name="Cross-margining in eight steps").wait_for()
    settled(page)
    page.get_by_role("button", name="Next").click()
    page.wait_for_url(lambda address: "step=2" in address)
    assert page.get_by_test_id("stException").count() == 0


def to(page, section: str, name: str) -> None:
    page.get_by_test_id("stTopNavSection").filter(has_text=section).click()
    page.get_by_test_id("stTopNavDropdownLink").filter(has_text=name).first.click()


@pytest.mark.parametrize("wait", [0, 400])
def test_back_takes_one_press_also_while_a_page_computes(visit, wait):
    """Into Learn, a step, on to a page that computes long, and back: each press undoes one move."""
    page = visit("/data")
    to(page, "Learn", "Learn")
    page.wait_for_timeout(wait)
    page.get_by_text("3 Correlation").first.click()
    page.wait_for_url(lambda address: "step=3" in address)
    page.wait_for_timeout(wait)
    to(page, "Risk", "Backtest")
    page.wait_for_url(lambda address: "/backtest" in address)
    page.wait_for_timeout(wait)
    page.go_back()
    page.get_by_role("heading", name="Cross-margining in eight steps").wait_for()
    assert "step=3" in page.url
    settled(page)
    page.go_back()
    page.wait_for_url(lambda address: "/learn" in address and "step=3" not in address)
    settled(page)
    page.go_back()
    page.get_by_role("heading", name="Where do the prices come from?").wait_for()
    settled(page)
    assert "/data" in page.url and "step=" not in page.url
    lesson = visit("/learn")  # opened first it makes one entry: what comes before it is one press away
    assert lesson.evaluate("history.length") == 2


def test_the_cascade_plays(visit):
    page = visit("/liquidation?liquidation_view=A+whole+market")
    film = page.locator(".st-key-cascade_film")
    film.locator(".js-plotly-plot").wait_for(timeout=60_000)
    film.get_by_text("Play").click()
    page.wait_for_function(
        "() => { const plot = document.querySelector('.st-key-cascade_film .js-plotly-plot');"
        " return plot && plot.data[1].x.length < 201; }"
    )


def test_a_venue_is_looked_into(visit):
    """Pick Derive, let its stablecoin slip: the table asks more; then the views, to the surface."""
    page = visit("/venues")
    box = page.locator(".st-key-venue_picked input")
    box.click()
    box.fill("Derive, cross")
    page.get_by_role("option", name="Derive, cross", exact=True).click()
    page.get_by_text("Derive liquidates").wait_for()
    before = page.get_by_text("Derive liquidates").inner_text()
    page.get_by_role("slider", name="Price of USDC (USD)").press("ArrowLeft")
    page.get_by_role("slider", name="Price of USDC (USD)").press("ArrowLeft")
    page.wait_for_function(
        "before => !document.body.innerText.includes(before) && document.body.innerText.includes('Derive liquidates')",
        arg=before,
    )
    page.get_by_role("tab", name="Where it liquidates").click()
    page.locator(".st-key-venue_surface .js-plotly-plot").wait_for(timeout=60_000)
    page.get_by_role("tab", name="Which mode?").click()
    page.get_by_text("A loss in one position").first.wait_for(state="attached")
    assert page.get_by_test_id("stException").count() == 0


def test_a_forecast_follows_its_controls_into_the_address(visit):
    page = visit("/forecast?model=isolated")
    page.get_by_text("chance of liquidation within 3 days").wait_for()
    page.get_by_text("7 days", exact=True).click()
    page.get_by_text("chance of liquidation within 7 days").wait_for()
    page.wait_for_function("() => location.search.includes('forecast_days')")
    page.reload()
    page.get_by_text("chance of liquidation within 7 days").wait_for()


def test_an_account_of_the_audited_venue_opens_on_portfolio_with_its_figures(visit):
    page = visit("/audit?audit_accounts=10%2C000&audit_view=One+account")
    page.get_by_text("Of 10,000 accounts").wait_for(timeout=90_000)
    metrics = page.locator("[data-testid=stMetric]")
    metrics.filter(has_text="Requirement").wait_for()
    wanted = metrics.filter(has_text="Requirement").locator("[data-testid=stMetricValue]").inner_text()
    page.get_by_role("button", name="Open this account on Portfolio").click()
    page.get_by_text("Account ", exact=False).first.wait_for()
    page.wait_for_url(lambda address: "/audit" not in address)
    held = metrics.filter(has_text="Portfolio").locator("[data-testid=stMetricValue]").first
    held.wait_for(timeout=30_000)
    assert held.inner_text() == wanted


def test_the_protocols_page_keeps_its_view_in_the_address(visit):
    page = visit("/protocols")
    page.get_by_text("at equal odds of a call").wait_for(timeout=60_000)
    page.get_by_role("tab", name="Counted twice", exact=True).click()
    page.get_by_text("the loss is certain").wait_for()
    page.get_by_role("slider", name="Long", exact=False).first.wait_for()
    page.reload()
    settled(page)
    page.get_by_text("the loss is certain").wait_for(timeout=30_000)


def test_an_order_is_copied_as_it_stands(visit):
    page = visit("/hedge?hedge_view=Orders+to+copy", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy this order").first.click()
    page.get_by_text("Copied").first.wait_for()
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert copied == json.loads(page.get_by_test_id("stCode").first.locator("code").inner_text())
    assert {"symbol", "type", "side", "amount", "price", "params"} == set(copied)
