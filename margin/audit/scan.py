"""The audit of a book on disk: parts over threads, progress, stop and resume, one row per account on request."""

import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from margin.audit.chunk import Accounts, Rows, audit_chunk
from margin.audit.formats import Adapter
from margin.audit.gaps import DAYS
from margin.audit.parts import Part, Source, read_part
from margin.audit.plan import Plan
from margin.audit.summary import AuditSummary
from margin.audit.tables import Built, build
from margin.core.errors import InputError

FORMAT = 3  # of what a stopped audit leaves behind; one of another is not gone on with
CHUNK = 50_000  # accounts at a time: their sums in cents stay inside 64 bits whatever their size


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far an audit is: parts and accounts done, parts in all."""

    parts: int
    of: int
    accounts: int


def audit_accounts(
    plan: Plan, held: Accounts, workers: int = 1, progress: Callable[[float], None] | None = None
) -> tuple[list[Rows], AuditSummary]:
    """Accounts that are in memory, chunk by chunk; the same figures as from files, with any number of threads."""
    firsts = range(0, len(held), CHUNK)
    rows, total = [], AuditSummary(assets=plan.assets, shocks=len(plan.names), scenarios=plan.losses.shape[1])
    with ThreadPoolExecutor(max(1, workers)) as pool:
        for found, part in pool.map(lambda first: audit_chunk(plan, _slice(held, first, first + CHUNK)), firsts):
            rows.append(found)
            total = total.merge(part)
            if progress:
                progress(len(rows) / len(firsts))
    return rows, total


def _slice(held: Accounts, low: int, high: int) -> Accounts:
    ends = held.indptr[low : high + 1]
    inside = slice(ends[0], ends[-1])
    return Accounts(
        labels=held.labels[low:high],
        indptr=ends - ends[0],
        legs=held.legs[inside],
        usd=held.usd[inside],
        equity=held.equity[low:high],
    )


def audit_built(plan: Plan, built: Built, workers: int = 1) -> tuple[list[Rows], AuditSummary]:
    """Accounts as read from files, and what was set aside on the way; printed liquidation prices beside our own."""
    rows, total = audit_accounts(plan, built.accounts, workers)
    total.set_aside += built.set_aside
    total.unknown += built.unknown
    total.unvalued += built.unvalued
    total.remarks += built.remarks
    _against_reported(total, plan, built, rows)
    return rows, total


def audit_part(plan: Plan, part: Part, adapter: Adapter, rows_to: str | None = None) -> AuditSummary:
    """One part, whole: what a thread or a worker of a cluster does. Writes its rows to `rows_to` if named."""
    positions, money = read_part(part, adapter)
    built = build(plan, positions, money, adapter)
    del positions, money
    rows, total = audit_built(plan, built)
    if rows_to is not None:
        partial = Path(f"{rows_to}.partial")
        pq.write_table(
            pa.concat_tables([table_of(found) for found in rows] or [_no_rows()]), partial, compression="zstd"
        )
        os.replace(partial, rows_to)
    return total


def _no_rows() -> pa.Table:
    empty = np.zeros(0)
    none = {name: empty for name in Rows.__dataclass_fields__ if name not in ("labels", "odds")}
    return table_of(Rows(labels=np.zeros(0, dtype=object), odds=np.zeros((0, len(DAYS))), **none))


def table_of(rows: Rows) -> pa.Table:
    """A row per account, the columns of docs/audit-format.md."""
    legs = rows.legs.astype(np.int32)
    columns: dict[str, Any] = {
        "account": pa.array([str(label) for label in rows.labels], pa.string()),
        "equity": rows.equity,
        "gross": rows.gross,
        "net": rows.net,
        "legs": legs,
        "es": rows.es,
        "requirement": rows.requirement,
        "maintenance": rows.maintenance,
        "health": pa.array(rows.health, from_pandas=True),
        "liquidated_at": pa.array(rows.liquidated_at, from_pandas=True),
        "worst_equity": rows.worst_equity,
        "times_closed": rows.times_closed.astype(np.int32),
        "sigma": rows.sigma,
        "distance": pa.array(rows.distance, from_pandas=True),
        **{f"odds_{days:g}d": rows.odds[:, i] for i, days in enumerate(DAYS)},
    }
    return pa.table(columns)


def _against_reported(total: AuditSummary, plan: Plan, built: Built, rows: list[Rows]) -> None:
    """Counts of ours / reported - 1 in tenths of a percent, for accounts of one position that print a price."""
    held = built.accounts
    one = np.flatnonzero(np.diff(held.indptr) == 1)
    at = held.indptr[one]
    printed = built.reported[at]
    use = np.isfinite(printed) & (printed > 0)
    if not use.any():
        return
    moves = np.concatenate([np.where(found.net >= 0, found.closed_down, found.closed_up) for found in rows])[one[use]]
    ours = plan.prices[held.legs[at[use]]] * (1.0 + moves)
    difference = ours / printed[use] - 1.0
    for tenth in np.rint(np.clip(difference[np.isfinite(difference)], -1, 10) * 1000.0).astype(int).tolist():
        total.differences[tenth] += 1


def audit_source(
    plan: Plan,
    source: Source,
    workers: int = 2,
    rows_to: str | Path | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> AuditSummary:
    """Every part over threads; at most one more part than threads is in memory.

    rows_to : a Parquet file with a row per account. Until it is whole, finished parts stand in the folder
              `rows_to`.parts; a run that was stopped and is started again goes on from there
    stop    : set it from another thread to leave after the parts at work; raises InputError that says how to go on
    """
    keep = Kept(rows_to, plan, source) if rows_to is not None else None
    done: dict[int, AuditSummary] = keep.finished() if keep else {}
    waiting = [part for part in source.parts if part.number not in done]
    with threadpool_limits(1), ThreadPoolExecutor(max(1, workers)) as pool:
        running: dict[Any, Part] = {}
        while waiting or running:
            while waiting and len(running) <= workers and not (stop and stop.is_set()):
                part = waiting.pop(0)
                where = keep.rows_file(part.number) if keep else None
                running[pool.submit(audit_part, plan, part, source.adapter, where)] = part
            if not running:
                break
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                part = running.pop(future)
                done[part.number] = future.result()
                if keep:
                    keep.note(part.number, done[part.number])
            if progress:
                progress(
                    Progress(parts=len(done), of=len(source.parts), accounts=sum(s.accounts for s in done.values()))
                )
    if waiting:
        hint = "Start it again with the same --out to go on." if keep else "Give --out to be able to go on."
        raise InputError("audit", f"{len(done)} of {len(source.parts)} parts", "was stopped", hint)
    total = merged(plan, [done[number] for number in sorted(done)])
    if keep:
        keep.finish(sorted(done))
    return total


def merged(plan: Plan, summaries: list[AuditSummary]) -> AuditSummary:
    """The sums of all parts."""
    nothing = AuditSummary(assets=plan.assets, shocks=len(plan.names), scenarios=plan.losses.shape[1])
    return reduce(AuditSummary.merge, summaries, nothing)


class Kept:
    """Finished parts on disk, so that a stopped audit goes on; they are put together into one file at the end."""

    def __init__(self, rows_to: str | Path, plan: Plan, source: Source):
        self.target = Path(rows_to)
        self.folder = Path(f"{rows_to}.parts")
        files = []
        if not source.temporary:
            for part in source.parts:
                known = Path(part.positions).stat()
                files.append([part.positions, part.groups, known.st_size, known.st_mtime_ns])
        self.signature = json.dumps([FORMAT, plan.digest(), source.rows, files, len(source.parts)])
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError("out", str(rows_to), f"cannot be written: {error.strerror}") from None

    def rows_file(self, number: int) -> str:
        """Where the rows of one file of positions are kept."""
        return str(self.folder / f"{number:05d}.parquet")

    def note(self, number: int, summary: AuditSummary) -> None:
        """Keeps the sums of one finished file, whole or not at all."""
        partial = self.folder / f"{number:05d}.partial"
        partial.write_text(json.dumps({"of": self.signature, "summary": summary.to_dict()}), encoding="utf-8")
        os.replace(partial, self.folder / f"{number:05d}.json")

    def finished(self) -> dict[int, AuditSummary]:
        """Parts of an earlier run of the same audit; those of another are left out, and written anew."""
        out = {}
        for path in sorted(self.folder.glob("*.json")):
            number = int(path.stem)
            try:
                data = json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                continue
            if data.get("of") == self.signature and Path(self.rows_file(number)).exists():
                out[number] = AuditSummary.from_dict(data["summary"])
        return out

    def finish(self, numbers: list[int]) -> None:
        """Puts the rows of every file together, in the files' order."""
        partial = Path(f"{self.target}.partial")
        schema = _no_rows().schema
        with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
            for number in numbers:
                file = pq.ParquetFile(self.rows_file(number))
                for group in range(file.num_row_groups):
                    writer.write_table(file.read_row_group(group).cast(schema))
        os.replace(partial, self.target)
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()
