"""A text of another program as data: JSON (also with NaN, also several answers one after another), or Python's print.

Nothing in it is executed: Python's form is parsed and only literals are taken.
"""

import ast
import json
import math
from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError
from margin.core.portfolio import MAX_TEXT

_WORDS = {"null": None, "true": True, "false": False, "nan": math.nan, "NaN": math.nan, "inf": math.inf}
_MAKERS = ("Decimal", "float", "int", "str", "OrderedDict", "dict")
_SECRETS = frozenset(("apikey", "secret", "secretkey", "apisecret", "privatekey", "passphrase", "mnemonic"))


def decoded(source: "str | bytes") -> str:
    """The text, at most MAX_TEXT, without a byte order mark. Raises InputError."""
    if len(source) > MAX_TEXT:
        raise InputError("portfolio", f"{len(source)} characters", "is too large", f"At most {MAX_TEXT}.")
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    if source[:2] in (b"\xff\xfe", b"\xfe\xff"):  # spreadsheets save Unicode text so
        try:
            return source.decode("utf-16")
        except UnicodeDecodeError:
            pass
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("portfolio", "bytes", "is not UTF-8 text", "Save the file as UTF-8 text.") from None


def documents(text: str) -> list[Any] | None:
    """Every JSON value (or Python literal) in the text, in order; None where it begins like neither.

    Raises InputError where it begins like one and breaks off.
    """
    rest = text.strip()
    if not rest.startswith(("{", "[")):
        return None
    found = []
    decoder = json.JSONDecoder(object_pairs_hook=_unique)
    broken: json.JSONDecodeError | None = None
    while rest:
        try:
            value, end = decoder.raw_decode(rest)
        except json.JSONDecodeError as error:
            broken = error
            break
        except RecursionError:
            raise InputError("portfolio", text[:20], "is nested too deeply") from None
        except ValueError as error:  # an integer of more than 4,300 digits
            if isinstance(error, InputError):
                raise
            raise InputError("portfolio", text[:20], "holds a number that is too long") from None
        found.append(value)
        rest = rest[end:].lstrip(" \t\r\n,;")
    if broken is not None:
        printed = _printed(text.strip())
        if printed is None:
            where = f"line {broken.lineno}, column {broken.colno}"
            near = broken.doc[max(0, broken.pos - 10) : broken.pos + 15]
            raise InputError("portfolio", near, f"is not valid JSON at {where}: {broken.msg}")
        found = printed
    _without_secrets(found)
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise InputError("portfolio", key, "a key appears twice in one object", "Keep one of them.")
        seen[key] = value
    return seen


def _printed(text: str) -> list[Any] | None:
    """Python literals one after another, as `print` writes them: None, True, nan, OrderedDict(...), Decimal('1')."""
    try:
        tree = ast.parse(text, mode="exec")
        return [_literal(statement.value) for statement in tree.body if isinstance(statement, ast.Expr)] or None
    except (SyntaxError, ValueError, RecursionError, MemoryError, TypeError, OverflowError):
        return None


def _literal(node: ast.AST) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return _WORDS[node.id] if node.id in _WORDS else _refused()
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {str(_literal(key)) if key else _refused(): _literal(value) for key, value in pairs}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _literal(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    call = node.func if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords else None
    if isinstance(node, ast.Call) and isinstance(call, ast.Name) and call.id in _MAKERS:
        return _literal(node.args[0])
    return _refused()


def _refused() -> Any:
    raise ValueError("not a literal")


def _without_secrets(found: list[Any]) -> None:
    """Raises InputError where a key of an exchange stands in the text: it is never asked for and never kept."""
    waiting = list(found)
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            for key, inside in value.items():
                plain = str(key).replace("_", "").replace("-", "").lower()
                if plain in _SECRETS and isinstance(inside, str) and inside:
                    problem = "is a secret; nothing of this text was kept"
                    raise InputError("portfolio", str(key), problem, "Positions are enough: leave keys out.")
                waiting.append(inside)
        elif isinstance(value, list):
            waiting.extend(value)
