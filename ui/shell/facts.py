"""What each page is, as the page itself says it: navigation, headings, docs and tests are made from this.

A page is one file in pages/. At its top stands a literal that is read without running the page:

    PAGE = {"title": "Stress", "icon": ":material/bolt:", "section": "Risk", "order": 40,
            "question": "What breaks this book?"}

Whatever is left out is made up from the file: a page without an order comes last, one without a title is called after
its file. `python -m ui.shell.facts` prints the table of docs/dashboard.md.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "pages"
HOME = "portfolio"  # opens at the root of the address
LAST = 1000.0
ICON = ":material/article:"


@dataclass(frozen=True, kw_only=True)
class PageFacts:
    """One page. `question` is its heading, drawn by the header; the page starts below it. `order` counts from home.

    judged : it answers for the account and the margin model chosen in the header
    """

    path: Path
    title: str
    icon: str
    section: str
    question: str
    order: float
    judged: bool = False

    @property
    def name(self) -> str:
        """The stem of its file, which is also its address."""
        return self.path.stem

    @property
    def home(self) -> bool:
        """Whether a visit starts here."""
        return self.name == HOME


def page_facts(folder: Path = PAGES) -> list[PageFacts]:
    """Every page of `folder`, in order; equal orders by title."""
    found = [_read(path, path.stat().st_mtime_ns) for path in folder.glob("*.py") if not path.stem.startswith("_")]
    return sorted(found, key=lambda page: (page.order, page.title))


def facts_of(path: Path) -> PageFacts:
    """The facts of one page's file."""
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int) -> PageFacts:
    """The facts of one file; read again only when it changes. Raises ValueError for facts that are no literal."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = _literal(tree, path)
    title = str(said.get("title") or path.stem.replace("_", " ").capitalize())
    return PageFacts(
        path=path,
        title=title,
        icon=str(said.get("icon") or ICON),
        section=str(said.get("section") or title),
        question=str(said.get("question") or title),
        order=float(said.get("order", LAST)),
        judged=bool(said.get("judged", False)),
    )


def _literal(tree: ast.Module, path: Path) -> Mapping[str, Any]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and [getattr(t, "id", "") for t in node.targets] == ["PAGE"]:
            found = ast.literal_eval(node.value)
            if not isinstance(found, dict):
                raise ValueError(f"{path.name}: PAGE must be a dict of texts and numbers")
            return found
    return {}


def table(pages: list[PageFacts]) -> str:
    """The pages as a table in markdown."""
    rows = [f"| {p.title} | {p.question} | {p.section} | `pages/{p.path.name}` |" for p in pages]
    return "\n".join(["| page | question | section | file |", "|---|---|---|---|", *rows]) + "\n"
