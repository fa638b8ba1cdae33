"""Price files for the command line: CSV or Parquet, first column `date`, one column of USD figures per asset."""

from pathlib import Path

import pandas as pd

from margin.core.errors import InputError
from margin.core.market import Market
from margin.formats.price_names import Meaning, asset_of_file, looks_like_asset, meaning, pair
from margin.formats.price_words import COIN_QUOTES, DOLLARS, currency

MAX_BYTES = 200_000_000


def read_market(prices: str, volumes: str | None = None, asset: str | None = None) -> Market:
    """A Market from a file of closes and, when given, one of USD traded per day. Raises InputError naming the file.

    asset : the asset of a file that holds one and does not say which
    """
    closes, findings = dollar_columns(read_table(prices), prices, asset)
    traded = dollar_columns(read_table(volumes), volumes, asset)[0] if volumes else None
    market = Market(closes, traded)
    market.findings = (*(("", text) for text in findings), *market.findings)
    return market


def dollar_columns(frame: pd.DataFrame, name: str, asset: str | None = None) -> tuple[pd.DataFrame, list[str]]:
    """The columns of `frame` that are US dollar prices, named by their assets, and a sentence about every other one.

    `BTC_high`, `BTC_low` and unified symbols keep their names. A file of one asset (date, open, high, low, close) is
    named by `asset`, else by its file. Raises InputError where no dollar price is left.
    """
    columns = [str(c) for c in frame.columns[1:]]
    found = {c: meaning(c) for c in columns}
    _refuse_other_money(frame, name)
    asset = _said_in_rows(frame, found, name) or asset
    bare = [c for c, m in found.items() if m.role in ("adjusted", "close") and not m.asset and not m.why]
    family = {m.role for m in found.values() if m.role in ("open", "high", "low") and not m.asset}
    if bare and (len(family) >= 2 or len(columns) == 1 or not any(_is_asset(c, m) for c, m in found.items())):
        return _one_asset(frame, bare, found, name, asset)
    kept: dict[str, str] = {}
    findings = []
    for column in columns:
        said = found[column]
        shown = column[:30]
        if "/" in column and not said.why and said.asset:
            kept.setdefault(column if said.asset in columns or column in kept else said.asset, column)
        elif said.asset and said.role in ("high", "low") and not said.why:
            kept.setdefault(f"{said.asset}_{said.role}", column)
        elif _is_asset(column, said):
            if said.asset in kept:
                if kept[said.asset] == column or column == said.asset:
                    raise InputError("prices", said.asset, "an asset has two columns", "Keep one of them.")
                findings.append(f"Column {shown!r} is another column of {said.asset} and left out.")
                continue
            kept[said.asset] = column
        else:
            why = said.why or (f"a column of {said.role}s" if said.role else "not the name of an asset")
            findings.append(f"Column {shown!r} is left out: {why}; it is no US dollar price.")
    if not any("_" not in key for key in kept):
        raise InputError(name, ", ".join(columns)[:60], "holds no column of US dollar prices", " ".join(findings)[:200])
    chosen = frame[[frame.columns[0], *kept.values()]]
    return chosen.set_axis([frame.columns[0], *kept], axis=1), findings


def _refuse_other_money(frame: pd.DataFrame, name: str) -> None:
    """InputError where a column says that rows are quoted in other money than dollars, whatever it is called."""
    for column in frame.columns[1:]:
        words = _words(frame[column])
        quoted = meaning(str(column)).role == "quote"
        codes = {w: currency(w) for w in words}
        cash = bool(words) and all(codes.values()) and (quoted or not set(codes.values()) & COIN_QUOTES)
        foreign = sorted(w for w in words if codes[w] not in DOLLARS)
        if foreign and (cash or quoted):
            raise InputError(name, ", ".join(foreign)[:40], "prices are not in US dollars", "Give US dollar closes.")


def _said_in_rows(frame: pd.DataFrame, found: dict[str, Meaning], name: str) -> str | None:
    """The asset that every row names in a column of its own (date, asset, close). InputError for more than one."""
    for column, said in found.items():
        words = _words(frame[column]) if said.role == "asset" and list(frame.columns).count(column) == 1 else set()
        if len(words) > 1:
            hint = "Give one column of closes per asset; `python -m data read` shows what a long file holds."
            raise InputError(name, ", ".join(sorted(words))[:40], "has a row per asset, not a column", hint)
        if words:
            return words.pop()
    return None


def _words(column: "pd.Series | pd.DataFrame") -> set[str]:
    """The different texts of a column; none where it holds numbers."""
    if isinstance(column, pd.DataFrame) or pd.api.types.is_numeric_dtype(column):
        return set()
    return {str(cell).strip() for cell in column.dropna().unique()[:2000]} - {""}


def _is_asset(column: str, said: Meaning) -> bool:
    plain = looks_like_asset(column) if not said.role else bool(said.asset) and said.role in ("close", "adjusted")
    return plain and not said.why


def _one_asset(
    frame: pd.DataFrame, closes: list[str], found: dict[str, Meaning], name: str, given: str | None
) -> tuple[pd.DataFrame, list[str]]:
    best = sorted(closes, key=lambda c: found[c].role != "adjusted")[0]
    foreign = found[best].quote if found[best].quote and found[best].quote not in DOLLARS else ""
    asset, quote, why = asset_of_file(name)
    if foreign or (why and quote):
        raise InputError(name, foreign or quote, "is not in US dollars", "Give US dollar closes.")
    if given:
        asset, _, problem = pair(given)
        if not asset or problem:
            raise InputError("asset", given, problem or "is not an asset", "Name one like BTC or SPY.")
    if not asset:
        hint = "Name the column: BTC; or give --asset BTC."
        raise InputError(name, best, "holds one asset but its file name does not say which", hint)
    columns = {asset: best}
    if found[best].role != "adjusted":  # highs and lows are not adjusted alike
        for column, said in found.items():
            if said.role in ("high", "low") and not said.asset and not said.why and said.quote in ("", *DOLLARS):
                columns.setdefault(f"{asset}_{said.role}", column)
    chosen = frame[[frame.columns[0], *columns.values()]].set_axis([frame.columns[0], *columns], axis=1)
    source = "as given" if given else "taken from its name"
    return chosen, [f"The file holds one asset, {source}: {asset}; the column {best[:30]!r} is used."]


def read_table(name: str) -> pd.DataFrame:
    """The file as a frame whose first column is `date`. The engine checks its cells. Raises InputError."""
    path = Path(name)
    hint = "The first column is 'date', then one column of USD closes per asset."
    try:
        found = path.is_file()
    except (OSError, ValueError):  # a name too long, or with a null byte
        found = False
    if not found:
        raise InputError(name, "no such file", "cannot be read", "Check the path.")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(name, f"{path.stat().st_size} bytes", "is too large", f"At most {MAX_BYTES}.")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            frame = pd.read_parquet(path)
            frame = frame if str(frame.index.name).lower() != "date" else frame.reset_index()
        else:
            frame = pd.read_csv(path, encoding="utf-8-sig")
            header = pd.read_csv(path, encoding="utf-8-sig", header=None, nrows=1, dtype=str).iloc[0]
            if header.notna().all() and len(header) == len(frame.columns):
                frame.columns = list(header)  # pandas would call a second BTC column BTC.1
    except ImportError:
        hint = "pip install 'margin-lab[parquet]', or give the prices as CSV."
        raise InputError(name, path.suffix, "needs pyarrow, which is not installed", hint) from None
    except (ValueError, OSError, NotImplementedError, MemoryError, OverflowError) as error:  # pandas' and arrow's own
        raise InputError(name, str(error).split("\n")[0][:80], "is not a readable CSV or Parquet file", hint) from None
    columns = [str(c).strip() for c in frame.columns]
    if not columns or columns[0].lower() != "date":
        raise InputError(name, ", ".join(columns[:4]), "does not start with a 'date' column", hint)
    if len(columns) < 2:
        raise InputError(name, columns[0], "holds no asset", hint)
    return frame.set_axis(["date", *columns[1:]], axis=1)
