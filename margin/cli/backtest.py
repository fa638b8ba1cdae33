"""`python -m margin backtest`: was each method's margin enough?"""

import argparse
from dataclasses import asdict
from typing import Any

from margin.backtest.under_model import ModelBacktest, backtest_model, default_model
from margin.backtest.walk_forward import Backtest, MethodRecord, backtest
from margin.cli import text as cli_text
from margin.core.errors import InputError
from margin.core.settings import Settings

SHOWN = 5  # openings closed by force that the text names


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
    about = "margin model that judges the account, e.g. binance:cross (default: its own venue and mode, else portfolio)"
    parser.add_argument("--model", help=about)
    hold = "closes each opening is left alone (default 30, or the days walked where those are fewer)"
    parser.add_argument("--hold", type=int, default=None, help=hold)
    about = "asked: opened with exactly the initial margin; own: with its own collateral (default %(default)s)"
    parser.add_argument("--money", default="asked", help=about)
    about = "fraction of notional a day that longs pay, or a CSV of recorded payments: date, then a column per asset"
    parser.add_argument("--funding", default="0", help=about)
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
    funding = cli_text.funding_of(options.funding)
    try:
        judged = backtest_model(
            portfolio,
            market,
            options.model,
            settings,
            days=options.days,
            hold=options.hold,
            money=options.money,
            funding=funding,
        )
    except InputError as error:
        if options.model is not None or error.field in ("hold", "money", "funding"):
            raise
        why = {"key": default_model(portfolio), "error": str(error)}
        return {**to_dict(result), "model": why}, f"{describe(result)}\n\nnot computed: {why['key']}: {error}"
    data = {**to_dict(result), "model": model_to_dict(judged)}
    return data, f"{describe(result)}\n\n{describe_model(judged)}"


def model_to_dict(m: ModelBacktest) -> dict[str, Any]:
    """The book under its margin model as plain values, every opening included."""
    return {
        "key": m.model,
        "title": m.title,
        "money": m.money,
        "hold": m.hold,
        "first": str(m.dates[0])[:10],
        "last": str(m.dates[-1])[:10],
        "days": len(m.dates),
        "skipped": m.skipped,
        "average_initial": float(m.initial.mean()),
        "average_maintenance": float(m.maintenance.mean()),
        "exceedances": int(m.hits.sum()),
        "rate": m.rate,
        "largest_uncovered": float(m.uncovered.max()),
        "closed_at_close": int(m.closed.sum()),
        "closed_intraday": None if m.closed_intraday is None else int(m.closed_intraday.sum()),
        "extremes": list(m.extremes),
        "left_out": list(m.left_out),
        "liquidated": len(m.liquidated),
        "openings": [
            {
                "opened": str(o.opened)[:10],
                "started": o.started,
                "called": o.called,
                "closed": None if o.closed is None else str(o.closed)[:10],
                "at": o.at,
                "names": list(o.names),
                "final": o.final,
                "uncovered": o.uncovered,
            }
            for o in m.openings
        ],
        "notes": list(m.notes),
    }


def describe_model(m: ModelBacktest) -> str:
    """The book under its margin model as plain text: was it enough, and where would it have been closed?"""
    where = "closes and each day's adverse extremes" if m.extremes else "closes alone (no highs and lows)"
    opened = "exactly the initial margin" if m.money == "asked" else "the account's own collateral"
    average = cli_text.money(float(m.initial.mean()))
    about = (
        f"{m.title}: opened with {opened}, losses passed the initial margin (average {average}) "
        f"on {int(m.hits.sum())} of {len(m.dates)} days; opened every {m.hold} closes and left alone, "
        f"{len(m.liquidated)} of {len(m.openings)} were closed by force, looked at by {where}."
    )
    rows = [
        (str(o.opened)[:10], cli_text.money(o.started), str(o.closed)[:10], o.at or "", ", ".join(o.names),
         cli_text.money(o.final), cli_text.money(o.uncovered))
        for o in m.liquidated[-SHOWN:]
    ]  # fmt: skip
    header = ("opened", "with USD", "closed", "at", "what", "left USD", "uncovered USD")
    closed = cli_text.table(header, rows) if rows else ""
    more = len(m.liquidated) - len(rows)
    earlier = f"({more} earlier ones are in --json)" if more else ""
    notes = "\n".join(f"note: {note}" for note in m.notes)
    return "\n\n".join(part for part in (about, closed, earlier, notes) if part)


def to_dict(b: Backtest) -> dict[str, Any]:
    """The backtest as plain values, without its daily series."""
    return {
        "first": str(b.dates[0])[:10],
        "last": str(b.dates[-1])[:10],
        "days": len(b.dates),
        "skipped": b.skipped,
        "left_out": list(b.left_out),
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
        "method": r.method.key,
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
