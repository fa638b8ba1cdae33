"""Which book the Audit page looks at: a made-up venue, files of the visitor, or files on the machine it runs on."""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from margin.audit.chunk import Accounts, Rows
from margin.audit.make import synthetic
from margin.audit.models import batch_tiers, models_in_batch
from margin.audit.parts import beside, find, open_source, read_part
from margin.audit.plan import LADDER_KINDS, Plan, make_plan
from margin.audit.scan import audit_accounts, audit_built
from margin.audit.shocks import wide_shocks
from margin.audit.summary import AuditSummary
from margin.audit.tables import build
from margin.core.errors import InputError
from margin.ladder.names import ours
from ui.shell.page import Seen
from ui.state import longwork, prices
from ui.state.kept import own_shelf
from ui.state.prices import ActivePrices

MADE, UPLOADED, ON_DISK = "A made-up venue", "My files", "Files on this machine"
COUNTS = (10_000, 50_000, 200_000)
MOST_BYTES = 50_000_000  # of all uploaded files together
MOST_ACCOUNTS = 1_000_000  # kept in memory by the page; the command line has no such limit
MOST_MADE, MOST_READ = 6, 2  # audited books kept: made-up ones for all visitors, read ones for each visit
WORKERS = 2


@dataclass(frozen=True, eq=False, kw_only=True)
class Audited:
    """One book under one rule: its accounts, what the audit says of each, and the sums."""

    name: str
    key: str
    plan: Plan
    held: Accounts
    rows: list[Rows]
    summary: AuditSummary

    def column(self, name: str) -> np.ndarray:
        """(n,) a column of `Rows` over all accounts."""
        return np.concatenate([getattr(part, name) for part in self.rows])


def local_files() -> bool:
    """Whether the page may read paths of the machine it runs on: only where its owner says so."""
    return os.environ.get("MARGIN_LOCAL_FILES", "") == "1"


def chosen(seen: Seen) -> Audited | None:
    """The controls, and the audited book; None where files are still to be chosen."""
    first, second, third = st.columns([2, 2, 1])
    kinds = [MADE, UPLOADED, *([ON_DISK] if local_files() else [])]
    with first:
        kind = st.segmented_control("Book", kinds, default=MADE, required=True, key="audit_book", bind="query-params")
    with second:
        names = [*LADDER_KINDS, *models_in_batch()]
        model = st.selectbox(
            "Margin rule", names, format_func=lambda m: ours().get(m, m.replace(":", ", ")), key="audit_model",
            bind="query-params",
            help="Rules whose margin is the sum of the positions' own; docs/audit.md names the others, and why.",
        )  # fmt: skip
    with third:
        gap = st.slider(
            "Gap at the close, %", 0, 20, 0, key="audit_gap", bind="query-params",
            help="A further adverse move between the call and the close.",
        )  # fmt: skip
    asked = (str(model), gap / 100.0, seen.settings.as_of, seen.settings.lookback)
    if kind == MADE:
        return _made(seen, asked)
    found = _uploaded(seen, asked) if kind == UPLOADED else _on_disk(seen, asked)
    if found is not None and prices.also(name.upper().split("/")[0] for name in found.summary.unknown):
        st.rerun()  # the visitor named assets that are stored though not of the common set: judged with their prices
    return found


def _plan(active: ActivePrices, asked: tuple[Any, ...], seen: Seen) -> Plan:
    model, gap, *_ = asked
    tiers = None if model in LADDER_KINDS else batch_tiers(model, active.market, seen.settings.as_of)
    plain = make_plan(active.market, model, seen.settings, tiers=tiers, gap=gap)
    shocks = wide_shocks(active.market, plain.assets, seen.settings)
    return make_plan(active.market, model, seen.settings, shocks=shocks, tiers=tiers, gap=gap, assets=plain.assets)


def _made(seen: Seen, asked: tuple[Any, ...]) -> Audited:
    first, second = st.columns(2)
    with first:
        count = st.select_slider(
            "Accounts", COUNTS, COUNTS[-1], format_func=lambda v: f"{v:,}", key="audit_accounts", bind="query-params"
        )
    with second:
        seed = st.number_input("Drawing", 1, 9999, 1, key="audit_seed", bind="query-params")
    key = ("audit made", seen.active.version, str(seen.settings), *asked, int(count), int(seed))

    def work(progress: Any) -> Audited:
        plan = _plan(seen.active, asked, seen)
        held = synthetic(plan, int(count), int(seed))
        rows, total = audit_accounts(plan, held, WORKERS, progress)
        return Audited(name=f"made-up venue {seed}", key=str(key), plan=plan, held=held, rows=rows, summary=total)

    return longwork.done(key, f"Auditing {count:,} accounts", work, size=MOST_MADE)


def _uploaded(seen: Seen, asked: tuple[Any, ...]) -> Audited | None:
    left, right = st.columns(2)
    with left:
        positions = st.file_uploader(
            "Positions: Parquet or CSV", ["parquet", "csv"], key="audit_positions", accept_multiple_files=True,
            help="A row per account and asset; docs/audit-format.md lists the forms that are told by their columns.",
        )  # fmt: skip
    with right:
        money = st.file_uploader(
            "Accounts: account and equity, where the positions do not say it", ["parquet", "csv"], key="audit_money",
            accept_multiple_files=True,
        )  # fmt: skip
    if not positions:
        st.info("Choose the files: they are read in this session and stored nowhere.", icon=":material/upload_file:")
        return None
    size = sum(file.size for file in (*positions, *money))
    if size > MOST_BYTES:
        hint = "Use `python -m margin audit`, which has no limit."
        raise InputError("upload", f"{size / 1e6:,.0f} MB", f"is more than {MOST_BYTES / 1e6:,.0f} MB", hint)
    digest = hashlib.sha256(b"".join(file.getvalue() for file in (*positions, *money))).hexdigest()
    key = ("audit files", seen.active.version, str(seen.settings), *asked, digest, len(positions))

    def work(progress: Any) -> Audited:
        folder, kept, paid = Path(tempfile.mkdtemp(prefix="margin-audit-page-")), [], []
        try:
            kept = [_written(folder, f"positions-{i:03d}", file) for i, file in enumerate(positions)]
            paid = [_written(folder, f"accounts-{i:03d}", file) for i, file in enumerate(money)]
            return _read(seen, asked, kept, paid or None, positions[0].name, str(key), progress)
        except InputError as error:  # by the visitor's name of the file
            theirs = {
                Path(name).name: file.name for name, file in zip([*kept, *paid], (*positions, *money), strict=True)
            }
            raise InputError(theirs.get(error.field, error.field), error.value, error.problem, error.hint) from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    return longwork.done(key, "Auditing the files", work, own_shelf(), MOST_READ)


def _written(folder: Path, stem: str, file: Any) -> str:
    """The upload under a name of ours: what a visitor calls a file is never a path."""
    ending = ".csv" if file.name.lower().endswith(".csv") else ".parquet"
    path = folder / f"{stem}{ending}"
    path.write_bytes(file.getvalue())
    return str(path)


def _on_disk(seen: Seen, asked: tuple[Any, ...]) -> Audited | None:
    path = st.text_input(
        "Pattern or folder", key="audit_path", placeholder="book/positions-*.parquet", persist_state="session"
    )
    if not path:
        st.info("Name the files of positions; those of accounts are found beside them.", icon=":material/folder_open:")
        return None
    files = find(path, "positions")
    stamps = [(file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in (*files, *beside(files))]
    key = ("audit path", seen.active.version, str(seen.settings), *asked, path, str(stamps))

    def work(progress: Any) -> Audited:
        return _read(seen, asked, path, None, path, str(key), progress)

    return longwork.done(key, "Auditing the files", work, own_shelf(), MOST_READ)


def _read(
    seen: Seen, asked: tuple[Any, ...], positions_in: str | list[str], money_in: list[str] | None, name: str, key: str,
    progress: Any,
) -> Audited:  # fmt: skip
    plan = _plan(seen.active, asked, seen)
    source = open_source(positions_in, money_in)
    total = AuditSummary(assets=plan.assets, shocks=len(plan.names), scenarios=plan.losses.shape[1])
    rows: list[Rows] = []
    parts: list[Accounts] = []
    try:
        for i, part in enumerate(source.parts):
            positions, money = read_part(part, source.adapter)
            built = build(plan, positions, money, source.adapter)
            found, sums = audit_built(plan, built, WORKERS)
            total, rows = total.merge(sums), [*rows, *found]
            parts.append(built.accounts)
            if total.accounts > MOST_ACCOUNTS:
                hint = "Use `python -m margin audit`, which has no limit."
                raise InputError("book", f"{total.accounts:,} accounts", f"are more than {MOST_ACCOUNTS:,}", hint)
            progress((i + 1) / len(source.parts))
    finally:
        source.close()
    return Audited(name=name, key=key, plan=plan, held=together(parts), rows=rows, summary=total)


def together(parts: list[Accounts]) -> Accounts:
    """Accounts of several parts in one."""
    ends = np.cumsum([0, *(int(p.indptr[-1]) for p in parts)])
    pointers = [p.indptr[:-1] + start for p, start in zip(parts, ends[:-1], strict=True)]
    return Accounts(
        labels=np.concatenate([np.asarray(p.labels).astype(str) for p in parts]),
        indptr=np.concatenate([*pointers, ends[-1:]]).astype(np.int64),
        legs=np.concatenate([p.legs for p in parts]),
        usd=np.concatenate([p.usd for p in parts]),
        equity=np.concatenate([p.equity for p in parts]),
    )
