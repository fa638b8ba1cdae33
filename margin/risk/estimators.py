"""From a valued book to its scenario set and risk model: which estimator uses what."""

from collections.abc import Callable
from dataclasses import replace

from margin.core.estimators import estimator
from margin.core.settings import Settings
from margin.risk.elliptical import Elliptical, elliptical, simulate
from margin.risk.exposures import Book
from margin.risk.history import History
from margin.risk.models import EllipticalModel, RiskModel, ScenarioModel
from margin.risk.scenarios import Scenarios, filtered, historical, stressed


def _stressed(book: Book, past: History, settings: Settings) -> Scenarios:
    everything = book.losses(past.horizon.values).sum(axis=1)
    return stressed(past, settings.lookback, everything, settings.level)


SCENARIOS: dict[str, Callable[[Book, History, Settings], Scenarios]] = {  # of those that are no closed form
    "historical": lambda book, past, settings: historical(past, settings.lookback),
    "filtered": lambda book, past, settings: filtered(past, settings.lookback),
    "stressed": _stressed,
}


def estimate(book: Book, past: History, settings: Settings) -> tuple[Scenarios | Elliptical, RiskModel]:
    """The scenarios (or closed form) of settings.estimator from history up to as-of, and the model built on them.

    Options have no closed form here: a book that holds some is put under draws of the same distribution.
    """
    if estimator(settings.estimator).closed_form:
        closed = elliptical(past, settings)
        if not book.has_options:
            weights = book.linear_weights()
            return closed, EllipticalModel(weights, closed.covariance, settings.level, settings.measure, closed.dof)
        drawn = simulate(closed)
        drawn = replace(drawn, notes=closed.notes + drawn.notes)
    else:
        drawn = SCENARIOS[settings.estimator](book, past, settings)
    return drawn, ScenarioModel(book.losses(drawn.returns), settings.level, settings.measure)


def observations(scenario_set: Scenarios | Elliptical) -> int:
    """How many scenarios there are, or how many returns a closed form was estimated from."""
    return scenario_set.observations if isinstance(scenario_set, Elliptical) else len(scenario_set.returns)
