"""`python -m data fetch`: prices from exchanges and Yahoo into the store and, if wished, into a CSV;
`python -m data read`: what is read from a price file; `python -m data account`: the public accounts of an address;
`python -m data funding`: what perpetuals paid, as exchanges recorded it;
`python -m data watch`: tells when a margin call has become likely.

Exit status: 0 all assets; 1 some could not be had (each named with the reason, the others are written); 2 bad input.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data.accounts import FoundAccounts, fetch_accounts, venues
from data.fetch import funding as funding_command
from data.fetch.fetch import fetch_prices
from data.files.read import prices_to_csv, read_prices_path
from data.model import PriceSet
from data.watch import command as watch
from margin.core.account import Account
from margin.core.command_line import Parser
from margin.core.errors import InputError, one_line
from margin.core.portfolio import Portfolio
from margin.formats.found import ReadPortfolio


def parser() -> Parser:
    """The whole command line."""
    top = Parser(prog="python -m data", description="Historical prices from real exchanges.")
    commands = top.add_subparsers(dest="command", required=True, parser_class=Parser)
    fetch = commands.add_parser("fetch", help="fetch prices, or serve them from the store")
    fetch.add_argument("--assets", required=True, help="comma-separated, e.g. BTC,ETH,SPY")
    fetch.add_argument("--days", type=int, default=730, help="how far back (default %(default)s)")
    fetch.add_argument("--timeframe", default="1d", help="1d or 1h (default %(default)s)")
    fetch.add_argument("--exchanges", help="comma-separated fallback order, e.g. kraken,okx (default: all)")
    fetch.add_argument("--out", help="write the closes to this CSV file")
    fetch.add_argument("--json", action="store_true", help="print JSON")
    fetch.set_defaults(run=run_fetch)
    read = commands.add_parser("read", help="what is read from a price file, and what is refused")
    read.add_argument("file", help="CSV or Parquet: a date column and US dollar closes")
    read.add_argument("--asset", help="the asset of a file that holds one and does not say which, e.g. BTC")
    read.add_argument("--json", action="store_true", help="print JSON")
    read.set_defaults(run=run_read)
    account = commands.add_parser("account", help="the public accounts of a wallet address, kept nowhere else")
    account.add_argument("address", help="0x... (Hyperliquid and Lighter are both asked) or dydx1...")
    account.add_argument("--venue", help="ask this one only: " + ", ".join(venues()))
    account.add_argument("--out", help="write what was found to this file, portfolio JSON version 2")
    account.add_argument("--json", action="store_true", help="print it as JSON")
    account.set_defaults(run=run_account)
    funding_command.add_parser(commands)
    watch.add_parser(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    try:
        options = parser().parse_args(arguments)
        return int(options.run(options))
    except InputError as error:
        sys.stderr.write(f"error: {one_line(str(error))}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("error: stopped; what came is stored and the next fetch goes on from there\n")
        return 1


def run_fetch(options: argparse.Namespace) -> int:
    """Fetch, write and print; the exit status."""
    if options.timeframe not in ("1d", "1h"):
        raise InputError("timeframe", options.timeframe, "is not offered", "Use 1d or 1h.")
    if not 1 <= options.days <= 20_000:
        raise InputError("days", options.days, "must be a whole number from 1 to 20000")
    assets = [name for name in options.assets.split(",") if name.strip()]
    if not assets:
        raise InputError("assets", options.assets, "names none", "E.g. --assets BTC,ETH,SPY.")
    exchanges = options.exchanges.split(",") if options.exchanges else None
    show = _show_progress if sys.stderr.isatty() else None
    prices = fetch_prices(assets, options.days, options.timeframe, exchanges, progress=show)
    if options.out and prices.assets:
        _write(Path(options.out), prices)
    if options.json:
        sys.stdout.write(json.dumps(as_dict(prices), indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in (*provenance_lines(prices), *finding_lines(prices)))
    for asset, reason in prices.failures.items():
        sys.stderr.write(f"error: {asset}: {one_line(reason)}\n")
    return 1 if prices.failures else 0


def run_read(options: argparse.Namespace) -> int:
    """Print what `read_prices_path` makes of one file: its assets, their last closes, and every finding."""
    prices = read_prices_path(options.file, options.asset)
    if options.json:
        sys.stdout.write(json.dumps(read_as_dict(prices), indent=2) + "\n")
        return 0
    for asset, line in read_as_dict(prices)["assets"].items():
        volume = line["last_volume_usd"]
        traded = "volume not known" if volume is None else f"{volume:,.0f} USD traded on the last day"
        sys.stdout.write(
            f"{asset}: {line['rows']} daily closes {line['first']} to {line['last']}, "
            f"last {line['last_close']:g} USD, {traded}\n"
        )
    sys.stdout.writelines(f"{line}\n" for line in finding_lines(prices))
    return 0


def run_account(options: argparse.Namespace) -> int:
    """Print, and where wished write, the accounts of an address; 1 where something could not be had."""
    names = [options.venue] if options.venue else None
    answer = fetch_accounts(options.address, names)
    reads = list(answer.found.values())
    accounts = [account for read in reads for account in _that_hold(read.portfolio)]
    notes = [note for read in reads for note in read.portfolio.notes]
    whole = ReadPortfolio(
        Portfolio(accounts=accounts, notes=notes), tuple(row for read in reads for row in read.set_aside)
    )
    text = json.dumps(whole.to_dict(), indent=2, allow_nan=False) + "\n"
    if options.out and accounts:
        _write_text(Path(options.out), text)
    sys.stdout.write(text if options.json and accounts else "".join(f"{line}\n" for line in account_lines(answer)))
    for venue, reason in answer.failures:
        sys.stderr.write(f"error: {venue}: {one_line(reason)}\n")
    return 1 if answer.failures else 0


def _that_hold(portfolio: Portfolio) -> tuple[Account, ...]:
    """The accounts that hold something; all, where none does."""
    return tuple(a for a in portfolio.accounts if a.positions or a.collateral) or portfolio.accounts


def account_lines(answer: FoundAccounts) -> list[str]:
    """What was found, a line each."""
    lines = []
    for venue, read in answer.found.items():
        for account in _that_hold(read.portfolio):
            said = [account.name or venue, account.mode or "", f"as of {account.as_of}" if account.as_of else ""]
            lines.append(", ".join(part for part in said if part))
            for p in account.positions:
                entry = f" entered at {p.entry_price:g}" if p.entry_price is not None else ""
                lines.append(f"  {p.symbol} {p.quantity:g}{entry}{', isolated' if account.is_isolated(p) else ''}")
            lines += [f"  collateral {c.asset} {c.quantity:g}" for c in account.collateral]
        lines += [f"note: {note}" for note in read.portfolio.notes]
        lines += [f"set aside: {row.symbol}: {row.reason}" for row in read.set_aside]
    lines += [f"{venue}: nothing held at this address" for venue in answer.nothing]
    return lines


def read_as_dict(prices: PriceSet) -> dict[str, Any]:
    """`{"assets": {A: {first, last, rows, last_close, last_volume_usd}}, "findings": [...]}`; dates are days."""
    assets = {}
    for asset in prices.assets:
        closes = prices.closes[asset].dropna()
        volume = float(prices.volumes[asset].loc[closes.index[-1]])
        assets[asset] = {
            "first": str(closes.index[0])[:10],
            "last": str(closes.index[-1])[:10],
            "rows": len(closes),
            "last_close": float(closes.iloc[-1]),
            "last_volume_usd": volume if math.isfinite(volume) else None,
        }
    return {"assets": assets, "findings": _findings(prices)}


def _findings(prices: PriceSet) -> list[dict[str, Any]]:
    return [
        {name: str(value) if value is not None else "" for name, value in asdict(f).items()} | {"count": f.count}
        for f in prices.findings
    ]


def finding_lines(prices: PriceSet) -> list[str]:
    """One line per finding: `note: BTC: gap (3), left empty: longest 2 days from 2025-03-01`."""
    lines = []
    for f in prices.findings:
        about = f"{f.asset}: " if f.asset else ""
        detail = f": {f.detail}" if f.detail else ""
        lines.append(one_line(f"note: {about}{f.kind} ({f.count}), {f.action}{detail}"))
    return lines


def provenance_lines(prices: PriceSet) -> list[str]:
    """One line per asset: where its prices come from, from when to when, how fresh."""
    lines = []
    for p in prices.provenance.values():
        note = f" ({p.note})" if p.note else ""
        lines.append(
            f"{p.asset}: {p.rows} {p.interval} closes {str(p.first)[:10]} to {str(p.last)[:10]} "
            f"from {p.source} {p.symbol}, {prices.word_of(p.asset)}, fetched {str(p.fetched_at)[:16]} UTC{note}"
        )
    return lines


def as_dict(prices: PriceSet) -> dict[str, Any]:
    """Provenance, findings and failures as plain JSON values; closes are for --out."""
    series = {
        p.asset: {
            "source": p.source, "symbol": p.symbol, "timeframe": p.interval, "status": prices.word_of(p.asset),
            "rows": p.rows, "first": str(p.first), "last": str(p.last), "fetched_at": str(p.fetched_at), "note": p.note,
        }
        for p in prices.provenance.values()
    }  # fmt: skip
    return {"series": series, "findings": _findings(prices), "failures": prices.failures}


def _write(path: Path, prices: PriceSet) -> None:
    _write_text(path, prices_to_csv(prices))


def _write_text(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(str(path), error.strerror, "cannot be written", "Choose another file.") from None


def _show_progress(asset: str, share: float, text: str) -> None:
    sys.stderr.write(f"\r{asset}: {share:4.0%} {text:<40}")
    if share >= 1.0:
        sys.stderr.write("\n")
