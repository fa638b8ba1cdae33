"""The terminal sessions of README.md and docs/: run again, to compare them or to write them anew.

    python -m tests.cli.sessions            writes what has changed

A session is a fenced block that begins with `$ `. What follows a command, up to the next one, is what it printed; a last line
`...` stands for the rest. The commands of one page share a folder. Lines that begin with `$ python -m data fetch` need a
network and are left as they are.
"""

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from data.cli import main as data_main
from margin.cli.main import main as margin_main
from tests.support import ROOT

PAGES = ("README.md", "docs/cli.md")
BLOCK = re.compile(r"(?<=^```\n)\$ .*?(?=^```$)", re.MULTILINE | re.DOTALL)
PROGRAMS = {("python", "-m", "margin"): margin_main, ("python", "-m", "data"): data_main}
NETWORK = ("python", "-m", "data", "fetch")


def printed(command: str) -> str:
    """What one command writes to stdout and stderr. Raises KeyError for another program."""
    words = shlex.split(command)
    run = PROGRAMS.get(tuple(words[:3])) or {("margin-lab",): margin_main}[tuple(words[:1])]
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        run(words[3:] if words[0] == "python" else words[1:])
    return out.getvalue()


def renewed(text: str) -> str:
    """A page with every session as it runs today, in a folder of their own."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name, content in files_of(text):
            Path(name).write_text(content, encoding="utf-8")
        return BLOCK.sub(lambda found: _block(found[0]), text)


def files_of(text: str) -> Iterator[tuple[str, str]]:
    """Files that a page shows and its commands read: a fenced block after a line that ends with "`NAME`:"."""
    for found in re.finditer(r"`([\w.-]+)`:\n\n```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield found[1], found[2]


def _block(block: str) -> str:
    out = ""
    for part in re.split(r"^(?=\$ )", block, flags=re.MULTILINE)[1:]:
        line, _, before = part.partition("\n")
        if tuple(shlex.split(line[2:])[:4]) == NETWORK:
            out += part
            continue
        now = printed(line[2:])
        if before.endswith("...\n"):
            lines = before.count("\n") - 1
            now = "".join(now.splitlines(keepends=True)[:lines]) + "...\n"
        out += f"{line}\n{now}"
    return out


def main() -> None:
    """Write every page whose sessions print something else today."""
    for name in PAGES:
        page = ROOT / name
        before = page.read_text(encoding="utf-8")
        if (now := renewed(before)) != before:
            page.write_text(now, encoding="utf-8")
            sys.stdout.write(f"{name} renewed\n")


if __name__ == "__main__":
    os.environ["MARGIN_OFFLINE"] = "1"
    main()
