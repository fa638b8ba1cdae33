"""What the address holds of a view: every control of every page is in it, or stands here with the reason why not."""

import ast

import pytest
from streamlit.testing.v1 import AppTest

from tests.support import ROOT
from ui.state import view

CONTROLS = {
    "checkbox", "date_input", "multiselect", "number_input", "pills", "radio", "segmented_control", "select_slider",
    "selectbox", "slider", "text_input", "toggle",
}  # fmt: skip
ELSEWHERE = {
    "ui/shell/judge.py": "account and model are written by ui/shell/address",
    "ui/learn/page.py": "the step is written as ?step=3, a guess is the reader's own",
    "ui/portfolio/settings_panel.py": "settings travel in the book's link",
    "ui/portfolio/accounts.py": "accounts travel in the book's link",
    "ui/portfolio/toolbar.py": "what a link freezes is asked when it is made",
    "ui/blocks/importing.py": "a paste is of the visit only",
    "ui/blocks/maintenance.py": "it is a setting of the book, which travels in the link",
    "ui/blocks/starts.py": "a preset is a book, which travels in the link",
    "ui/data/panels.py": "what is fetched next is no view; the prices' origin travels in the book's link",
    "ui/audit/accounts.py": "names of accounts may be addresses, and those are never in a link",
    "ui/audit/books.py": "a path on the host is never in a link",
    "ui/haircuts/page.py": "parameters are kept by ui.state.view",
    "ui/correlations/own_book.py": "a wish is kept by ui.state.view",
    "ui/correlations/page.py": "the assets shown follow the book; they may be hundreds",
    "ui/venues/detail.py": "a venue's settings are kept by ui.state.view",
}


def unbound(path) -> list[int]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr in CONTROLS and not any(k.arg == "bind" for k in node.keywords):
            found.append(node.lineno)
    return found


def test_every_control_of_a_page_is_in_the_address_or_says_why_not():
    without = {str(p.relative_to(ROOT)): unbound(p) for p in (ROOT / "ui").rglob("*.py")}
    assert {name for name, lines in without.items() if lines} == set(ELSEWHERE)


def kept(text: str) -> AppTest:
    def script(text: str) -> None:
        import streamlit as st

        from ui.state import view

        if "there" not in st.session_state:
            view.open_view({"haircut": text, "p": "x", "unknown": "a:1"})
            st.session_state["there"] = True
        st.json({"numbers": view.numbers("haircut"), "address": view.in_address()})

    return AppTest.from_function(script, kwargs={"text": text}).run()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("wait:3,minimum:0.05", {"wait": 3.0, "minimum": 0.05}),
        ("wait:nan,minimum:inf,a:-1e-3", {"a": -0.001}),
        (":3,wait,wait:x,,:,", {}),
        ("x" * 601, {}),
        ("", {}),
    ],
)
def test_a_kept_text_is_read_number_by_number(text, numbers):
    import json

    said = json.loads(kept(text).json[0].value)
    assert said["numbers"] == numbers
    assert set(said["address"]) <= {"haircut"}


def test_what_is_put_is_read_and_in_the_address(monkeypatch):
    state: dict[str, object] = {}
    monkeypatch.setattr(view.st, "session_state", state)
    view.put("what_if", {"BTC ETH": -0.25})
    assert view.numbers("what_if") == {"BTC ETH": -0.25}
    assert view.in_address() == {"what_if": "BTC ETH:-0.25"}
    view.put("what_if", {})
    assert view.in_address() == {}


@pytest.mark.parametrize("context", [None, object()], ids=["no context", "a context without the flag"])
def test_without_streamlits_flag_back_changes_the_page_only(monkeypatch, context):
    """The flag is not a public name: where it is gone every page still opens and follows its widgets."""
    monkeypatch.setattr(view, "get_script_run_ctx", lambda: context)
    assert view.went_back() is False
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["step"] = "3"
    app.run()
    page = app.switch_page("pages/learn.py").run()
    assert not page.exception and not app.exception
    page.query_params["step"] = "2"  # what Back would bring: the picker keeps what was chosen
    assert not page.run().exception
