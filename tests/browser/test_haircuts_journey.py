"""The Haircuts page in Chromium: views, a slider by keyboard, downloads."""

import csv
import io

import pytest


@pytest.fixture
def haircuts(visit):
    def opened(view="By+asset", **options):
        return visit(f"/haircuts?haircut_view={view}", **options)

    return opened


def test_a_larger_holding_is_cut_more_by_keyboard_alone(haircuts):
    page = haircuts("By+asset")
    chart = page.locator(".st-key-haircut_by_asset [aria-label^='Haircuts by asset']").first
    chart.wait_for()
    before = chart.get_attribute("aria-label")
    slider = page.get_by_role("slider", name="Held of each asset")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "before => ![...document.querySelectorAll('.st-key-haircut_by_asset [aria-label]')]"
        ".some(e => e.getAttribute('aria-label') === before)",
        arg=before,
    )


def test_the_history_and_its_chart_can_be_taken_away(haircuts):
    page = haircuts("Was+it+enough%3F")
    chart = page.locator(".st-key-haircut_history")
    chart.locator(".js-plotly-plot").wait_for()
    with page.expect_download() as caught:
        page.get_by_role("button", name="This series").click()
    rows = list(csv.reader(io.StringIO(caught.value.path().read_text())))
    assert rows[0][:2] == ["date", "haircut"]
    assert len(rows) > 1000
    chart.hover()
    with page.expect_download() as caught:
        chart.locator("[data-title^='Download plot']").click()
    assert caught.value.path().read_bytes().startswith(b"\x89PNG")
