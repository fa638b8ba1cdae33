"""Every view of every page on a phone, light and dark: nothing to scroll sideways, nothing cut, each chart in words.

One visit a page: the views are clicked through, and between two of them the visitor's theme changes while the page
stands. So every page is seen in both themes, and every view in one.
"""

import pytest

from tests.browser.looks import drawn, faults, in_words, theme

VIEWS = {
    "": ("Why", "By method", "At equal risk", "Freed capital", "Payoff and greeks", "How it is computed"),
    "learn": ("1", "2", "3", "4", "5", "6", "7", "8"),
    "data": ("Coverage", "What was cleaned", "Refresh", "Your own file", "Download"),
    "venues": ("Line by line", "Which mode?", "Where it liquidates", "Scenario grid", "Tiers"),
    "haircuts": ("By asset", "By size", "Was it enough?", "Beside venues", "Your collateral", "Right and wrong way",
                 "Parameters"),
    "correlations": ("Through time", "Calm and stress", "Market mode", "Persistence", "What if", "When it breaks"),
    "backtest": ("Through time", "As often as promised?", "Frontier", "An account left alone", "Under a venue's rules"),
    "stress": ("Named events", "Day by day", "Your own shock", "Spot and volatility", "Depeg and dry markets",
               "Correlations break", "What exhausts it"),
    "liquidation": ("Where", "What happens next", "A whole market", "Loss allocation"),
    "forecast": ("What would help", "Where it comes from", "Can I trust it", "Alarms", "Capital for the same safety"),
    "hedge": ("What each dollar buys", "Orders to copy", "Money instead", "Would the rule have worked", "What it costs"),
    "protocols": ("Sharing", "Counted twice", "Contagion", "Events", "Fund"),
    "audit": ("Shocks", "Health", "Concentration", "Checks", "One account"),
}  # fmt: skip


@pytest.mark.parametrize("name", VIEWS)
def test_a_phone_needs_no_sideways_scrolling(visit, name):
    page = visit(f"/{name}", viewport={"width": 390, "height": 844})
    for number, view in enumerate(VIEWS[name]):
        scheme = ("light", "dark")[number % 2]
        if number:
            theme(page, scheme)
        if view.isdecimal():  # a step of Learn
            page.locator("[data-testid=stButtonGroup]").first.locator("button").nth(int(view) - 1).click()
        else:
            page.get_by_role("tab", name=view, exact=True).click()
        looked_at(page, view, scheme)


def looked_at(page, view, scheme):
    drawn(page)
    said = f"{view}, {scheme}"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, said
    assert page.get_by_test_id("stException").count() == 0, said
    assert not faults(page), said
    assert in_words(page), said
