"""Each page the server sends is Streamlit's own and the scripts of the first page's elements; all else goes through."""

import re
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import streamlit as st

from ui.shell.ahead import ELEMENTS

SCRIPT = re.compile(r'<script type="module" async crossorigin src="\./(static/js/\w+\.[^"]+\.js)"></script>')
OWN = Path(st.__file__).parent / "static"


@pytest.mark.parametrize("path", ["/", "/venues", "/venues?book=x"])
def test_a_page_names_a_script_for_each_element_and_is_the_same_but_for_that(server, path):
    with urlopen(server + path) as answer:
        page = answer.read()
        assert int(answer.headers["content-length"]) == len(page)
        assert "etag" not in answer.headers  # it would be the unchanged page's
    assert len(SCRIPT.findall(page.decode())) == len(ELEMENTS)
    assert SCRIPT.sub("", page.decode()) == (OWN / "index.html").read_text(encoding="utf-8")


def test_the_scripts_are_there(server):
    with urlopen(server) as answer:
        scripts = SCRIPT.findall(answer.read().decode())
    for path in scripts:
        with urlopen(f"{server}/{path}") as answer:
            assert "javascript" in answer.headers["content-type"]
            assert answer.read() == (OWN / path).read_bytes()


def test_what_is_no_page_goes_through_as_it_is(server):
    with urlopen(f"{server}/_stcore/health") as answer:
        assert answer.read() == b"ok"
    with urlopen(f"{server}/manifest.json") as answer:
        assert answer.read() == (OWN / "manifest.json").read_bytes()
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{server}/_stcore/agent/nothing")
