"""Where a small fault can be put, and the faulty text: cosmic-ray's operators over margin/ and data/.

Left out is what no test of behaviour could see: type annotations, `__all__`, versions, what is imported for types alone,
decorators and what is raised (its words). Of one operator on one line there is one mutant.
"""

import ast
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Of cosmic-ray's operators: those that a slip of the pen makes. Replacing + by << is found by any test at all.
KINDS = (
    "core/ReplaceBinaryOperator_Add_Sub", "core/ReplaceBinaryOperator_Sub_Add", "core/ReplaceBinaryOperator_Mul_Div",
    "core/ReplaceBinaryOperator_Div_Mul", "core/ReplaceComparisonOperator_Lt_LtE", "core/ReplaceComparisonOperator_LtE_Lt",
    "core/ReplaceComparisonOperator_Gt_GtE", "core/ReplaceComparisonOperator_GtE_Gt", "core/ReplaceComparisonOperator_Lt_Gt",
    "core/ReplaceComparisonOperator_Gt_Lt", "core/ReplaceComparisonOperator_Eq_NotEq", "core/ReplaceUnaryOperator_Delete_USub",
    "core/ReplaceAndWithOr", "core/ReplaceOrWithAnd", "core/ReplaceTrueWithFalse", "core/ReplaceFalseWithTrue",
    "core/NumberReplacer", "core/AddNot",
)  # fmt: skip
NOT_MUTATED = ("__init__.py", "__main__.py")
_SAYERS = ("Error", "Unsupported", "warn")  # what is called by such a name is told words


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One fault.

    path : the file, from the root of the project
    line, column : where the fault begins, from 1 and from 0
    operator, occurrence : cosmic-ray's operator and the how-manieth of its places in the file, from 0
    before, after : the line without and with the fault, without the blanks around it
    around : the function or class it lies in; empty at the top of the file
    """

    path: str
    line: int
    column: int
    operator: str
    occurrence: int
    before: str
    after: str
    around: str


@dataclass(frozen=True)
class Site:
    """A place of an operator in a file; the mutant it gives is made when it is chosen."""

    path: str
    line: int
    column: int
    operator: str
    occurrence: int


def sites(root: Path, folders: Iterable[str]) -> Iterator[Site]:
    """Every place there is, file by file, in the order of the file."""
    for folder in folders:
        place = root / folder
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            if path.name not in NOT_MUTATED:
                source = path.read_text(encoding="utf-8")
                yield from sites_of(source, path.relative_to(root).as_posix())


def sites_of(source: str, path: str, kinds: Iterable[str] = KINDS) -> Iterator[Site]:
    """The places in one file's text."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator

    spared = _spared(ast.parse(source))
    nodes = list(ast_nodes(get_ast(source)))
    for kind in kinds:
        operator = get_operator(kind)()
        starts = [start for node in nodes for start, _ in operator.mutation_positions(node)]
        for occurrence, (line, column) in enumerate(starts):
            if not any(begin <= (line, column) < end for begin, end in spared):
                yield Site(path, line, column, kind, occurrence)


def sample(root: Path, folders: Iterable[str], count: int, seed: int) -> tuple[list[Mutant], int]:
    """A seeded draw of mutants, one for an operator and a line; and how many such there are to draw from."""
    groups: dict[tuple[str, int, str], list[Site]] = {}
    for site in sites(root, folders):
        groups.setdefault((site.path, site.line, site.operator), []).append(site)
    draw = random.Random(seed)
    every = sorted(groups)
    found: list[Mutant] = []
    for group in draw.sample(every, len(every)):
        if len(found) == count:
            break
        mutant = made(root, draw.choice(groups[group]))
        if mutant is not None:
            found.append(mutant)
    return found, len(every)


def made(root: Path, site: Site) -> Mutant | None:
    """The mutant of a place; None where the operator changes nothing there."""
    source = (root / site.path).read_text(encoding="utf-8")
    text = faulty(source, site.operator, site.occurrence)
    if text is None or text == source:
        return None
    before, after = source.splitlines(), text.splitlines()
    at = next((i for i, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), site.line - 1)
    return Mutant(
        path=site.path, line=site.line, column=site.column, operator=site.operator, occurrence=site.occurrence,
        before=before[at].strip(), after=after[at].strip(), around=_around(source, site.line),
    )  # fmt: skip


def faulty(source: str, operator: str, occurrence: int) -> str | None:
    """The file's text with the fault; None where the operator finds nothing there."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    found: str | None = mutate_code(source, get_operator(operator)(), occurrence)
    return found


def found_again(root: Path, old: Mutant) -> Mutant | None:
    """The same fault in a tree that has changed since: the same line becomes the same faulty line, nearest to where it was.

    Looked for in its file, then in the other files of the folder. None where there is no such line any more.
    """
    own = root / old.path
    beside = sorted(own.parent.glob("*.py")) if own.parent.is_dir() else []
    for path in [own, *(file for file in beside if file != own)]:
        source = path.read_text(encoding="utf-8") if path.exists() else ""
        lines = source.splitlines()
        if not any(line.strip() == old.before for line in lines):
            continue
        name = path.relative_to(root).as_posix()
        like = [site for site in sites_of(source, name, [old.operator]) if _close(lines, site, old.before)]
        for site in sorted(like, key=lambda s: (abs(s.line - old.line), abs(s.column - old.column))):
            mutant = made(root, site)
            if mutant is not None and (mutant.before, mutant.after) == (old.before, old.after):
                return mutant
    return None


def _close(lines: list[str], site: Site, wanted: str) -> bool:
    """Whether the wanted line is the site's or one of the two before it: a fault may show in an earlier line."""
    return any(line.strip() == wanted for line in lines[max(site.line - 3, 0) : site.line])


def _around(source: str, line: int) -> str:
    """The outermost function or the method a line lies in."""
    tree: ast.AST = ast.parse(source)
    name = ""
    while True:
        body = getattr(tree, "body", [])
        inside = [n for n in body if n.lineno <= line <= (n.end_lineno or n.lineno)]
        if not inside or not isinstance(inside[0], ast.FunctionDef | ast.ClassDef):
            return name
        if not (inside[0].name.startswith("__") and name):
            name = inside[0].name
        if isinstance(inside[0], ast.FunctionDef):
            return name
        tree = inside[0]


Span = tuple[tuple[int, int], tuple[int, int]]


def _spared(tree: ast.Module) -> list[Span]:
    """From where to where no fault is put, as (line, column) pairs."""
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found += node.decorator_list
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            found.append(node.returns)
        elif isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            found.append(node.annotation)
        elif (
            (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
            or (isinstance(node, ast.Assign) and any(_is_label(target) for target in node.targets))
            or isinstance(node, ast.Raise)
            or (isinstance(node, ast.Call) and ast.unparse(node.func).endswith(_SAYERS))
        ):
            found.append(node)
    return [((n.lineno, n.col_offset), (n.end_lineno or n.lineno, n.end_col_offset or 0)) for n in found]  # type: ignore[attr-defined]


def _is_label(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and (target.id == "__all__" or target.id.lower().strip("_").endswith("version"))
