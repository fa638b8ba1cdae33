"""From a valued book to its scenario set and risk model, by the estimator that the settings name."""

from dataclasses import replace

from margin.core.settings import Settings
from margin.risk.elliptical import Elliptical, elliptical, simulate
from margin.risk.estimators import estimator
from margin.risk.exposures import Book
from margin.risk.history import History
from margin.risk.models import EllipticalModel, RiskModel, ScenarioModel
from margin.risk.scenarios import Scenarios, in_window

__all__ = ["estimate", "observations"]


def estimate(book: Book, past: History, settings: Settings) -> tuple[Scenarios | Elliptical, RiskModel]:
    """The scenarios (or closed form) of settings.estimator from history up to as-of, and the model built on them.

    Options have no closed form here: a book that holds some is put under draws of the same distribution.
    """
    chosen = estimator(settings.estimator)
    if chosen.closed_form:
        closed = elliptical(past, settings)
        if not book.has_options:
            weights = book.linear_weights()
            return closed, EllipticalModel(weights, closed.covariance, settings.level, settings.measure, closed.dof)
        drawn = simulate(closed)
        drawn = replace(drawn, notes=closed.notes + drawn.notes)
    elif chosen.window is not None:
        everything = book.losses(past.horizon.values).sum(axis=1)
        drawn = in_window(past, settings.lookback, everything, settings.level, chosen.window)
    else:
        assert chosen.scenarios is not None  # one of the three, by its making
        drawn = chosen.scenarios(past, settings)
    return drawn, ScenarioModel(book.losses(drawn.returns), settings.level, settings.measure)


def observations(scenario_set: Scenarios | Elliptical) -> int:
    """How many scenarios there are, or how many returns a closed form was estimated from."""
    return scenario_set.observations if isinstance(scenario_set, Elliptical) else len(scenario_set.returns)
