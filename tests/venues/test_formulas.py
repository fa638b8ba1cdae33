"""A line of an account is reckoned as its words say: the formula with the book's own numbers gives the amount beside it."""

import ast
import operator
import re

import pytest

from margin import InputError, venues
from tests.venues.test_rulebooks import BOOKS, CALL, MARKS, book, held_by_someone

ARITHMETIC = re.compile(r"[-+*/().\d ]+")
DOES = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
BOOKS_TOO = {
    "large": book(("BTC/USDT:USDT", 400.0, None, 10.0), ("ETH/USDT:USDT", -9_000.0, None, 10.0), USDC=2e7),
    "at a loss": book(("BTC/USDT:USDT", 1.0, 66_000.0, 5.0), ("SOL/USDT:USDT", 300.0, 170.0, 5.0), USDC=30_000.0),
    "sold call": book((CALL, -1.0, 2_000.0), USDC=90_000.0),
}


def value(words):
    """The words as a number; None where they are no arithmetic."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", words).replace(" fee ", " ").replace(" at ", " * ").replace(" x ", " * ")
    plain = re.sub(r"(\d+(?:\.\d+)?)%", r"(\1/100)", plain)
    if not ARITHMETIC.fullmatch(plain) or not re.search(r"\d +[-+*/]", plain):
        return None
    return worked_out(ast.parse(plain.strip(), mode="eval").body)


def worked_out(node):
    if isinstance(node, ast.BinOp):
        return DOES[type(node.op)](worked_out(node.left), worked_out(node.right))
    if isinstance(node, ast.UnaryOp):
        return -worked_out(node.operand) if isinstance(node.op, ast.USub) else worked_out(node.operand)
    return float(node.value)


def cases():
    more = [
        (name, mode, title)
        for title, portfolio in BOOKS_TOO.items()
        for name in venues.names()
        for mode in venues.rulebook(name).modes
        if not venues.rulebook(name).supports(portfolio, mode)
    ]
    return held_by_someone() + more


def lines_of(name, portfolio, mode):
    try:
        return venues.rulebook(name).requirement(portfolio, MARKS, mode).lines
    except InputError as error:
        assert "not published" in str(error)
        return ()


def test_words_are_worked_out():
    assert value("60,000.00 x 10.0000% + fee 29.70") == pytest.approx(6_029.7)
    assert value("-2 x (100 - 90)") == -20.0 and value("(20 + 1,650.00 + 0.00) / 0.95") == pytest.approx(1_757.8947)
    assert value("1 x 60,000 at 80%") == 48_000.0 and value("all of it") is None and value("6.5%") is None


def test_every_line_is_what_its_formula_says():
    """Rates are shown to some digits, so to a thousandth and half a dollar."""
    checked = 0
    wrong = []
    for name, mode, title in cases():
        portfolio = BOOKS.get(title) or BOOKS_TOO[title]
        for line in lines_of(name, portfolio, mode):
            said = None if line.amount is None else value(line.formula)
            if said is not None:
                checked += 1
                if said != pytest.approx(line.amount, rel=2e-3, abs=0.5):
                    wrong.append((name, mode, title, line.label, line.formula, line.amount))
    assert not wrong, wrong[:5]
    assert checked > 500
