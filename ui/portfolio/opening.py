"""The home page loaded and computed before anybody asks for it; run by the server as it starts."""

from contextlib import suppress


def first_page() -> None:
    """Load the page and compute what it opens with on the sample. What fails here the page itself will say."""
    from ui.shell.warmup import settle

    with suppress(Exception):
        from ui.portfolio.page import first_answers
        from ui.shell import address, entrance, header, navigation  # noqa: F401  (loaded, not called)
        from ui.state.prices import sample
        from ui.state.session import default_book

        active = sample()
        first_answers(default_book(active), active)
    settle()
