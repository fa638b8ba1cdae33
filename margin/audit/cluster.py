"""The same audit over the processes of a Dask cluster: one task per part, the same function, sums merged at the end.

Needs the extra `[cluster]` (dask.distributed). docs/cluster.md says how to start workers on several hosts.
"""

from typing import Any

from margin.audit.parts import Source
from margin.audit.plan import Plan
from margin.audit.scan import Kept, audit_part, merged
from margin.audit.summary import AuditSummary
from margin.core.errors import InputError

RETRIES = 3  # of a part whose worker died


def audit_on_cluster(plan: Plan, source: Source, address: str, rows_to: str | None = None) -> AuditSummary:
    """Every part on the workers of the scheduler at `address` (tcp://host:port), which must see the same files.

    A part whose worker dies is done again elsewhere; each counts once. Raises InputError where no scheduler answers.
    """
    try:
        from dask.distributed import Client, as_completed
    except ImportError:
        raise InputError("workers", address, "needs dask.distributed", "pip install 'margin-lab[cluster]'") from None
    try:
        client: Any = Client(  # type: ignore[no-untyped-call]
            address, timeout="10s", set_as_default=False
        )
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError("workers", address, f"does not answer: {str(error)[:80]}", "Start a scheduler.") from None
    keep = Kept(rows_to, plan, source) if rows_to is not None else None
    done: dict[int, AuditSummary] = keep.finished() if keep else {}
    with client:
        shared = client.scatter(plan, broadcast=True)
        tasks = {
            client.submit(
                audit_part,
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
            done[number] = future.result()
            if keep:
                keep.note(number, done[number])
    total = merged(plan, [done[number] for number in sorted(done)])
    if keep:
        keep.finish(sorted(done))
    return total
