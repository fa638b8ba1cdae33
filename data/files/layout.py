"""What the columns of a table are: the date, the assets; wide, long or one asset. Unknown columns are no prices."""

import re
from dataclasses import dataclass, field, replace

import numpy as np

from data.files.by_values import holds_names, is_indicator, is_time, unknown_family
from data.files.cells import PLAIN
from data.files.table import FORM, Column, Table, note
from data.model import Finding
from margin.core.errors import InputError, did_you_mean
from margin.formats.price_names import Meaning, asset_name, asset_of_file, looks_like_asset, meaning, pair
from margin.formats.price_words import COIN_QUOTES, DOLLARS, KNOWN, currency, fold, words

DATE_ORDER = (
    "timeperiodstart",
    "date",
    "datetime",
    "timeopen",
    "opentime",
    "candlebegintime",
    "dateutc",
    "timestamp",
    "time",
    "snappedat",
)
ASSET_ORDER = ("asset", "symbol", "ticker", "tic", "coin", "pair", "instrument", "base", "baseasset", "market")
CLOSE_ORDER = ("close", "closeusd", "closeprice", "closingprice", "priceclose", "price", "priceusd")
# Codes that are tickers too: taken for assets where no family of open, high, low and close stands beside them.
TICKERS_TOO = words("LOW HIGH OPEN COIN MA V T S C O H L ALPHA BETA RSI MO KL CAO LAV LUK BID ASK CLOT ALIN MAX MIN")
CMC_DOLLAR = "2781"  # CoinMarketCap writes the number of the currency into the column `name`; 2781 is the US dollar
COLUMN_HINT = "Write one column of US dollar closes per asset, named by its code: BTC, ETH, SPY."


class AssetNotNamed(InputError):
    """A file of one asset that does not say which: whoever brought it is asked."""


@dataclass(kw_only=True)
class Layout:
    """Which column is what.

    kind   : "wide" (`series`: roles by asset), "long" (`roles` with asset and close) or "single" (`roles`, `asset`)
    quote  : a column that names the currency of each row, or None
    vendor : who wrote the file, where its columns say so: "yahoo", "coinmarketcap", "coingecko", "klines", ...
    words  : what the file calls an asset, where that is another word than ours: {"BTC": "BTC-USD"}
    volume_of : the asset in whose units the column of role "volume base" counts, "" where it is each row's own
    """

    kind: str
    date: Column
    series: dict[str, dict[str, Column]] = field(default_factory=dict)
    roles: dict[str, Column] = field(default_factory=dict)
    asset: str = ""
    quote: Column | None = None
    vendor: str = ""
    words: dict[str, str] = field(default_factory=dict)
    volume_of: str = ""
    findings: list[Finding] = field(default_factory=list)


@dataclass
class _Columns:
    """The columns beside the date, each with its meaning."""

    all: list[tuple[Column, Meaning]]

    def bare(self, *roles: str) -> list[Column]:
        """Columns of these roles that carry no asset's name."""
        return [c for c, m in self.all if m.role in roles and not m.asset and not m.why]

    def has(self, *keys: str) -> bool:
        """Whether columns of all these names (folded) are there."""
        return set(keys) <= {fold(c.name) for c, _ in self.all}


def find_layout(table: Table, name: str, asset: str | None = None) -> Layout:
    """The roles of the columns of `table`. `asset` names the one asset of a file that does not say which it holds.

    InputError with the reason where they cannot be told, or where no dollar price is among them.
    """
    date = _date_column(table, name)
    columns = _Columns([(c, meaning(c.name)) for c in table.columns if c is not date])
    columns.all = [(c, _ticker_too(c, m, columns)) for c, m in columns.all]
    columns.all = [(c, _in_its_unit(c, _fred(c, m, date, name))) for c, m in columns.all]
    quote = next((c for c in columns.bare("quote") if holds_names(c)), None)
    named = [c for c in columns.bare("asset") if holds_names(c)]
    named.sort(key=lambda c: _order(c, ASSET_ORDER))
    if quote is None:  # a column `currency` may name the coin or the money
        quote = next((c for c in named if _all_money(c) and fold(c.name) not in ASSET_ORDER), None)
        named = [c for c in named if c is not quote]
        quote = quote or next((c for c, m in columns.all if m.role in ("", "other") and _all_cash(c)), None)
    elif not named and fold(quote.name) == "currency" and not _all_money(quote):
        named, quote = [quote], None
    if not named and (family := _asset_in_cells(columns)) is not None:
        named = [family]
    vendor = _vendor(columns, date)
    closes = _closes(columns, name)
    if named:
        _stooq(named[0], columns)
        layout = _long(table, date, named[0], closes, columns, name)
    elif closes and not _has_own_assets(columns):
        layout = _single(date, closes, columns, name, asset)
        _check_cmc_currency(columns, name)
    elif len({m.role for c, m in columns.all if m.role in ("open", "high", "low") and not m.asset}) >= 2:
        shown = ", ".join(c.name for c in table.columns)[:60]
        raise InputError(name, shown, "has opens, highs or lows but no column of closes", "Name it 'close'.")
    else:
        layout = _wide(table, date, columns, name)
        layout.vendor = "yahoo" if table.many_tickers else ""
    layout.quote, layout.vendor = quote, layout.vendor or vendor
    if layout.roles and (base := layout.roles.get("volume base")) is not None:
        layout.volume_of = meaning(base.name).asset
    return layout


def _has_own_assets(columns: _Columns) -> bool:
    """Whether columns of assets stand beside a stray column of closes: no family of open, high and low."""
    plain = [c for c, m in columns.all if not m.role and looks_like_asset(c.name) and not holds_names(c)]
    return bool(plain) and not columns.bare("open", "high", "low", "adjusted")


def _order(column: Column, order: tuple[str, ...]) -> int:
    key = fold(column.name)
    return order.index(key) if key in order else len(order)


def _ticker_too(column: Column, found: Meaning, columns: _Columns) -> Meaning:
    """LOW beside HD is a share; LOW beside HIGH and CLOSE is a low."""
    raw = column.name.strip()
    if not found.role or found.asset or raw not in TICKERS_TOO or holds_names(column):
        return found
    letters = {fold(c.name) for c, m in columns.all}
    family = any(m.role in ("close", "adjusted") and not m.asset and c.name.strip() != "C" for c, m in columns.all)
    ranges = {m.role for c, m in columns.all if m.role in ("open", "high", "low") and not m.asset}
    if family or len(ranges) >= 2 or {"o", "h", "l"} <= letters:
        return found
    return found if is_indicator(raw, column, columns.all) else Meaning("", raw)


def _in_its_unit(column: Column, found: Meaning) -> Meaning:
    """What a line of units under the names says of a column of prices: USD, EUR."""
    if column.cells.dtype.kind != "O" or found.role not in ("", "close", "adjusted") or found.quote:
        return found
    codes = [code for cell in column.cells[:3] if (code := currency(cell)) and not PLAIN.fullmatch(str(cell).strip())]
    if not codes or codes[0] in DOLLARS or holds_names(column):
        return found
    why = f"is quoted in {codes[0]}, not in dollars"
    return replace(found, quote=codes[0], why=why if found.asset else found.why)


def _fred(column: Column, found: Meaning, date: Column, name: str) -> Meaning:
    """CBBTCUSD of the St. Louis Fed is Coinbase's Bitcoin, not the coin CBBTC: its files say observation_date, or DATE
    and are called as their column is."""
    raw = column.name.strip()
    theirs = fold(date.name) == "observationdate" or (date.name == "DATE" and name.upper().startswith(raw))
    if theirs and (match := re.fullmatch(r"CB(BTC|ETH|LTC|BCH)USD", raw)):
        return Meaning("", match[1], "USD")
    return found


def _stooq(named: Column, columns: _Columns) -> None:
    """Stooq's text files (<TICKER>,<PER>,...) write BTC.V and AAPL.US for what trades in dollars."""
    if columns.has("per", "openint"):
        named.cells = np.array([re.sub(r"\.(V|US)$", "", str(cell).strip()) for cell in named.cells], dtype=object)


def _all_money(column: Column) -> bool:
    some = {str(cell).strip() for cell in column.cells[:2000] if str(cell).strip()}
    return bool(some) and all(currency(cell) for cell in some)


def _all_cash(column: Column) -> bool:
    """Whether every cell names a currency that is no coin, whatever the column is called."""
    if column.cells.dtype.kind != "O":
        return False
    some = {str(cell).strip() for cell in column.cells[:2000] if str(cell).strip()}
    return bool(some) and all((code := currency(cell)) and code not in COIN_QUOTES for cell in some)


def _asset_in_cells(columns: _Columns) -> Column | None:
    """A column without a known name whose cells are pairs: 'BTC/USDT' in every row."""
    for column, found in columns.all:
        if found.role in ("", "other") and holds_names(column):
            some = {str(cell).strip() for cell in column.cells[:2000] if str(cell).strip()}
            if some and len(some) <= 500 and all(pair(cell)[1] for cell in some):
                return column
    return None


def _date_column(table: Table, name: str) -> Column:
    known = [c for c in table.columns if meaning(c.name).role == "date"]
    known = [c for c in known if not (c.name.strip() in TICKERS_TOO and c is not table.columns[0])] or known
    known.sort(key=lambda c: _order(c, DATE_ORDER))
    dated = [c for c in table.columns if c.cells.dtype.kind == "M"]
    if known:
        return _with_time(known[0], table)
    unnamed = [c for c in table.columns if not c.name.strip()]
    if dated or unnamed:
        return (dated or unnamed)[0]
    first = table.columns[0]
    if any(c.isdigit() for c in first.name) and not re.search("[A-Za-z]", first.name):
        raise InputError(name, first.name, "has no line of column names", "Begin with a line such as date,BTC,ETH.")
    return first


def _with_time(date: Column, table: Table) -> Column:
    """MetaTrader writes the day and the time of day in two columns."""
    time = next((c for c in table.columns if fold(c.name) == "time"), None)
    if time is None or time is date or fold(date.name) != "date" or "O" not in (date.cells.dtype.kind,):
        return date
    clock = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
    if time.cells.dtype.kind != "O" or not all(clock.fullmatch(str(t).strip()) for t in time.cells[:50]):
        return date
    both = [f"{str(d).strip()} {str(t).strip()}" for d, t in zip(date.cells, time.cells, strict=True)]
    date.cells = np.array(both, dtype=object)
    return date


def _closes(columns: _Columns, name: str) -> list[Column]:
    """The columns of closes that carry no asset's name, best first: adjusted, then by CLOSE_ORDER, dollars only."""
    found = [(c, m) for c, m in columns.all if m.role in ("close", "adjusted") and not m.asset and not m.why]
    foreign = [(c, m) for c, m in found if m.quote and m.quote not in DOLLARS]
    dollars = [(c, m) for c, m in found if not m.quote or m.quote in DOLLARS]
    if foreign and not dollars:
        column, said = foreign[0]
        raise InputError(name, column.name[:40], f"is in {said.quote}, not in US dollars", COLUMN_HINT)
    for role in ("close", "adjusted"):
        names = [c.name.strip() for c, m in dollars if m.role == role]
        repeated = next((n for n in names if names.count(n) > 1 or f"{n}.1" in {c.name for c, _ in columns.all}), None)
        if repeated is not None:
            raise InputError(
                name, repeated, "names several columns, so whose closes they are cannot be told", COLUMN_HINT
            )
    dollars.sort(key=lambda item: (item[1].role != "adjusted", item[1].quote == "", _order(item[0], CLOSE_ORDER)))
    return [c for c, _ in dollars]


def _roles(columns: _Columns, closes: list[Column]) -> tuple[dict[str, Column], list[Finding]]:
    close = closes[0]
    adjusted = meaning(close.name).role == "adjusted"
    roles = {"close": close}
    for role, column in (
        ("volume usd", columns.bare("volume usd")),
        ("volume base", columns.bare("volume base")),
        ("volume", columns.bare("volume")),
    ):
        if column:
            roles[role] = column[0]
    based = [c for c, m in columns.all if m.role == "volume" and m.asset]
    if based and "volume base" not in roles:
        roles["volume base"] = based[0]  # "Volume BTC"
    if not adjusted:  # open, high and low are not adjusted alike
        for role in ("open", "high", "low"):
            if found := columns.bare(role):
                roles[role] = found[0]
    findings = []
    if adjusted and len(closes) > 1:
        findings.append(note("columns", 1, "kept", f"the adjusted closes of column {close.name!r} are used"))
    used = {id(column) for column in roles.values()}
    unused = [c.name for c, m in columns.all if id(c) not in used and m.role not in ("asset", "quote")]
    if unused:
        findings.append(note("columns", len(unused), "ignored", ", ".join(u[:20] for u in unused[:8])))
    return roles, findings


def _long(table: Table, date: Column, asset: Column, closes: list[Column], columns: _Columns, name: str) -> Layout:
    if not closes:
        keys = [c.name.strip().lower() for c, _ in columns.all]
        hint = " ".join(filter(None, (did_you_mean(key, ["close", "price"]) for key in keys)))
        shown = ", ".join(c.name for c in table.columns)[:60]
        problem = f"has a column {asset.name!r} but none with closes"
        raise InputError(name, shown, problem, hint or "Name the column of USD closes 'close'.")
    roles, findings = _roles(columns, closes)
    return Layout(kind="long", date=date, roles=roles | {"asset": asset}, findings=findings)


def _single(date: Column, closes: list[Column], columns: _Columns, name: str, chosen: str | None) -> Layout:
    roles, findings = _roles(columns, closes)
    asset, quote, why = asset_of_file(name)
    if why and quote:
        raise InputError(name, asset or name, why, "Give US dollar prices.")
    if chosen:
        given, _, problem = pair(chosen)
        if not given or problem:
            raise InputError("asset", chosen, problem or "is not an asset", "Name one like BTC or SPY.")
        asset = given
    elif why or not asset:
        raise AssetNotNamed(
            name,
            name[:60],
            "holds one asset but its file name does not say which",
            "Name it: --asset BTC (on the page: the box for it), a column 'asset', or a file name like BTC.csv.",
        )
    else:
        findings.append(note("name", 1, "taken from the file name", f"one asset, {asset}", asset))
    return Layout(kind="single", date=date, roles=roles, asset=asset, findings=findings)


def _check_cmc_currency(columns: _Columns, name: str) -> None:
    column = next((c for c, _ in columns.all if fold(c.name) == "name"), None)
    if column is None or not columns.has("timeclose", "timehigh"):
        return
    numbers = {str(cell).strip() for cell in column.cells[:2000]} - {""}
    if numbers and numbers != {CMC_DOLLAR} and all(n.isdigit() for n in numbers):
        shown = ", ".join(sorted(numbers))[:40]
        raise InputError(name, shown, "is CoinMarketCap's number of a currency other than the US dollar", COLUMN_HINT)


def _vendor(columns: _Columns, date: Column) -> str:
    """Whose export this is, by the columns only its writer has."""
    if columns.has("volumetraded"):
        return "coinapi"
    if columns.bare("cap") or columns.has("timeclose") or columns.has("timehigh"):
        return "coinmarketcap"
    if fold(date.name) == "snappedat" or columns.has("totalvolume"):
        return "coingecko"
    if columns.has("takerbuyvolume") or columns.has("quoteassetvolume") or columns.has("closetime", "quotevolume"):
        return "klines"
    if columns.bare("adjusted"):
        return "yahoo"
    if columns.has("tickvol"):
        return "metatrader"
    if any(m.role == "change" for _, m in columns.all):
        return "investing"
    if fold(date.name) == "time" and any(c.name == "Volume" for c, _ in columns.all) and columns.has("open", "close"):
        return "tradingview"
    return ""


def _wide(table: Table, date: Column, columns: _Columns, name: str) -> Layout:
    layout = Layout(kind="wide", date=date)
    family = unknown_family(columns.all)
    sure = any(m.asset in KNOWN or m.quote or c.name.strip().isupper() for c, m in columns.all if m.asset and not m.why)
    by_own_name = sorted(columns.all, key=lambda item: item[0].name.strip() != item[1].asset)
    for column, found in by_own_name:
        shown = column.name[:30]
        named = looks_like_asset(column.name) if not found.role else found.role in ("close", "adjusted", "high", "low")
        volume = found.role in ("volume usd", "volume") and bool(found.asset)
        if found.role == "quote":
            continue
        if id(column) in family:
            detail = f"column {shown!r} is one of an asset's open, high, low and close, whose names are not known here"
            layout.findings.append(note("refused", 1, "dropped", f"{detail}: name the close 'close'"))
            continue
        word = column.name.strip().islower() or column.name.strip().istitle()
        if named and word and not found.role and not found.quote and found.asset not in KNOWN and not sure:
            detail = f"column {shown!r} may be a word, not an asset: write its code in capitals"
            layout.findings.append(note("refused", 1, "dropped", detail))
            continue
        if found.why and found.asset:
            layout.findings.append(note("refused", 1, "dropped", f"column {shown!r}: {found.why}"))
        elif found.asset and volume and (found.role == "volume usd" or table.many_tickers):
            layout.series.setdefault(found.asset, {})[found.role] = column
        elif not found.asset or not named or is_time(column):
            why = found.why or (f"a column of {found.role}s" if found.role else "not the name of an asset")
            layout.findings.append(note("refused", 1, "dropped", f"column {shown!r}: {why}; it is no price"))
        else:
            role = found.role or "close"
            role = "close" if role == "adjusted" else role
            kept = layout.series.setdefault(found.asset, {})
            if role in kept:
                same = "the same" if (kept[role].cells == column.cells).all() else "another"
                detail = f"column {shown!r} is {same} {found.asset} column; the first one is kept"
                layout.findings.append(note("duplicate column", 1, "dropped", detail, found.asset))
                continue
            kept[role] = column
            if role == "close":
                layout.words[found.asset] = column.name
            if role == "close" and column.name.strip() != found.asset:
                layout.findings.append(note("name", 1, "renamed", f"{shown!r} is taken as {found.asset}", found.asset))
    order = [found.asset for _, found in columns.all]
    layout.series = {a: layout.series[a] for a in dict.fromkeys(order) if "close" in layout.series.get(a, {})}
    if not layout.series:
        shown = ", ".join(c.name for c in table.columns)[:60]
        why = next((f.detail for f in layout.findings if f.kind == "refused" and "it is no price" not in f.detail), "")
        raise InputError(name, shown, "has no column of US dollar prices", f"{why}. {FORM}" if why else FORM)
    return layout


__all__ = ["AssetNotNamed", "Layout", "asset_name", "find_layout"]
