"""Every chart that a page draws in a test is checked by plotly; a running page leaves that out for speed."""

import pytest

from margin import venues
from ui.charts import base
from ui.state import newest_tiers, prices


@pytest.fixture(autouse=True)
def carried_tiers():
    """What one test keeps on its disk is in force for no other."""
    yield
    if newest_tiers._seen[0]:
        venues.follow({})
        newest_tiers._seen[0] = ()


@pytest.fixture(autouse=True)
def own_prices():
    """What one test fetched is stored for no other: the price service of this process is made anew."""
    shared = prices.service  # a test may put its own in the place of it
    yield
    shared.clear()
    prices._newest.clear()


@pytest.fixture(scope="session", autouse=True)
def checked_charts():
    base.CHECKED = True
    yield
    base.CHECKED = False
