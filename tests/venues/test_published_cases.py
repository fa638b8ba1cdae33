"""Published worked cases of the venues whose rulebooks exist, to each case's own tolerance."""

import json

import pytest

from tests.support import ROOT, shared_path
from tests.venues.adapters import binance, dydx, hyperliquid

ADAPTERS = {"hyperliquid": hyperliquid, "dydx-v4": dydx, "Binance USD-M": binance}
HERE = ROOT / "tests" / "venues" / "cases"
OLDER = ("bin-bracket-1", "bin-bracket-5")  # bracket tables of an earlier day than the one carried here


def check(case):
    found = ADAPTERS[case["venue"]].run(case)
    assert found is not None, f"no adapter understands {case['id']}"
    relative, absolute = case.get("rel_tol") or 1e-9, case.get("tolerance") or 1e-9
    for name, value in case["expected"].items():
        if isinstance(value, bool):
            assert found[name] is value
        else:
            assert found[name] == pytest.approx(value, rel=relative, abs=absolute), (case["id"], name)


@pytest.mark.parametrize("path", sorted(HERE.glob("*.json")), ids=lambda p: p.stem)
def test_the_cases_of_the_project(path):
    cases = json.loads(path.read_text(encoding="utf-8"))
    assert len(cases) >= 3
    for case in cases:
        assert len(case["source"]) > 10
        check(case)


def test_every_published_case_of_these_venues():
    cases = json.loads(shared_path("cases/venue_cases.json").read_text())
    mine = [c for c in cases if c["venue"] in ADAPTERS and c["id"] not in OLDER]
    assert len(mine) >= 55
    for case in mine:
        check(case)
