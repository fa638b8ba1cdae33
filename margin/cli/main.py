"""`python -m margin ...`: every command reads files, calls the engine and prints a table or JSON.

Exit status: 0 fine; 2 bad input, with one line `error: ...` on stderr that names the field, the value and a hint.
"""

import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import margin.cli
from margin.core.command_line import Parser
from margin.core.errors import InputError, one_line
from margin.sample.ready import LABEL

COMMANDS = tuple(
    module
    for name in sorted(found.name for found in iter_modules(margin.cli.__path__))
    if name not in ("main", "text") and hasattr(module := import_module(f"margin.cli.{name}"), "add_parser")
)  # a command is one file of this folder, found by being here

EXTRAS = {"pyarrow": "parquet", "dask": "cluster", "distributed": "cluster"}  # package: the extra that brings it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    try:
        options = parser().parse_args(arguments)
        result, text = options.run(options)
        if getattr(options, "sample", False):  # wherever the bundled prices are used, the answer says so
            result, text = {"prices": LABEL, **result}, f"Prices: {LABEL}.\n\n{text}"
        sys.stdout.write((json.dumps(result, indent=2, allow_nan=False) if options.json else text) + "\n")
    except InputError as error:
        sys.stderr.write(f"error: {one_line(str(error))}\n")
        return 2
    except ModuleNotFoundError as error:  # a package of an optional extra; anything else missing is a fault of ours
        extra = EXTRAS.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        sys.stderr.write(f"error: {error.name}: is not installed (this needs it). pip install 'margin-lab[{extra}]'\n")
        return 2
    except BrokenPipeError:
        return 0
    return 0


def parser() -> Parser:
    """The whole command line; the documentation test walks it."""
    name = Path(sys.argv[0]).stem
    top = Parser(
        prog=name if name == "margin-lab" else "python -m margin",
        description="Margin under every method, for one portfolio.",
    )
    commands = top.add_subparsers(dest="command", required=True, parser_class=Parser)
    for module in COMMANDS:
        command = module.add_parser(commands)
        command.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return top
