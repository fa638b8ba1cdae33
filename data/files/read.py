"""Prices from a user's CSV or Parquet file, and back out again.

`read_prices` says what it read, changed and refused; everything it cannot use is one InputError. The prices never
depend on the clock: the same file always reads the same. Accepted forms: docs/data-store-and-cleaning.md.
"""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from data.cleaning.clean import STEP, aware, clean_candles, combine
from data.files.cells import Dates, Numbers, dates, numbers, survey
from data.files.layout import Layout, asset_name, find_layout
from data.files.parquet import read_parquet_table
from data.files.table import MAX_COLUMNS, Column, Table, note, read_text_table
from data.model import Finding, Interval, PriceSet, Provenance
from margin.core.errors import InputError, one_line

UPLOAD_BYTES, PATH_BYTES = 2_000_000, 64_000_000
HOUR = 3600.0
DANGEROUS = ("=", "+", "-", "@")


def read_prices(content: bytes, name: str, max_bytes: int = UPLOAD_BYTES) -> PriceSet:
    """The prices in an uploaded file: wide (date, one column per asset) or long (date, asset, close[, volume...]).

    content : the bytes of a CSV or Parquet file of at most `max_bytes`
    name    : its file name; errors name it, and a file of one asset is named by it (BTC-USD.csv)
    Raises InputError, one clear line, for everything that cannot be used.
    """
    shown = _shown(name)
    if len(content) > max_bytes:
        size = f"{len(content) / 1e6:.1f} MB"
        raise InputError(shown, size, f"is larger than {max_bytes / 1e6:.0f} MB", "Keep the assets and years you need.")
    parquet = content.startswith(b"PAR1")
    table = read_parquet_table(content, shown) if parquet else read_text_table(content, shown)
    layout = find_layout(table, shown)
    when = dates(layout.date.cells, shown)
    interval, times, findings = _times(when, shown)
    candles, cell_findings = _candles(table, layout, times, shown)
    findings = [*table.findings, *layout.findings, *findings, *cell_findings]
    end = max((f.index.max() for f in candles.values() if len(f)), default=pd.Timestamp(0))
    cleaned, provenance = {}, {}
    now = aware(end + STEP[interval])  # a file holds finished candles
    for asset, frame in candles.items():
        cleaned[asset], noticed = clean_candles(frame, asset, interval, now)
        findings += noticed
        provenance[asset] = _provenance(asset, shown, interval, cleaned[asset])
    prices = combine(cleaned, provenance, findings, interval, {})
    if prices.closes.empty:
        why = next((f.detail for f in findings if f.kind in ("refused", "zero", "empty")), "every price is missing")
        raise InputError(shown, ", ".join(candles)[:60], "holds no usable price", f"{why[:100]}.")
    return prices


def read_prices_path(path: Path | str) -> PriceSet:
    """`read_prices` of a file on disk, up to 64 MB. InputError when it cannot be opened."""
    path = Path(path)
    try:
        if path.stat().st_size > PATH_BYTES:
            raise InputError(str(path), f"{path.stat().st_size / 1e6:.0f} MB", "is too large", "Give daily closes.")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(str(path), path.name, "there is no such file", "Check the path.") from error
    except (OSError, ValueError) as error:
        raise InputError(str(path), getattr(error, "strerror", "") or str(error), "cannot be read") from error
    return read_prices(content, path.name, PATH_BYTES)


def prices_to_csv(prices: PriceSet) -> str:
    """The closes as a prices file: `date` and one column per asset; empty where there is no close."""
    frame, index = prices.closes, pd.DatetimeIndex(prices.closes.index)
    daily = bool((index == index.normalize()).all())
    stamps = index.strftime("%Y-%m-%d" if daily else "%Y-%m-%dT%H:%M:%SZ")
    cells = frame.to_numpy(np.float64)
    rows = (
        [stamp, *("" if np.isnan(v) else repr(float(v)) for v in row)] for stamp, row in zip(stamps, cells, strict=True)
    )
    return safe_csv(["date", *frame.columns], rows)


def prices_to_parquet(prices: PriceSet) -> bytes:
    """The closes as a Parquet prices file with the same columns as `prices_to_csv`."""
    buffer = io.BytesIO()
    prices.closes.rename_axis("date").reset_index().to_parquet(buffer, index=False)
    return buffer.getvalue()


def safe_csv(header: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """CSV text that a spreadsheet shows and never runs.

    Tabs, line breaks and other control characters of a text become spaces, and one that then begins like a formula
    (= + - @) gets an apostrophe in front; numbers, also numbers written as text, stay as they are.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_harmless(cell) for cell in header])
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return out.getvalue()


def _harmless(cell: object) -> object:
    if not isinstance(cell, str):
        return "" if cell is None else cell
    text = one_line(cell)
    if text.lstrip().startswith(DANGEROUS):
        try:
            float(text)
        except ValueError:
            return "'" + text
    return text


def _shown(name: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in Path(str(name).replace("\\", "/")).name).strip()
    return shown[:80] or "file"


def _times(when: Dates, name: str) -> tuple[Interval, pd.DatetimeIndex, list[Finding]]:
    """Candle times from wall times: whole days keep their own calendar day, hours become UTC."""
    count = len(when.local)
    read = count - when.refused
    if read == 0 or when.refused > read:
        raise InputError(
            name,
            when.example or "nothing",
            f"{when.refused:,} of {count:,} dates cannot be read",
            "Write dates as year-month-day, e.g. 2024-03-09, in a column named 'date'.",
        )
    findings = []
    if when.refused:
        findings.append(
            note("refused", when.refused, "dropped", f"rows whose date cannot be read, e.g. {when.example!r}")
        )
    if when.form not in ("ISO", "dates"):
        findings.append(note("dates", read, "converted", f"read as {when.form}"))
    local = pd.DatetimeIndex(when.local)
    utc = local - pd.to_timedelta(when.offset, unit="s")
    known = utc[utc.notna()].unique().sort_values()
    spacing = (
        float(np.median(np.diff(known.to_numpy()).astype("timedelta64[s]").astype(float)))
        if len(known) > 1
        else 86400.0
    )
    if spacing >= 20 * HOUR:
        if (local != local.normalize())[local.notna()].any():
            findings.append(
                note("time of day", read, "dropped", "daily prices: the calendar day of each stamp is kept")
            )
        if spacing > 4 * 24 * HOUR:
            detail = f"a price every {spacing / 86400:.0f} days; returns over more than four days are not used"
            findings.append(note("sparse", len(known), "kept", detail))
        return "1d", local.normalize(), findings
    if not 0.9 * HOUR <= spacing <= 1.1 * HOUR:
        raise InputError(
            name,
            f"one price every {spacing / 60:.0f} minutes",
            "is neither daily nor hourly",
            "Give daily or hourly closes.",
        )
    if (when.offset != 0).any():
        findings.append(note("time zone", int((when.offset != 0).sum()), "converted", "times converted to UTC"))
    return "1h", pd.DatetimeIndex(utc), findings


def _candles(
    table: Table, layout: Layout, times: pd.DatetimeIndex, name: str
) -> tuple[dict[str, pd.DataFrame], list[Finding]]:
    """Candles by asset, cells that are no numbers refused with an example."""
    readable = np.asarray(times.notna())
    if layout.kind == "wide":
        decimal = survey([c.cells for c in layout.series.values() if c.cells.dtype.kind == "O"]).decimal(
            table.separator, name
        )
        frames, findings = {}, []
        for asset, column in layout.series.items():
            values = numbers(column.cells, decimal)
            findings += _refusals(values, asset, column)
            keep = readable & ~np.isnan(values.values)
            if not keep.any():
                findings.append(note("refused", 1, "dropped", f"column {column.name[:30]!r} holds no price", asset))
                continue
            frames[asset] = pd.DataFrame({"close": values.values[keep]}, index=times[keep])
        if not frames:
            raise InputError(name, ", ".join(layout.series)[:60], "holds no price", _first_detail(findings))
        return frames, findings
    values_by_role, findings = _role_values(table, layout, name)
    frame = pd.DataFrame(values_by_role, index=times)
    usd = frame.pop("volume_usd") if "volume_usd" in frame else None
    if usd is not None and "volume" not in frame:
        frame["volume"] = usd / frame["close"].where(frame["close"] > 0)
    if layout.kind == "single":
        return {layout.asset: frame[readable]}, findings
    return _by_asset(frame, layout.roles["asset"], readable, name, findings)


def _role_values(table: Table, layout: Layout, name: str) -> tuple[dict[str, np.ndarray], list[Finding]]:
    columns = {role: column for role, column in layout.roles.items() if role != "asset"}
    decimal = survey([c.cells for c in columns.values() if c.cells.dtype.kind == "O"]).decimal(table.separator, name)
    values, findings = {}, []
    for role, column in columns.items():
        read = numbers(column.cells, decimal, scaled=role.startswith("volume"))
        findings += _refusals(read, layout.asset, column)
        values[role] = read.values
    return values, findings


def _by_asset(
    frame: pd.DataFrame, column: Column, readable: np.ndarray, name: str, findings: list[Finding]
) -> tuple[dict[str, pd.DataFrame], list[Finding]]:
    codes, words = pd.factorize(pd.Series(column.cells, dtype=object).str.strip())
    if len(words) > MAX_COLUMNS:
        raise InputError(
            name, f"{len(words):,} assets", f"has more than {MAX_COLUMNS} assets", "Keep the ones you need."
        )
    rows_of: dict[str, list[np.ndarray]] = {}
    # A word that is the asset's own name goes before one that only reduces to it, as in a wide file.
    for number, word in sorted(enumerate(words), key=lambda item: item[1] != asset_name(item[1])[0]):
        asset, why = asset_name(word)
        mine = (codes == number) & readable
        if asset is None:
            detail = f"rows of {str(word)[:30]!r}: {why}"
            findings.append(note("refused", int(mine.sum()), "dropped", detail))
            continue
        if asset in rows_of:
            detail = f"{str(word)[:30]!r} also names {asset}; the first name's rows are kept"
            findings.append(note("duplicate column", int(mine.sum()), "dropped", detail, asset))
            continue
        if why:
            findings.append(note("name", 1, "renamed", why, asset))
        rows_of[asset] = [mine]
    if not rows_of:
        raise InputError(name, ", ".join(map(str, words))[:60], "names no asset", _first_detail(findings))
    return {asset: frame[mine[0]] for asset, mine in sorted(rows_of.items())}, findings


def _refusals(values: Numbers, asset: str, column: Column) -> list[Finding]:
    if not values.refused:
        return []
    detail = f"cells of column {column.name[:30]!r} that are no numbers, e.g. {values.example!r}"
    return [note("refused", values.refused, "left empty", detail, asset)]


def _first_detail(findings: list[Finding]) -> str:
    return next((f"{f.detail[:120]}." for f in findings if f.kind == "refused"), "")


def _provenance(asset: str, name: str, interval: Interval, candles: pd.DataFrame) -> Provenance:
    first, last = (aware(candles.index[0]), aware(candles.index[-1])) if len(candles) else (None, None)
    return Provenance(asset, "file", name, interval, "upload", datetime.now(UTC), first, last, len(candles))
