"""Every chart that a page draws in a test is checked by plotly; a running page leaves that out for speed."""

import pytest

from ui.charts import base


@pytest.fixture(scope="session", autouse=True)
def checked_charts():
    base.CHECKED = True
    yield
    base.CHECKED = False
