"""`python -m margin stress`: what breaks the account? Recorded events, a move of your own, the nearest fatal move."""

import argparse
from typing import Any

from margin.cli import text as cli_text
from margin.core.checks import date_text
from margin.core.errors import InputError
from margin.core.settings import Settings
from margin.models.funding import Funding
from margin.stress.events import recorded, replay_events
from margin.stress.held import StressBook, stress_book
from margin.stress.paths import StressPath, Track, recorded_path, replay
from margin.stress.reverse import ReverseStress, Until, plausible, reverse_stress
from margin.stress.shocks import Stressed, shock

MODEL_HELP = "margin model that judges the account, e.g. okx:cross (default: its own venue and mode, else portfolio)"


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """The command and its options."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "stress", help="what breaks the account: recorded events, own moves, the nearest fatal move"
    )
    cli_text.add_portfolio(parser)
    cli_text.add_prices(parser)
    parser.add_argument("--model", help=MODEL_HELP)
    parser.add_argument(
        "--move",
        action="append",
        default=[],
        metavar="ASSET=MOVE",
        help="a move of your own, e.g. BTC=-20%%; repeatable",
    )
    parser.add_argument("--vol", default="0", help="change of implied volatility with --move, e.g. 50%%")
    parser.add_argument("--low", action="store_true", help="events to each asset's low, not to the last close")
    parser.add_argument(
        "--no-beta", action="store_true", help="what was not recorded stays, instead of following its beta to BTC"
    )
    parser.add_argument("--start", help="also day by day from this date, e.g. 2022-05-01")
    parser.add_argument("--days", type=int, default=30, help="days of --start (default %(default)s)")
    about = "funding along --start: a fraction a day that longs pay, or a CSV of recorded payments (default: none)"
    parser.add_argument("--funding", help=about)
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Runs the command: (values for JSON, text)."""
    moves, vol = moves_of(options.move), fraction(options.vol, "--vol")
    book = book_of(options)
    found = replay_events(book, recorded(), options.low, not options.no_beta)
    own = shock(book, moves, vol, "your move") if moves or vol else None
    paid = None if options.funding is None else Funding(cli_text.funding_of(options.funding))
    if paid is not None and not options.start:
        raise InputError("--funding", options.funding, "is paid along a path", "Give --start too.")
    days = recorded_path(book, options.start, options.days, not options.no_beta) if options.start else None
    path = None if days is None else replay(book, days, paid)
    reverse = {until: _reverse(book, until) for until in ("liquidated", "exhausted")}
    data = {
        **about(book),
        "events_to": "low" if options.low else "close",
        "events": [stressed_to_dict(book, s) for s in found],
        "shock": None if own is None else stressed_to_dict(book, own),
        "path": None if path is None else path_to_dict(path),
        "reverse": {until: _reverse_to_dict(answer) for until, answer in reverse.items()},
    }
    return data, _text(book, found, own, path, reverse)


def book_of(options: argparse.Namespace) -> StressBook:
    """The account under the model that is asked for."""
    portfolio, market = cli_text.portfolio_of(options), cli_text.market_of(options)
    return stress_book(portfolio, market, Settings().with_(as_of=options.as_of), options.model)


def about(book: StressBook) -> dict[str, Any]:
    """What is stressed, as plain values."""
    return {
        "as_of": date_text(book.as_of),
        "models": list(book.models),
        "equity": book.money,
        "maintenance": book.maintenance,
        "assumed_deposit": book.assumed_money,
        "dead": list(book.dead),
        "sub_accounts": [
            {
                "name": h.name,
                "model": h.model.key,
                "equity": h.equity,
                "initial": h.initial,
                "maintenance": h.maintenance,
                "health": h.health,
            }
            for h in book.held
        ],
        "notes": list(book.notes),
    }


def stressed_to_dict(book: StressBook, s: Stressed) -> dict[str, Any]:
    """One move, as plain values; profit above zero."""
    return {
        "name": s.name,
        "change": s.change,
        "pnl": s.pnl,
        "collateral_change": s.collateral_change,
        "equity": s.equity,
        "maintenance": s.maintenance,
        "health": s.health,
        "liquidated": s.liquidated,
        "liquidated_accounts": list(s.liquidated_held),
        "liquidated_alone": [n for n, dead in zip(book.symbols, s.liquidated_alone, strict=True) if dead],
        "positions": [{"symbol": n, "pnl": usd} for n, usd in zip(book.symbols, s.by_position, strict=True)],
        "moves": dict(s.moves),
        "by_beta": dict(s.by_beta),
        "not_recorded": list(s.missing),
        "unknown_share": s.unknown_share,
    }


def path_to_dict(found: StressPath) -> dict[str, Any]:
    """A path, as plain values; `closed` names the day and whether it was at the close or within the day."""
    path = found.path
    return {
        "first_day": path.labels[0],
        "last_day": path.labels[-1],
        "days": len(path.labels) - 1,
        "intraday": list(path.intraday),
        "by_beta": dict(path.by_beta),
        "still": list(path.still),
        "funding": found.funding,
        "notes": list(found.notes),
        "equity": [float(usd) for usd in found.equity],
        "held": [_track(found, t) for t in found.held if t.positions],
        "alone": [_track(found, t) for t in found.alone],
    }


def _track(found: StressPath, t: Track) -> dict[str, Any]:
    closed = None if t.closed is None else {"day": found.path.labels[t.closed], "when": t.closed_when}
    return {"name": t.name, "closed": closed, "lowest_health": t.lowest_health, "final": float(t.equity[-1])}


def path_text(found: StressPath) -> str:
    """Who is closed on which day, and what was looked at."""
    lines = [f"From the close of {found.path.labels[0]} to {found.path.labels[-1]}:"]
    for way, tracks in (("as held", found.held), ("alone", found.alone)):
        for t in tracks:
            if t.positions:
                low = "" if t.lowest_health is None else f", lowest health {t.lowest_health:.2f}"
                fate = (
                    "survives" if t.closed is None else f"liquidated on {found.path.labels[t.closed]}, {t.closed_when}"
                )
                lines.append(f"  {t.name} ({way}): {fate}{low}")
    return "\n".join([*lines, f"  {found.path.looked_at}", *(f"  {note}" for note in found.notes)])


def headline(book: StressBook) -> str:
    """What stands before any move, and the models."""
    model = f"Judged by {book.title}, as of {date_text(book.as_of)}."
    if book.dead:
        return f"{', '.join(book.dead)}: liquidated before anything moves, equity {cli_text.money(book.money)}. {model}"
    rows = [f"equity {cli_text.money(book.money)}, maintenance {cli_text.money(book.maintenance)}"]
    return f"{rows[0]}. {model}"


def _text(
    book: StressBook,
    found: list[Stressed],
    own: Stressed | None,
    path: StressPath | None,
    reverse: dict[str, ReverseStress | InputError],
) -> str:
    parts = [headline(book)]
    rows = [_row(s) for s in ([own] if own else []) + found]
    header = ("move", "profit or loss", "equity after", "health", "as held", "alone", "not recorded then")
    if rows:
        parts.append(cli_text.table(header, rows))
    if path is not None:
        parts.append(path_text(path))
    for until, answer in reverse.items():
        if isinstance(answer, InputError):
            parts.append(f"Nearest move until {until}: not computed: {answer.problem}.")
            continue
        moved = ", ".join(f"{a} {m:+.1%}" for a, m in answer.moves.items() if m)
        parts.append(f"Nearest move until {until} ({answer.account}): {moved}; {plausible(answer)}.")
    return "\n\n".join([*parts, *([_notes(book)] if book.notes else [])])


def _notes(book: StressBook) -> str:
    return "\n".join(f"note: {note}" for note in book.notes)


def _row(s: Stressed) -> tuple[str, ...]:
    unknown = [*(f"{a} by beta" for a in s.by_beta), *(f"{a} unmoved" for a in s.missing)]
    return (
        s.name,
        cli_text.money(s.change),
        cli_text.money(s.equity),
        "-" if s.health is None else f"{s.health:.2f}",
        "liquidated" if s.liquidated else "survives",
        f"{sum(s.liquidated_alone)} of {len(s.alone)}",
        f"{', '.join(unknown)} ({s.unknown_share:.0%})" if unknown else "-",
    )


def _reverse(book: StressBook, until: Until) -> ReverseStress | InputError:
    try:
        return reverse_stress(book, until)
    except InputError as error:
        return error


def _reverse_to_dict(found: ReverseStress | InputError) -> dict[str, Any]:
    if isinstance(found, InputError):
        return {"error": str(found)}
    return {
        "account": found.account,
        "moves": found.moves,
        "distance": found.distance,
        "one_in": found.one_in,
        "worst_seen": found.worst_seen,
        "exact": found.exact,
        "tried": found.tried,
    }


def moves_of(given: list[str]) -> dict[str, float]:
    """{asset: fraction} of ASSET=MOVE, a fraction or a percentage. Raises InputError."""
    out = {}
    for text in given:
        asset, mark, move = text.partition("=")
        if not mark or not asset.strip():
            raise InputError("--move", text, "is not ASSET=MOVE", "E.g. --move BTC=-20% --move ETH=-0.3")
        out[asset.strip().upper()] = fraction(move, "--move")
    return out


def fraction(text: str, field: str) -> float:
    """-0.2 or -20% as -0.2. Raises InputError."""
    number = text.strip()
    try:
        return float(number[:-1]) / 100.0 if number.endswith("%") else float(number)
    except ValueError:
        raise InputError(field, text, "is not a number", "Write -20% or -0.2.") from None
