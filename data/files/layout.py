"""What the columns of a table are: the date, the assets, wide or long; and the names assets go by."""

import re
from dataclasses import dataclass, field
from pathlib import PurePath

from data.files.cells import MAX_CELL, PLAIN
from data.files.table import FORM, Column, Table, note
from data.model import Finding
from margin.core.errors import InputError, did_you_mean

DATE_NAMES = (
    "date", "datetime", "timestamp", "time", "day", "date_utc", "open_time", "opentime", "open time", "unix",
    "unix_timestamp", "candle_begin_time", "__index_level_0__", "",
)  # fmt: skip
ASSET_NAMES = ("asset", "symbol", "ticker", "coin", "pair", "market", "instrument", "base", "name", "currency")
CLOSE_NAMES = (
    "adj close", "adj_close", "adjclose", "adjusted_close", "close", "close_usd", "close price", "closing price",
    "price", "price_usd", "last", "close/last", "px_last", "value",
)  # fmt: skip
UNIT_VOLUMES = ("volume", "vol", "vol.", "volume_base", "base_volume", "volumefrom", "amount")
USD_VOLUMES = (
    "volume_usd", "usd_volume", "volume_quote", "quote_volume", "quote asset volume", "volumeto", "volume usd",
    "volume usdt", "turnover",
)  # fmt: skip
RANGE_NAMES = {"open": "open", "high": "high", "low": "low", "max": "high", "min": "low"}

ASSET = re.compile(r"[A-Z0-9][A-Z0-9.]{0,19}")
QUOTES = ("USDT", "USDC", "BUSD", "TUSD", "FDUSD", "USD")
KEPT_WHOLE = {"CRVUSD"}  # a coin whose own name ends like a pair
NO_ASSETS = {
    "DATA", "PRICE", "PRICES", "DAILY", "HOURLY", "HISTORY", "HISTORICAL", "CLOSE", "CLOSES", "CANDLES", "OHLC",
    "OHLCV", "EXPORT", "DOWNLOAD", "FILE", "CHART", "TABLE", "SHEET", "SHEET1", "BOOK1", "UNTITLED", "MARKET", "UPLOAD",
}  # fmt: skip
ALIASES = {"XBT": "BTC", "XXBT": "BTC", "XETH": "ETH", "XDG": "DOGE"}


@dataclass
class Layout:
    """Which column is what. `series` has one entry per asset of a wide file; long and single files use `roles`."""

    kind: str  # "wide", "long" or "single"
    date: Column
    series: dict[str, Column] = field(default_factory=dict)
    roles: dict[str, Column] = field(default_factory=dict)  # asset, close, open, high, low, volume, volume_usd
    asset: str = ""  # of a single file
    findings: list[Finding] = field(default_factory=list)


def find_layout(table: Table, name: str) -> Layout:
    """The roles of the columns of `table`. InputError with the reason where they cannot be told."""
    by_name: dict[str, Column] = {}
    for column in table.columns:
        by_name.setdefault(column.name.strip().lower(), column)
    date = _date_column(table, by_name, name)
    others = {key: column for key, column in by_name.items() if column is not date}
    close = next((others[key] for key in CLOSE_NAMES if key in others), None)
    asset = next((others[key] for key in ASSET_NAMES if key in others and _holds_names(others[key])), None)
    if asset is not None:
        return _long(table, date, asset, close, others, name)
    if close is not None:
        return _single(date, close, others, name)
    return _wide(table, date, name)


def _holds_names(column: Column) -> bool:
    """Whether the cells are words; a coin may be called what a column of names is called."""
    if column.cells.dtype.kind != "O":
        return False
    some = [str(cell).strip() for cell in column.cells[:200] if str(cell).strip()]
    return 2 * sum(PLAIN.fullmatch(cell[:MAX_CELL]) is None for cell in some) > len(some)


def _date_column(table: Table, by_name: dict[str, Column], name: str) -> Column:
    dated = [column for column in table.columns if column.cells.dtype.kind == "M"]
    for key in DATE_NAMES:
        if key in by_name:
            return by_name[key]
    if dated:
        return dated[0]
    first = table.columns[0]
    if any(c.isdigit() for c in first.name) and not re.search("[A-Za-z]", first.name):
        raise InputError(name, first.name, "has no line of column names", "Begin with a line such as date,BTC,ETH.")
    return first


def _roles(others: dict[str, Column], close: Column) -> tuple[dict[str, Column], list[Finding]]:
    roles = {"close": close}
    for role, names in (("volume", UNIT_VOLUMES), ("volume_usd", USD_VOLUMES)):
        found = next((others[key] for key in names if key in others), None)
        if found is not None:
            roles[role] = found
    adjusted = close.name.lower().startswith("adj")
    if not adjusted:  # open, high and low are not adjusted alike
        roles |= {role: others[key] for key, role in RANGE_NAMES.items() if key in others}
    findings = []
    if adjusted and "close" in others:
        findings.append(note("columns", 1, "kept", f"the adjusted closes of column {close.name!r} are used"))
    used = {id(column) for column in roles.values()}
    unused = [column.name for key, column in others.items() if id(column) not in used and key not in ASSET_NAMES]
    if unused:
        findings.append(note("columns", len(unused), "ignored", ", ".join(u[:20] for u in unused[:8])))
    return roles, findings


def _long(
    table: Table, date: Column, asset: Column, close: Column | None, others: dict[str, Column], name: str
) -> Layout:
    if close is None:
        hint = " ".join(filter(None, (did_you_mean(key, ["close", "price"]) for key in others)))
        raise InputError(
            name,
            ", ".join(c.name for c in table.columns)[:60],
            f"has a column {asset.name!r} but none with closes",
            hint or "Name the column of USD closes 'close'.",
        )
    roles, findings = _roles(others, close)
    return Layout("long", date, roles=roles | {"asset": asset}, findings=findings)


def _single(date: Column, close: Column, others: dict[str, Column], name: str) -> Layout:
    stem = PurePath(name).name.split(".")[0]
    words = [word for word in re.split(r"[\s()_-]+", stem.upper()) if word]
    asset, _ = asset_name(words[0]) if words else (None, "")
    if not asset or words[0] in NO_ASSETS:
        raise InputError(
            name,
            stem,
            "holds one asset but its file name does not say which",
            "Add a column 'asset', or name it BTC.csv.",
        )
    roles, findings = _roles(others, close)
    findings.append(note("name", 1, "taken from the file name", f"one asset, {asset}", asset))
    return Layout("single", date, roles=roles, asset=asset, findings=findings)


def _wide(table: Table, date: Column, name: str) -> Layout:
    layout = Layout("wide", date)
    columns = [column for column in table.columns if column is not date]
    # A column that has the asset's own name goes before one that only reduces to it (USDC before USDC_USD).
    columns.sort(key=lambda column: column.name.strip() != asset_name(column.name)[0])
    for column in columns:
        asset, why = asset_name(column.name)
        if asset is None:
            layout.findings.append(note("refused", 1, "dropped", f"column {column.name[:30]!r}: {why}"))
        elif asset in layout.series:
            same = "the same" if (layout.series[asset].cells == column.cells).all() else "another"
            detail = f"column {column.name[:30]!r} is {same} {asset} column; the first one is kept"
            layout.findings.append(note("duplicate column", 1, "dropped", detail, asset))
        else:
            layout.series[asset] = column
            if why:
                layout.findings.append(note("name", 1, "renamed", why, asset))
    order = [asset_name(column.name)[0] for column in table.columns]
    layout.series = {a: layout.series[a] for a in dict.fromkeys(order) if a in layout.series}
    if not layout.series:
        raise InputError(name, ", ".join(c.name for c in table.columns)[:60], "has no column of prices", FORM)
    return layout


def asset_name(text: str) -> tuple[str | None, str]:
    """The asset a column or cell names, and what was changed: 'btc-usd' gives 'BTC'. (None, why) when it names none.

    A pair against the dollar or a dollar stablecoin is its first part; any other pair is not a USD price.
    """
    raw = str(text).strip()
    name = raw.upper().lstrip("^").split(":")[0]
    if not name:
        return None, "a column without a name"
    if name.startswith("UNNAMED"):
        return None, "a row number"
    parts = [part for part in re.split(r"[/_\s-]+", name.removesuffix("=X")) if part]
    if len(parts) > 1 and parts[-1] in ("CLOSE", "PRICE", "CLOSES"):
        parts.pop()
    if len(parts) > 1 and parts[-1] in ("OPEN", "HIGH", "LOW", "VOLUME", "VOL"):
        return None, "not closes"
    if len(parts) == 2 and parts[1] in QUOTES:
        name = parts[0]
    elif "/" in name:
        return None, "a pair that is not quoted in USD"
    elif len(parts) == 2 and len(parts[1]) == 1:
        name = ".".join(parts)  # a class of shares, BRK-B
    else:
        name = _joined(parts[0]) if len(parts) == 1 else ""
    name = ALIASES.get(name, name)
    if name == "USD":
        return None, "the dollar is always 1 here"
    if not ASSET.fullmatch(name) or name.replace(".", "").isdigit():
        return None, "not the name of an asset"
    return name, "" if name == raw else f"{raw[:30]!r} is taken as {name}"


def _joined(name: str) -> str:
    """BTCUSDT -> BTC; TUSD, USDT and the like stay."""
    if name in KEPT_WHOLE:
        return name
    for quote in ("USDT", "USDC", "FDUSD", "USD"):
        base = name.removesuffix(quote)
        if base != name and len(base) >= (3 if quote == "USD" else 1):
            return base
    return name
