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
from data.files.days import daily_candles
from data.files.layout import Layout, asset_name, find_layout
from data.files.readers import read_table
from data.files.table import MAX_COLUMNS, Column, Table, note
from data.files.volumes import usd_volume
from data.model import Finding, Interval, PriceSet, Provenance
from margin.core.errors import InputError, one_line
from margin.formats.price_words import DOLLARS, currency

UPLOAD_BYTES, PATH_BYTES = 2_000_000, 64_000_000
MAX_BELOW_ZERO = 0.1  # more closes than this below zero: they are no prices
LEAST_FACTORS = 30  # values from which on growth factors are told from prices
DANGEROUS = ("=", "+", "-", "@")


def read_prices(content: bytes, name: str, max_bytes: int = UPLOAD_BYTES, asset: str | None = None) -> PriceSet:
    """The prices in an uploaded file: wide (date, one column per asset) or long (date, asset, close[, volume...]).

    content : the bytes of a CSV or Parquet file of at most `max_bytes`
    name    : its file name; errors name it, and a file of one asset is named by it (BTC-USD.csv)
    asset   : the asset of a file that holds one and does not say which
    The closes are daily: finer rows give the last of each UTC day, with a finding; coarser ones are refused.
    Raises InputError, one clear line, for everything that cannot be used.
    """
    shown = _shown(name)
    if len(content) > max_bytes:
        size = f"{len(content) / 1e6:.1f} MB"
        raise InputError(shown, size, f"is larger than {max_bytes / 1e6:.0f} MB", "Keep the assets and years you need.")
    table = read_table(content, shown)
    layout = find_layout(table, shown, asset)
    when = dates(layout.date.cells, shown, layout.date.zone)
    findings = [*table.findings, *layout.findings, *_date_findings(when, shown)]
    frames, cell_findings = _frames(table, layout, when, shown)
    findings += cell_findings
    candles, fine, day_findings = daily_candles(frames, when, shown)
    findings += day_findings
    end = max((f.index.max() for f in candles.values() if len(f)), default=pd.Timestamp(0))
    cleaned, provenance = {}, {}
    interval: Interval = "1d"
    now = aware(end + STEP[interval])  # a file holds finished candles
    for name_of, frame in candles.items():
        cleaned[name_of], noticed = clean_candles(frame, name_of, interval, now)
        findings += noticed
        provenance[name_of] = _provenance(name_of, shown, interval, cleaned[name_of])
    prices = combine(cleaned, provenance, findings, interval, {}, fine)
    if prices.closes.empty:
        why = next(iter(prices.failures.values()), "")
        if "coarser" not in why:
            kinds = ("refused", "zero", "empty", "resampled")
            why = next((f.detail for f in findings if f.kind in kinds), "every price is missing")
        raise InputError(shown, ", ".join(candles)[:60], "holds no usable price", f"{why[:100]}.")
    return prices


def read_prices_path(path: Path | str, asset: str | None = None) -> PriceSet:
    """`read_prices` of a file on disk, up to 64 MB. InputError when it cannot be opened, or is no ordinary file."""
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            what = "is a folder" if path.is_dir() else "is a device, not a file"
            raise InputError(str(path), path.name, what, "Give a CSV or Parquet file.")
        if path.stat().st_size > PATH_BYTES:
            raise InputError(str(path), f"{path.stat().st_size / 1e6:.0f} MB", "is too large", "Give daily closes.")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(str(path), path.name, "there is no such file", "Check the path.") from error
    except (OSError, ValueError) as error:
        raise InputError(str(path), getattr(error, "strerror", "") or str(error), "cannot be read") from error
    return read_prices(content, path.name, PATH_BYTES, asset)


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


def _date_findings(when: Dates, name: str) -> list[Finding]:
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
        detail = f"rows whose date cannot be read, e.g. {when.example!r}"
        findings.append(note("refused", when.refused, "dropped", detail))
    if when.form not in ("ISO", "dates"):
        findings.append(note("dates", read, "converted", f"read as {when.form}"))
    return findings


def _frames(table: Table, layout: Layout, when: Dates, name: str) -> tuple[dict[str, pd.DataFrame], list[Finding]]:
    """Raw numbers by asset, indexed by the row of the table: close, and open, high, low, volume where there are any.

    Cells that are no numbers are refused with an example; columns of returns or flows refuse the file.
    """
    said: list[Finding] = []
    readable = ~np.isnat(when.local) & _dollar_rows(layout, name, said)
    if layout.kind == "wide":
        texts = [c.cells for roles in layout.series.values() for c in roles.values() if c.cells.dtype.kind == "O"]
        decimal = survey(texts).decimal(table.separator, name)
        frames: dict[str, pd.DataFrame] = {}
        findings = said
        for asset, roles in layout.series.items():
            read = {role: numbers(c.cells, decimal, scaled=role.startswith("volume")) for role, c in roles.items()}
            findings += _refusals(read["close"], asset, roles["close"])
            frame = pd.DataFrame({role: found.values for role, found in read.items()})
            frame = frame[readable & frame["close"].notna().to_numpy()]
            if frame.empty:
                shown = roles["close"].name[:30]
                findings.append(note("refused", 1, "dropped", f"column {shown!r} holds no price", asset))
                continue
            _refuse_returns(frame["close"], asset, name)
            frames[asset] = _with_volume(frame, layout, asset, name, findings)
        if not frames:
            raise InputError(name, ", ".join(layout.series)[:60], "holds no price", _first_detail(findings))
        return frames, findings
    values_by_role, findings = _role_values(table, layout, name)
    findings = [*said, *findings]
    frame = pd.DataFrame(values_by_role)
    if layout.kind == "single":
        by_asset = {layout.asset: frame[readable]}
    else:
        by_asset, layout.words, findings = _by_asset(frame, layout.roles["asset"], readable, name, findings)
    for asset, part in by_asset.items():
        _refuse_returns(part["close"], asset, name)
        by_asset[asset] = _with_volume(part, layout, asset, name, findings)
    return by_asset, findings


def _with_volume(frame: pd.DataFrame, layout: Layout, asset: str, name: str, findings: list[Finding]) -> pd.DataFrame:
    """The frame with `volume` in units of the asset, from whatever its columns count; without it where not known."""
    usd, noticed = usd_volume(frame, layout, asset, name)
    findings += noticed
    frame = frame.drop(columns=[c for c in frame if str(c).startswith("volume")])
    return frame if usd is None else frame.assign(volume=usd / frame["close"].where(frame["close"] > 0))


def _refuse_returns(closes: pd.Series, asset: str, name: str) -> None:
    below = int((closes < 0).sum())
    if below >= 3 and below > MAX_BELOW_ZERO * max(int(closes.notna().sum()), 1):
        example = float(closes[closes < 0].iloc[0])
        problem = f"{below:,} of {int(closes.notna().sum()):,} values of {asset} are below zero"
        hint = "These are returns, changes or flows, not prices: give US dollar closes."
        raise InputError(name, f"{example:g}", problem, hint)
    if _are_factors(closes.dropna().to_numpy()):
        problem = f"values of {asset} lie around 1 and each day starts anew: growth factors (1 + return)"
        raise InputError(name, f"{float(closes.dropna().iloc[0]):g}", problem, "Give US dollar closes.")


def _are_factors(values: np.ndarray) -> bool:
    """Whether numbers around 1 have no memory: their steps are wider than their spread, as those of prices never are.

    The median step is beyond 1.2 (1.41 where each is drawn anew) times the median distance from the median, and that
    above half a percent: a coin pegged to the dollar passes.
    """
    if len(values) < LEAST_FACTORS:
        return False
    middle = float(np.median(values))
    spread = float(np.median(np.abs(values - middle)))
    return abs(middle - 1.0) < 0.1 and spread > 0.005 and float(np.median(np.abs(np.diff(values)))) > 1.2 * spread


def _dollar_rows(layout: Layout, name: str, findings: list[Finding]) -> np.ndarray:
    """Which rows are priced in dollars, where a column says in what."""
    count = len(layout.date.cells)
    if layout.quote is None:
        return np.ones(count, bool)
    words = np.array([str(cell).strip().upper() for cell in layout.quote.cells], dtype=object)
    dollars = np.array([w == "" or currency(w) in DOLLARS for w in words], bool)
    if not dollars.any():
        shown = ", ".join(sorted(set(words)))[:40]
        raise InputError(name, shown, "prices are not in US dollars", "Give US dollar closes.")
    if not dollars.all():
        others = ", ".join(sorted({str(w) for w in words[~dollars]}))[:60]
        findings.append(note("refused", int((~dollars).sum()), "dropped", f"rows quoted in {others}, not in dollars"))
    return dollars


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
) -> tuple[dict[str, pd.DataFrame], dict[str, str], list[Finding]]:
    codes, words = pd.factorize(pd.Series(column.cells, dtype=object).str.strip())
    if len(words) > MAX_COLUMNS:
        raise InputError(
            name, f"{len(words):,} assets", f"has more than {MAX_COLUMNS} assets", "Keep the ones you need."
        )
    rows_of: dict[str, list[np.ndarray]] = {}
    said: dict[str, str] = {}
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
        rows_of[asset], said[asset] = [mine], str(word)
    if not rows_of:
        raise InputError(name, ", ".join(map(str, words))[:60], "names no asset", _first_detail(findings))
    return {asset: frame[mine[0]] for asset, mine in sorted(rows_of.items())}, said, findings


def _refusals(values: Numbers, asset: str, column: Column) -> list[Finding]:
    if not values.refused:
        return []
    detail = f"cells of column {column.name[:30]!r} that are no numbers, e.g. {values.example!r}"
    return [note("refused", values.refused, "left empty", detail, asset)]


def _first_detail(findings: list[Finding]) -> str:
    return next((f"{f.detail[:120]}." for f in findings if f.kind == "refused"), "")


def _provenance(asset: str, name: str, interval: Interval, candles: pd.DataFrame) -> Provenance:
    first, last = (aware(candles.index[0]), aware(candles.index[-1])) if len(candles) else (None, None)
    return Provenance(
        asset=asset,
        source="file",
        symbol=name,
        interval=interval,
        status="upload",
        fetched_at=datetime.now(UTC),
        first=first,
        last=last,
        rows=len(candles),
    )
