"""What the margin that cross-margining frees could do instead."""

from dataclasses import dataclass

from margin.core.checks import between
from margin.core.errors import InputError
from margin.ladder.compare import Comparison
from margin.ladder.safeguards import safeguard_lines


@dataclass(frozen=True, kw_only=True)
class FreedCapital:
    """USD unless said otherwise.

    freed            : isolated - margin asked (portfolio, or safeguarded)
    scale            : how many times larger the book could be before it needs the isolated margin again; None when the
                       margin is 0 (no limit)
    extra_exposure   : gross exposure that this adds
    yearly_yield     : freed x rate
    spread_isolated_bps, spread_pooled_bps : spread that returns `return_on_margin` on the margin, given the volume
    """

    freed: float
    scale: float | None
    extra_exposure: float | None
    yearly_yield: float
    spread_isolated_bps: float
    spread_pooled_bps: float


def freed_capital(
    comparison: Comparison,
    yearly_rate: float = 0.05,
    return_on_margin: float = 0.20,
    daily_turnover: float = 1.0,
    safeguarded: bool = False,
) -> FreedCapital:
    """The uses of freed margin for a comparison.

    yearly_rate, return_on_margin : fractions a year; daily_turnover : times the gross exposure traded a day
    Losses are proportional to quantities (options too), so margin scales with the book and `scale` is a ratio. The
    safeguarded margin's liquidity add-on grows faster; there `scale` is solved for.
    """
    between(yearly_rate, "rate", 0.0, 10.0)
    between(return_on_margin, "return_on_margin", 0.0, 10.0)
    if not 0.0 < daily_turnover <= 1000.0:
        raise InputError("daily_turnover", daily_turnover, "must be above 0 and at most 1000")
    asked = comparison.safeguarded if safeguarded else comparison.portfolio
    freed = comparison.isolated - asked
    gross = comparison.account.gross
    tiny = asked <= 1e-9 * comparison.isolated
    scale = None if tiny else _scale(comparison, asked, safeguarded)
    yearly_volume = gross * daily_turnover * 365.0
    return FreedCapital(
        freed=freed,
        scale=scale,
        extra_exposure=None if scale is None else gross * (scale - 1.0),
        yearly_yield=freed * yearly_rate,
        spread_isolated_bps=_spread(comparison.isolated, return_on_margin, yearly_volume),
        spread_pooled_bps=_spread(asked, return_on_margin, yearly_volume),
    )


def _scale(comparison: Comparison, asked: float, safeguarded: bool) -> float:
    """k at which the margin of k times the book is the isolated margin of the book.

    Margin grows like k to a power from 1 to 1.5 (square-root law), so k <- k isolated / margin(k) closes in by half
    or better at every step.
    """
    scale = comparison.isolated / asked
    if not safeguarded:
        return scale
    for _ in range(60):
        found = safeguard_lines(comparison.measured.scaled(scale))[-1].requirement_after
        if abs(found / comparison.isolated - 1.0) < 1e-10:
            break
        scale *= comparison.isolated / found
    return scale


def _spread(margin: float, return_on_margin: float, yearly_volume: float) -> float:
    """Basis points of traded volume that earn the return on the margin."""
    return 1e4 * margin * return_on_margin / yearly_volume if yearly_volume > 0 else 0.0
