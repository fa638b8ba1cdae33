"""A synthetic venue, so that everybody can try an audit: every buyer has a seller, so open interest nets to 0."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from margin.audit.chunk import Accounts
from margin.audit.plan import Plan
from margin.core.errors import InputError

PER_FILE = 250_000
MEAN_LEGS = 2.6
MOST_ACCOUNTS = 100_000_000


def synthetic(plan: Plan, accounts: int, seed: int = 1, first: int = 0) -> Accounts:
    """`accounts` made-up accounts named first, first + 1, ...: half hold one position, some two dozen, sizes lognormal.

    Popular assets are held more. Equity is 3% to 100% of gross. The open interest of every asset nets to 0: what is
    missing on one side is added to the positions of the other in proportion.
    """
    _enough(accounts)
    rng = np.random.default_rng([seed, first])
    k = len(plan.assets)
    legs = np.minimum(rng.geometric(1.0 / MEAN_LEGS, accounts), k)
    indptr = np.concatenate([[0], np.cumsum(legs)]).astype(np.int64)
    owner = np.repeat(np.arange(accounts), legs)
    popular = 1.0 / np.arange(1, k + 1)
    drawn = rng.choice(k, len(owner), p=popular / popular.sum())
    start = indptr[:-1][owner]
    column = np.where(legs[owner] == 1, drawn, (drawn[start] + _steps(rng, owner, indptr, k)) % k)
    size = np.exp(rng.normal(7.5, 1.7, accounts))[owner] * np.exp(rng.normal(0.0, 0.6, len(owner)))
    usd = size * np.where(rng.random(len(owner)) < 0.55, 1.0, -1.0)
    for a in range(k):
        mine = column == a
        bought, sold = usd[mine & (usd > 0)].sum(), -usd[mine & (usd < 0)].sum()
        if bought > 0 and sold > 0:
            usd[mine & (usd < 0)] *= bought / sold
    order = np.lexsort((column, owner))
    gross = np.bincount(owner, np.abs(usd), accounts)
    equity = gross * np.clip(np.exp(rng.normal(-1.4, 0.8, accounts)), 0.03, 1.0)
    labels = np.arange(first, first + accounts)
    return Accounts(labels=labels, indptr=indptr, legs=column[order].astype(np.int64), usd=usd[order], equity=equity)


def _steps(rng: np.random.Generator, owner: np.ndarray, indptr: np.ndarray, k: int) -> np.ndarray:
    """Different assets for the legs of one account: distinct steps from its first asset, small ones more often."""
    place = np.arange(len(owner)) - indptr[:-1][owner]
    steps: np.ndarray = place % k
    return steps


def _enough(accounts: int) -> None:
    if not 2 <= accounts <= MOST_ACCOUNTS:
        raise InputError("make", accounts, f"must be 2 to {MOST_ACCOUNTS:,} accounts", "E.g. --make 200000.")


def write(
    plan: Plan, accounts: int, folder: str | Path, seed: int = 1, per_file: int = PER_FILE,
    progress: Callable[[int, int, int], None] | None = None,
) -> list[Path]:  # fmt: skip
    """positions-000.parquet and accounts-000.parquet, ... in `folder` (made if absent); the files written.

    progress : told (pairs of files written, pairs in all, accounts written) after each pair
    Raises InputError for fewer than 2 accounts, and where the folder holds a book already or cannot be written.
    """
    _enough(accounts)
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        taken = next(target.glob("positions-*.parquet"), None)
    except OSError as error:
        raise InputError("out", str(folder), f"cannot be written: {error.strerror}") from None
    if taken is not None:
        raise InputError("out", str(folder), f"holds {taken.name} already", "Name an empty folder.")
    names = pa.array(list(plan.assets))
    written = []
    for number, first in enumerate(range(0, accounts, per_file)):
        count = min(per_file, accounts - first)
        if accounts - first - count == 1:  # one account alone has nobody on the other side
            count += 1
        held = synthetic(plan, max(count, 2), seed, first)
        owner = np.repeat(held.labels, np.diff(held.indptr))
        asset = pa.DictionaryArray.from_arrays(pa.array(held.legs.astype(np.int16)), names)
        quantity = held.usd / plan.prices[held.legs]
        tables = {
            "positions": pa.table({"account": owner, "asset": asset, "quantity": quantity}),
            "accounts": pa.table({"account": held.labels, "equity": held.equity}),
        }
        for name, table in tables.items():
            path = target / f"{name}-{number:03d}.parquet"
            pq.write_table(table, path, compression="zstd", write_page_checksum=True)
            written.append(path)
        if progress:
            progress(number + 1, -(-accounts // per_file), first + len(held))
    return written
