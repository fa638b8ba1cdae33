"""Options of the tests' command; here, so that pytest knows them from any folder of the project."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", default=None, help="a folder of further published cases of venues, as JSON files")
    parser.addoption("--lines", action="store_true", help="print which lines of margin/ and data/ no test ran")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--lines"):
        from tests.line_coverage import LineCoverage  # asks for SlipCover, which a plain run does not

        config.pluginmanager.register(LineCoverage())
