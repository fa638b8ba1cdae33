"""`python -m margin backtest`: was each method's margin enough?"""

import argparse
from dataclasses import asdict
from typing import Any

from margin.backtest.walk_forward import Backtest, MethodRecord, backtest
from margin.cli import text as cli_text
from margin.core.settings import Settings


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """The command and its options."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "backtest", help="was the margin of each method enough, day by day?"
    )
    cli_text.add_portfolio(parser)
    cli_text.add_prices(parser)
    cli_text.add_volumes(parser)
    cli_text.add_measure(parser)
    parser.add_argument("--days", type=int, default=1500, help="days walked, the newest (default %(default)s)")
    parser.add_argument("--constant", default="quantities", help="quantities or dollars (default %(default)s)")
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Runs the command: (values for JSON, text)."""
    settings = Settings().with_(
        level=options.level,
        horizon=options.horizon,
        lookback=options.lookback,
        measure=options.measure,
        as_of=options.as_of,
    )
    portfolio, market = cli_text.portfolio_of(options), cli_text.market_of(options)
    result = backtest(portfolio, market, settings, days=options.days, constant=options.constant)
    return to_dict(result), describe(result)


def to_dict(b: Backtest) -> dict[str, Any]:
    """The backtest as plain values, without its daily series."""
    return {
        "first": str(b.dates[0])[:10],
        "last": str(b.dates[-1])[:10],
        "days": len(b.dates),
        "skipped": b.skipped,
        "constant": b.constant,
        "level": b.settings.level,
        "horizon": b.settings.horizon,
        "lookback": b.settings.lookback,
        "methods": [_method(b, r) for r in b.records],
        "notes": list(b.notes),
    }


def _method(b: Backtest, r: MethodRecord) -> dict[str, Any]:
    report, shortfall = r.report, r.shortfall_test
    return {
        "name": r.method.name,
        "rung": r.method.rung,
        "estimator": r.method.estimator,
        "average": r.average,
        "saved_pct": b.saved_pct(r),
        "exceedances": int(r.hits.sum()),
        "rate": r.rate,
        "expected_at_most": r.expected,
        "largest_uncovered": float(r.uncovered.max()),
        "largest_rise_20_days": r.largest_rise(),
        "peak_to_trough": r.peak_to_trough,
        "tested_on": "var" if r.var is not None else "margin",
        "tested_exceedances": report.exceedances,
        "kupiec": asdict(report.kupiec),
        "binomial": asdict(report.binomial),
        "independence": asdict(report.independence),
        "conditional_coverage": asdict(report.conditional_coverage),
        "zone": report.zone,
        "acerbi_szekely": None if shortfall is None else {"statistic": shortfall[0], "p_value": shortfall[1]},
    }


def describe(b: Backtest) -> str:
    """The backtest as plain text."""
    rows = []
    for r in b.records:
        saved, rise = b.saved_pct(r), r.largest_rise()
        rows.append(
            (
                r.method.name,
                cli_text.money(r.average),
                "-" if saved is None else f"{saved:.1f}%",
                f"{int(r.hits.sum())}",
                f"{r.rate:.2%}",
                f"{r.report.binomial.p_value:.3f}",
                r.report.zone,
                cli_text.money(float(r.uncovered.max())),
                "-" if rise is None else f"{rise:.0%}",
            )
        )
    header = ("method", "average", "saved", "days beyond", "rate", "p exact", "zone", "worst beyond", "rise 20 d")
    s = b.settings
    about = (
        f"{len(b.dates)} days from {str(b.dates[0])[:10]} to {str(b.dates[-1])[:10]}, constant {b.constant}, "
        f"{s.measure.upper()} {s.level:.1%} over {s.horizon} day(s): at most {1 - s.level:.1%} of days may lie beyond."
    )
    notes = "\n".join(f"note: {note}" for note in b.notes)
    return "\n\n".join(part for part in (about, cli_text.table(header, rows), notes) if part)
