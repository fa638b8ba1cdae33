"""What users get without asking for it: no default, limit or constant changes unseen (tests/core/defaults.py)."""

import json
import subprocess
import sys

from tests.core import defaults
from tests.support import ROOT


def test_every_default_and_constant_is_the_listed_one():
    """In a process of its own: what other tests did to a module does not count. What is new needs no line yet."""
    words = [sys.executable, "-m", "tests.core.defaults", "--print"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=250, check=True)
    found, listed = json.loads(done.stdout), defaults.listed()
    assert len(listed) > 1000
    changed = {name: (listed[name], found[name]) for name in listed if found.get(name, listed[name]) != listed[name]}
    assert not changed, (
        "a default changed: if it was meant, run `python -m tests.core.defaults` and say so in CHANGELOG.md"
    )
    gone = [name for name in listed if name not in found]
    assert len(gone) < 0.05 * len(listed), f"renew the list with `python -m tests.core.defaults`: {gone[:5]}"


def test_a_value_is_said_with_all_its_numbers():
    assert defaults.plain({"a": (1, 2.5), "b": True}) == "{'a': (1, 2.5), 'b': True}"
    assert defaults.plain("words alone") == "" and defaults.plain(None) == ""
    long = list(range(200))
    assert defaults.plain(long).startswith("digest ") and defaults.plain(long) != defaults.plain([*long[:-1], 0])
