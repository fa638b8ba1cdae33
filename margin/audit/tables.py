"""Rows of any known form -> accounts for the passes: assets coded, duplicates summed, what is unusable set aside."""

import re
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from margin.audit.chunk import Accounts
from margin.audit.formats import Adapter
from margin.audit.plan import Plan
from margin.audit.summary import cents
from margin.core.errors import InputError
from margin.core.instruments import USD_STABLECOINS

NOT_LINEAR = ("an option, not reproduced here", "a coin-settled contract, not reproduced here")
OPTION = re.compile(r"[-_](?:C|P|CALL|PUT)$", re.IGNORECASE)
INVERSE = re.compile(r"^(\w+)/USD:\1\b", re.IGNORECASE)
SEVERAL = "an account of several positions on one equity, which an isolated rule does not have"
WITHOUT = "accounts judged without their options, coin-settled contracts or assets without history"
FIRST_TAKEN = "accounts whose rows name several equities: the first is taken"
MOST_USD = 1e12  # of one position or account: beyond, the row is no real one and its cents would not add up exactly


@dataclass(frozen=True, kw_only=True, eq=False)
class Built:
    """Accounts of one part; what was set aside by reason; cents of positions without history, by asset.

    unvalued : cents of the positions that are not judged, where the source prints their value
    remarks : what is judged, but not as the file may have meant it, counted by what
    reported (m,) liquidation prices as printed, NaN where none, one per position of `accounts`
    """

    accounts: Accounts
    set_aside: Counter[str]
    unknown: Counter[str]
    reported: np.ndarray
    unvalued: int = 0
    remarks: Counter[str] = field(default_factory=Counter)


def build(plan: Plan, rows: pa.Table, money: pa.Table | None, adapter: Adapter) -> Built:
    """rows: positions of whole accounts, columns in lower case; money: columns account, equity, or None.

    An account without a position counts, as an empty one; one without equity is set aside with its positions. Isolated
    positions with the margin posted to them are accounts of their own, named ACCOUNT/ASSET.
    Raises InputError for rows of several days, and where nothing says what the accounts' equity is.
    """
    aside: Counter[str] = Counter()
    rows = _counting(rows, adapter)
    _one_day(rows, adapter)
    labels = account_labels(rows, adapter)
    names = as_text(rows.column(adapter.asset))
    column, known = _assets(plan, names)
    other = _not_linear(names)
    column, known = np.where(other > 0, -1, column), known & (other == 0)
    usd = _values(plan, rows, adapter, column, known)
    fine, still = np.isfinite(usd) & (np.abs(usd) <= MOST_USD), usd == 0.0
    null = np.asarray(pc.is_null(labels)) | np.asarray(pc.is_null(names))
    null |= np.asarray(pc.fill_null(pc.equal(pc.utf8_trim_whitespace(names), ""), False))
    aside["a row without an account or asset"] += int(null.sum())
    aside["a size that is missing, not finite or beyond 1e12 USD"] += int((~fine & ~null & known).sum())
    aside["a position of size zero"] += int((still & ~null & known).sum())
    for number, reason in enumerate(NOT_LINEAR, 1):
        aside[reason] += int(((other == number) & ~null).sum())
    unknown = _without_history(names, ~known & ~null & (other == 0))
    printed = np.abs(_numbers(rows, adapter.notional))
    lost = ~null & ~known & np.isfinite(printed) & (printed <= MOST_USD)
    unvalued = cents(printed[lost])
    keep = fine & known & ~null & ~still
    isolated, posted = _isolated(rows, adapter, keep, aside)
    if money is not None and "equity" not in money.column_names:
        profit = np.where(null | isolated | still, 0.0, _profits(plan, rows, adapter, column, usd))
        money = _of_collateral(money, labels, profit, aside)
    remarks: Counter[str] = Counter()
    codes, ids, equity = _accounts(labels, money, rows, adapter, keep, isolated, aside, remarks)
    without = np.unique(codes[(codes >= 0) & ~isolated & ~null & (~known | (other > 0))])
    if len(without):
        remarks[WITHOUT] += len(without)
    reported = _numbers(rows, adapter.reported)
    keep &= isolated | (codes >= 0)
    built = _assemble(ids, equity, codes, column, usd, keep, isolated, posted, names, labels, reported, aside, unknown)
    return replace(_single(built) if plan.single else built, unvalued=unvalued, remarks=+remarks)


def _single(built: Built) -> Built:
    """Accounts of one position at most: an isolated rule has no others."""
    held = built.accounts
    legs = np.diff(held.indptr)
    many = legs > 1
    if not many.any():
        return built
    rows = ~np.repeat(many, legs)
    left = Accounts(
        labels=held.labels[~many],
        indptr=np.concatenate([[0], np.cumsum(legs[~many])]).astype(np.int64),
        legs=held.legs[rows],
        usd=held.usd[rows],
        equity=held.equity[~many],
    )
    aside = built.set_aside + Counter({SEVERAL: int(many.sum())})
    return Built(accounts=left, set_aside=aside, unknown=built.unknown, reported=built.reported[rows])


def _counting(rows: pa.Table, adapter: Adapter) -> pa.Table:
    if adapter.status and adapter.status[0] in rows.column_names:
        name, value = adapter.status
        return rows.filter(pc.equal(pc.utf8_upper(as_text(rows.column(name))), value))
    return rows


def _one_day(rows: pa.Table, adapter: Adapter) -> None:
    """Rows of one account at several times are no one account: their sizes would be added up."""
    if adapter.snapshot is None or adapter.snapshot not in rows.column_names:
        return
    days = pc.unique(rows.column(adapter.snapshot).drop_null())
    if len(days) > 1:
        shown = " and ".join(str(day)[:19] for day in sorted(days.to_pylist(), key=str)[:2])
        hint = "Keep the rows of one snapshot: positions of several would be added up."
        raise InputError(f"column {adapter.snapshot}", f"{shown}, {len(days)} in all", "is of more than one time", hint)


def as_text(column: pa.ChunkedArray, name: str = "a column of names") -> pa.ChunkedArray:
    """The column as strings. Raises InputError for lists, bytes that are no text, and other such columns."""
    if pa.types.is_string(column.type):
        return column
    try:
        return pc.cast(column, pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        hint = "Accounts, assets and sides are text or whole numbers."
        raise InputError(name, str(column.type), "is no text", hint) from None


def account_labels(rows: pa.Table, adapter: Adapter) -> pa.ChunkedArray:
    """The account of each row: one column as it is, several joined by a slash."""
    parts = [rows.column(name) for name in adapter.account]
    if len(parts) == 1 and (pa.types.is_integer(parts[0].type) or pa.types.is_string(parts[0].type)):
        return parts[0]
    texts = [as_text(part) for part in parts]
    return texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, "/")


def _assets(plan: Plan, names: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """(column of each row's asset, -1 where it has no history; whether it has)."""
    coded = names.combine_chunks().dictionary_encode()
    where = {asset: i for i, asset in enumerate(plan.assets)}
    table = np.array([where.get(plain_asset(str(name)), -1) for name in coded.dictionary.to_pylist()] + [-1])
    at = np.asarray(coded.indices.fill_null(-1))
    column = table[at]
    return column, column >= 0


def _not_linear(names: pa.ChunkedArray) -> np.ndarray:
    """Which of NOT_LINEAR each row is, counted from 1; 0: linear in its coin's price."""
    coded = names.combine_chunks().dictionary_encode()
    kinds = [1 if OPTION.search(str(n)) else 2 if INVERSE.match(str(n)) else 0 for n in coded.dictionary.to_pylist()]
    found: np.ndarray = np.array([*kinds, 0])[np.asarray(coded.indices.fill_null(-1))]
    return found


def plain_asset(name: str) -> str:
    """The coin behind a market's name: BTC-USD, BTC/USDC:USDC, BTCUSDT-PERP and BTC are all BTC."""
    text = name.strip()
    for mark in ("/", "-", ":", "_"):
        head = text.split(mark)[0]
        if mark == ":" and ":" in text and "/" not in text:
            return text  # another dex's market, not the coin itself
        text = head
    return text.upper() if text.isalnum() else text


def _values(plan: Plan, rows: pa.Table, adapter: Adapter, column: np.ndarray, known: np.ndarray) -> np.ndarray:
    quantity = _numbers(rows, adapter.quantity)
    if adapter.side and adapter.side in rows.column_names:
        side = np.asarray(pc.fill_null(pc.utf8_upper(as_text(rows.column(adapter.side))), ""), dtype=object)
        sign = np.where(np.isin(side, ("SHORT", "SELL")), -1.0, np.where(np.isin(side, ("LONG", "BUY")), 1.0, np.nan))
        quantity = np.abs(quantity) * sign
    price = np.where(known, np.append(plan.prices, np.nan)[column], 1.0)
    value: np.ndarray = quantity * price
    return value


def _no_number(column: pa.ChunkedArray) -> str:
    """The first text of a column that is no number."""
    for value in column.to_pylist():
        try:
            float(value or 0)
        except ValueError:
            return str(value)[:60]
    return str(column.type)


def _numbers(rows: pa.Table, name: str | None) -> np.ndarray:
    """(n,) floats, NaN where the column or the value is missing. Raises InputError for a column of text."""
    if name is None or name not in rows.column_names:
        return np.full(rows.num_rows, np.nan)
    column = rows.column(name)
    if pa.types.is_boolean(column.type):
        raise InputError(f"column {name}", str(column.type), "is no column of numbers")
    try:
        return np.asarray(pc.fill_null(pc.cast(column, pa.float64(), safe=False), np.nan), dtype=float)
    except pa.ArrowInvalid:
        raise InputError(f"column {name}", _no_number(column), "holds text that is no number") from None
    except pa.ArrowNotImplementedError:
        raise InputError(f"column {name}", str(column.type), "is no column of numbers") from None


def _without_history(names: pa.ChunkedArray, where: np.ndarray) -> Counter[str]:
    found: Counter[str] = Counter()
    if where.any():
        for row in pc.value_counts(names.filter(pa.array(where))).to_pylist():
            found[str(row["values"])] += int(row["counts"])
    return found


def _isolated(rows: pa.Table, adapter: Adapter, keep: np.ndarray, aside: Counter[str]) -> tuple[np.ndarray, np.ndarray]:
    """(which rows are isolated positions, USD posted to each)."""
    if adapter.mode is None or adapter.mode not in rows.column_names:
        return np.zeros(len(keep), dtype=bool), np.zeros(len(keep))
    mode = np.asarray(pc.fill_null(pc.utf8_lower(as_text(rows.column(adapter.mode))), "cross"), dtype=object)
    posted = _numbers(rows, adapter.margin)
    isolated = mode == "isolated"
    bare = isolated & ~np.isfinite(posted) & keep
    aside["an isolated position without its margin"] += int(bare.sum())
    keep &= ~bare
    return isolated, posted


def _accounts(
    labels: pa.ChunkedArray, money: pa.Table | None, rows: pa.Table, adapter: Adapter, keep: np.ndarray,
    isolated: np.ndarray, aside: Counter[str], remarks: Counter[str],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """(account of each row, -1 where none; names (n,); equity (n,)): those of `money`, else those on the rows."""
    if money is not None:
        ids, equity = money.column("account"), _numbers(money, "equity")
        if ids.type != labels.type:
            ids, labels = as_text(ids), as_text(labels)
        fine = np.isfinite(equity) & (np.abs(equity) <= MOST_USD) & ~np.asarray(pc.is_null(ids))
        aside["an account whose equity is missing, not finite or beyond 1e12 USD"] += int((~fine).sum())
        ids, equity = ids.filter(pa.array(fine)), equity[fine]
        coded = ids.combine_chunks().dictionary_encode()
        if len(coded.dictionary) < len(ids):
            aside["a second row of the same account"] += len(ids) - len(coded.dictionary)
            first = np.unique(np.asarray(coded.indices), return_index=True)[1]
            ids, equity = coded.dictionary, equity[first]
        codes = np.asarray(pc.fill_null(pc.index_in(labels, value_set=pa.array(ids.to_pylist(), ids.type)), -1))
        names = np.asarray(ids)
    else:
        codes, names, equity = _equity_on_rows(labels, rows, adapter, isolated, aside, remarks)
    missing = keep & (codes < 0) & ~isolated
    aside["a position whose account has no equity"] += int(missing.sum())
    return codes.astype(np.int64), names, equity


def _profits(plan: Plan, rows: pa.Table, adapter: Adapter, column: np.ndarray, usd: np.ndarray) -> np.ndarray:
    """(n,) USD that each position has gained since its entry, NaN where its entry or its price is not known."""
    if adapter.entry is None or adapter.entry not in rows.column_names:
        hint = "Give entry_price with each position, or the accounts' equity."
        raise InputError("accounts", "collateral", "is no equity without the profit of each position", hint)
    price = np.append(plan.prices, np.nan)[column]
    gained: np.ndarray = usd * (1.0 - _numbers(rows, adapter.entry) / price)
    return gained


def _of_collateral(money: pa.Table, labels: pa.ChunkedArray, profit: np.ndarray, aside: Counter[str]) -> pa.Table:
    """Accounts with equity = collateral in dollars + profit of all positions; NaN where either is not known."""
    units, ids = _numbers(money, "collateral"), money.column("account")
    if "collateral_asset" in money.column_names:
        coins = pc.fill_null(pc.utf8_upper(pc.utf8_trim_whitespace(as_text(money.column("collateral_asset")))), "USD")
        coin = ~np.asarray(pc.is_in(coins, value_set=pa.array(["", "USD", *sorted(USD_STABLECOINS)])))
        aside["collateral in a coin, not reproduced here"] += int(coin.sum())
        units = np.where(coin, np.nan, units)
    if ids.type != labels.type:
        ids, labels = as_text(ids), as_text(labels)
    given, gained = (
        pa.table({"account": of, "usd": usd}).group_by("account", use_threads=False).aggregate([("usd", "sum")])
        for of, usd in ((ids, units), (labels, profit))
    )
    at = pc.index_in(given["account"], value_set=gained["account"].combine_chunks())
    more = (
        np.asarray(pc.fill_null(gained["usd_sum"].combine_chunks().take(pc.fill_null(at, 0)), 0.0))
        if len(profit)
        else 0.0
    )
    more = np.where(np.asarray(pc.is_null(at)), 0.0, more)
    return pa.table({"account": given["account"], "equity": np.asarray(given["usd_sum"]) + more})


def _equity_on_rows(
    labels: pa.ChunkedArray, rows: pa.Table, adapter: Adapter, isolated: np.ndarray, aside: Counter[str],
    remarks: Counter[str],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """The same where each row names its account's equity: the first that can be used, of cross rows before others."""
    if adapter.equity is None or adapter.equity not in rows.column_names:
        hint = "Give --accounts with columns account and equity."
        raise InputError("accounts", "none", "no file says what each account's equity is", hint)
    on_row = _numbers(rows, adapter.equity)
    on_row = np.where(np.abs(on_row) <= MOST_USD, on_row, np.nan)
    coded = labels.combine_chunks().dictionary_encode()
    codes, n = np.asarray(pc.fill_null(coded.indices, -1)), len(coded.dictionary)
    equity = np.full(n, np.nan)
    for use in (isolated, ~isolated):
        rows_of = np.flatnonzero(use & (codes >= 0) & np.isfinite(on_row))[::-1]
        equity[codes[rows_of]] = on_row[rows_of]  # of several the first row's stays
    cross = ~isolated & (codes >= 0) & np.isfinite(on_row)
    other = cross & (np.abs(on_row - equity[codes]) > 1e-6 * np.abs(on_row) + 0.01) if n else cross
    remarks[FIRST_TAKEN] += len(np.unique(codes[other]))
    fine = np.isfinite(equity)
    aside["an account whose equity is missing, not finite or beyond 1e12 USD"] += int((~fine).sum())
    place = np.append(np.where(fine, np.cumsum(fine) - 1, -1), -1)
    return place[codes], np.asarray(coded.dictionary)[fine], equity[fine]


def _assemble(
    ids: np.ndarray, equity: np.ndarray, codes: np.ndarray, column: np.ndarray, usd: np.ndarray, keep: np.ndarray,
    isolated: np.ndarray, posted: np.ndarray, names: pa.ChunkedArray, labels: pa.ChunkedArray, reported: np.ndarray,
    aside: Counter[str], unknown: Counter[str],
) -> Built:  # fmt: skip
    alone = np.flatnonzero(keep & isolated)
    if len(alone):
        at = pa.array(alone)
        whose, texts = labels.take(at).to_pylist(), names.take(at).to_pylist()
        extra = np.array([f"{who}/{text}" for who, text in zip(whose, texts, strict=True)], dtype=object)
        codes = codes.copy()
        codes[alone] = len(ids) + np.arange(len(alone))
        ids, equity = np.concatenate([ids.astype(object), extra]), np.concatenate([equity, posted[alone]])
    owner, legs, value, printed = codes[keep], column[keep], usd[keep], reported[keep]
    k = int(column.max(initial=0)) + 2
    key = owner * k + legs
    if len(key) and not (np.diff(key) > 0).all():
        order = np.argsort(key, kind="stable")
        key, value, printed = key[order], value[order], printed[order]
        first = np.concatenate([[True], np.diff(key) > 0])
        if not first.all():
            starts = np.flatnonzero(first)
            value, printed, key = np.add.reduceat(value, starts), printed[starts], key[starts]
        owner, legs = key // k, key % k
    indptr = np.searchsorted(owner, np.arange(len(ids) + 1)).astype(np.int64)
    held = Accounts(labels=ids, indptr=indptr, legs=legs.astype(np.int64), usd=value, equity=equity.astype(float))
    return Built(accounts=held, set_aside=+aside, unknown=unknown, reported=printed)
