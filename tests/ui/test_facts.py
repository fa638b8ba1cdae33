"""Adding a page is one file: what it says of itself is the navigation, the heading and the docs."""

import shutil

import pytest

from ui.shell.facts import PAGES, page_facts, table

HELLO = '''"""Hello: is anybody there?"""

import streamlit as st

PAGE = {"title": "Hello", "icon": ":material/waving_hand:", "section": "Learn", "order": 55, "question": "Anybody?"}

st.write("hello from one file")
'''


def test_one_new_file_is_a_page_at_its_place(tmp_path):
    folder = tmp_path / "pages"
    shutil.copytree(PAGES, folder, ignore=shutil.ignore_patterns("__pycache__"))
    before = page_facts(folder)
    (folder / "hello.py").write_text(HELLO)
    after = page_facts(folder)
    (hello,) = [page for page in after if page not in before]
    assert (hello.title, hello.question, hello.name, hello.home) == ("Hello", "Anybody?", "hello", False)
    place = after.index(hello)
    assert all(page.order <= 55 for page in after[:place]) and all(page.order > 55 for page in after[place + 1 :])
    assert "| Hello | Anybody? | Learn | `pages/hello.py` |" in table(after)


@pytest.mark.parametrize("source", ["PAGE = 3\n", "PAGE = {1, 2}\n"])
def test_facts_that_are_none_name_the_file(tmp_path, source):
    (tmp_path / "bad.py").write_text(source)
    with pytest.raises(ValueError, match=r"bad\.py"):
        page_facts(tmp_path)
