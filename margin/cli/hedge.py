"""`python -m margin hedge`: which trade frees most margin per dollar?"""

import argparse
import io
import re
from typing import Any

import pandas as pd

from margin.cli import text as cli_text
from margin.core import checks
from margin.core.checks import date_text
from margin.core.errors import InputError
from margin.core.instruments import parse_symbol
from margin.core.market import Market
from margin.core.settings import Settings
from margin.core.words import by_reason
from margin.hedge.accounts import Judged, assets_of, choose, judged
from margin.hedge.answer import Hedge, Way
from margin.hedge.collateral import Moves, collateral_moves
from margin.hedge.costs import Costs
from margin.hedge.frontier import Frontier, frontier
from margin.hedge.menu import HEDGES
from margin.hedge.odds_frontier import OddsFrontier, odds_frontier
from margin.hedge.outcomes import Interval, Policy
from margin.hedge.policy import policy_backtest
from margin.hedge.rule import Measure, usual_rules
from margin.hedge.study import DAYS, TRADES, hedge
from margin.hedge.tickets import SLIPPAGE_BP, Ticket, tickets
from margin.models.marks import Marks

SMALLEST = 0.01
NEGATIVE_SHARE = re.compile(r"^-(?:\d+\.?\d*|\.\d+)%?$")


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """The command and its options."""
    parser: argparse.ArgumentParser = commands.add_parser("hedge", help="which trade frees most margin per dollar?")
    parser._negative_number_matcher = NEGATIVE_SHARE  # so that `--target -30%` is a value, no option
    cli_text.add_portfolio(parser)
    cli_text.add_prices(parser)
    cli_text.add_volumes(parser)
    parser.add_argument("--model", help="margin model, e.g. hyperliquid:cross (default: the account's own, else ours)")
    parser.add_argument("--account", help="which account or isolated position (default: the nearest to liquidation)")
    parser.add_argument("--target", help="margin wanted: -30%% (the default), or USD, e.g. 2500")
    parser.add_argument("--budget", type=float, help="USD to spend, instead of a target")
    parser.add_argument("--odds", help="odds of liquidation wanted, e.g. 5%%, instead of a target")
    parser.add_argument("--days", type=float, default=DAYS, help="days of the odds (default %(default)g)")
    parser.add_argument(
        "--max-trades", "--trades", type=int, default=TRADES, help="orders at most, 1 to 3 (default %(default)s)"
    )
    parser.add_argument("--with", dest="hedges", default=",".join(HEDGES), help="hedges allowed (default %(default)s)")
    parser.add_argument("--keep", default="", help="positions that are not cut, e.g. SOL,ETH")
    parser.add_argument("--figure", default="initial", help="initial or maintenance (default %(default)s)")
    parser.add_argument("--no-safeguards", action="store_true", help="judge by the portfolio margin alone")
    parser.add_argument("--fee-bp", type=float, default=Costs().fee_bp, help="of the notional (default %(default)s)")
    parser.add_argument("--hold-days", type=float, default=Costs().hold_days, help="of a hedge (default %(default)g)")
    parser.add_argument(
        "--lot", action="append", default=[], metavar="SYMBOL=STEP", help="least step of an order, in units"
    )
    parser.add_argument("--slippage-bp", type=float, default=SLIPPAGE_BP, help="of the tickets (default %(default)g)")
    parser.add_argument("--moves", action="store_true", help="rank moves of collateral by odds per dollar")
    parser.add_argument(
        "--backtest", action="store_true", help="would acting by a rule have worked, on every past start?"
    )
    parser.add_argument(
        "--trigger", default="2.5",
        help="act below so many daily sigmas; 10%% odds within 3 days; 1.5x health (default %(default)s)",
    )  # fmt: skip
    parser.add_argument("--back-to", type=float, default=4.0, help="act back to so many (default %(default)g)")
    parser.add_argument("--start-sigmas", type=float, help="starts stand so far from liquidation (default: as today)")
    parser.add_argument("--funding", help="CSV of what a long pays a day, first column date, fractions by asset")
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """The answer as plain values and as text."""
    portfolio, market = cli_text.portfolio_of(options), cli_text.market_of(options)
    settings = Settings().with_(as_of=options.as_of)
    marks = Marks.of_market(market, portfolio, options.as_of)
    if options.moves:
        goal = None if options.odds is None else share_of(options.odds, "--odds")
        paid = Costs(fee_bp=options.fee_bp, hold_days=options.hold_days)
        ranked = collateral_moves(
            portfolio, market, marks, settings, options.model, days=options.days, wanted=goal, costs=paid
        )
        return {"as_of": date_text(marks.as_of), **ranked.to_dict()}, describe_moves(ranked)
    found = judged(portfolio, market, marks, settings, options.model, not options.no_safeguards)
    chosen = choose(found, options.account)
    if options.backtest:
        return _backtest(options, chosen, market, marks)
    if sum(x is not None for x in (options.target, options.budget, options.odds)) > 1:
        raise InputError("--target", options.target, "stands beside --budget or --odds", "Give one of the three.")
    shared: dict[str, Any] = {
        "orders": options.max_trades,
        "hedges": _names(options.hedges),
        "keep": _names(options.keep),
        "costs": Costs(fee_bp=options.fee_bp, hold_days=options.hold_days),
        "figure": options.figure,
        "days": options.days,
        "lots": dict(map(_lot, options.lot)),
        "among": assets_of(found),
        "odds_model": chosen.odds_model,
    }
    wished = None if options.odds is None else share_of(options.odds, "--odds")
    result = hedge(chosen.sub, chosen.model, market, marks, budget=options.budget, odds=wished, **shared)
    if options.target is not None:
        wanted = target_of(options.target, result.before.margin)
        result = hedge(chosen.sub, chosen.model, market, marks, target=wanted, **shared)
    curve = frontier(result.planner, options.max_trades)
    likely = odds_frontier(result)
    best = result.best
    orders = () if best is None else tickets(best.trades, result.marks, chosen.account.venue, options.slippage_bp)
    more = {
        "frontier": [p.to_dict() for p in curve.points],
        "frontier_floor": curve.floor,
        "odds_frontier": None if likely is None else [p.to_dict() for p in likely.points],
        "tickets": [{"order": t.order, "as_of": t.as_of, "notes": list(t.notes)} for t in orders],
        "accounts": [{"name": j.name, "model": j.model.key, "health": _plain(j.health)} for j in found],
    }
    return {**result.to_dict(), **more}, describe(result, curve, orders, likely)


def _backtest(options: argparse.Namespace, chosen: Judged, market: Market, marks: Marks) -> tuple[dict[str, Any], str]:
    """The rules on every past start."""
    trigger, by = trigger_of(options.trigger)
    rules = usual_rules(trigger, options.back_to, by)
    names = _names(options.hedges)
    found = policy_backtest(
        chosen.sub, chosen.model, market, marks, rules,
        costs=Costs(fee_bp=options.fee_bp, hold_days=options.hold_days), hedge=names[0] if names else None,
        start_sigmas=options.start_sigmas, funding=_funding(options.funding),
    )  # fmt: skip
    out = {"as_of": date_text(marks.as_of), "account": chosen.name, "model": chosen.model.key, **found.to_dict()}
    return out, describe_policy(chosen, found)


def trigger_of(text: str) -> tuple[float, Measure]:
    """(2.5, "distance") from "2.5", (0.1, "odds") from "10%", (1.5, "health") from "1.5x". Raises InputError."""
    said = str(text).strip()
    if said.endswith("%"):
        return share_of(said, "--trigger"), "odds"
    by: Measure = "health" if said.endswith("x") else "distance"
    try:
        return float(said.removesuffix("x")), by
    except ValueError:
        hint = "E.g. 2.5 daily sigmas, 10% odds, or 1.5x health."
        raise InputError("--trigger", text, "is no trigger", hint) from None


def _funding(name: str | None) -> pd.DataFrame | None:
    if name is None:
        return None
    try:
        frame = pd.read_csv(io.BytesIO(cli_text.read_bytes(name)), index_col=0, parse_dates=[0])
        frame.index = pd.DatetimeIndex(frame.index)
        return frame.astype(float)
    except InputError:
        raise
    except (ValueError, TypeError) as error:
        hint = "First column date, then a column of fractions a day by asset."
        raise InputError(name, str(error)[:60], "is no table of funding rates", hint) from None


def describe_policy(chosen: Judged, found: Policy) -> str:
    """The rules as plain text."""

    def span(x: Interval, unit: float = 100.0) -> str:
        return f"{unit * x.mean:+.1f} [{unit * x.low:+.1f}, {unit * x.high:+.1f}]"

    rows = [
        (o.rule.title, f"{o.liquidated:.1%}", f"{o.cost_bp:.2f}", f"{o.turnover:.2f}", f"{o.mean:+.1%}",
         f"{o.q05:+.1%}", f"{o.worst_5:+.1%}", span(o.against_nothing), span(o.regret))
        for o in found.outcomes
    ]  # fmt: skip
    header = (
        "rule", "liquidated", "cost bp", "turnover", "mean return", "5% quantile", "worst 5%", "less nothing's, points",
        "less the best's, points",
    )  # fmt: skip
    return "\n\n".join(
        [
            f"{chosen.name}: {chosen.model.title}. {found.starts:,} starts from {found.first}, {found.days} days each: "
            f"{found.independent} independent windows, intervals over {found.months} months.",
            cli_text.table(header, rows),
            "\n".join(f"note: {note}" for note in found.notes),
        ]
    )


def _plain(value: float | None) -> float | None:
    return None if value is None else float(value)


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _lot(text: str) -> tuple[str, float]:
    """("BTC/USDT:USDT", 0.001) from "BTC/USDT:USDT=0.001". Raises InputError."""
    symbol, _, step = text.rpartition("=")
    try:
        return parse_symbol(symbol, "--lot").symbol, checks.number(float(step), "--lot", above=0.0)
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError("--lot", text, "is not SYMBOL=STEP", "E.g. BTC/USDT:USDT=0.001.") from None


def target_of(text: str, now: float) -> float:
    """USD from "-30%", "30%" (freed) or an amount. Raises InputError."""
    said = text.strip()
    if said.endswith("%"):
        share = share_of(said.lstrip("-"), "--target")
        return (1 - share) * now
    try:
        return float(said)
    except ValueError:
        raise InputError("--target", text, "is neither a share nor USD", "E.g. -30% or 2500.") from None


def share_of(text: str, field: str) -> float:
    """A fraction from "5%" or 0.05. Raises InputError for what is not above 0 and at most 1."""
    said = str(text).strip()
    try:
        value = float(said.removesuffix("%")) / (100.0 if said.endswith("%") else 1.0)
    except ValueError:
        value = -1.0
    if not 0.0 < value <= 1.0:
        raise InputError(field, text, "must be a share above 0 and at most 100%", "E.g. 5%.")
    return value


def printed(odds: float | None) -> str:
    """Odds as they are shown: no figure for tiny ones."""
    if odds is None:
        return "not computed"
    return "below 1%" if odds < SMALLEST else f"{odds:.1%}"


def describe(h: Hedge, curve: Frontier, orders: tuple[Ticket, ...], likely: OddsFrontier | None = None) -> str:
    """The answer as plain text."""
    money = cli_text.money
    proven = "" if h.planner.exact else " Found by search, not proven optimal."
    parts = [
        f"{h.sub.name}: {h.model.title}, {h.figure} margin, as of {h.marks.as_of.date()}.{proven}",
        h.headline,
        h.credit.why,
    ]
    header = ("way", "costs USD", "margin USD", "odds", "gross USD", "equity USD", "other days' loss / margin")
    b = h.before
    rows: list[tuple[str, ...]] = [
        ("as it is", "", money(b.margin), printed(b.odds), money(b.gross), money(b.equity), _before(h))
    ]
    rows += [_row(w) for w in h.ways if w.after is not None]
    parts.append(cli_text.table(header, rows))
    parts += [f"{w.title}: {w.why}" for w in h.ways if w.why]
    best = h.best
    if best is not None:
        trades = [
            (t.symbol, t.side, f"{t.amount:.6g}", money(t.usd), money(t.bill.fee), money(t.bill.spread),
             money(t.bill.impact), money(t.bill.unwind), money(t.bill.funding), money(t.freed))
            for t in best.trades
        ]  # fmt: skip
        columns = (
            "order",
            "side",
            "amount",
            "notional USD",
            "fee",
            "spread",
            "impact",
            "unwind",
            "funding",
            "frees USD",
        )
        parts.append(cli_text.table(columns, trades))
    parts.append(_bought(curve) if likely is None else _less_likely(likely))
    if orders:
        lines = [f"{t.text}\n  " + " ".join(t.notes) for t in orders]
        parts.append("Orders to copy, never sent from here:\n" + "\n".join(lines))
    notes = [*h.notes, *(f"Without {said}." for said in by_reason(h.menu.left_out))]
    parts.append("\n".join(f"note: {note}" for note in notes))
    return "\n\n".join(part for part in parts if part)


def _bought(curve: Frontier) -> str:
    money = cli_text.money
    points = [
        (money(p.cost), money(p.margin), "-" if p.per_dollar is None else money(p.per_dollar)) for p in curve.points
    ]
    return cli_text.table(("cost USD", "margin USD", "next dollar frees"), points)


def _less_likely(curve: OddsFrontier) -> str:
    money = cli_text.money
    points = [
        (money(p.cost), printed(p.odds), money(p.margin), "-" if p.per_dollar is None else f"{p.per_dollar:,.2f}")
        for p in curve.points
    ]
    header = ("cost USD", f"odds within {curve.days:g} days", "margin USD", "next dollar takes off, points")
    return cli_text.table(header, points)


def describe_moves(found: Moves) -> str:
    """Moves of collateral as plain text."""
    rows = [
        (r.what, cli_text.money(r.cost), printed(r.odds), f"{100 * r.per_dollar:,.2f}", "yes" if r.reaches else "no")
        for r in found.rows
    ]
    header = ("move", "costs USD", "odds then", "points of odds per dollar", "reaches the wish")
    parts = [
        f"Odds of any liquidation within {found.days:g} days: {printed(found.before)}; wish: {printed(found.wanted)}.",
        cli_text.table(header, rows) if rows else "No move of collateral lowers them.",
        "\n".join(f"note: {note}" for note in found.notes),
    ]
    return "\n\n".join(part for part in parts if part)


def _before(h: Hedge) -> str:
    found = next((w.held.before for w in h.ways if w.held is not None), None)
    return "-" if found is None else f"{found:.2f}"


def _row(w: Way) -> tuple[str, ...]:
    assert w.after is not None
    money = cli_text.money
    return (
        w.title, money(w.cost), money(w.after.margin), printed(w.after.odds), money(w.after.gross),
        money(w.after.equity), "-" if w.held is None else f"{w.held.ratio:.2f}",
    )  # fmt: skip
