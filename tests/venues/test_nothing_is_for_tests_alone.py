"""Every public function and class of margin/venues is run by the engine, the pages or the commands, not by tests alone.

A name counts as used where a file of the product imports it, reads it off its module, or names it beside it; what only an
unused function names is unused too.
"""

import ast

from tests.support import ROOT

PLACES = ("margin", "ui", "pages", "data", "tools")


def _module(path, root):
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _names(node):
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _links(tree):
    """(imported: {(module, name)}, aliases: {alias: module}, attributes: {(alias, attribute)}) of a file."""
    imported, aliases = set(), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                imported.add((node.module, name.name))
                aliases[name.asname or name.name] = f"{node.module}.{name.name}"
        elif isinstance(node, ast.Import):
            aliases |= {name.asname or name.name: name.name for name in node.names}
    attributes = {
        (n.value.id, n.attr) for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
    }
    return imported, aliases, attributes


def unused(root, folder, places):
    """["path:line name", ...] of public functions and classes under `folder` that nothing in `places` uses."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for p in places for path in (root / p).rglob("*.py")}
    outside = set()  # (module, name) used by another file
    for path, tree in trees.items():
        imported, aliases, attributes = _links(tree)
        # An import that nothing in its file uses would be found by the linter.
        outside |= {(module, name) for module, name in imported if module != _module(path, root)}
        outside |= {(aliases[alias], name) for alias, name in attributes if alias in aliases}
    found = []
    for path in sorted((root / folder).rglob("*.py")):
        tree, module = trees[path], _module(path, root)
        tops = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        rest = [n for n in tree.body if n not in tops]
        living = {n.name for n in tops if (module, n.name) in outside} | set().union(*map(_names, rest), set())
        while True:
            reached = set().union(*(_names(n) - {n.name} for n in tops if n.name in living), set())
            if reached <= living:
                break
            living |= reached
        found += [
            f"{path.relative_to(root)}:{n.lineno} {n.name}"
            for n in tops
            if n.name not in living and not n.name.startswith("_")
        ]
    return found


def test_every_public_function_of_the_venues_is_run_by_the_product():
    registered = {"keys", "get"}  # of a room of margin models: called by the registry (margin.models)
    found = [row for row in unused(ROOT, "margin/venues", PLACES) if row.split()[1] not in registered]
    assert found == []


def test_the_search_sees_what_only_tests_or_unused_functions_call(tmp_path):
    folder = tmp_path / "margin" / "venues"
    folder.mkdir(parents=True)
    (folder / "rule.py").write_text(
        "def lonely():\n    return helper()\n\n\ndef helper():\n    return 1\n\n\ndef imported():\n    return 2\n\n\n"
        "def read():\n    return 3\n\n\ndef beside():\n    return 4\n\n\nRULE = beside()\n"
    )
    (folder / "user.py").write_text(
        "from margin.venues import rule\nfrom margin.venues.rule import imported\n\nTOTAL = imported() + rule.read()\n"
    )
    assert [row.split()[1] for row in unused(tmp_path, "margin/venues", ("margin",))] == ["lonely", "helper"]
