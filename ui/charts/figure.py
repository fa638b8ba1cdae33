"""A figure that goes to the page as the plain dicts it was made of."""

from functools import lru_cache
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio


class PlainFigure(go.Figure):  # type: ignore[misc]  # plotly has no types
    """As `go.Figure(spec, _validate=False)`, without its cost on the way to a page.

    Plotly turns every dict into an object, and Streamlit has them all turned back: 5 ms a chart, most of it for the
    template. The page needs the dicts alone; the objects are made when somebody looks at them.
    """

    def __new__(cls, spec: dict[str, Any]) -> "PlainFigure":
        """`spec`: data and layout; not to be changed afterwards."""
        made: PlainFigure = object.__new__(cls)
        made.__dict__["_plain"] = spec
        return made

    def __init__(self, spec: dict[str, Any]) -> None:
        """Nothing yet: `__getattr__` makes the objects."""

    def __getattr__(self, name: str) -> Any:
        spec = self.__dict__.pop("_plain", None)
        if spec is None or name.startswith("__"):
            if spec is not None:
                self.__dict__["_plain"] = spec
            raise AttributeError(name)
        super().__init__(spec, _validate=False)
        return getattr(self, name)

    def to_dict(self) -> dict[str, Any]:
        """As plotly's: data and layout with the template; arrays of numbers stay as they are, not packed."""
        spec = self.__dict__.get("_plain")
        if spec is None:
            found: dict[str, Any] = super().to_dict()
            return found
        layout = dict(spec["layout"])
        if "template" not in layout and pio.templates.default is not None:
            layout["template"] = _template(pio.templates.default)
        return {"data": spec["data"], "layout": layout}


@lru_cache(maxsize=4)
def _template(name: str) -> dict[str, Any]:
    """The template of that name as plotly writes it into a figure; shared, so read only."""
    found: dict[str, Any] = go.Figure(layout={"template": name}).to_dict()["layout"]["template"]
    return found
