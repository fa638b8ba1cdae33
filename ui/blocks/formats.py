"""Numbers as text, the same everywhere: money, percent, and what was before."""


def money(amount: float | None, cents: bool = False) -> str:
    """Dollars: no cents from 100 up (unless asked for), a dash where there is no figure."""
    if amount is None:
        return "–"
    size = abs(amount)
    text = f"{size:,.0f}" if size >= 99.995 and not cents else f"{size:,.2f}"
    text = "0" if float(text.replace(",", "")) == 0 else text.removesuffix(".00")
    return f"-${text}" if amount < 0 and text != "0" else f"${text}"


def short_money(amount: float) -> str:
    """Dollars in a few characters for charts: $950, $12.2k, $3.4M."""
    size = abs(amount)
    for factor, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size >= factor * 0.99995:
            return f"{'-' if amount < 0 else ''}${size / factor:.3g}{unit}"
    return money(round(amount, 2) if size < 10 else round(amount))


def signed_money(amount: float) -> str:
    """Short dollars with their sign always shown, a true minus."""
    return ("+" if amount > 0 else "−" if amount < 0 else "") + short_money(abs(amount))


def percent(value: float | None, digits: int = 0) -> str:
    """A percentage that is already one (61.2 -> 61%); one digit below 10."""
    if value is None:
        return "–"
    return f"{value:.{max(digits, 1) if abs(value) < 10 else digits}f}%"


def change(before: float | None, after: float | None) -> str:
    """'$12,172 → $9,340', or one figure when nothing changed."""
    old, new = money(before), money(after)
    return new if old == new else f"{old} → {new}"
