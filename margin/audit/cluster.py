"""The same audit over the processes of a Dask cluster: one task per part, the same function, sums merged at the end.

Needs the extra `[cluster]` (dask.distributed). docs/cluster.md says how to start workers on several hosts.
"""

from collections.abc import Callable
from typing import Any

from threadpoolctl import threadpool_limits

from margin.audit.formats import Adapter
from margin.audit.parts import Part, Source
from margin.audit.plan import Plan
from margin.audit.scan import Kept, Progress, audit_part, merged
from margin.audit.summary import AuditSummary
from margin.core.errors import InputError

RETRIES = 3  # of a part whose worker died
ANSWER_SECONDS = 10.0  # in which a scheduler answers, or is not there


def audit_on_cluster(
    plan: Plan,
    source: Source,
    address: str,
    rows_to: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> AuditSummary:
    """Every part on the workers of the scheduler at `address` (tcp://host:port), which must see the same files.

    A part whose worker dies is done again elsewhere; each counts once. Raises InputError where no scheduler answers,
    or where a part's workers died again and again.
    """
    try:
        from dask.distributed import Client, KilledWorker, as_completed
    except ImportError:
        raise InputError("workers", address, "needs dask.distributed", "pip install 'margin-lab[cluster]'") from None
    try:
        client: Any = Client(  # type: ignore[no-untyped-call]
            address, timeout=f"{ANSWER_SECONDS:g}s", set_as_default=False
        )
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError("workers", address, f"does not answer: {str(error)[:80]}", "Start a scheduler.") from None
    keep = Kept(rows_to, plan, source) if rows_to is not None else None
    done: dict[int, AuditSummary] = keep.finished() if keep else {}
    with client, client.as_current():
        shared = client.scatter(plan, broadcast=True)
        tasks = {
            client.submit(
                _one_part,
                shared,
                part,
                source.adapter,
                keep.rows_file(part.number) if keep else None,
                pure=False,
                retries=RETRIES,
            ): part.number
            for part in source.parts
            if part.number not in done
        }
        for future in as_completed(list(tasks)):  # type: ignore[no-untyped-call]
            number = tasks[future]
            try:
                done[number] = future.result()
            except KilledWorker:
                hint = "A worker may lack memory: give it more, or write smaller files."
                raise InputError("workers", f"part {number}", "killed every worker it was given to", hint) from None
            if keep:
                keep.note(number, done[number])
            if progress:
                accounts = sum(summary.accounts for summary in done.values())
                progress(Progress(parts=len(done), of=len(source.parts), accounts=accounts))
    total = merged(plan, [done[number] for number in sorted(done)])
    if keep:
        keep.finish(sorted(done))
    return total


def _one_part(plan: Plan, part: Part, adapter: Adapter, rows_to: str | None) -> AuditSummary:
    """What a worker does: one part on one thread, so that a worker a core keeps every core busy once."""
    with threadpool_limits(1):
        return audit_part(plan, part, adapter, rows_to)
