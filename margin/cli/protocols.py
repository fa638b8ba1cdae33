"""`python -m margin protocols`: what sharing a collateral frees, what a shock does to a network of debts, failures."""

import argparse
from dataclasses import asdict
from typing import Any

import numpy as np

from margin import models
from margin.cli import text as cli_text
from margin.core.errors import InputError, did_you_mean
from margin.core.settings import Settings
from margin.forecast.results import printed
from margin.models.marks import Marks
from margin.protocols.branching import square_root_impact
from margin.protocols.events import event, events
from margin.protocols.network import Network, cascade_network, clear_network, rank_network, read_network, sell_network
from margin.protocols.paths import recorded_paths
from margin.protocols.sharing import compare_rules, separate_least
from margin.protocols.terms import read_wallet
from margin.protocols.wallet import RULES, Rule, check_rule

MODELS = ("clearing", "debtrank", "fire-sales", "cascade")
PARTS = ("wallet", "network", "event")
MOST_BYTES = 200_000_000  # of a network: a year of weekly snapshots
BUFFER = 1.25


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """The command and its options."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "protocols", help="one collateral for two protocols, and who is paid what in a network of debts"
    )
    about = "wallet [PORTFOLIO], network [FILE], event NAME, or a reported failure's name; without one all are listed"
    parser.add_argument("what", nargs="*", help=about)
    cli_text.add_portfolio(parser)
    cli_text.add_prices(parser)
    parser.add_argument("--lender", default="aave:cross", help="model of the lender (default aave:cross)")
    parser.add_argument("--perps", default="hyperliquid:cross", help="model of the venue (default hyperliquid:cross)")
    parser.add_argument("--rule", help=f"only this way of sharing: {', '.join(RULES)}")
    parser.add_argument("--theta", type=float, default=0.8, help="what a second lien counts (default 0.8)")
    parser.add_argument("--weight", type=float, help="what the venue counts a coin at (default: what is lent on it)")
    parser.add_argument("--debt", type=float, help="USD owed to the lender (default: the portfolio's loans)")
    parser.add_argument(
        "--own-beta", type=float, default=1.0, help="wrong-way: fall of the coin per loss / backing (1)"
    )
    parser.add_argument("--backing", type=float, default=1.0, help="wrong-way: USD behind a dollar of position (1)")
    parser.add_argument("--oracle-lag", type=int, default=0, help="hours by which the lender's price is late (0)")
    parser.add_argument("--days", type=int, default=7, help="horizon of the odds (default 7)")
    parser.add_argument("--odds", default="5%", help="odds of a call that every rule is sized to (default 5%%)")
    parser.add_argument("--network", help="network JSON, or a CSV of claims (source, target, value); docs/protocols.md")
    parser.add_argument("--date", help="snapshot of a CSV with dates (default: the last)")
    parser.add_argument("--names", help="DeXposure's meta_df.csv, so that its ids are shown by name")
    parser.add_argument("--shock", action="append", default=[], help='a move, e.g. "ETH=-30%%" or "all=-30%%"; repeats')
    parser.add_argument("--model", default="clearing", help=f"one of {', '.join(MODELS)} (default: clearing)")
    parser.add_argument("--alpha", type=float, default=1.0, help="share of outside assets left in a default (1)")
    parser.add_argument("--beta", type=float, default=1.0, help="share of claims left in a default (1)")
    parser.add_argument("--impact", action="append", default=[], help='fall per USD sold, e.g. "ETH=1e-9"')
    parser.add_argument("--traded", type=float, default=1e9, help="cascade: USD traded a day of what is sold (1e9)")
    parser.add_argument("--volatility", default="4%", help="cascade: daily volatility of what is sold (4%%)")
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Runs the command: (values for JSON, text)."""
    words = list(options.what)
    part = words.pop(0) if words and words[0] in PARTS else ""
    if len(words) > 1:
        raise InputError("arguments", " ".join(options.what), "are too many", f"One of {', '.join(PARTS)}, and a name.")
    named = words[0] if words else None
    if part == "wallet":
        options.portfolio = options.portfolio or named
        return _wallet(options)
    if not part and options.network and named:
        raise InputError("event", named, "and --network exclude each other", "Give one of them.")
    options.sample = False  # prices belong to wallets alone
    if part == "network" or options.network:
        file = options.network or named
        if not file:
            raise InputError("network", None, "is missing", "Give a file: network N.json.")
        names = cli_text.read_bytes(options.names, MOST_BYTES) if options.names else None
        return _network(read_network(cli_text.read_bytes(file, MOST_BYTES), options.date, names), options)
    if named:
        return _event(named, options)
    if part == "event":
        raise InputError("event", None, "is missing", f"One of {', '.join(e.key for e in events())}.")
    rows = [(found.key, found.date, found.title) for found in events()]
    data = {"events": [{"key": key, "date": date, "title": title} for key, date, title in rows]}
    return data, "\n".join(f"{key:14}{title}" for key, _, title in rows)


def _wallet(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Every rule of sharing at equal odds of a call."""
    portfolio, market = cli_text.portfolio_of(options), cli_text.market_of(options)
    rules: tuple[Rule, ...] = (check_rule(options.rule),) if options.rule else RULES
    asked: tuple[Rule, ...] = rules if "separate" in rules else ("separate", *rules)
    lender, venue = (
        models.get(_key(key, option), market=market, settings=Settings())
        for option, key in (("--lender", options.lender), ("--perps", options.perps))
    )
    marks = Marks.of_market(market, portfolio, options.as_of)
    told = read_wallet(
        portfolio,
        marks,
        lender,
        venue,
        options.debt,
        options.weight,
        own_beta=options.own_beta,
        backing=options.backing,
    )
    paths = recorded_paths(market, told.wallet.assets, options.days, options.as_of)
    odds = _number(options.odds, "odds")
    found = compare_rules(told.wallet, paths, odds, rules=asked, theta=options.theta, oracle_lag=options.oracle_lag)
    same = compare_rules(
        told.wallet, paths, None, BUFFER, rules=asked, theta=options.theta, oracle_lag=options.oracle_lag
    )
    wallet = told.wallet
    split = separate_least(wallet, paths, odds)
    data = {
        "as_of": str(marks.as_of)[:10],
        "lender": lender.key,
        "perps": venue.key,
        "odds": odds,
        "days": options.days,
        "paths": found.paths,
        "debt": wallet.debt,
        "collateral": [asdict(p) for p in wallet.collateral],
        "positions": [asdict(q) for q in wallet.perps],
        "rules": {
            x.rule: {
                **asdict(x),
                "expected_shortfall": x.expected_shortfall,
                "saved": found.saved(x.rule),
                "saved_pct": 100.0 * found.saved(x.rule) / found.of("separate").capital,
                "at_buffer_1_25": {"odds": y.odds, "capital": y.capital, "expected_shortfall": y.expected_shortfall},
            }
            for x, y in zip(found.rules, same.rules, strict=True)
        },
        "separate_least": None if split is None else asdict(split),
        "notes": list(told.notes),
    }
    header = ("rule", "capital", "freed", "buffer", "lender calls", "venue calls", "expected loss of others")
    lines = [
        (
            x.rule,
            f"{x.capital:,.0f}",
            f"{found.saved(x.rule):,.0f}",
            f"{x.buffer:.2f}" + ("*" if x.least else ""),
            printed(x.odds_lender),
            printed(x.odds_venue),
            f"{x.expected_shortfall:,.2f}",
        )
        for x in found.rules
    ]
    coins = ", ".join(
        f"{p.asset} lent {p.ltv:.1%} counted {p.threshold:.1%}, by the venue {p.weight:.1%}" for p in wallet.collateral
    )
    head = [
        f"{lender.title} and {venue.title} as of {data['as_of']}: debt {wallet.debt:,.0f}; {coins}",
        f"Capital at which a call within {options.days} days has odds of {odds:.2%} ({found.paths:,} recorded windows)",
    ]
    tail = ["* below these odds with the least buffer already"] if any(x.least for x in found.rules) else []
    if split is not None:
        spare = split.capital - found.of("unified").capital if "unified" in asked else 0.0
        tail.append(
            f"Separate accounts at their best, a buffer for each side ({split.lender:.2f} and {split.venue:.2f}), need "
            f"{split.capital:,.0f}: beside that unified {'frees' if spare >= 0 else 'costs'} {abs(spare):,.0f}."
            if "unified" in asked
            else f"Separate accounts at their best, a buffer for each side, need {split.capital:,.0f}."
        )
    return data, "\n".join([*head, "", cli_text.table(header, lines), *tail, *told.notes])


def _key(name: str, option: str) -> str:
    """A venue named alone means its cross accounts. Raises InputError for a name that is no venue's."""
    cross = f"{name.lower()}:cross"
    known = models.keys()
    if name not in known and cross not in known:
        shared = [key.removesuffix(":cross") for key in known if key.endswith(":cross")]
        hint = did_you_mean(name, shared) or f"One of {', '.join(shared)}."
        raise InputError(option, name, "is no venue or lender known here", hint)
    return name if name in known else cross


def _event(name: str, options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    found = event(name)
    rows = [(f.name, f"{f.qualifier} {f.amount}".strip(), f.source) for f in found.figures]
    lines = [found.title, found.lesson, *(f"  {name}: {amount} ({source})" for name, amount, source in rows)]
    data: dict[str, Any] = {"key": found.key, "title": found.title, "date": found.date, "lesson": found.lesson}
    data["figures"] = [{"name": n, "amount": a, "source": s} for n, a, s in rows]
    if found.network is not None:
        data["network"], text = _network(found.network, options)
        lines += ["", text]
    return data, "\n".join(lines)


def _network(network: Network, options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    found_data, text = _spread(network, options)
    return {**found_data, "notes": list(network.notes)}, "\n".join([text, *network.notes])


def _spread(network: Network, options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    moves: dict[str, float] = {}
    for name, value in map(_pair, options.shock):
        asset = _known(name, network)
        every = name.lower() == "all" and asset not in network.assets
        held = [a for a in network.assets if a != "USD"] if every else [asset]
        moves |= dict.fromkeys(held, _number(value, name))
    if options.model == "cascade":
        return _cascade(network, moves, options)
    if options.model == "debtrank":
        ranked = rank_network(network, moves)
        rows = list(zip(network.ids, ranked.first.tolist(), ranked.distress.tolist(), strict=True))
        data = {"model": "debtrank", "impact": ranked.impact, "spectral_radius": ranked.radius}
        data["nodes"] = [{"id": n, "first": a, "distress": b} for n, a, b in rows]
        table = cli_text.table(("node", "first", "in the end"), [(n, f"{a:.2%}", f"{b:.2%}") for n, a, b in rows])
        calm = "stable" if ranked.stable else "a small shock grows until somebody defaults"
        return data, f"{table}\nspectral radius {ranked.radius:.4f}: {calm}; lost beyond the shock {ranked.impact:.2%}"
    if options.model == "fire-sales":
        impact = {_known(name, network): _number(value, name) for name, value in map(_pair, options.impact)}
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
    data["loans"] = [asdict(loan) for loan in found.loans]
    lines = []
    for i in order:
        n = nodes[i]
        money = (f"{n[name]:,.2f}" for name in ("owed", "paid", "equity", "loss"))
        lines.append((n["id"], *money, f"{n['recovery']:.1%}", "yes" if n["defaults"] else ""))
    header = ("node", "owed", "paid", "equity", "loss", "recovery", "defaults")
    said = f"{cli_text.table(header, lines)}\nlost to costs of default: {after.value_lost:,.2f}"
    if found.loans:
        loans = [(x.borrower, x.lender, *(f"{v:,.2f}" for v in (x.owed, x.paid, x.collateral))) for x in found.loans]
        said += f"\n\n{cli_text.table(('loan of', 'from', 'owed', 'paid', 'collateral'), loans)}"
    return data, said


def _cascade(network: Network, moves: dict[str, float], options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    found = cascade_network(
        network, moves, square_root_impact(_number(options.volatility, "volatility"), options.traded)
    )
    order = [i for i in np.argsort(found.falls, kind="stable") if np.isfinite(found.falls[i]) and found.falls[i] <= 1.0]
    data: dict[str, Any] = {"model": "cascade", **asdict(found.end), "amplification": found.end.amplification}
    data |= {"r0": found.r0, "critical": None}
    if found.critical is not None:
        data["critical"] = {"shock": found.critical[0], "ends_at": found.critical[1]}
    data["nodes"] = [
        {"id": found.ids[i], "sells_at": float(found.falls[i]), "sold": float(found.sold[i])} for i in order
    ]
    lines = [(n["id"], f"{n['sells_at']:.1%}", f"{n['sold']:,.0f}") for n in data["nodes"]]
    tip = "no shock tips it over" if found.critical is None else (
        f"a shock of {found.critical[0]:.1%} tips it over, to {found.critical[1]:.1%}"
    )  # fmt: skip
    return data, (
        f"{cli_text.table(('node', 'sells at a fall of', 'sells'), lines)}\n"
        f"a shock of {found.end.shock:.1%} ends at a fall of {found.end.total:.1%}, {found.end.closed:,.0f} sold; "
        f"R0 at its steepest {found.r0:.2f}; {tip}"
    )


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark or not name.strip():
        raise InputError("shock", text, "is not NAME=MOVE", 'E.g. "ETH=-30%".')
    return name.strip(), value.strip()


def _known(name: str, network: Network) -> str:
    """The asset of the network that is meant, in any case."""
    return next((asset for asset in network.assets if asset.lower() == name.lower()), name)


def _number(text: str, name: str) -> float:
    try:
        return float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    except ValueError:
        raise InputError(f"shock {name}", text, "is not a number", 'E.g. "ETH=-30%".') from None
