"""Writes a reading into a venue's parameter file: its facts, their source and dates; everything else stays."""

import json
from pathlib import Path
from typing import Any

from margin.venues.parameters import FOLDER, Parameters
from tools.venues.readers import Reading

__all__ = ["dumped", "renewed", "write"]


def renewed(data: dict[str, Any], reading: Reading) -> dict[str, Any]:
    """The file's contents with the reading's facts. Raises InputError where they do not make a parameter file.

    Tables of an older source (`FACT_...`) keep what the reading does not have; a coin that it has leaves them.
    """
    out: dict[str, Any] = json.loads(json.dumps(data))
    out["sources"]["live"] = {
        "where": reading.where, "date": reading.date, "read": reading.date, "note": f"{reading.coins} markets.",
    }  # fmt: skip
    for name, value in reading.facts.items():
        if isinstance(value, dict):
            for older in [n for n in out["facts"] if n.startswith(f"{name}_")]:
                kept = {k: v for k, v in out["facts"][older]["value"].items() if k not in value}
                out["facts"][older]["value"] = kept
            before = out["facts"].get(name, {"value": {}, "source": "live"})
            left = {k: v for k, v in before["value"].items() if k not in value}
            if left and before["source"] != "live":
                out["facts"][f"{name}_{before['source']}"] = {"value": left, "source": before["source"]}
        out["facts"][name] = {"value": value, "source": "live"}
    used = {fact["source"] for fact in out["facts"].values()}
    out["sources"] = {key: source for key, source in out["sources"].items() if key in used}
    Parameters.from_dict(out)
    return out


def write(reading: Reading, folder: Path = FOLDER) -> Path:
    """Renew the venue's file."""
    path = folder / f"{reading.venue}.json"
    data = renewed(json.loads(path.read_text(encoding="utf-8")), reading)
    path.write_text(dumped(data) + "\n", encoding="utf-8")
    return path


def dumped(value: Any, indent: int = 0) -> str:
    """JSON with one key a line and rows of numbers in one line, so that a change of a tier is a line of a diff."""
    pad = "\n" + " " * (indent + 1)
    if isinstance(value, dict) and value:
        lines = [f"{json.dumps(key)}: {dumped(part, indent + 1)}" for key, part in value.items()]
        return "{" + pad + f",{pad}".join(lines) + "\n" + " " * indent + "}"
    if isinstance(value, list) and value and any(isinstance(part, dict | list) or _long(part) for part in value):
        return "[" + pad + f",{pad}".join(dumped(part, indent + 1) for part in value) + "\n" + " " * indent + "]"
    return json.dumps(value)


def _long(part: Any) -> bool:
    return isinstance(part, str) and len(part) > 30
