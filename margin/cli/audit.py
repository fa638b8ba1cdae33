"""`python -m margin audit`: a whole venue's book, account by account, or a made-up one to try it on."""

import argparse
import json
import sys
import time
from typing import Any

from margin.cli import text as cli_text
from margin.core.errors import InputError
from margin.core.settings import Settings

MOST_SHOWN = 10  # of the shocks that are not alike for all assets


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """The command and its options."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "audit", help="a whole venue's book: health, shocks, the fund, who is large"
    )
    parser.add_argument("--positions", help="files of positions: a pattern, or a folder")
    parser.add_argument("--accounts", help="files with columns account and equity (default: beside the positions)")
    cli_text.add_prices(parser)
    cli_text.add_volumes(parser)
    parser.add_argument("--format", default="auto", help="form of the rows; docs/audit-format.md (default: auto)")
    parser.add_argument("--model", default="portfolio", help="portfolio, isolated, netted or e.g. hyperliquid:cross")
    parser.add_argument("--fund", type=float, default=0.0, help="USD in the insurance fund (default 0)")
    parser.add_argument("--tvl", type=float, help="USD the venue says it holds, beside the sum of equities")
    parser.add_argument("--gap", type=float, default=0.0, help="further adverse move before a close, fraction (0)")
    shocks = "wide (default): all alike, betas, events, worst days, each alone; uniform: all alike; or a JSON file"
    parser.add_argument("--shocks", default="wide", help=shocks)
    parser.add_argument("--out", help="a Parquet file with a row per account; with --make, the folder to write")
    parser.add_argument("--make", type=int, help="write a made-up venue of so many accounts instead")
    parser.add_argument("--seed", type=int, default=1, help="of the made-up venue (default 1)")
    parser.add_argument("--threads", type=int, default=2, help="threads of this machine (default 2)")
    parser.add_argument("--workers", help="address of a Dask scheduler, e.g. tcp://host:8786, instead of threads")
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Runs the command: (values for JSON, text)."""
    from margin.audit.make import write
    from margin.audit.models import batch_tiers
    from margin.audit.parts import open_source
    from margin.audit.plan import LADDER_KINDS, make_plan
    from margin.audit.report import market_depth, report
    from margin.audit.scan import Progress, audit_source
    from margin.audit.shocks import read_shocks, wide_shocks

    options.sample = options.sample or not options.prices  # so that --make needs no file
    market = cli_text.market_of(options)
    settings = Settings(as_of=options.as_of)
    tiers = None if options.model in LADDER_KINDS else batch_tiers(options.model, market, options.as_of)
    plan = make_plan(market, options.model, settings, tiers=tiers, gap=options.gap)
    if options.make is not None:
        if not options.out:
            raise InputError("out", None, "is missing", "Name the folder to write, e.g. --out book/.")
        shown = _shown(options, time.monotonic())
        each = None if shown is None else lambda *now: shown(Progress(parts=now[0], of=now[1], accounts=now[2]))
        files = write(plan, options.make, options.out, options.seed, progress=each)
        text = f"{options.make:,} accounts in {len(files)} files written to {options.out}"
        return {"accounts": options.make, "files": [str(file) for file in files]}, text
    if not options.positions:
        raise InputError("positions", None, "is missing", "Give --positions 'book/*.parquet', or --make 200000.")
    if options.shocks != "uniform":  # the others need the plan's assets
        wide = options.shocks == "wide"
        shocks = wide_shocks(market, plan.assets, settings) if wide else read_shocks(_json(options.shocks), plan.assets)
        plan = make_plan(
            market, options.model, settings, shocks=shocks, tiers=tiers, gap=options.gap, assets=plan.assets
        )
    source = open_source(options.positions, options.accounts, options.format)
    started = time.monotonic()
    try:
        if options.workers:
            from margin.audit.cluster import audit_on_cluster

            shown = _shown(options, started)
            total = audit_on_cluster(plan, source, options.workers, options.out, shown)
        else:
            total = audit_source(plan, source, options.threads, options.out, _shown(options, started))
    finally:
        source.close()
    volumes, vols = market_depth(market, plan)
    found = report(plan, total, time.monotonic() - started, options.fund, volumes, vols, options.tvl)
    return found.to_dict(), _text(found)


def _json(name: str) -> Any:
    content = cli_text.read_bytes(name)
    try:
        return json.loads(content)
    except ValueError as error:
        raise InputError(name, str(error)[:60], "is not valid JSON") from None


def _shown(options: argparse.Namespace, started: float) -> Any:
    """Progress on stderr where a person watches: parts, rate, time left."""
    if not sys.stderr.isatty():
        return None

    def show(now: Any) -> None:
        seconds = time.monotonic() - started
        left = seconds / now.parts * (now.of - now.parts)
        sys.stderr.write(
            f"\r{now.parts}/{now.of} parts, {now.accounts:,} accounts, {now.accounts / seconds:,.0f} a second, "
            f"{left:,.0f} s left " + ("\n" if now.parts == now.of else "")
        )
        sys.stderr.flush()

    return show


def _text(found: Any) -> str:
    s, fund = found.summary, found.fund
    head = [
        f"{s.accounts:,} accounts, {s.positions:,} positions as of {found.plan.as_of}, {found.plan.model} margin",
        f"closed already: {s.closed_now:,}; equity below zero: {s.below_zero:,}; empty: {s.empty:,}",
        f"fund {fund.fund:,.0f}: pays {fund.covered:.1%} of scenarios in full; 99.5% of them need {fund.quantile:,.0f} "
        f"(largest account {fund.cover_one:,.0f}, largest two {fund.cover_two:,.0f})",
        f"margin account by account {found.es['sum']:,.0f}, of all in one pool {found.es['pooled']:,.0f}",
    ]
    called = ", ".join(f"{count:,.1f} within {days:g}" for days, count in found.expected_calls)
    head.append(f"accounts expected to be called by the closed form: {called} days")
    tvl = found.checks["equity_to_tvl"]
    if tvl is not None:
        head.append(f"equity of all accounts {found.checks['equity']:,.0f}, {tvl:+.1%} beside the venue's own figure")
    factors = [(a.asset, a.reproduction) for a in found.assets if a.reproduction is not None]
    if factors:
        worst = max(factors, key=lambda row: row[1])
        head.append(f"R0 at its steepest: {worst[1]:.3f} in {worst[0]} (1 or more feeds on itself)")
    alike = [x for x in found.shocks if x.name.startswith("all ")]
    rest = [x for x in found.shocks if x not in alike]
    badly = sorted(rest, key=lambda x: (-x.shortfall, -x.notional))[:MOST_SHOWN]
    shown = [*alike, *badly] if alike else found.shocks
    shocks = [(x.name, f"{x.liquidated:,}", *(f"{v:,.0f}" for v in (x.notional, x.shortfall))) for x in shown]
    table = cli_text.table(("shock", "closed", "notional", "shortfall"), shocks)
    bands = cli_text.table(("health", "accounts", "gross"), [(n, f"{c:,}", f"{g:,.0f}") for n, c, g in found.bands])
    rate = f"{found.seconds:.2f} s, {s.accounts / max(found.seconds, 1e-9):,.0f} accounts a second"
    if len(shown) < len(found.shocks):
        table += f"\nthe {len(badly)} worst of {len(rest):,} other shocks; --json has all"
    return "\n\n".join(["\n".join(head), table, bands, "\n".join([*found.notes, rate])])
