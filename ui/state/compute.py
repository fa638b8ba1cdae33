"""Results for the pages, kept with the price set they rest on; what cannot be computed is named row by row."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any

from margin.core.errors import InputError, did_you_mean
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.ladder.compare import Comparison, compare, compare_methods
from margin.liquidation.moves import fatal_moves
from margin.stress.held import StressBook, stress_book
from ui.state import prices
from ui.state.book import Book
from ui.state.prices import ActivePrices
from ui.state.rows import Problem, sentence

CACHED = 256  # results kept with a price set that all share, about 100 kB each at 20 positions
OF_ONE = 24  # and with one visitor's own, where nobody else fills it


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the pages show for a book.

    comparison : None when nothing could be computed; `error` then says why in one line
    portfolio  : what was counted
    positions, collateral : the rows left out, by row id; `missing` lists the assets without prices among them
    """

    portfolio: Portfolio
    comparison: Comparison | None
    error: str = ""
    positions: Mapping[int, Problem] = field(default_factory=dict)
    collateral: Mapping[int, Problem] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def remembered(function: Callable[..., Any], size: int = 32) -> Callable[..., Any]:
    """A bounded memory for a computation on prices; arguments all hashable.

    Results lie with the price set among the arguments, else with the one the visit works on.
    """

    @wraps(function)
    def found(*args: Any, **named: Any) -> Any:
        active = next((a for a in args if isinstance(a, ActivePrices)), None) or prices.active()
        bound = min(size, OF_ONE) if active.origin == "upload" else size
        return active.results.get(function, (args, *named.items()), lambda: function(*args, **named), bound)

    return found


@partial(remembered, size=CACHED)
def compared(portfolio: Portfolio, settings: Settings, active: ActivePrices) -> Comparison:
    """`margin.compare` on the active prices. Raises InputError."""
    return compare(portfolio, active.market, settings=settings)


@remembered
def methods(
    portfolio: Portfolio, settings: Settings, active: ActivePrices
) -> tuple[tuple[str, Comparison | InputError], ...]:
    """The same book under every estimator."""
    return tuple(compare_methods(portfolio, active.market, settings))


@partial(remembered, size=CACHED)
def answer(book: Book, active: ActivePrices) -> Answer:
    """The book's figures from the rows that can be used; every other row is named with its problem. Never raises."""
    bad_positions, bad_collateral = dict(book.position_problems), dict(book.collateral_problems)
    missing: list[str] = []
    positions, collateral = [], []
    for row, position in zip(book.position_ids, book.positions_in_order, strict=True):
        if position.underlying != "USD" and position.underlying not in active.market:
            missing.append(position.underlying)
            bad_positions[row] = Problem("symbol", _no_price(position.underlying, active.assets))
        else:
            positions.append((row, position))
    for row, line in zip(book.collateral_ids, book.collateral_in_order, strict=True):
        try:
            active.market.collateral_price(line.asset, book.settings.as_of)
            collateral.append((row, line))
        except InputError as problem:
            unknown = line.asset not in active.market
            missing += [line.asset] if unknown else []
            text = _no_price(line.asset, active.assets) if unknown else sentence(problem)
            bad_collateral[row] = Problem("asset", text)
    portfolio = book.gathered(positions, collateral)
    comparison, error = _attempt(portfolio, book.settings, active)
    if comparison is None and positions:
        positions, found = _usable(positions, book.settings, active)
        bad_positions.update(found)
        if found and positions:
            portfolio = book.gathered(positions, collateral)
            comparison, error = _attempt(portfolio, book.settings, active)
    return Answer(
        portfolio=portfolio,
        comparison=comparison,
        error=error,
        positions=bad_positions,
        collateral=bad_collateral,
        missing=tuple(dict.fromkeys(missing)),
    )


def _attempt(portfolio: Portfolio, settings: Settings, active: ActivePrices) -> tuple[Comparison | None, str]:
    try:
        return compared(portfolio, settings, active), ""
    except InputError as error:
        return None, sentence(error)


def _usable(
    positions: list[tuple[int, Any]], settings: Settings, active: ActivePrices
) -> tuple[list[tuple[int, Any]], dict[int, Problem]]:
    """The rows that can be computed one by one, and what is wrong with the others (expired, no history by then)."""
    good, bad = [], {}
    for row, position in positions:
        if position.underlying == "USD":
            good.append((row, position))  # dollars do not move, so they are no book of their own
            continue
        try:
            compare(Portfolio((position,)), active.market, settings=settings)
            good.append((row, position))
        except InputError as problem:
            bad[row] = Problem("symbol", sentence(problem))
    return good, bad


def _no_price(asset: str, known: Iterable[str]) -> str:
    hint = did_you_mean(asset, known)
    return f"No prices for {asset}, so this row is left out. {hint or 'Fetch or upload them on the Data page.'}"


@partial(remembered, size=64)
def judged(portfolio: Portfolio, active: ActivePrices, settings: Settings, model: str | None) -> StressBook:
    """The accounts under their margin models, one object for every page. Raises InputError where one is not covered."""
    return stress_book(portfolio, active.market, settings, model)


fatal = remembered(fatal_moves, 128)
