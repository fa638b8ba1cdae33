"""`python -m data funding`: what perpetuals paid, as exchanges recorded it, as a CSV for backtest and stress."""

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from data.exchange.funding import recorded_funding
from data.exchange.registry import FUNDING, check_exchanges
from data.universe import check_asset
from margin.core.checks import parse_date, whole_number
from margin.core.errors import InputError, one_line

MOST_DAYS = 3_650


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """The command and its options."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "funding", help="recorded funding of perpetuals, a CSV for backtest and stress"
    )
    parser.add_argument("--assets", required=True, help="comma-separated, e.g. BTC,ETH")
    parser.add_argument("--days", type=int, default=730, help="how far back from --until (default %(default)s)")
    parser.add_argument("--until", help="last day, e.g. 2022-05-15 (default: now)")
    parser.add_argument("--exchanges", help=f"comma-separated fallback order (default: {','.join(FUNDING)})")
    parser.add_argument("--out", help="write the payments to this CSV file: date (UTC), then a column per asset")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> int:
    """Runs the command: 0 where every asset has a record, 1 where some have none, each with its reason."""
    assets = list(dict.fromkeys(check_asset(a.strip().upper()) for a in options.assets.split(",") if a.strip()))
    if not assets:
        raise InputError("--assets", options.assets, "names no asset", "E.g. --assets BTC,ETH.")
    days = whole_number(options.days, "--days", 1, MOST_DAYS)
    named = [e.strip() for e in options.exchanges.split(",") if e.strip()] if options.exchanges else list(FUNDING)
    sources = check_exchanges(named)
    end = datetime.now(UTC) if options.until is None else _end_of(options.until)
    found, why = recorded_funding(assets, end - timedelta(days=days), end, sources)
    if options.out and found:
        try:
            Path(options.out).write_text(as_csv(found), encoding="utf-8")
        except OSError as error:
            raise InputError("--out", options.out, f"cannot be written: {error.strerror}") from None
    if options.json:
        shown = {"assets": {a: about(r) for a, r in found.items()}, "not_found": why}
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{_line(asset, about(record))}\n" for asset, record in found.items())
    for asset, reason in why.items():
        sys.stderr.write(f"error: {asset}: {one_line(reason)}\n")
    return 1 if why else 0


def _line(asset: str, a: dict[str, Any]) -> str:
    return f"{asset}: {a['payments']} payments from {a['first']} to {a['last']}, {a['a_day']:+.4%} a day"


def about(record: pd.Series) -> dict[str, Any]:
    """One record as plain values; a_day : fraction of notional that longs paid a day on average."""
    days = (record.index[-1] - record.index[0]) / pd.Timedelta(days=1)
    each = days / max(len(record) - 1, 1)
    return {
        "payments": len(record),
        "first": f"{record.index[0]:%Y-%m-%dT%H:%M:%SZ}",
        "last": f"{record.index[-1]:%Y-%m-%dT%H:%M:%SZ}",
        "a_day": float(record.sum() / (days + each)) if days else float(record.sum()),
    }


def as_csv(found: dict[str, pd.Series]) -> str:
    """A column per asset by time of payment; empty where an asset was not paid at that time."""
    table = pd.DataFrame(found).sort_index()
    table.index = pd.DatetimeIndex(table.index).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(table.to_csv(index_label="date"))


def _end_of(text: str) -> datetime:
    """The end of the day that is named."""
    day = parse_date(text).normalize() + pd.Timedelta(days=1)
    made: datetime = day.to_pydatetime().replace(tzinfo=UTC)
    return made
