"""The container: what it is built from is pinned, to the last package."""

import re

from tests.support import ROOT


def test_the_base_image_is_pinned_by_digest_and_the_lock_file_is_installed():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    (base,) = [line for line in lines if line.startswith("FROM ")]
    assert re.fullmatch(r"FROM [\w.:/-]+@sha256:[0-9a-f]{64}", base)
    (installed,) = [line for line in lines if "pip install" in line]
    assert installed.endswith("-r requirements.lock") and "COPY requirements.lock ." in lines
    locked = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if line[:1].isalpha()]
    assert len(locked) > 20 and all("==" in line for line in locked)
    wanted = re.findall(r"^([A-Za-z0-9-]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert {w.lower() for w in wanted} <= {re.split(r"[=\[ ]", line)[0].lower() for line in locked}
