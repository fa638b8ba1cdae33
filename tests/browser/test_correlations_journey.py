"""The Correlations page in Chromium: play the film, click a cell, move a correlation, take the files away."""

import csv
import io

import pytest

from tests.running_app import settled


@pytest.fixture
def correlations(visit):
    def opened(view="", **options):
        page = visit(f"/correlations{view}", **options)
        page.locator(".js-plotly-plot").first.wait_for()
        return page

    return opened


def film(page):
    return page.locator(".st-key-correlation_film")


def test_the_film_plays_and_a_click_follows_a_pair(correlations):
    page = correlations()
    label = film(page).locator(".slider-label").first
    before = label.text_content()
    film(page).get_by_text("Play").click()
    page.wait_for_function(
        "before => document.querySelector('.st-key-correlation_film .slider-label').textContent !== before", arg=before
    )
    names = film(page).locator(".ytick text").all_text_contents()
    box = film(page).locator(".nsewdrag").bounding_box()
    cell = box["width"] / len(names)
    page.mouse.click(box["x"] + 2.5 * cell, box["y"] + 0.5 * box["height"] / len(names))
    page.get_by_text(f"{names[0]} and {names[2]} through time").or_(
        page.get_by_text(f"{names[2]} and {names[0]} through time")
    ).wait_for()


def steady(page, selector):
    """The text once it no longer changes: fifteen key presses are answered one after the other on a busy machine."""
    before, now = None, page.locator(selector).inner_text()
    while before != now:
        page.wait_for_timeout(700)
        settled(page)
        before, now = now, page.locator(selector).inner_text()
    return now


def test_a_what_if_is_moved_by_keyboard_and_taken_into_the_book(correlations):
    page = correlations("?correlation_view=What+if")
    slider = page.get_by_role("slider", name="What if the correlation")
    slider.focus()
    for _ in range(15):
        page.keyboard.press("ArrowLeft")
    page.get_by_text("no change").wait_for(state="detached")
    settled(page)
    said = steady(page, "[data-testid=stMetric]:has-text('Margin, what if') [data-testid=stMetricValue]")
    page.get_by_role("button", name="Use in my book").click()
    settled(page)
    page.get_by_test_id("stTopNavSection").filter(has_text="Portfolio").click()
    page.get_by_test_id("stTopNavDropdownLink").filter(has_text="Portfolio").first.click()
    page.locator(f"[data-testid=stMetric]:has-text('{said}')").first.wait_for()


def test_figures_and_charts_can_be_taken_away(correlations):
    page = correlations()
    with page.expect_download() as caught:
        page.get_by_role("button", name="This pair").click()
    rows = list(csv.reader(io.StringIO(caught.value.path().read_text())))
    assert rows[0][:4] == ["date", "correlation", "low", "high"]
    assert len(rows) > 1000
    chart = page.locator(".st-key-correlation_path")
    chart.hover()
    with page.expect_download() as caught:
        chart.locator("[data-title^='Download plot']").click()
    assert caught.value.path().read_bytes().startswith(b"\x89PNG")
