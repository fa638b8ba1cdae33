"""What is asked for stands in three files: they agree, and the lock file satisfies them all. Nothing is installed."""

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support import ROOT


def asked(name: str) -> list[Requirement]:
    lines = [line.partition("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def unmet(locked: dict[str, Version], wanted: list[Requirement]) -> list[str]:
    """Each requirement that the lock lacks, or holds in another version."""
    out = []
    for one in wanted:
        version = locked.get(canonicalize_name(one.name))
        if version is None or not one.specifier.contains(version, prereleases=True):
            out.append(f"{one} (locked: {version})")
    return out


def locked() -> dict[str, Version]:
    found = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, version = re.fullmatch(r"([\w.-]+)==([\w.+!-]+)", line).groups()
            assert canonicalize_name(name) not in found, f"{name} stands there twice"
            found[canonicalize_name(name)] = Version(version)
    return found


def test_the_lock_holds_what_the_app_and_the_package_ask_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    package = [Requirement(one) for one in (*project["dependencies"], *project["optional-dependencies"]["app"])]
    assert unmet(locked(), [*asked("requirements.txt"), *package]) == []
    older = {**locked(), "numpy": Version("2.3.0")}
    del older["streamlit"]
    assert [Requirement(line.partition(" (")[0]).name for line in unmet(older, asked("requirements.txt"))] == [
        "streamlit",
        "numpy",
    ]


def test_the_package_asks_for_what_the_app_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    package = {
        r.name: r.specifier
        for r in map(Requirement, (*project["dependencies"], *project["optional-dependencies"]["app"]))
    }
    assert package == {r.name: r.specifier for r in asked("requirements.txt")}


def test_tests_may_be_installed_beside_the_lock():
    """What both ask for fits: `pip install -r requirements-dev.txt -c requirements.lock` finds an answer."""
    both = [one for one in asked("requirements-dev.txt") if canonicalize_name(one.name) in locked()]
    assert both and unmet(locked(), both) == []
