"""From files to parts: pieces of whole accounts that are audited one by one, in constant memory.

Files whose accounts do not cross are taken as they are; where they do, all rows are first dealt to temporary files by a
hash of their account.
"""

import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from glob import glob
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from margin.audit.formats import Adapter, adapter, named, recognise
from margin.audit.tables import account_labels, as_text
from margin.core.errors import InputError

MOST_ROWS = 2_000_000  # of one part: about 100 MB while it is worked on
MOST_FILES = 10_000
ENDINGS = (".parquet", ".csv", ".pq")
CSV_LOOK = 65_536  # bytes in which a CSV shows how it is written
MONEY = ("account", "equity", "collateral", "collateral_asset")
NAMES = ("user", "address", "subaccountnumber")  # columns of accounts: whole numbers among them stay exact


@dataclass(frozen=True, kw_only=True)
class Part:
    """number; positions file and its row groups (None: all); files of accounts, and which of them belong here.

    low, high : accounts above low and up to high belong to this part; None: no bound
    """

    number: int
    positions: str
    groups: tuple[int, ...] | None
    accounts: tuple[str, ...]
    low: Any = None
    high: Any = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """Every part of a book and the form of its rows; `rows` of all positions; temporary: a folder to remove, or ""."""

    adapter: Adapter
    parts: tuple[Part, ...]
    rows: int
    temporary: str = ""

    def close(self) -> None:
        """Remove what was written on the way."""
        if self.temporary:
            shutil.rmtree(self.temporary, ignore_errors=True)


def find(given: str | Sequence[str], kind: str) -> list[Path]:
    """Files of a pattern, a list of them, or a folder (its KIND-*.parquet, else all Parquet). Raises InputError."""
    patterns = [given] if isinstance(given, str) else list(given)
    found: list[Path] = []
    for pattern in patterns:
        path = Path(pattern)
        if path.is_dir():
            found += _inside(path, kind) or _inside(_only_folder(path, kind), kind)
        else:
            found += sorted(Path(name) for name in glob(pattern, recursive=True))
    files = [path for path in dict.fromkeys(found) if path.suffix.lower() in ENDINGS]
    if not files:
        raise InputError(kind, str(given)[:80], "names no Parquet or CSV file", "E.g. --positions 'book/*.parquet'.")
    if len(files) > MOST_FILES:
        raise InputError(kind, len(files), f"are more than {MOST_FILES:,} files")
    return files


def _inside(folder: Path, kind: str) -> list[Path]:
    found = sorted(folder.glob(f"{kind}-*.parquet")) or sorted(folder.glob(f"{kind}*.*"))
    return found or (sorted(folder.glob("*.parquet")) if kind == "positions" else [])


def _only_folder(path: Path, kind: str) -> Path:
    """The folder inside that holds the files, as sources that keep a folder a day do. Raises InputError for several."""
    deep = sorted({file.parent for file in path.rglob("*") if file.suffix.lower() in ENDINGS})
    if len(deep) > 1:
        names = ", ".join(str(folder.relative_to(path)) for folder in deep)
        raise InputError(kind, str(path)[:80], f"holds several folders of files: {names[:120]}", "Name one of them.")
    return deep[0] if deep else path


def open_source(
    positions: str | Sequence[str], accounts: str | Sequence[str] | None = None, form: str = "auto"
) -> Source:
    """Parts of a book on disk. Raises InputError for a file that cannot be read, or whose columns no form has.

    positions, accounts : a pattern, a list or a folder; accounts may be absent where each row carries its equity
    """
    files = find(positions, "positions")
    money = find(accounts, "accounts") if accounts is not None else beside(files)
    temporary = tempfile.mkdtemp(prefix="margin-audit-")
    try:
        files = [_as_parquet(path, temporary) for path in files]
        money = [_as_parquet(path, temporary) for path in money]
        heads = [_head(path) for path in files]
        chosen = recognise(heads[0].schema_arrow.names, files[0].name) if form == "auto" else adapter(form)
        for path, head in zip(files, heads, strict=True):
            have = {named(name) for name in head.schema_arrow.names}
            if not chosen.required <= have:
                missing = ", ".join(sorted(chosen.required - have))
                raise InputError(path.name, ", ".join(head.schema_arrow.names)[:80], f"lacks {missing} ({chosen.name})")
            if not money and chosen.equity not in have:
                hint = "Add a file of accounts (--accounts) with columns account and equity."
                names = ", ".join(head.schema_arrow.names)[:80]
                why = f"has no column {chosen.equity or 'equity'}, and no file gives it"
                raise InputError(path.name, names, why, hint)
        for path in money:
            have = {named(name) for name in _head(path).schema_arrow.names}
            if "account" not in have or not have & {"equity", "collateral"}:
                raise InputError(path.name, ", ".join(sorted(have))[:80], "lacks the columns account and equity")
        rows = sum(head.metadata.num_rows for head in heads)
        parts = _whole_files(files, heads, money, chosen)
        if parts is None:
            parts = _dealt(files, money, chosen, rows, Path(temporary))
        kept = any(str(part.positions).startswith(temporary) for part in parts)
        kept = kept or any(name.startswith(temporary) for part in parts for name in part.accounts)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    if not kept:
        shutil.rmtree(temporary, ignore_errors=True)
    return Source(adapter=chosen, parts=tuple(parts), rows=rows, temporary=temporary if kept else "")


def read_part(part: Part, chosen: Adapter) -> tuple[pa.Table, pa.Table | None]:
    """(positions, accounts or None) of one part, columns in lower case. Raises InputError for a damaged file."""
    try:
        file = pq.ParquetFile(part.positions, memory_map=False, page_checksum_verification=True)
        wanted = [name for name in file.schema_arrow.names if named(name) in chosen.columns]
        groups = range(file.num_row_groups) if part.groups is None else part.groups
        rows = _lower(file.read_row_groups(list(groups), columns=wanted, use_threads=False))
        if not part.accounts:
            return rows, None
        return rows, pa.concat_tables([_money(name, part) for name in part.accounts], promote_options="permissive")
    except (pa.ArrowException, OSError) as error:
        why = str(error).splitlines()[0][:120]
        raise InputError(Path(part.positions).name, why, "cannot be read", "Is the file whole?") from None


def _money(name: str, part: Part) -> pa.Table:
    """The money of one file: the accounts that belong to the part."""
    checked = ds.ParquetFragmentScanOptions(page_checksum_verification=True)
    table = ds.dataset(name, format=ds.ParquetFileFormat(default_fragment_scan_options=checked))
    columns = {named(column): ds.field(column) for column in table.schema.names}
    kept = None
    if part.low is not None:
        kept = columns["account"] > part.low
    if part.high is not None:
        upto = columns["account"] <= part.high
        kept = upto if kept is None else kept & upto
    picked = {column: columns[column] for column in MONEY if column in columns}
    return table.to_table(columns=picked, filter=kept, use_threads=False)


def _lower(table: pa.Table) -> pa.Table:
    return table.rename_columns([named(name) for name in table.column_names])


def beside(files: Sequence[Path]) -> list[Path]:
    """The accounts beside files of positions: each one's own (accounts-000 of positions-000), else the folder's."""
    paired = [path.with_name(path.name.replace("positions", "accounts", 1)) for path in files]
    if any(p == f for p, f in zip(paired, files, strict=True)):
        return []
    if all(path.exists() for path in paired):
        return paired
    inside = [path for folder in dict.fromkeys(f.parent for f in files) for path in sorted(folder.glob("accounts*.*"))]
    return [path for path in inside if path.suffix.lower() in ENDINGS]


def _as_parquet(path: Path, folder: str) -> Path:
    if path.suffix.lower() != ".csv":
        return path
    own = Path(folder) / str(abs(hash(str(path))))
    own.mkdir(exist_ok=True)
    target = own / f"{path.stem}.parquet"
    try:
        with pacsv.open_csv(path, *_csv_options(path)) as rows, pq.ParquetWriter(target, rows.schema) as writer:
            for batch in rows:
                writer.write_batch(batch)
    except (pa.ArrowException, OSError) as error:
        raise InputError(path.name, str(error).splitlines()[0][:120], "cannot be read as CSV") from None
    return target


def _csv_options(path: Path) -> tuple[pacsv.ReadOptions, pacsv.ParseOptions, pacsv.ConvertOptions]:
    """How a CSV is written: its encoding by the byte-order mark; commas, semicolons or tabs; a decimal comma."""
    with path.open("rb") as file:
        start = file.read(CSV_LOOK)
    encoding = "utf16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf8"
    head, _, rest = start.decode(encoding, errors="replace").partition("\n")
    between = max((",", ";", "\t"), key=head.count)
    comma = between != "," and re.search(r"\d,\d", rest) and not re.search(r"\d\.\d", rest)
    return (
        pacsv.ReadOptions(encoding=encoding),
        pacsv.ParseOptions(delimiter=between),
        pacsv.ConvertOptions(decimal_point="," if comma else "."),
    )


def _head(path: Path) -> pq.ParquetFile:
    try:
        head = pq.ParquetFile(path, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        why = str(error).splitlines()[0][:120]
        raise InputError(path.name, why, "cannot be read as Parquet", "Is the file whole?") from None
    names = [named(name) for name in head.schema_arrow.names]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(path.name, twice, "stands twice among its columns", "Rename or drop one of them.")
    return head


def _ranges(head: pq.ParquetFile, column: str) -> list[tuple[Any, Any]] | None:
    """(least, greatest) account of each row group, None where the file does not say."""
    names = [named(name) for name in head.schema_arrow.names]
    if column not in names:
        return None
    at, out = names.index(column), []
    for g in range(head.num_row_groups):
        known = head.metadata.row_group(g).column(at).statistics
        if known is None or not known.has_min_max:
            return None
        out.append((known.min, known.max))
    return out


def _whole_files(
    files: Sequence[Path], heads: Sequence[pq.ParquetFile], money: Sequence[Path], chosen: Adapter
) -> list[Part] | None:
    """Parts that are files or runs of row groups, where no account crosses; None where one may."""
    if len(files) == 1 and heads[0].metadata.num_rows <= MOST_ROWS:
        return [Part(number=0, positions=str(files[0]), groups=None, accounts=tuple(map(str, money)))]
    if len(chosen.account) > 1 or len({_types(head)[chosen.account[0]] for head in heads}) > 1:
        return None
    owners = [_head(path) for path in money]
    if any(_types(head)["account"] != _types(heads[0])[chosen.account[0]] for head in owners):
        return None
    if len({tuple(_types(head).get(name) for name in MONEY) for head in owners}) > 1:
        return None
    pieces: list[tuple[Any, Any, str, tuple[int, ...]]] = []
    for path, head in zip(files, heads, strict=True):
        found = _ranges(head, chosen.account[0])
        if found is None:
            return None
        runs = _runs(head, found)
        if runs is None:
            return None
        pieces += [(low, high, str(path), groups) for low, high, groups in runs]
    pieces.sort(key=lambda piece: (piece[0], piece[1]))
    if any(after[0] <= before[1] for before, after in pairwise(pieces)):
        return None
    last = len(pieces) - 1
    reach = [_reach(head) for head in owners]

    def holders(low: Any, high: Any) -> tuple[str, ...]:
        near = [str(p) for p, r in zip(money, reach, strict=True) if _overlap(r, low, high)]
        return tuple(near or [str(path) for path in money[:1]])

    bounds = [(pieces[i - 1][1] if i else None, high if i < last else None) for i, (_, high, _, _) in enumerate(pieces)]
    return [
        Part(
            number=i,
            positions=path,
            groups=groups,
            accounts=holders(*bounds[i]) if money else (),
            low=bounds[i][0] if money else None,
            high=bounds[i][1] if money else None,
        )
        for i, (_, _, path, groups) in enumerate(pieces)
    ]


def _types(head: pq.ParquetFile) -> dict[str, pa.DataType]:
    return {named(name): kind for name, kind in zip(head.schema_arrow.names, head.schema_arrow.types, strict=True)}


def _reach(head: pq.ParquetFile) -> tuple[Any, Any] | None:
    """(least, greatest) account of a file, None where it does not say."""
    found = _ranges(head, "account")
    return (min(r[0] for r in found), max(r[1] for r in found)) if found else None


def _overlap(reach: tuple[Any, Any] | None, low: Any, high: Any) -> bool:
    """Whether a file may hold accounts above low and up to high."""
    return reach is None or ((low is None or reach[1] > low) and (high is None or reach[0] <= high))


def _runs(head: pq.ParquetFile, ranges: list[tuple[Any, Any]]) -> list[tuple[Any, Any, tuple[int, ...]]] | None:
    """A file's row groups put together into runs of whole accounts of at most MOST_ROWS rows; None where that fails."""
    if head.metadata.num_rows <= MOST_ROWS:
        low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
        return [(low, high, tuple(range(head.num_row_groups)))]
    out: list[tuple[Any, Any, tuple[int, ...]]] = []
    rows = 0
    for g, (low, high) in enumerate(ranges):
        count = head.metadata.row_group(g).num_rows
        crosses = bool(out) and low <= out[-1][1]
        if crosses and low < out[-1][1]:
            return None
        if out and (crosses or rows + count <= MOST_ROWS):
            before = out[-1]
            out[-1] = (before[0], max(before[1], high), (*before[2], g))
            rows += count
        else:
            out.append((low, high, (g,)))
            rows = count
        if rows > 3 * MOST_ROWS:
            return None
    return out


def _dealt(files: Sequence[Path], money: Sequence[Path], chosen: Adapter, rows: int, folder: Path) -> list[Part]:
    """All rows dealt to temporary files by a hash of their account, so that each file holds whole accounts."""
    count = max(1, -(-rows * 2 // MOST_ROWS))
    _deal(files, chosen.columns, lambda table: as_text(account_labels(table, chosen)), folder, "positions", count)
    if money:
        _deal(money, MONEY, lambda table: as_text(table.column("account")), folder, "accounts", count)
    parts = []
    for i in range(count):
        positions, accounts = folder / f"positions-{i:04d}.parquet", folder / f"accounts-{i:04d}.parquet"
        if positions.exists():
            paired = (str(accounts),) if money and accounts.exists() else ()
            parts.append(Part(number=i, positions=str(positions), groups=None, accounts=paired))
    return parts


def _deal(files: Iterable[Path], columns: Sequence[str], labels: Any, folder: Path, kind: str, count: int) -> None:
    writers: list[pq.ParquetWriter] = []
    schema = _common(files, columns)
    try:
        writers = [pq.ParquetWriter(folder / f"{kind}-{i:04d}.parquet", schema) for i in range(count)]
        for path in files:
            head = _head(path)
            wanted = [name for name in head.schema_arrow.names if named(name) in columns]
            for batch in head.iter_batches(batch_size=500_000, columns=wanted, use_threads=False):
                table = _as(_lower(pa.Table.from_batches([batch])), schema)
                keys = np.asarray(labels(table).fill_null(""), dtype=object)
                to = pd.util.hash_array(keys) % count
                for i, writer in enumerate(writers):
                    writer.write_table(table.take(pa.array(np.flatnonzero(to == i))))
    except (pa.ArrowException, OSError) as error:
        raise InputError(kind, str(error).splitlines()[0][:120], "cannot be read", "Is the file whole?") from None
    finally:
        for writer in writers:
            writer.close()


def _common(files: Iterable[Path], columns: Sequence[str]) -> pa.Schema:
    """The columns of all files in types that hold each file's: numbers of several types as floats, others as text."""
    kinds: dict[str, set[pa.DataType]] = {}
    for path in files:
        for name, kind in _types(_head(path)).items():
            if name in columns and not pa.types.is_null(kind):
                kinds.setdefault(name, set()).add(kind)
            elif name in columns:
                kinds.setdefault(name, set())
    fields = []
    for name, found in kinds.items():
        if len(found) <= 1:
            fields.append(pa.field(name, next(iter(found), pa.null())))
            continue
        numbers = all(pa.types.is_integer(k) or pa.types.is_floating(k) or pa.types.is_decimal(k) for k in found)
        named = name in ("account", *NAMES)
        fields.append(pa.field(name, pa.float64() if numbers and not named else pa.string()))
    return pa.schema(fields)


def _as(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table in the types of the schema, without a value where it lacks a column."""
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        column = table.column(field.name)
        text = pa.types.is_string(field.type)
        columns.append(
            as_text(column, f"column {field.name}")
            if text
            else column
            if column.type == field.type
            else column.cast(field.type, safe=False)
        )
    return pa.Table.from_arrays(columns, schema=schema)
