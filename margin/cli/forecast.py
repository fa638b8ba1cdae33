"""`python -m margin forecast`: how likely is a margin call, and what would make it less likely?"""

import argparse
from dataclasses import asdict
from typing import Any

from margin.cli import text as cli_text
from margin.core.errors import InputError
from margin.core.settings import Settings
from margin.forecast.calibration import Calibration
from margin.forecast.engine import HORIZONS, WATCHED, forecast
from margin.forecast.gap import TARGETS
from margin.forecast.own_check import ENOUGH, OwnCheck
from margin.forecast.paths import PATHS
from margin.forecast.results import ODDS, Forecast, Odds, SubForecast, printed


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """The command and its options."""
    parser: argparse.ArgumentParser = commands.add_parser("forecast", help="how likely is a margin call?")
    cli_text.add_portfolio(parser)
    cli_text.add_prices(parser)
    parser.add_argument("--model", help="margin model, e.g. portfolio or binance:cross (default: the account's own)")
    parser.add_argument("--target", default=TARGETS[0], help=f"{' or '.join(TARGETS)} (default %(default)s)")
    days = ",".join(f"{d:g}" for d in HORIZONS)
    parser.add_argument("--days", default=days, help="horizons in days (default %(default)s)")
    parser.add_argument("--watched", default=WATCHED[0], help=f"{' or '.join(WATCHED)} (default %(default)s)")
    parser.add_argument("--odds", default=f"{ODDS:.0%}", help="odds that money and size aim at (default %(default)s)")
    parser.add_argument("--capital", type=float, help="USD behind the account instead of its collateral")
    parser.add_argument("--paths", type=int, default=PATHS, help="paths simulated (default %(default)s)")
    parser.add_argument("--carry", type=float, default=0.0, help="USD a day that funding takes (default %(default)s)")
    parser.add_argument("--reacts", action="store_true", help="the requirement follows the volatility along the paths")
    parser.add_argument("--calibration", default="table", help="table, own or none (default %(default)s)")
    parser.add_argument("--check", action="store_true", help="were such odds right for this book in the past?")
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """The answer as plain values and as text."""
    odds = odds_of(options.odds)
    portfolio, market = cli_text.portfolio_of(options), cli_text.market_of(options)
    found = forecast(
        portfolio,
        market,
        Settings().with_(as_of=options.as_of),
        model=options.model,
        target=options.target,
        horizons=days_of(options.days),
        watched=options.watched,
        paths=options.paths,
        capital=options.capital,
        carry=options.carry,
        reacts=options.reacts,
        calibration=None if options.calibration == "none" else options.calibration,
    )
    result, text = to_dict(found, odds), describe(found, odds)
    if options.check:
        pairs = [(found.first.check(o.days), o.probability) for o in found.first.horizons]
        result["check"] = [check_to_dict(check, now) for check, now in pairs]
        text += "\n\n" + "\n\n".join(describe_check(check, now) for check, now in pairs)
    return result, text


def days_of(text: str) -> tuple[float, ...]:
    """Horizons from "1,3,7". Raises InputError."""
    try:
        found = tuple(float(part) for part in str(text).split(","))
    except ValueError:
        raise InputError("--days", text, "must be numbers of days", "E.g. 1,3,7.") from None
    if not all(0 < days <= 365 for days in found):
        raise InputError("--days", text, "must each be above 0 and at most 365", "E.g. 1,3,7.")
    return found


def odds_of(text: Any) -> float:
    """Odds from "5%" or 0.05. Raises InputError for what is not between 0.1% and 99%."""
    said = str(text).strip()
    try:
        value = float(said.removesuffix("%")) / 100.0 if said.endswith("%") else float(said)
    except ValueError:
        value = -1.0
    if not 0.001 <= value <= 0.99:
        raise InputError("--odds", text, "must be odds between 0.1% and 99%", "E.g. 5%.")
    return value


def to_dict(f: Forecast, odds: float = ODDS) -> dict[str, Any]:
    """The forecast as plain values."""
    first = f.first
    size = f.size_for(odds)
    return {
        "as_of": f.as_of,
        "step": f.step,
        "target": f.target,
        "watched": f.watched,
        "model": f.model,
        "gap": sum(s.gap.usd for s in f.subs),
        "distance_sigmas": f.main.distance,
        "horizons": [_odds(o) for o in f.horizons],
        "survival": f.survival.tolist(),
        "steps_per_day": first.walk.steps_per_day,
        "odds_line": odds,
        "line_days": f.main.days,
        "money_for": f.money_for(odds),
        "capital_for": f.capital_for(odds),
        "size_for": size,
        "half_gone_days": first.half_gone_days,
        "drivers": [{"name": d.name, "odds": d.odds, "change": d.change} for d in first.drivers()],
        "legs": [{"symbol": leg.symbol, "change": leg.change, "exposure": leg.exposure} for leg in first.legs()],
        "sensitivities": [{"name": x.name, "odds": x.odds, "change": x.change} for x in first.sensitivities()],
        "sub_accounts": [_sub(s, odds) for s in f.subs],
        "baselines": {"distance_in_sigmas": list(f.baseline)},
        "calibration": {
            "source": f.calibration.source,
            "sample": f.calibration.sample,
            "fitted": f.calibration.fitted,
            "n": f.calibration.rows,
            "windows": f.calibration.windows,
        },
        "history_days": f.history_days,
        "paths": f.paths,
        "assumed_capital": f.assumed_capital,
        "notes": [*f.notes, *(note for s in f.subs for note in s.notes)],
    }


def _odds(o: Odds) -> dict[str, Any]:
    return {
        "days": o.days,
        "probability": o.probability,
        "printed": printed(o.probability),
        "low": o.low,
        "high": o.high,
        "raw": o.raw,
        "closed_form": o.closed_form,
        "simulated": o.simulated,
    }


def _sub(s: SubForecast, odds: float) -> dict[str, Any]:
    return {
        "name": s.name,
        "isolated": s.sub.isolated,
        "equity": s.gap.equity,
        "requirement": s.gap.requirement,
        "gap": s.gap.usd,
        "called": s.called,
        "probability": s.main.probability,
        "money_for": s.money_for(odds),
        "sigma_day": s.walk.sigma * s.walk.steps_per_day**0.5,
    }


def describe(f: Forecast, odds: float = ODDS) -> str:
    """The forecast as plain text."""
    main, first = f.main, f.first
    what = "liquidation" if f.target == "liquidation" else "a margin call"
    away = "nothing moves" if main.distance is None else f"{main.distance:.1f} standard deviations away"
    parts = [
        f"{printed(main.probability)} chance of {what} within {main.days:g} days "
        f"(range {printed(main.low)} to {printed(main.high)}); {away}. Model {f.model}, as of {f.as_of}."
    ]
    header = ("days", "odds", "low", "high", "before correction", "closed form", "paths", "distance alone")
    rows = [
        (f"{o.days:g}", *(printed(x) for x in (o.probability, o.low, o.high, o.raw, o.closed_form, o.simulated, b)))
        for o, b in zip(f.horizons, f.baseline, strict=True)
    ]
    parts.append(cli_text.table(header, rows))
    parts.append(_ways_out(f, odds))
    if len(f.subs) > 1:
        rows = [
            (s.name or "the pool", printed(s.main.probability), *map(cli_text.money, (
                s.gap.equity, s.gap.requirement, s.money_for(odds))))
            for s in f.subs
        ]  # fmt: skip
        parts.append(cli_text.table(("account", "odds", "equity", "requirement", f"to add for {odds:.0%}"), rows))
    rows = [(d.name, printed(d.odds)) for d in first.drivers()]
    parts.append(cli_text.table(("where it comes from, step by step", "odds then"), rows))
    fixed = [(x.name, printed(x.odds)) for x in first.sensitivities()]
    if fixed:
        parts.append(cli_text.table(("held fixed along the paths; if it moved:", "odds then"), fixed))
    parts.append(f"From {f.history_days:.0f} days of prices, a step is one {f.step}. {_corrected(f.calibration)}")
    notes = dict.fromkeys([*f.notes, *(note for s in f.subs for note in s.notes)])
    parts.append("\n".join(f"note: {note}" for note in notes))
    return "\n\n".join(part for part in parts if part)


def _corrected(source: Calibration) -> str:
    if source.source == "none":
        return "Uncorrected."
    by = f"a table of {source.fitted}" if source.source == "table" else f"{source.windows} independent windows"
    return f"Corrected by {by}: {source.sample}."


def check_to_dict(check: OwnCheck, now: float) -> dict[str, Any]:
    """The check on this book as plain values; only the count where there are too few windows."""
    out: dict[str, Any] = {"days": check.days, "windows": check.windows, "enough": check.enough}
    if not check.enough:
        return out
    skills = check.skills()
    return {
        **out,
        "reliability": [asdict(b) for b in check.reliability],
        "murphy": asdict(check.murphy),
        "corp": asdict(check.corp),
        "auc": check.auc,
        "like_cases": check.like_cases(now),
        "skill": {
            name: {kind: None if s is None else asdict(s) for kind, s in kinds.items()}
            for name, kinds in skills.items()
        },
    }


def describe_check(check: OwnCheck, now: float) -> str:
    """The check as plain text."""
    head = f"Checked on this book over {check.days:g} days: {check.windows} independent windows"
    if not check.enough:
        return f"{head}, too few to judge ({ENOUGH} are needed)."
    rows = [
        (printed(b.forecast), f"{b.observed:.1%}", f"{b.low:.1%} to {b.high:.1%}", b.count) for b in check.reliability
    ]
    parts = [f"{head}.", cli_text.table(("forecast", "came true", "90% band", "books"), rows)]
    for name, kinds in check.skills().items():
        s = kinds["brier"]
        if s is not None:
            word = "better" if s.percent >= 0 else "worse"
            said = f"{abs(s.percent):.1f}% {word} than {name} (Brier), 95% interval {s.low:+.1f}% to {s.high:+.1f}%"
            parts.append(said + ("." if s.low > 0 or s.high < 0 else ": not told apart."))
    m = check.murphy
    parts.append(
        f"Brier {m.brier:.4f} = reliability {m.miscalibration:.4f} - resolution {m.discrimination:.4f} + uncertainty "
        f"{m.uncertainty:.4f}."
    )
    low, high = check.like_cases(now)
    parts.append(f"Spread of like cases for today's {printed(now)}: {low:.1%} to {high:.1%}.")
    return "\n".join(parts)


def _ways_out(f: Forecast, odds: float) -> str:
    money, size, days = f.money_for(odds), f.first.size_for(odds), f"{f.main.days:g} days"
    goal = f"{odds:.0%} odds within {days}"
    if money > 0:
        said = f"For {goal}: add {cli_text.money(money)} USD"
        if len(f.subs) == 1 and size is not None:
            said += f", or cut every position to {size:.0%}"
        return f"{said}. Capital then: {cli_text.money(f.capital_for(odds))} USD."
    return (
        f"Safer than {goal}: {cli_text.money(f.capital_for(odds))} USD of equity would do, "
        f"{cli_text.money(-money)} USD less than now." if len(f.subs) == 1 else f"Safer than {goal}."
    )  # fmt: skip
