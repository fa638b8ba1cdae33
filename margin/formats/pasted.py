"""A text of another program as data: JSON (also with NaN, also several answers one after another), or Python's print.

Nothing in it is executed: Python's form is parsed and only literals are taken.
"""

import ast
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError
from margin.core.portfolio import MAX_TEXT

_WORDS = {"null": None, "true": True, "false": False, "nan": math.nan, "NaN": math.nan, "inf": math.inf}
_SCRIPTS = {"undefined": "None", "Infinity": "inf"}
_NUMBERS = ("Decimal", "float", "float64", "float32", "int", "int64", "int32", "mpf")
_MAKERS = ("str", "OrderedDict", "dict", "list", "tuple", "bool_", "str_")
_MOMENTS = ("datetime", "date", "time", "timedelta", "Timestamp", "Timedelta", "datetime64", "UUID")  # kept as text
_SECRETS = frozenset(
    ("apikey", "secret", "secretkey", "apisecret", "privatekey", "passphrase", "password", "mnemonic", "seedphrase")
)
_SECRET_TEXT = re.compile(
    r"(?:api[\s_-]?(?:key|secret)|secret(?:[\s_-]?key)?|private[\s_-]?key|pass(?:phrase|word)|mnemonic|seed phrase)"
    r"[\"']?\s*[:=\t]\s*[\"']?[A-Za-z0-9+/_.-]{6,}|-----BEGIN [A-Z ]*PRIVATE KEY",
    re.IGNORECASE,
)
_KEY_DIGITS = re.compile(r"(?<![0-9a-fA-F])(?:0x)?[0-9a-fA-F]{64}(?![0-9a-fA-F])")
_FENCE = re.compile(r"^```[a-zA-Z]*\s*\n(.*?)\n?```\s*$", re.DOTALL)
# What stands before a printed value: a name, a label, a shell's prompt with its line.
_LABEL = (
    r"(?:(?:const|let|var)\s+)?[A-Za-z_][\w .()\[\]'\"]{0,60}?\s*[:=]+\s*"
    r"|[A-Za-z_]\w{0,40}\s+(?=\[\s*[{\]]|\{\s*['\"])|(?:>>>|>|\$|In \[\d+\]:)[^\n]{0,200}\n\s*"
)
_NAMED = re.compile(rf"^(?:{_LABEL}){{1,3}}(?=[\[{{])")
_BETWEEN = re.compile(rf"[\s,;]*(?:(?:{_LABEL}){{0,3}}(?=[\[{{])|(?:>>>|>|\$)?\s*$)")
_SCRIPT = re.compile(
    r"(?P<text>'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|`[^`\\]*`)|(?P<key>[A-Za-z_$][\w$]*)(?=\s*:)"
    r"|(?P<kept>\[(?:Object|Array|Getter|Function)[^\]\n]{0,40}\]|\.\.\. \d+ more items?)"
    r"|(?P<word>undefined|Infinity)\b"
)
SECRET = "is a secret; nothing of this text was kept"
LEAVE_OUT = "Positions are enough: leave keys out."


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
    rest = unwrapped(text)
    if not rest.startswith(("{", "[")):
        return None
    text = rest
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
        printed = _printed(text.strip()) or _in_turn(text)
        if printed is None:
            where = f"line {broken.lineno}, column {broken.colno}"
            near = broken.doc[max(0, broken.pos - 10) : broken.pos + 15]
            raise InputError("portfolio", near, f"is not valid JSON at {where}: {broken.msg}")
        found = printed
    _without_secrets(found)
    return found


def unwrapped(text: str) -> str:
    """The text without a code fence around it and a name before it: ```json ... ```, positions = [...]."""
    plain = text.strip()
    fenced = _FENCE.match(plain)
    return _NAMED.sub("", fenced[1].strip() if fenced else plain, count=1)


def refuse_secrets(text: str, digits: bool = False) -> None:
    """Raises InputError, which shows nothing of it, where the text holds a key of an exchange or a wallet.

    digits : 64 hexadecimal digits too; in a venue's answer they may be a mere hash
    """
    if _SECRET_TEXT.search(text) or (digits and _KEY_DIGITS.search(text)):
        raise InputError("portfolio", "not shown", SECRET, LEAVE_OUT)


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
        values = [statement.value for statement in tree.body if isinstance(statement, ast.Expr)]
        return [_literal(value) for value in values] if values and len(values) == len(tree.body) else None
    except (SyntaxError, ValueError, RecursionError, MemoryError, TypeError, OverflowError):
        return None


def _in_turn(text: str) -> list[Any] | None:
    """Several values, each with its label or prompt, in JSON, Python's form or that of a script's console."""
    found: list[Any] = []
    place = 0
    while place < len(text):
        between = _BETWEEN.match(text, place)
        if not between:
            return None
        place = between.end()
        if place >= len(text):
            break
        end = _closing(text, place)
        read = _printed(text[place:end]) or _printed(_SCRIPT.sub(_as_python, text[place:end]))
        if read is None:
            return None
        found += read
        place = end
    return found or None


def _as_python(piece: re.Match[str]) -> str:
    """{ symbol: 'BTC', info: [Object] } as Python writes it."""
    if piece["text"]:
        return repr(piece["text"][1:-1]) if piece["text"][0] == "`" else piece["text"]
    if piece["key"]:
        return repr(piece["key"])
    return ("" if piece["kept"].startswith("...") else "None") if piece["kept"] else _SCRIPTS[piece["word"]]


def _closing(text: str, start: int) -> int:
    """Where the bracket that opens at `start` closes, or the end of the text; brackets within quotes don't count."""
    depth, quote, i = 0, "", start
    while i < len(text):
        character = text[i]
        if quote:
            if character == "\\":
                i += 1
            elif character == quote:
                quote = ""
        elif character in "'\"`":
            quote = character
        elif character in "[{(":
            depth += 1
        elif character in "]})":
            depth -= 1
            if depth == 0:
                return i + 1
        i += 1
    return len(text)


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
    if isinstance(node, ast.Attribute):  # np.nan
        return _WORDS[node.attr] if node.attr in _WORDS else _refused()
    if isinstance(node, ast.Call):
        return _made_by(node)
    return _refused()


def _made_by(call: ast.Call) -> Any:
    """What Decimal('1.5'), np.float64(0.5), OrderedDict(...) hold; a moment as its text. Nothing is called."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in _MOMENTS or name in ("fromtimestamp", "fromisoformat"):
        return ast.unparse(call)
    if len(call.args) != 1 or call.keywords or name not in (*_NUMBERS, *_MAKERS):
        return _refused()
    inside = _literal(call.args[0])
    if name in _NUMBERS and isinstance(inside, str):
        return float(inside) if name != "int" else int(inside)
    return inside


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
                    raise InputError("portfolio", str(key), SECRET, LEAVE_OUT)
                waiting.append(inside)
        elif isinstance(value, list):
            waiting.extend(value)
