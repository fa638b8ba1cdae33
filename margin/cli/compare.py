"""`python -m margin compare`: the ladder for one portfolio."""

import argparse
from typing import Any

from margin.cli import text as cli_text
from margin.core.settings import CORRELATIONS, Settings
from margin.ladder.compare import Comparison, compare
from margin.ladder.explain import headline, why
from margin.risk.estimators import estimators


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """The command and its options."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "compare", help="margin under every method, and what is saved"
    )
    cli_text.add_portfolio(parser)
    cli_text.add_prices(parser)
    cli_text.add_volumes(parser)
    defaults = Settings()
    cli_text.add_measure(parser)
    parser.add_argument(
        "--estimator", default=defaults.estimator, help=f"one of {', '.join(row.key for row in estimators())}"
    )
    parser.add_argument("--correlation", default=defaults.correlation, help=f"one of {', '.join(CORRELATIONS[:3])}")
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Runs the command: (values for JSON, text)."""
    settings = Settings().with_(
        level=options.level,
        horizon=options.horizon,
        lookback=options.lookback,
        measure=options.measure,
        estimator=options.estimator,
        correlation=options.correlation,
        as_of=options.as_of,
    )
    result = compare(cli_text.portfolio_of(options), cli_text.market_of(options), settings=settings)
    return result.to_dict(), describe(result)


def describe(c: Comparison) -> str:
    """The comparison as plain text."""
    s, money = c.settings, cli_text.money
    methods = [
        ("isolated", money(c.isolated), ""),
        ("netted", money(c.netted), f"netting {_down(c.attribution.netting)}"),
        ("portfolio", money(c.portfolio), f"diversification {_down(c.attribution.diversification)}"),
        ("safeguarded", money(c.safeguarded), f"given back +{money(c.attribution.safeguards)}"),
    ]
    header = ["position", "quantity", "value USD", "alone USD", "contribution USD"]
    positions = [
        [p.symbol, f"{p.quantity:g}", money(p.value), money(p.standalone), money(p.contribution)] for p in c.positions
    ]
    if any(p.implied_vol is not None for p in c.positions):
        header.append("volatility used")
        for row, p in zip(positions, c.positions, strict=True):
            row.append("" if p.implied_vol is None else f"{p.implied_vol:.1%}")
    safeguards = [(line.label, money(line.amount), money(line.requirement_after)) for line in c.safeguard_lines]
    parts = [
        f"As of {c.as_of.date()}, {s.measure.upper()} {s.level:.1%} over {s.horizon} day(s), {s.estimator}, "
        f"{c.scenarios} scenarios",
        headline(c),
        why(c),
        cli_text.table(("margin", "USD", "change"), methods),
        _as_held(c),
        cli_text.table(header, positions),
        cli_text.table(("safeguard", "adds USD", "margin after USD"), safeguards),
        "\n".join(f"note: {note}" for note in c.notes),
    ]
    return "\n\n".join(part for part in parts if part)


def _as_held(c: Comparison) -> str:
    """Each account by its own venue's rules, the sum, and the pooled account beside it."""
    if c.as_held is None:
        return ""
    rows = [
        (a.name or a.venue or "account", a.model or "-", cli_text.money(a.equity), cli_text.money(a.initial),
         cli_text.money(a.maintenance), "-" if a.health is None else f"{a.health:.2f}")
        for a in c.as_held.accounts
    ]  # fmt: skip
    total = ("as held", "", "", cli_text.money(c.as_held.initial), "", "")
    pooled = ("one pooled account", "safeguarded", "", cli_text.money(c.as_held.pooled), "", "")
    header = ("account", "model", "equity USD", "initial USD", "maintenance USD", "health")
    errors = [f"not computed: {a.name or a.venue}: {a.error}" for a in c.as_held.accounts if a.error]
    errors += [f"{a.name or a.venue}: {note}" for a in c.as_held.accounts for note in a.why_left_out]
    return "\n".join([cli_text.table(header, [*rows, total, pooled]), *errors])


def _down(amount: float) -> str:
    return f"-{cli_text.money(amount)}" if amount >= 0.005 else cli_text.money(max(-amount, 0.0) + 0.0)
