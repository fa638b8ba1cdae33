"""The pages' scripts: type-checked and linted by TypeScript and ESLint where Node is at hand."""

import shutil
import subprocess

import pytest

from tests.support import ROOT

SCRIPTS = sorted((ROOT / "ui").rglob("*.js"))
TYPESCRIPT, ESLINT = "typescript@5.9.3", "eslint@9.39.5"


def npx(package: str, *command: str) -> subprocess.CompletedProcess[str]:
    """One of the tools, fetched by npx into its own cache; skips where that cannot be."""
    runner = shutil.which("npx")
    if runner is None:
        pytest.skip("needs Node (npx), which is not here: the scripts were not linted")
    try:
        done = subprocess.run(
            [runner, "--yes", "-p", package, *command],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{package} did not arrive in 200 s: the scripts were not linted")
    if "npm error" in done.stderr or "npm ERR!" in done.stderr:  # npx's own trouble; the tools write to stdout
        pytest.skip(f"{package} cannot be fetched from here: the scripts were not linted")
    return done


def test_every_script_asks_to_be_type_checked():
    assert len(SCRIPTS) >= 2
    assert [path.name for path in SCRIPTS if not path.read_text().startswith("// @ts-check\n")] == []


@pytest.mark.xdist_group("npx")
@pytest.mark.parametrize(
    ("package", "command"),
    [
        (
            TYPESCRIPT,
            ("tsc", "--noEmit", "--allowJs", "--checkJs", "--target", "es2022", "--lib", "es2022,dom,dom.iterable"),
        ),
        (ESLINT, ("eslint",)),
    ],
)
def test_the_scripts_pass(package, command):
    done = npx(package, *command, *(str(path) for path in SCRIPTS))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.xdist_group("npx")
def test_a_planted_fault_is_seen(tmp_path):
    bad = ROOT / "ui" / "planted_fault.js"
    bad.write_text("// @ts-check\nexport default () => undefined_name.toFixed(1);\n")
    try:
        assert npx(ESLINT, "eslint", str(bad)).returncode == 1
    finally:
        bad.unlink()
