"""`python -m margin protocols`: what a shock does to a network of debts, and failures of protocols as reported."""

import argparse
from typing import Any

import numpy as np

from margin.cli import text as cli_text
from margin.core.errors import InputError
from margin.protocols.events import event, events
from margin.protocols.network import Network, clear_network, rank_network, read_network, sell_network

MODELS = ("clearing", "debtrank", "fire-sales")


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """The command and its options."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "protocols", help="who is paid what in a network of debts after a shock"
    )
    parser.add_argument("event", nargs="?", help="a reported failure by its key; without one, all are listed")
    parser.add_argument("--network", help="network JSON, or a CSV of edges (source, target, value); docs/protocols.md")
    parser.add_argument("--shock", action="append", default=[], help='a move, e.g. "ETH=-30%%"; may be repeated')
    parser.add_argument("--model", default="clearing", help=f"one of {', '.join(MODELS)} (default: clearing)")
    parser.add_argument("--alpha", type=float, default=1.0, help="share of outside assets left in a default (1)")
    parser.add_argument("--beta", type=float, default=1.0, help="share of claims left in a default (1)")
    parser.add_argument("--impact", action="append", default=[], help='fall per USD sold, e.g. "ETH=1e-9"')
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Runs the command: (values for JSON, text)."""
    if options.network and options.event:
        raise InputError("event", options.event, "and --network exclude each other", "Give one of them.")
    if options.network:
        return _network(read_network(cli_text.read_bytes(options.network)), options)
    if options.event:
        return _event(options)
    rows = [(found.key, found.date, found.title) for found in events()]
    data = {"events": [{"key": key, "date": date, "title": title} for key, date, title in rows]}
    return data, "\n".join(f"{key:14}{title}" for key, _, title in rows)


def _event(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    found = event(options.event)
    rows = []
    for f in found.figures:
        amount = f"{f.low:,.10g}" if f.low == f.high else f"{f.low:,.10g} to {f.high:,.10g}"
        rows.append((f.name, f"{f.qualifier} {amount} {f.unit}".strip(), f.source))
    lines = [found.title, found.lesson, *(f"  {name}: {amount} ({source})" for name, amount, source in rows)]
    data: dict[str, Any] = {"key": found.key, "title": found.title, "date": found.date, "lesson": found.lesson}
    data["figures"] = [{"name": n, "amount": a, "source": s} for n, a, s in rows]
    if found.network is not None:
        data["network"], text = _network(found.network, options)
        lines += ["", text]
    return data, "\n".join(lines)


def _network(network: Network, options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    moves = {name: _number(value, name) for name, value in map(_pair, options.shock)}
    if options.model == "debtrank":
        ranked = rank_network(network, moves)
        rows = list(zip(network.ids, ranked.first.tolist(), ranked.distress.tolist(), strict=True))
        data = {"model": "debtrank", "impact": ranked.impact, "spectral_radius": ranked.radius}
        data["nodes"] = [{"id": n, "first": a, "distress": b} for n, a, b in rows]
        table = cli_text.table(("node", "first", "in the end"), [(n, f"{a:.2%}", f"{b:.2%}") for n, a, b in rows])
        calm = "stable" if ranked.stable else "a small shock grows until somebody defaults"
        return data, f"{table}\nspectral radius {ranked.radius:.4f}: {calm}; lost beyond the shock {ranked.impact:.2%}"
    if options.model == "fire-sales":
        impact = {name: _number(value, name) for name, value in map(_pair, options.impact)}
        sold = sell_network(network, moves, impact)
        pairs = list(zip(network.assets, sold.sales.tolist(), sold.price_moves.tolist(), strict=True))
        data = {"model": "fire-sales", "vulnerability": sold.vulnerability, "spectral_radius": sold.radius}
        data["assets"] = [{"asset": a, "sold": s, "price_move": m} for a, s, m in pairs]
        table = cli_text.table(("asset", "sold", "further move"), [(a, f"{s:,.2f}", f"{m:.4%}") for a, s, m in pairs])
        return data, f"{table}\nlost to the sales: {sold.vulnerability:.2%} of all equity"
    if options.model != "clearing":
        raise InputError("model", options.model, "is not a model of spreading", f"One of {', '.join(MODELS)}.")
    found = clear_network(network, moves, options.alpha, options.beta)
    after = found.after
    columns = (after.owed, after.paid, after.recovery, after.equity, found.losses)
    order = np.argsort(-found.losses, kind="stable")
    nodes = [
        {"id": network.ids[i], "owed": o, "paid": p, "recovery": r, "equity": e, "loss": x, "defaults": d}
        for i, (o, p, r, e, x, d) in enumerate(
            zip(*(c.tolist() for c in columns), after.defaults.tolist(), strict=True)
        )
    ]
    data = {"model": "clearing", "value_lost": after.value_lost, "new_defaults": list(found.new_defaults)}
    data["nodes"] = [nodes[i] for i in order]
    lines = []
    for i in order:
        n = nodes[i]
        money = (f"{n[name]:,.2f}" for name in ("owed", "paid", "equity", "loss"))
        lines.append((n["id"], *money, f"{n['recovery']:.1%}", "yes" if n["defaults"] else ""))
    header = ("node", "owed", "paid", "equity", "loss", "recovery", "defaults")
    return data, f"{cli_text.table(header, lines)}\nlost to costs of default: {after.value_lost:,.2f}"


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark or not name.strip():
        raise InputError("shock", text, "is not NAME=MOVE", 'E.g. "ETH=-30%".')
    return name.strip().upper(), value.strip()


def _number(text: str, name: str) -> float:
    try:
        return float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    except ValueError:
        raise InputError(f"shock {name}", text, "is not a number", 'E.g. "ETH=-30%".') from None
