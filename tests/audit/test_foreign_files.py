"""Files that are damaged, foreign or odd: one clear line, or set aside and counted; nothing is lost on the way."""

import json
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from margin.cli.main import main
from margin.sample.load import load_sample

POSITIONS = pd.DataFrame(
    {"account": ["a", "a", "b", "c"], "asset": ["BTC", "ETH", "BTC", "SOL"], "quantity": [1.0, -10.0, -1.0, 100.0]}
)
ACCOUNTS = pd.DataFrame({"account": ["a", "b", "c"], "equity": [20_000.0, 30_000.0, 5_000.0]})


def whole(frame) -> bytes:
    out = pa.BufferOutputStream()
    pq.write_table(frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False), out)
    return out.getvalue().to_pybytes()


def audited(capsys, folder, positions, accounts=ACCOUNTS, ending="parquet"):
    """(status, JSON or None, stderr) of an audit of these two files, or lists of them."""
    for kind, given in (("positions", positions), ("accounts", accounts)):
        for i, content in enumerate(given if isinstance(given, list) else [] if given is None else [given]):
            data = content if isinstance(content, bytes) else whole(content)
            (folder / f"{kind}-{i:03d}.{ending}").write_bytes(data)
    status = main(["audit", "--positions", str(folder), "--sample", "--shocks", "uniform", "--json"])
    out, err = capsys.readouterr()
    return status, json.loads(out) if status == 0 else None, err


def changed(frame, **columns):
    """The frame as Arrow has it, these columns exactly of these types."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    for name, values in columns.items():
        at = table.column_names.index(name) if name in table.column_names else len(table.column_names)
        table = table.set_column(at, name, values) if at < table.num_columns else table.append_column(name, values)
    return table


BERLIN = pa.timestamp("us", "Europe/Berlin")
NESTED = pa.array([{"x": 1.0}] * 4)
MORE, MORE_MONEY = (
    POSITIONS.assign(account=["d", "e", "f", "g"]),
    pd.DataFrame({"account": [*"defg"], "equity": [1e4] * 4}),
)
SNAPSHOTS = {"user": ["a", "a", "b", "c"], "coin": ["BTC", "ETH", "BTC", "SOL"], "size": [1.0, -2.0, 3.0, 4.0]}
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
    "structs for sizes": (changed(POSITIONS, quantity=NESTED), "column quantity: is no column of numbers"),
    "structs for accounts": (changed(POSITIONS, account=NESTED), "is no text"),
    "lists for sizes": (changed(POSITIONS, quantity=pa.array([[1.0]] * 4)), "is no column of numbers"),
    "times with a zone for sizes": (changed(POSITIONS, quantity=pa.array([0] * 4).cast(BERLIN)), "is no column of numbers"),
    "spans of time for sizes": (changed(POSITIONS, quantity=pa.array([0] * 4, pa.duration("s"))), "is no column of numbers"),
    "structs in the second file": ([POSITIONS, changed(POSITIONS, quantity=NESTED)], "column quantity: is no text"),
    "an asset only in the first file": ([POSITIONS, MORE.drop(columns="asset")], "positions-001.parquet: lacks asset"),
    "two days in one file": (pa.table({"timestamp": [1, 1, 2, 2], **SNAPSHOTS}), "of more than one time"),
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
    "structs beside": (changed(POSITIONS, other=NESTED), ACCOUNTS, 3, 4, 0),
    "codes for names": (changed(POSITIONS, account=pa.array([*"aabc"]).dictionary_encode()), ACCOUNTS, 3, 4, 0),
    "codes for sizes": (
        changed(POSITIONS, quantity=pa.array([1.0, 2.0, 2.0, 1.0]).dictionary_encode()),
        ACCOUNTS,
        3,
        4,
        0,
    ),
    "decimals": (changed(POSITIONS, quantity=pa.array([Decimal("1.5")] * 4, pa.decimal256(60, 18))), ACCOUNTS, 3, 4, 0),
    "times for accounts": (changed(POSITIONS, account=pa.array([0] * 4).cast(BERLIN)), ACCOUNTS, 3, 0, 4),
    "whole numbers beyond 63 bits": (
        changed(POSITIONS, quantity=pa.array([2**64 - 1, 1, 2, 3], pa.uint64())),
        ACCOUNTS,
        3,
        3,
        1,
    ),
    "accounts beyond 63 bits": (
        changed(POSITIONS, account=pa.array([2**63, 2**63, 1, 2], pa.uint64())),
        ACCOUNTS.assign(account=[1, 2, 3]),
        3,
        2,
        2,
    ),
    "no type at all": (changed(POSITIONS, quantity=pa.nulls(4)), ACCOUNTS, 3, 0, 4),
    "sizes of nothing": (POSITIONS.assign(quantity=[0.0, -0.0, 1.0, 1.0]), ACCOUNTS, 3, 2, 2),
    "one snapshot": (pa.table({"timestamp": [1] * 4, **SNAPSHOTS}), ACCOUNTS, 3, 4, 0),
    "equity on rows, some missing": (changed(POSITIONS, equity=pa.array([NAN, None, 1e4, None])), None, 1, 1, 5),
    "equity on later rows": (changed(POSITIONS, equity=pa.array([None, 1e4, 1e4, 5.0])), None, 3, 4, 0),
    "equity on rows without a name": (
        changed(POSITIONS, account=pa.array(["a", None, "b", "c"]), equity=pa.array([1.0] * 4)),
        None,
        3,
        3,
        1,
    ),
    "numbers and words for accounts": (
        [POSITIONS.assign(account=[1, 1, 2, 3]), MORE],
        [ACCOUNTS.assign(account=[1, 2, 3]), MORE_MONEY],
        7,
        8,
        0,
    ),
    "whole and broken equities": (
        [POSITIONS, MORE],
        [ACCOUNTS.assign(equity=[1, 2, 3]), MORE_MONEY.assign(equity=0.5)],
        7,
        8,
        0,
    ),
    "capitals in the second file": ([POSITIONS, MORE], [ACCOUNTS, MORE_MONEY.rename(columns=str.upper)], 7, 8, 0),
    "words for numbers in the second file": (
        [POSITIONS, MORE.assign(quantity=["1", "2", "3", "4"])],
        [ACCOUNTS, MORE_MONEY],
        7,
        8,
        0,
    ),
    "a column only in the first file": (
        [POSITIONS.assign(margin_mode="cross", margin=1.0), POSITIONS],
        ACCOUNTS,
        3,
        4,
        0,
    ),
    "a file without rows": ([POSITIONS, POSITIONS.iloc[:0]], [ACCOUNTS, ACCOUNTS.iloc[:0]], 3, 4, 0),
    "files without rows": ([POSITIONS.iloc[:0]] * 2, [ACCOUNTS, MORE_MONEY], 7, 0, 0),
    "no account in two files": ([POSITIONS, MORE], [ACCOUNTS.iloc[:0]] * 2, 0, 0, 8),
    "options": (POSITIONS.assign(asset=["BTC", "BTC-27JUN26-100000-C", "BTC/USD:BTC", "SOL"]), ACCOUNTS, 3, 2, 2),
}


@pytest.mark.parametrize("name", KEPT)
def test_every_row_is_judged_summed_or_counted(capsys, tmp_path, name):
    positions, accounts, judged, legs, aside = KEPT[name]
    status, found, err = audited(capsys, tmp_path, positions, accounts)
    assert status == 0, err
    assert (found["accounts"], found["positions"], sum(found["set_aside"].values())) == (judged, legs, aside)


def test_nothing_is_taken_for_an_equity_of_zero(capsys, tmp_path):
    """No column of it, no row of it, several of it: refused by the file's name, set aside, said."""
    for content in (POSITIONS, [POSITIONS.assign(equity=1.0), MORE]):
        status, _, err = audited(capsys, tmp_path, content, None)
        assert status == 2 and "has no column equity, and no file gives it" in err and err.count("\n") == 1, err
    _, found, _ = audited(capsys, tmp_path, changed(POSITIONS, equity=pa.array([7.0, 5.0, None, 3.0])), None)
    (tmp_path / "positions-001.parquet").unlink()
    _, found, _ = audited(capsys, tmp_path, changed(POSITIONS, equity=pa.array([7.0, 5.0, None, 3.0])), None)
    assert found["equity"] == 10.0 and found["accounts"] == 2
    assert found["set_aside"]["a position whose account has no equity"] == 1
    assert any("several equities" in what for what in found["remarks"])


def test_collateral_and_entry_prices_give_the_equity(capsys, tmp_path):
    """a: 2,000 + 500 dollars and what BTC and ETH gained since their entries; b holds BTC, c's entry is not known."""
    positions = POSITIONS.assign(entry_price=[50_000.0, 4_000.0, 60_000.0, NAN])
    money = pd.DataFrame(
        {
            "account": ["a", "a", "b", "c", "d"],
            "collateral": [2_000.0, 500.0, 1.0, 3_000.0, 40.0],
            "collateral_asset": ["usd", "USDC", "BTC", None, "USD"],
        }
    )
    for crossing in (False, True):
        folder = tmp_path / str(crossing)
        folder.mkdir()
        both = [positions.iloc[:1], positions.iloc[1:]] if crossing else positions
        status, found, err = audited(capsys, folder, both, money)
        assert status == 0, err
        closes = load_sample().closes.iloc[-1]
        expected = 2_500 + (closes["BTC"] - 50_000) - 10 * (closes["ETH"] - 4_000)
        assert found["equity"] == pytest.approx(expected + 40.0, abs=0.02)
        assert (found["accounts"], found["positions"]) == (2, 2)
        assert found["set_aside"] == {
            "collateral in a coin, not reproduced here": 1,
            "an account whose equity is missing, not finite or beyond 1e12 USD": 2,
            "a position whose account has no equity": 2,
        }
    status, _, err = audited(capsys, tmp_path, POSITIONS, money)
    assert status == 2 and "is no equity without the profit of each position" in err


def test_an_isolated_position_stands_on_its_own_margin_and_under_its_own_account(capsys, tmp_path):
    """`b` has no equity, but margin posted to its position: neither lost nor named after another account."""
    positions = POSITIONS.assign(
        margin_mode=["cross", "isolated", "isolated", "cross"], margin=[0.0, 900.0, 800.0, 0.0]
    )
    main_out = tmp_path / "rows.parquet"
    for kind, frame in (("positions", positions), ("accounts", ACCOUNTS.iloc[:1])):
        frame.to_parquet(tmp_path / f"{kind}-000.parquet", index=False)
    assert (
        main(
            [
                "audit",
                "--positions",
                str(tmp_path / "positions-*.parquet"),
                "--shocks",
                "uniform",
                "--out",
                str(main_out),
            ]
        )
        == 0
    )
    capsys.readouterr()
    rows = pd.read_parquet(main_out).set_index("account")["equity"]
    assert rows.to_dict() == {"a": 20_000.0, "a/ETH": 900.0, "b/BTC": 800.0}


def test_csv_of_another_separator_or_length_says_so_without_a_temporary_name(capsys, tmp_path):
    for content, why in (
        (b"account|asset|quantity\na|BTC|1\n", "no form known"),
        (b"account,asset,quantity\na,BTC,1,9\n", "CSV"),
    ):
        status, _, err = audited(capsys, tmp_path, content, b"account,equity\na,1000\n", "csv")
        assert (status, err.count("\n")) == (2, 1) and why in err and "margin-audit-" not in err, err
