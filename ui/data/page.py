"""The Data page: where the prices come from, how fresh they are, what was cleaned; refresh, upload, download."""

from ui.blocks.views import tabbed
from ui.data import panels
from ui.shell.page import Seen


def page(seen: Seen) -> None:
    """The whole page below its heading."""
    active = seen.active
    panels.store_notices()
    panels.choice(active)

    def sources() -> None:
        panels.coverage(active)
        panels.provenance(active)

    views = {
        "Coverage": sources,
        "What was cleaned": lambda: panels.cleaning(active),
        "Refresh": panels.refresh_form,
        "Your own file": panels.upload,
        "Download": lambda: panels.download(active),
    }
    tabbed(views, "data_view")
