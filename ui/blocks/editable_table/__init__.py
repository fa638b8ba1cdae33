"""The editable table of the pages: native inputs in one component, figures beside them from the server.

Why not `st.data_editor`: its frontend waits 150 ms before it sends an edit (more than the whole budget from edit to
new numbers), draws on a canvas that screen readers and phones handle badly, and cannot show a message at a row.
What the browser sends is read with `drafts_from_browser`, which trusts nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from ui.state.rows import Draft, Problem, drafts_from_browser

__all__ = ["Column", "Edit", "editable_table"]

_FRONTEND = Path(__file__).parent


@dataclass(frozen=True)
class Column:
    """One column; text and number columns are typed in, the others show figures. `wide` ones are left out on phones.

    hidden : there, but not shown (shown without a redraw once it holds something); upper: what is typed is put in
    capitals; options: what is suggested in this column, instead of the table's own
    """

    key: str
    label: str
    kind: Literal["text", "number", "output", "share"]
    help: str = ""
    placeholder: str = ""
    optional: bool = False
    wide: bool = False
    hidden: bool = False
    upper: bool = True
    options: tuple[str, ...] = ()

    def to_browser(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "label": self.label,
            "kind": self.kind,
            "help": self.help,
            "placeholder": self.placeholder,
            "optional": self.optional,
            "wide": self.wide,
            "hidden": self.hidden,
            "upper": self.upper,
            "options": list(self.options),
        }


@dataclass(frozen=True)
class Edit:
    """What the visitor changed: `step` is the same for changes made without leaving a cell."""

    version: int
    step: tuple[Any, ...]
    drafts: tuple[Draft, ...]


_mount = st.components.v2.component(
    "editable_table",
    html='<div class="editable"></div>',
    css=(_FRONTEND / "editable_table.css").read_text(encoding="utf-8"),
    js=(_FRONTEND / "editable_table.js").read_text(encoding="utf-8"),
)


def editable_table(
    label: str,
    columns: Sequence[Column],
    drafts: Sequence[Draft],
    *,
    key: str,
    version: int,
    on_edit: Callable[[Edit], None],
    figures: Mapping[int, Mapping[str, Any]] | None = None,
    problems: Mapping[int, Problem] | None = None,
    options: Sequence[str | tuple[str, str]] = (),
    noun: str = "row",
    add: str = "Add a row",
    most: int = 1000,
) -> None:
    """Draw the table.

    drafts   : rows as they are; the browser takes them over only when `version` changes or the page is entered
    figures  : by row id, what the output columns show: text, or {"text": ..., "share": -1..1} in a share column; and
               what an empty cell of a typed column means in this row, where that is not the column's placeholder
    problems : by row id
    options  : what is suggested while a text cell is typed: the text, or (the text, what it is)
    noun     : what one row is, for screen readers ("Quantity, position 2")
    on_edit  : called before the rerun with what was typed
    """
    typed = tuple(column.key for column in columns if column.kind in ("text", "number"))

    def changed() -> None:
        state = st.session_state.get(key)
        edit = state.get("edit") if state is not None else None
        if isinstance(edit, dict) and edit.get("version") == version:
            step = (key, version, edit.get("edit"))
            on_edit(Edit(version, step, drafts_from_browser(edit.get("rows"), typed, most)))

    _mount(
        key=key,
        data={
            "version": version,
            "label": label,
            "noun": noun,
            "add": add,
            "columns": [column.to_browser() for column in columns],
            "rows": [{"id": d.id, "cells": dict(zip(typed, d.cells, strict=True))} for d in drafts],
            "figures": {str(row): dict(cells) for row, cells in (figures or {}).items()},
            "problems": {
                str(row): {"key": p.key, "text": p.text, "offers": [list(offer) for offer in p.offers]}
                for row, p in (problems or {}).items()
            },
            "options": [[o, ""] if isinstance(o, str) else list(o) for o in options],
        },
        on_edit_change=changed,
    )
