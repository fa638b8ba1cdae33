"""Market and money around an account that is liquidated: volumes, volatilities, impact and the fund."""

from dataclasses import dataclass, field

from margin.risk.history import history
from margin.stress.held import StressBook


@dataclass(frozen=True)
class Frictions:
    """Market and money around the account.

    daily_volume, daily_vol : by asset, USD a day and a fraction a day (0 or missing: no impact is charged)
    impact_factor : Y of the square-root law (margin/core/impact.py); fund: USD of insurance at the start
    """

    daily_volume: dict[str, float] = field(default_factory=dict)
    impact_factor: float = 1.0
    fund: float = 1_000_000.0
    daily_vol: dict[str, float] | None = None


def frictions_of(book: StressBook, fund: float = 1_000_000.0, impact_factor: float = 1.0) -> Frictions:
    """Median traded volume and EWMA volatility of the market at the book's as-of."""
    volumes = {a: book.market.median_volume(a, book.settings.as_of) or 0.0 for a in book.assets}
    return Frictions(volumes, impact_factor, fund, volatilities_of(book))


def volatilities_of(book: StressBook) -> dict[str, float]:
    """EWMA volatility a day by asset at the book's as-of, where it has prices."""
    out = {}
    for asset in book.assets:
        if asset in book.market:
            out[asset] = float(history(book.market, [asset], book.settings).daily_vol[0])
    return out
