"""Files that are damaged, foreign or odd: one clear line, or set aside and counted; nothing is lost on the way."""

import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from margin.cli.main import main

POSITIONS = pd.DataFrame(
    {"account": ["a", "a", "b", "c"], "asset": ["BTC", "ETH", "BTC", "SOL"], "quantity": [1.0, -10.0, -1.0, 100.0]}
)
ACCOUNTS = pd.DataFrame({"account": ["a", "b", "c"], "equity": [20_000.0, 30_000.0, 5_000.0]})


def whole(frame) -> bytes:
    out = pa.BufferOutputStream()
    pq.write_table(frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False), out)
    return out.getvalue().to_pybytes()


def audited(capsys, folder, positions, accounts=ACCOUNTS, ending="parquet"):
    """(status, JSON or None, stderr) of an audit of these two files."""
    for kind, content in (("positions", positions), ("accounts", accounts)):
        if content is not None:
            data = content if isinstance(content, bytes) else whole(content)
            (folder / f"{kind}-000.{ending}").write_bytes(data)
    status = main(["audit", "--positions", str(folder), "--sample", "--shocks", "uniform", "--json"])
    out, err = capsys.readouterr()
    return status, json.loads(out) if status == 0 else None, err


TWICE = pa.table([["a"], ["BTC"], [1.0], [2.0]], names=["account", "asset", "quantity", "Quantity"])
REFUSED = {
    "cut in the middle": (whole(POSITIONS)[: len(whole(POSITIONS)) // 2], "cannot be read as Parquet"),
    "its end is missing": (whole(POSITIONS)[:-5], "cannot be read as Parquet"),
    "nothing": (b"", "cannot be read as Parquet"),
    "text": (b"hello, this is a letter", "cannot be read as Parquet"),
    "another table": (pd.DataFrame({"x": [1], "y": [2]}), "has the columns of no form known here"),
    "words for sizes": (POSITIONS.assign(quantity=["one", "2", "3", "4"]), "holds text that is no number"),
    "yes and no for sizes": (POSITIONS.assign(quantity=[True, False, True, True]), "is no column of numbers"),
    "days for sizes": (POSITIONS.assign(quantity=pd.to_datetime(["2020-01-01"] * 4)), "is no column of numbers"),
    "lists for names": (pa.table({"account": [["a"], ["b"]], "asset": ["BTC", "ETH"], "quantity": [1.0, 2.0]}), "is no text"),
    "bytes for names": (pa.table({"account": [b"a", b"\xff"], "asset": ["BTC", "ETH"], "quantity": [1.0, 2.0]}), "is no text"),
    "a column twice": (TWICE, "stands twice"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_one_line_says_what_is_wrong_and_no_folder_of_the_machine(capsys, tmp_path, name):
    content, why = REFUSED[name]
    status, _, err = audited(capsys, tmp_path, content)
    assert (status, err.count("\n")) == (2, 1) and why in err, err
    assert str(tmp_path) not in err and "margin-audit-" not in err


NAN, INF = float("nan"), float("inf")
KEPT = {
    "shuffled": (POSITIONS.sample(frac=1, random_state=1), ACCOUNTS, 3, 4, 0),
    "twice the rows": (pd.concat([POSITIONS, POSITIONS]), ACCOUNTS, 3, 4, 0),
    "accounts twice": (POSITIONS, pd.concat([ACCOUNTS, ACCOUNTS]), 3, 4, 3),
    "sizes that are none": (POSITIONS.assign(quantity=[NAN, INF, -INF, 1.0]), ACCOUNTS, 3, 1, 3),
    "sizes beyond all money": (POSITIONS.assign(quantity=[1e300, 1e12, -1e9, 1.0]), ACCOUNTS, 3, 1, 3),
    "equity that is none": (POSITIONS, ACCOUNTS.assign(equity=[NAN, 1e300, 1.0]), 1, 1, 5),
    "equity below zero": (POSITIONS, ACCOUNTS.assign(equity=[-1e3, 0.0, 1.0]), 3, 4, 0),
    "positions without accounts": (POSITIONS.assign(account=["x", "y", "b", "c"]), ACCOUNTS, 3, 2, 2),
    "accounts without positions": (POSITIONS.iloc[:2], ACCOUNTS, 3, 2, 0),
    "no names": (POSITIONS.assign(account=["a", None, "b", "c"], asset=["BTC", "ETH", " ", None]), ACCOUNTS, 3, 1, 3),
    "numbers as text": (POSITIONS.assign(quantity=["1", "-10", "-1", "100"]), ACCOUNTS, 3, 4, 0),
    "names of two types": (POSITIONS.assign(account=[1, 1, 2, 3]), ACCOUNTS.assign(account=["1", "2", "3"]), 3, 4, 0),
    "no row at all": (POSITIONS.iloc[:0], ACCOUNTS, 3, 0, 0),
    "capitals": (POSITIONS.rename(columns=str.upper), ACCOUNTS.rename(columns=str.upper), 3, 4, 0),
    "options": (POSITIONS.assign(asset=["BTC", "BTC-27JUN26-100000-C", "BTC/USD:BTC", "SOL"]), ACCOUNTS, 3, 2, 2),
}


@pytest.mark.parametrize("name", KEPT)
def test_every_row_is_judged_summed_or_counted(capsys, tmp_path, name):
    positions, accounts, judged, legs, aside = KEPT[name]
    status, found, err = audited(capsys, tmp_path, positions, accounts)
    assert status == 0, err
    assert (found["accounts"], found["positions"], sum(found["set_aside"].values())) == (judged, legs, aside)


def test_csv_of_another_separator_or_length_says_so_without_a_temporary_name(capsys, tmp_path):
    for content, why in (
        (b"account;asset;quantity\na;BTC;1\n", "no form known"),
        (b"account,asset,quantity\na,BTC,1,9\n", "CSV"),
    ):
        status, _, err = audited(capsys, tmp_path, content, b"account,equity\na,1000\n", "csv")
        assert (status, err.count("\n")) == (2, 1) and why in err and "margin-audit-" not in err, err
