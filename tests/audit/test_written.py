"""One book, written in every way that programs write tables: read alike, or refused with the reason."""

import pandas as pd
import pytest

from margin.audit.parts import open_source
from margin.audit.plan import make_plan
from margin.audit.scan import audit_source
from margin.core.errors import InputError
from tests.hedge.worlds import market

POSITIONS = pd.DataFrame(
    {"account": ["a0", "a1", "a2", "a2"], "asset": ["BTC", "ETH", "BTC", "SOL"], "quantity": [0.05, -1.5, -0.05, 5.25]}
)
MONEY = pd.DataFrame({"account": ["a0", "a1", "a2"], "equity": [1000.5, 2000.0, 3000.0]})


@pytest.fixture(scope="module")
def plan():
    return make_plan(market(n=620), "portfolio")


def told(plan, folder):
    source = open_source(str(folder))
    try:
        found = audit_source(plan, source, workers=1)
    finally:
        source.close()
    assert not found.set_aside
    return found.accounts, found.positions, found.equity, found.gross, found.requirement


@pytest.fixture(scope="module")
def plain(plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    POSITIONS.to_parquet(folder / "positions-0.parquet")
    MONEY.to_parquet(folder / "accounts-0.parquet")
    return told(plan, folder)


def as_csv(frame, encoding="utf-8", **more):
    return frame.to_csv(index=False, **more).encode(encoding)


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"sep": ";", "decimal": ","},
        {"sep": "\t", "decimal": ","},
        {"encoding": "utf-8-sig"},
        {"encoding": "utf-16", "sep": ";", "decimal": ","},
        {"lineterminator": "\r\n"},
    ],
)
def test_a_csv_of_any_writing(plan, plain, tmp_path, written):
    (tmp_path / "positions-0.csv").write_bytes(as_csv(POSITIONS, **written))
    (tmp_path / "accounts-0.csv").write_bytes(as_csv(MONEY, **written))
    assert told(plan, tmp_path) == plain


@pytest.mark.parametrize("change", [str.upper, lambda name: f" {name} ", lambda name: f"\ufeff{name}", str.title])
def test_names_of_columns_in_any_dress(plan, plain, tmp_path, change):
    POSITIONS.rename(columns=change).to_parquet(tmp_path / "positions-0.parquet")
    MONEY.rename(columns=change).to_parquet(tmp_path / "accounts-0.parquet")
    assert told(plan, tmp_path) == plain


def test_a_folder_a_day(plan, plain, tmp_path):
    """One day's folder is found; of several one must be named, for each holds the whole book."""
    for day in ("date=2026-01-01", "date=2026-01-02"):
        folder = tmp_path / day
        folder.mkdir()
        POSITIONS.to_parquet(folder / "positions-0.parquet")
        MONEY.to_parquet(folder / "accounts-0.parquet")
        if day.endswith("01-01"):
            assert told(plan, tmp_path) == plain
    with pytest.raises(InputError, match=r"several folders of files: date=2026-01-01, date=2026-01-02.*Name one"):
        open_source(str(tmp_path))
    assert told(plan, tmp_path / "date=2026-01-02") == plain


def test_text_that_is_no_number_is_shown(plan, tmp_path):
    POSITIONS.assign(quantity=["0.05", "-1.5", "5,000", "1"]).to_parquet(tmp_path / "positions-0.parquet")
    MONEY.to_parquet(tmp_path / "accounts-0.parquet")
    with pytest.raises(InputError, match=r"quantity: holds text that is no number \(got '5,000'\)"):
        told(plan, tmp_path)


def test_numbers_written_as_text_are_numbers(plan, plain, tmp_path):
    POSITIONS.astype({"quantity": str}).to_parquet(tmp_path / "positions-0.parquet")
    MONEY.to_parquet(tmp_path / "accounts-0.parquet")
    assert told(plan, tmp_path) == plain
