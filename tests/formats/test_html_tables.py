"""Tables copied as HTML: the same book as the tabbed text, whatever the page is made of; nothing hidden, run or endless."""

import html

import pytest

from margin.core.errors import InputError
from margin.core.portfolio import MAX_TEXT
from margin.formats.html_tables import html_tables
from margin.formats.read import read_portfolio
from tests.formats.test_tables import TABLES

TABBED = [name for name, text in TABLES.items() if "\t" in text and "broken" not in name]


def rows_of(name: str) -> list[list[str]]:
    return [line.split("\t") for line in TABLES[name].splitlines()]


def plain(rows) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(c)}</td>' for c in row)}</tr>" for row in rows[1:])
    head = "".join(f"<th>{html.escape(c)}</th>" for c in rows[0])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def page(rows) -> str:
    """A saved page: scripts, a menu that is a table, comments, classes, cells of several boxes, hidden columns."""
    cells = [
        "".join(f'<td class="c"><div>{html.escape(c).replace(" ", "</div><div>", 1)}</div><svg><text>9</text></svg></td>'
                for c in row)
        for row in rows[1:]
    ]  # fmt: skip
    body = "".join(f'<tr data-k="1">{c}<td hidden>SOLUSDT</td><td style="display: none">7</td></tr>' for c in cells)
    head = "".join(f"<th><span>{html.escape(c)}</span><i></i></th>" for c in rows[0])
    return (
        "<!DOCTYPE html>\n<html><head><title>Positions</title><script>document.write('<table><tr><td>x')</script>"
        "<style>td{}</style></head><body><!-- <table><tr><td>SOLUSDT</td><td>1</td></tr></table> -->"
        "<table><tr><td>Home</td><td>Trade</td><td>Wallet</td></tr></table>"
        f"<table><tr>{head}</tr>{body}</table><script>alert(1)</script></body></html>"
    )


def parted(rows) -> str:
    """Head and body as two tables, as pages do that keep the head in sight."""
    head, body = plain(rows[:1]), plain([rows[0], *rows[1:]])
    return f"<div>{head}<div>{body.replace(body[: body.index('<tbody>')], '<table>')}</div></div>"


def roles(rows) -> str:
    def line(row, kind):
        return f'<div role="row">{"".join(f"<div role={kind!r}>{html.escape(c)}</div>" for c in row)}</div>'

    return f'<div role="table">{line(rows[0], "columnheader")}{"".join(line(r, "cell") for r in rows[1:])}</div>'


def pieces(rows) -> str:
    """Rows cut out of a table, tags left open."""
    return "".join("<tr>" + "".join(f"<td>{html.escape(c)}" for c in row) for row in rows)


def clipboard(rows) -> str:
    return f"Version:0.9\r\nStartHTML:0000000105\r\nEndHTML:0000000999\r\n<html><body><!--StartFragment-->{plain(rows)}"


@pytest.mark.parametrize("way", [plain, page, parted, roles, pieces, clipboard])
@pytest.mark.parametrize("name", TABBED)
def test_the_same_book_as_the_tabbed_text(way, name):
    found, wanted = read_portfolio(way(rows_of(name))), read_portfolio(TABLES[name])
    assert found.portfolio.accounts == wanted.portfolio.accounts
    assert found.portfolio.accounts[0].positions and not found.set_aside


def test_a_page_with_positions_and_balances_gives_both():
    balances = "<table><tr><th>Asset</th><th>Balance</th></tr><tr><td>USDT</td><td>1,250.5</td></tr></table>"
    (account,) = read_portfolio(plain(rows_of("bybit")) + balances).portfolio.accounts
    assert [p.symbol for p in account.positions] == ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    assert [(c.asset, c.quantity) for c in account.collateral] == [("USDT", 1250.5)]


def test_a_table_within_a_cell_and_cells_over_columns():
    text = (
        "<table><tr><td colspan=2>Open <b>po</b>sitions</td><td><table><tr><td>in<br>side</td></tr></table>out</td></tr>"
        '<tr><td>a&nbsp;&amp;\t b</td><td>"c"</td></tr></table>'
    )
    assert html_tables(text) == ['Open positions\t\tout\na & b\t"""c"""\n', "in side\n"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<!DOCTYPE html><html><body>502 Bad Gateway</body></html>", "web page without a table"),
        ("<table></table>", "web page without a table"),
        ("<table><tr><td>Home</td><td>Trade</td></tr></table>", "no table of positions"),
        ("<table>" * 60, "more than 50 tables"),
        ("<table>" + "<tr><td>1" * 6_000, "too many rows"),
        ("<table><tr>" + "<td>1" * 300, "more than 200 cells"),
        ("<table><tr>" + "<td colspan=999>1" * 3, "more than 200 cells"),
        ("<div>" * 100_000 + "<table>", "HTML"),
        ("<td>" + "x" * MAX_TEXT, "too large"),
        ("<table><tr><td>symbol<td>size<tr><td>BTC-PERP<td>api&#95;secret: abcdef123456", "is a secret"),
        ("<svg/onload=alert(1)>", "web page without a table"),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><table><tr><td>&e;</table>', "no table of positions"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(text, says):
    with pytest.raises(InputError, match=says):
        read_portfolio(text)


@pytest.mark.parametrize(
    "piece", ["<", "<!--", "<![CDATA[", "<a x='", "</b>", "<b>", "&#", "<td>", "<script>", "<p hidden>"]
)
def test_broken_pages_end_at_once(piece):
    with pytest.raises(InputError):
        read_portfolio("<div>" + piece * ((MAX_TEXT - 10) // len(piece) // 4))
