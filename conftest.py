"""Options of the tests' command; here, so that pytest knows them from any folder of the project."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", default=None, help="a folder of further published cases of venues, as JSON files")
