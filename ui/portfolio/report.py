"""What a visitor takes home: one HTML file that needs nothing else, CSV, and the same figures in Python."""

import csv as csv_module
import io
from collections.abc import Iterable, Sequence
from html import escape
from pprint import pformat
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from data.model import PriceSet
from margin.core.errors import InputError
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.ladder import explain
from margin.ladder.compare import Comparison
from margin.ladder.equal_risk import equal_risk
from ui import charts
from ui.blocks.formats import money, percent
from ui.blocks.theme import LIGHT, use

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#17212E;background:#fff;max-width:900px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem} h2{font-size:1.15rem;margin-top:2rem} .muted{color:#5B6675}
.answer{font-size:1.2rem;font-weight:600} table{border-collapse:collapse;width:100%;display:block;overflow-x:auto}
th,td{padding:.3rem .7rem;border-bottom:1px solid #E3E8EF;text-align:right;white-space:nowrap}
th:first-child,td:first-child,.words th,.words td{text-align:left} .words td{white-space:normal}
figure{margin:0} figcaption{color:#5B6675;font-size:.9rem}
@media print{figure,table{break-inside:avoid}}
"""
NEEDS = "Needs the engine: pip install . in a copy of Margin Lab."
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
)


def html(comparison: Comparison, portfolio: Portfolio, prices: PriceSet) -> str:
    """One file with the charts inside; its own policy forbids it to ask anything of the network.

    Everything a user or a price source supplied is escaped. Size is that of the chart library, about 5 MB.
    """
    c, s = comparison, comparison.settings
    title = portfolio.name or "Portfolio"
    about = f"As of {c.as_of.date()}. {s.measure.upper()} {s.level:.1%} over {s.horizon} day(s), {s.estimator}, "
    with use(LIGHT):
        parts = [
            f"<h1>{escape(title)}</h1>",
            f'<p class="muted">{escape(about)}{c.scenarios} scenarios. {escape(source(prices))}</p>',
            f'<p class="answer">{escape(explain.headline(c))}</p><p>{escape(explain.why(c))}</p>',
            "<h2>From isolated to safeguarded margin</h2>",
            _figure(charts.waterfall(c), charts.waterfall_alt(c)),
            _table(("Margin", "USD"), _methods(c)),
            "<h2>Positions</h2>",
            _table(("Position", "Quantity", "Value", "Alone", "In the pool"), _positions(c)),
            _figure(charts.contributions(c), charts.contributions_alt(c)),
            "<h2>Safeguards</h2>",
            _table(("Safeguard", "Adds", "Margin after", "How"), _safeguards(c), words=True),
            _equal_risk(c),
            "<h2>How this is computed</h2>",
            _table(
                ("Step", "Figures", "Meaning"), [(x.title, x.numbers, x.words) for x in explain.steps(c)], words=True
            ),
            _notes(c),
            "<h2>Where the prices come from</h2>",
            _table(("Asset", "Source", "Pair", "State", "From", "To", "Note"), _provenance(c, prices), words=True),
            "<h2>The book</h2>",
            f"<pre>{escape(portfolio.to_json())}</pre>",
        ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - Margin Lab</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style>'
        f"<script>{get_plotlyjs()}</script></head><body>{''.join(parts)}</body></html>"
    )


def source(prices: PriceSet) -> str:
    """One sentence on where the prices come from."""
    if prices.is_sample:
        return "Prices: bundled sample, partly simulated."
    names = sorted({p.source for p in prices.provenance.values()})
    return f"Prices: {', '.join(names)}." if names else "Prices: source not stated."


def csv(comparison: Comparison) -> str:
    """The result as one table: figure, item, USD."""
    c = comparison
    rows: list[tuple[str, str, Any]] = [("margin", name, value) for name, value in _amounts(c)]
    rows += [("standalone", p.symbol, p.standalone) for p in c.positions]
    rows += [("contribution", p.symbol, p.contribution) for p in c.positions]
    rows += [("safeguard", x.label, "not computed" if x.amount is None else x.amount) for x in c.safeguard_lines]
    rows += [("as of", str(c.as_of.date()), ""), ("scenarios", c.settings.estimator, c.scenarios)]
    out = io.StringIO()
    writer = csv_module.writer(out, lineterminator="\n")
    writer.writerow(("figure", "item", "USD"))
    writer.writerows(rows)
    return out.getvalue()


def python_snippet(portfolio: Portfolio, settings: Settings, prices_file: str | None = None) -> str:
    """Python that gives the same figures with the engine alone installed, on the bundled sample or on `prices_file`."""
    if prices_file is None:
        load = "prices = load_sample()\nclosings, volumes = prices.closes, prices.volumes"
        imports = "from margin import Portfolio, Settings, compare\nfrom margin.sample.load import load_sample"
    else:
        load = f"closings, volumes = pd.read_csv({prices_file!r}), None"
        imports = "import pandas as pd\n\nfrom margin import Portfolio, Settings, compare"
    return (
        f"# {NEEDS}\n{imports}\n\n{load}\n"
        f"portfolio = Portfolio.from_json({pformat(portfolio.to_dict(), sort_dicts=False, width=100)})\n"
        f"settings = Settings.from_dict({pformat(settings.to_dict(), width=100)})\n"
        "result = compare(portfolio, closings, settings=settings, volumes=volumes)\n"
        'print(f"isolated {result.isolated:,.2f}  portfolio {result.portfolio:,.2f}  saved {result.saved:,.2f}")\n'
    )


def _amounts(c: Comparison) -> list[tuple[str, float]]:
    return [
        ("isolated", c.isolated),
        ("netted", c.netted),
        ("portfolio", c.portfolio),
        ("safeguarded", c.safeguarded),
        ("saved", c.saved),
    ]


def _methods(c: Comparison) -> list[tuple[str, str]]:
    return [*((n.capitalize(), money(v)) for n, v in _amounts(c)), ("Saved, % of isolated", percent(c.saved_pct, 1))]


def _positions(c: Comparison) -> list[tuple[str, ...]]:
    return [
        (p.symbol, f"{p.quantity:,.6g}", money(p.value), money(p.standalone), money(p.contribution))
        for p in c.positions
    ]


def _safeguards(c: Comparison) -> list[tuple[str, ...]]:
    return [
        (x.label, "not computed" if x.amount is None else money(x.amount), money(x.requirement_after), x.detail)
        for x in c.safeguard_lines
    ]


def _provenance(c: Comparison, prices: PriceSet) -> list[tuple[str, ...]]:
    used = [prices.provenance[a] for a in c.book.assets if a in prices.provenance]
    return [
        (
            p.asset,
            p.source,
            p.symbol,
            p.status,
            str(p.first)[:10] if p.first else "",
            str(p.last)[:10] if p.last else "",
            p.note,
        )
        for p in used
    ]


def _equal_risk(c: Comparison) -> str:
    try:
        curve = equal_risk(c)
    except InputError as error:
        return f"<h2>At equal risk</h2><p>{escape(error.problem.capitalize())}.</p>"
    isolated, pooled = curve.capital(0.05)
    need = f"isolated accounts need {money(isolated)} and one pooled account {money(pooled)}"
    words = f"To run out in at most 5% of scenarios, {need}."
    return "<h2>At equal risk</h2>" + _figure(charts.equal_risk(curve, 0.05), words)


def _notes(c: Comparison) -> str:
    return "<ul>" + "".join(f"<li>{escape(note)}</li>" for note in c.notes) + "</ul>" if c.notes else ""


def _figure(figure: go.Figure, caption: str) -> str:
    drawn = figure.to_html(
        full_html=False, include_plotlyjs=False, config={"displayModeBar": False, "responsive": True}
    )
    return f"<figure>{drawn}<figcaption>{escape(caption)}</figcaption></figure>"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], words: bool = False) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    kind = ' class="words"' if words else ""
    return f"<table{kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
