"""Data: where the prices come from, how fresh they are, what was cleaned; refresh, upload, download."""

from ui.blocks.views import tabbed
from ui.data import panels as data_panels
from ui.shell import entrance
from ui.state import prices

entrance.through_app("pages/data.py")
active = prices.active()
data_panels.store_notices()
data_panels.choice(active)


def sources() -> None:
    data_panels.coverage(active)
    data_panels.provenance(active)


views = {
    "Coverage": sources,
    "What was cleaned": lambda: data_panels.cleaning(active),
    "Refresh": data_panels.refresh_form,
    "Your own file": data_panels.upload,
    "Download": lambda: data_panels.download(active),
}
tabbed(views, "data_view")
