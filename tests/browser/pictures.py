"""The README's pictures anew: `python -m tests.browser.pictures` opens the first screen in both themes and saves it."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.running_app import CHROMIUM, CHROMIUM_FLAGS, settled, started_app
from tests.support import ROOT

FOLDER = ROOT / "docs" / "images"
SIZE = {"width": 1280, "height": 900}


def take(folder: Path = FOLDER) -> list[Path]:
    """Save portfolio-light.png and portfolio-dark.png; the app runs offline on the bundled sample."""
    from playwright.sync_api import sync_playwright

    made = []
    with TemporaryDirectory() as store, started_app(Path(store)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport=SIZE, color_scheme=scheme)
            page.goto(address)
            page.wait_for_function("location.search.includes('p=')", timeout=90_000)
            settled(page)
            page.wait_for_timeout(2_000)  # the charts are drawn after the run
            made.append(folder / f"portfolio-{scheme}.png")
            page.screenshot(path=made[-1])
        browser.close()
    return made


if __name__ == "__main__":
    for path in take():
        print(path.relative_to(ROOT))
