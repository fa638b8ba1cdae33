"""Numbers as text, the same everywhere: money, percent, moves, and what was before. One minus sign, the true one."""

import re
from collections.abc import Sequence

MANY_TIMES = 99.0  # a move from which it is told as a multiple of the price
MINUS = "\u2212"
MOST_TIMES = 1_000  # a health above it is no more than "nothing to fear"
# A hyphen before a figure that is not inside a word, a date, a symbol or a range.
# Markdown's escapes may stand before the hyphen and what follows it.
_HYPHEN = re.compile(r"(?<![\w.\-/:)])(?<![\w.\-/:)]\\)\\?-(?=\\?\$?\\?\.?\d)")


def true_minus(text: str) -> str:
    """`text` with every hyphen that means minus as a true minus; dates, symbols and ranges keep theirs."""
    return _HYPHEN.sub(MINUS, text)


def _number(value: float, form: str) -> str:
    """`value` by a format such as `,.2f`; what rounds to zero has no sign."""
    text = format(value, form)
    if not any(digit in text for digit in "123456789"):
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def number(value: float | None, digits: int = 2) -> str:
    """A plain figure with thousands set apart, a dash where there is none."""
    return "–" if value is None or value != value else _number(value, f",.{digits}f")


def quantity(value: float) -> str:
    """How much is held: as many digits as it has, thousands set apart, one minus sign: −60,000, 0.25."""
    return _number(value, ",.6g") if abs(value) < 1e6 else _number(value, ",.0f")


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: "A", "A and B", "A, B and C"."""
    *first, last = names or [""]
    return f"{', '.join(first)} and {last}" if first else last


def times(value: float | None) -> str:
    """A multiple, such as a health or a leverage: 12.06×; "over 1,000×" says enough, a dash where there is none."""
    if value is not None and value >= MOST_TIMES:
        return f"over {MOST_TIMES:,}×"
    text = number(value)
    return text if text == "–" else f"{text}×"


def money(amount: float | None, cents: bool = False) -> str:
    """Dollars: no cents from 100 up (unless asked for, and never above 1,000), a dash where there is no figure."""
    if amount is None or amount != amount:
        return "–"
    size = abs(amount)
    text = f"{size:,.0f}" if size >= (999.995 if cents else 99.995) else f"{size:,.2f}"
    text = "0" if float(text.replace(",", "")) == 0 else text.removesuffix(".00")
    return f"{MINUS}${text}" if amount < 0 and text != "0" else f"${text}"


def price(amount: float | None) -> str:
    """The price of one coin or share: cents up to 1,000, four figures below a dollar."""
    if amount is None or amount != amount:
        return "–"
    if not 0 < amount < 0.9999:
        return money(amount, cents=True)
    text = f"{amount:.4g}"
    return f"${text}" if "e" not in text else f"${amount:.12f}".rstrip("0")


def short_money(amount: float) -> str:
    """Dollars in a few characters for charts: $950, $12.2k, $3.4M."""
    size = abs(amount)
    for factor, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size >= factor * 0.99995:
            return f"{MINUS if amount < 0 else ''}${size / factor:.3g}{unit}"
    return money(round(amount, 2) if size < 10 else round(amount))


def signed_money(amount: float) -> str:
    """Short dollars with their sign always shown."""
    text = short_money(amount)
    return f"+{text}" if amount > 0 and text != "$0" else text


def tiny_money(amount: float) -> str:
    """Dollars for a cell as narrow as a phone's: the sign, two or three figures, no dollar sign: −57k, +1.3M, +842."""
    size = abs(amount)
    if size < 0.5:
        return "0"
    factor, unit = next(((f, u) for f, u in ((1e9, "B"), (1e6, "M"), (1e3, "k")) if size >= 0.995 * f), (1.0, ""))
    digits = 1 if unit and size < 9.95 * factor else 0
    text = f"{size / factor:.{digits}f}".removesuffix(".0")
    return f"{MINUS if amount < 0 else '+'}{text}{unit}"


def percent(value: float | None, digits: int = 0) -> str:
    """A percentage that is already one (61.2 -> 61%); one digit below 10."""
    if value is None or value != value:
        return "–"
    return _number(value, f",.{max(digits, 1) if abs(value) < 10 else digits}f") + "%"


def share(value: float | None, digits: int = 1) -> str:
    """A percentage given as a share: 0.0285 -> 2.9%."""
    return "–" if value is None else percent(100.0 * value, digits)


def moved(move: float | None, digits: int = 0) -> str:
    """A move given as a share, its sign always shown: −0.213 -> −21%."""
    return "–" if move is None or move != move else _number(100.0 * move, f"+,.{digits}f") + "%"


def away(move: float | None) -> str:
    """How far a liquidation is: one digit, and more where that would say that it is not away at all: −0.006%.

    A price that must become a hundred times as high is written as that: ×114k.
    """
    if move is None or move != move or move == 0:
        return moved(move, 1)
    if move >= MANY_TIMES:
        size = 1.0 + move
        factor, unit = next(((f, u) for f, u in ((1e9, "B"), (1e6, "M"), (1e3, "k")) if size >= 0.9995 * f), (1.0, ""))
        return f"×{size / factor:.3g}{unit}"
    digits = next((d for d in range(1, 5) if abs(100.0 * move) >= 0.5 * 10.0**-d), 0)
    return moved(move, digits) if digits else f"less than {'+' if move > 0 else MINUS}0.0001%"


def change(before: float | None, after: float | None) -> str:
    """'$12,172 → $9,340', or one figure when nothing changed."""
    old, new = money(before), money(after)
    return new if old == new else f"{old} → {new}"
