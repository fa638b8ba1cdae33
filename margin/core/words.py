"""Figures inside sentences."""


def usd(amount: float) -> str:
    """Dollars as text, without cents from 100 up."""
    text = f"{abs(amount):,.0f}" if abs(amount) >= 100 else f"{abs(amount):,.2f}".removesuffix(".00")
    return f"{'-' if amount < 0 and text != '0' else ''}${text}"
