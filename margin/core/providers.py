"""Rooms that offer something to the floors below them: a module of an agreed name, its being there is the registration.

`margin/models` finds every room's `margin_models`, `Portfolio` finds the `portfolio_formats` it is read and written by,
`Settings` the names of the `estimators`.
So a lower floor names no upper one, and a new room needs no list.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

_ENGINE = __name__.split(".")[0]


@cache
def providers(name: str) -> tuple[ModuleType, ...]:
    """The module `name` of every room of the engine that has one, by the rooms' names; loaded when first asked for."""
    places = list(import_module(_ENGINE).__path__)
    rooms = [room.name for room in iter_modules(places) if room.ispkg]
    return tuple(import_module(f"{_ENGINE}.{room}.{name}") for room in rooms if _holds(places, room, name))


@cache
def files_of(folder: str) -> tuple[str, ...]:
    """Names of the files in the folder `folder` of every room of the engine that has one, sorted; none is loaded."""
    places = [
        f"{place}/{room.name}/{folder}"
        for place in import_module(_ENGINE).__path__
        for room in iter_modules([place])
        if room.ispkg and _holds([place], room.name, folder)
    ]
    return tuple(sorted(module.name for module in iter_modules(places)))


def _holds(places: list[str], room: str, name: str) -> bool:
    return any(module.name == name for module in iter_modules([f"{place}/{room}" for place in places]))
