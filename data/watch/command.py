"""`python -m data watch`: tells when a margin call has become likely."""

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from data.watch.alarm import Alarm
from data.watch.loop import keep, kept, seconds_of, state_file, watch
from data.watch.notify import sender
from margin.core.errors import InputError
from margin.formats.prices import read_market
from margin.sample.ready import LABEL, sample_market, sample_portfolio

if TYPE_CHECKING:
    from data.watch.look import Accounts, Prices


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """The command and its options."""
    parser: argparse.ArgumentParser = commands.add_parser("watch", help="tell when a margin call has become likely")
    parser.add_argument("--portfolio", help="portfolio JSON, read again at every look")
    parser.add_argument("--address", help="public accounts of a wallet address, asked at every look, kept nowhere")
    parser.add_argument("--venue", help="of an address: ask this venue only")
    parser.add_argument("--model", help="margin model (default: each account's own venue and mode)")
    parser.add_argument("--days", type=float, default=3.0, help="horizon in days (default %(default)s)")
    parser.add_argument("--odds", default="10%", help="speak when the odds pass this (default %(default)s)")
    parser.add_argument("--every", default="60s", help="between two looks: 60, 60s, 5m, 1h (default %(default)s)")
    parser.add_argument("--notify", action="append", default=[], metavar="URL", help="where to send messages (Apprise)")
    parser.add_argument("--once", action="store_true", help="one look, for cron; remembers when it spoke last")
    parser.add_argument("--prices", help="price file instead of exchanges")
    parser.add_argument("--sample", action="store_true", help="the bundled sample and a ready portfolio, to try it")
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> int:
    """Watch; 0 when stopped or seen, 1 when `--once` saw nothing. Raises InputError for what cannot be watched."""
    from data.watch.look import Question, look  # the forecast engine: not for the other commands

    line, every = _odds(options.odds), seconds_of(options.every)
    if not 0 < options.days <= 30:
        raise InputError("--days", options.days, "must be above 0 and at most 30")
    accounts, prices = _accounts(options), _prices(options)
    send = sender(options.notify)
    where = state_file("address" if options.address else options.portfolio, options.model, line, options.days,
                       *sorted(options.notify))  # fmt: skip
    alarm = kept(where, line) if options.once else Alarm(line=line)
    question = Question(model=options.model, days=options.days)
    try:
        saw = watch(
            lambda at: look(accounts, prices, question, at), send, alarm, _say, every=every, once=options.once,
            sleep=time.sleep,
        )  # fmt: skip
    except KeyboardInterrupt:
        _say("stopped")
        return 0
    if options.once:
        keep(where, alarm)
    return 0 if saw else 1


def _accounts(options: argparse.Namespace) -> "Accounts":
    from data.watch.look import Accounts

    given = [name for name in ("portfolio", "address") if getattr(options, name)]
    if len(given) > 1:
        raise InputError("--address", "beside --portfolio", "cannot be watched together", "Give one of the two.")
    if options.address:
        return Accounts.of_address(options.address, options.venue)
    if options.portfolio:
        return Accounts.of_file(options.portfolio)
    if options.sample:
        return Accounts(sample_portfolio)
    raise InputError("--portfolio", None, "is missing", "Give --portfolio FILE, --address A, or --sample to try it.")


def _prices(options: argparse.Namespace) -> "Prices":
    from data.watch.look import Prices

    if options.sample and options.prices:
        raise InputError("--prices", options.prices, "cannot stand beside --sample", "Give one of the two.")
    if options.sample:
        _say(f"Prices: {LABEL}.")
        return Prices(sample_market())
    return Prices(read_market(options.prices)) if options.prices else Prices()


def _odds(text: str) -> float:
    said = str(text).strip()
    try:
        value = float(said.removesuffix("%")) / (100.0 if said.endswith("%") else 1.0)
    except ValueError:
        value = -1.0
    if not 0.01 <= value <= 0.99:
        raise InputError("--odds", text, "must be odds between 1% and 99%", "E.g. 10%.")
    return value


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
