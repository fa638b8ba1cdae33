"""Published worked cases of every venue, each to its own tolerance; further ones with `pytest --cases DIR`."""

import json
from pathlib import Path

import pytest

from margin.core.errors import InputError
from tests.support import ROOT, SHARED, shared_path
from tests.venues.cases_support import NOT_CARRIED, NOT_REPRODUCED, cases_in, check

HERE = ROOT / "tests" / "venues" / "cases"


def pytest_generate_tests(metafunc):
    if "further_case" in metafunc.fixturenames:
        folder = metafunc.config.getoption("--cases")
        files = sorted(Path(folder).rglob("*.json")) if folder else []
        if folder and not files:
            raise pytest.UsageError(f"--cases {folder}: no JSON file there")
        found = [case for path in files for case in cases_in(path)]
        if not folder:
            found = [pytest.param({"id": "none"}, marks=pytest.mark.skip(reason="no folder was given with --cases"))]
        metafunc.parametrize("further_case", found, ids=lambda case: case["id"])


@pytest.mark.parametrize("path", sorted(HERE.glob("*.json")), ids=lambda p: p.stem)
def test_the_cases_of_the_project(path):
    cases = cases_in(path)
    assert cases
    for case in cases:
        assert len(case["source"]) > 10
        check(case)


def test_every_published_case_that_lies_beside_the_project():
    shared_path("cases")
    cases = [case for path in sorted((SHARED / "cases").glob("*.json")) for case in cases_in(path)]
    assert len(cases) >= 200
    for case in cases:
        if case["id"] not in NOT_CARRIED:
            check(case)


def test_the_further_cases_pass_or_are_of_rules_that_nothing_here_runs():
    shared_path("more_cases")
    cases = {c["id"]: c for path in sorted((SHARED / "more_cases").glob("*.json")) for c in cases_in(path)}
    for name, case in cases.items():
        if name not in NOT_CARRIED:
            check(case)
    older = {c["id"] for path in (SHARED / "cases").glob("*.json") for c in cases_in(path)}
    assert set(NOT_CARRIED) <= set(cases) | older
    for name in set(NOT_CARRIED) & set(cases):  # none of them is listed that would pass
        with pytest.raises((AssertionError, InputError)):
            check(cases[name])


def test_a_case_from_the_command_line(further_case):
    if further_case["id"] in NOT_CARRIED:
        pytest.skip(NOT_CARRIED[further_case["id"]])
    check(further_case)


def test_a_case_that_no_adapter_understands_fails():
    with pytest.raises(AssertionError, match="no adapter for"):
        check({"id": "x", "venue": "a venue of tomorrow", "inputs": {}, "expected": {}})
    with pytest.raises(AssertionError, match="gives no"):
        case = next(c for c in cases_in(HERE / "binance.json") if "liq_price" in c["expected"])
        check({**case, "expected": {"unheard_of": 1.0}})
    with pytest.raises(AssertionError):
        check({**case, "expected": {"liq_price": 1.0}})


def test_what_is_not_reproduced_is_said_why():
    assert all(len(why) > 15 for why in (*NOT_REPRODUCED.values(), *NOT_CARRIED.values()))
    assert json.dumps(sorted(NOT_REPRODUCED))
