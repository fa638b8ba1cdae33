"""A visitor's word is shown as itself: no markup, no formula, no link."""

import re

import pytest

from ui.blocks.text import dollars, plain

AUTOLINK = re.compile(
    r"(https?://|www(?=\.))[-.\w]+|[-.\w+]+@[-\w]+(\.[-\w]+)+", re.IGNORECASE
)  # what the browser finds


@pytest.mark.parametrize("word", ["WWW.X.COM", "https://x.com/a", "http://x.com", "a.b+c@x-y.com", "www.x.com@y.org"])
def test_nothing_that_looks_like_an_address_becomes_a_link(word):
    assert AUTOLINK.search(word)
    unescaped = re.sub(r"\\(.)", r"\1", plain(f"see {word} now"))
    assert not AUTOLINK.search(unescaped)
    assert unescaped.replace("\u2060", "") == f"see {word} now"


def test_a_plain_word_is_left_as_it_is():
    assert plain("BTC 12") == "BTC 12"


@pytest.mark.parametrize(
    ("note", "shown"),
    [
        ("read 2026-11-23.", r"read 2026\-11\-23\."),
        ("BTC-27NOV26-100000-P (2026-07-21)", r"BTC\-27NOV26\-100000\-P \(2026\-07\-21\)"),
        ("moves by -4.1% or -$5", "moves by \u22124\\.1% or \u2212\\$5"),
    ],
)
def test_a_note_keeps_its_dates_and_has_a_true_minus(note, shown):
    assert dollars(plain(note)) == shown
